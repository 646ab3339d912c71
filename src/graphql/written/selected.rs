//! Which fields of an object are written.

use async_graphql::parser::types::{Field, Selection, SelectionSet};
use async_graphql::{ContextSelectionSet, Positioned};

use super::{Writable, WritesAnswers};

/// A field of the objects that are written.
pub struct SelectedField<'a> {
    /// The field as the document has it.
    pub field: &'a Positioned<Field>,
    /// What is written before its value: its name in the answer, and a colon.
    pub prefix: String,
    /// How its value is come by.
    pub value: FieldValue,
    /// Whether its resolver has a span.
    pub has_span: bool,
}

/// How the value of a field is come by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FieldValue {
    /// It is the name of the type.
    TypeName,
    /// The resolver has it at hand.
    AtHand,
    /// The resolver may have to wait for it.
    Awaited,
}

/// The fields that are selected of a `T`, each once; none when the objects cannot be written: the request is not to be
/// answered so, or a directive wants to be asked.
pub fn fields<'a, T: Writable>(context: &'a ContextSelectionSet<'_>) -> Option<Vec<SelectedField<'a>>> {
    let writes = context.data_opt::<WritesAnswers>()?;
    let mut fields = Vec::new();
    collect::<T>(context, &context.item.node, *writes, &mut fields).then_some(fields)
}

/// Collects the fields of a selection set and of the fragments in it; tells whether that was possible.
fn collect<'a, T: Writable>(
    context: &'a ContextSelectionSet<'_>,
    selections: &'a SelectionSet,
    writes: WritesAnswers,
    fields: &mut Vec<SelectedField<'a>>,
) -> bool {
    selections.items.iter().all(|selection| match &selection.node {
        Selection::Field(field) => field.node.directives.is_empty() && add::<T>(field, writes, fields),
        Selection::InlineFragment(fragment) => {
            let condition = fragment.node.type_condition.as_ref().map(|condition| condition.node.on.node.as_str());
            let applies = condition.is_none_or(|condition| applies::<T>(context, condition));
            !applies || collect::<T>(context, &fragment.node.selection_set.node, writes, fields)
        }
        Selection::FragmentSpread(spread) => {
            let Some(fragment) = context.query_env.fragments.get(&spread.node.fragment_name.node) else { return false };
            let applies = applies::<T>(context, &fragment.node.type_condition.node.on.node);
            !applies || collect::<T>(context, &fragment.node.selection_set.node, writes, fields)
        }
    })
}

/// Whether a fragment on the type `condition` speaks of objects of the type `T`.
fn applies<T: Writable>(context: &ContextSelectionSet<'_>, condition: &str) -> bool {
    let name = T::type_name();
    let interfaces = context.schema_env.registry.implements.get(name.as_ref());
    name == condition || interfaces.is_some_and(|interfaces| interfaces.contains(condition))
}

fn add<'a, T: Writable>(
    field: &'a Positioned<Field>,
    writes: WritesAnswers,
    fields: &mut Vec<SelectedField<'a>>,
) -> bool {
    let prefix = format!("\"{}\":", field.node.response_key().node);
    // Validation has made sure that fields of one name in the answer are the same field, and requests whose objects have
    // to be merged are not answered so.
    if fields.iter().all(|known| known.prefix != prefix) {
        let value = match field.node.name.node.as_str() {
            "__typename" => FieldValue::TypeName,
            name if T::AT_HAND.contains(&name) => FieldValue::AtHand,
            _ => FieldValue::Awaited,
        };
        let has_span = writes.has_spans && value != FieldValue::TypeName;
        fields.push(SelectedField { field, prefix, value, has_span });
    }
    true
}
