//! Objects whose JSON is written while their fields are resolved.
//!
//! async-graphql resolves every field of every object in a future of its own on the heap, and collects the values in a
//! map for each object. Most fields of a list are columns of rows that are there already: all of that is more work than
//! the database had. Here such fields are resolved at once and written down as JSON; only those that have to wait for a
//! loader become futures. Requests that this would not be right for are executed as async-graphql does it, by the same
//! resolvers and with the same answer: see [`WritesAnswers`].

mod json;
mod merging;
mod objects;
mod selected;

use std::borrow::Cow;

use async_graphql::parser::types::Field;
use async_graphql::registry::Registry;
use async_graphql::resolver_utils::resolve_list;
use async_graphql::{ContainerType, ContextSelectionSet, OutputType, Positioned, ServerResult, Value};

pub use json::response_json;
pub use merging::merges_fields;

/// Given to a request, it lets answers hold JSON that is written already: whoever sends such an answer uses
/// [`response_json`]. Not to be given where [`merges_fields`], for what is written cannot be merged. Extensions of the
/// schema do not see the fields that are written.
#[derive(Debug, Clone, Copy)]
pub struct WritesAnswers {
    /// Whether each of them has a span.
    pub has_spans: bool,
}

/// An object type that can be written.
pub trait Writable: ContainerType {
    /// The fields that never wait: they are resolved the first time they are polled.
    const AT_HAND: &'static [&'static str];
}

/// An object that is written.
pub struct Written<T>(pub T);

impl<T: Writable> OutputType for Written<T> {
    fn type_name() -> Cow<'static, str> {
        T::type_name()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        T::create_type_info(registry)
    }

    async fn resolve(&self, context: &ContextSelectionSet<'_>, field: &Positioned<Field>) -> ServerResult<Value> {
        match selected::fields::<T>(context) {
            Some(fields) => objects::write_one(context, &fields, &self.0).await,
            None => self.0.resolve(context, field).await,
        }
    }
}

/// A list of objects that is written.
pub struct WrittenList<T>(pub Vec<T>);

impl<T: Writable> OutputType for WrittenList<T> {
    fn type_name() -> Cow<'static, str> {
        Vec::<T>::type_name()
    }

    fn qualified_type_name() -> String {
        Vec::<T>::qualified_type_name()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        Vec::<T>::create_type_info(registry)
    }

    async fn resolve(&self, context: &ContextSelectionSet<'_>, field: &Positioned<Field>) -> ServerResult<Value> {
        match selected::fields::<T>(context) {
            Some(fields) => objects::write_list(context, &fields, &self.0).await,
            None => resolve_list(context, field, &self.0, Some(self.0.len())).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use async_graphql::parser::parse_schema;
    use async_graphql::parser::types::{TypeKind, TypeSystemDefinition};

    use super::*;
    use crate::graphql::types::{AuditEntry, Evaluation, Prompt, PromptTemplate, Run, TestResult};

    /// The fields of a type without arguments whose values are not objects, in the schema.
    fn plain_fields(object_type: &str) -> BTreeSet<String> {
        let definitions = parse_schema(crate::graphql::sdl()).unwrap().definitions;
        let mut fields = Vec::new();
        let mut objects = BTreeSet::new();
        for definition in definitions {
            let TypeSystemDefinition::Type(definition) = definition else { continue };
            let name = definition.node.name.node.to_string();
            if let TypeKind::Object(object) = definition.node.kind {
                if name == object_type {
                    fields = object.fields;
                }
                objects.insert(name);
            }
        }
        let plain = fields.into_iter().map(|field| field.node).filter(|field| {
            let inner = field.ty.node.to_string();
            field.arguments.is_empty() && !objects.contains(inner.trim_matches(['[', ']', '!']))
        });
        plain.map(|field| field.name.node.to_string()).collect()
    }

    /// All plain fields are at hand, but for those that a loader answers for.
    fn assert_at_hand<T: Writable>(loaded: &[&str]) {
        let known = T::AT_HAND.iter().chain(loaded).map(|&name| name.to_owned()).collect();
        assert_eq!(plain_fields(&T::type_name()), known, "{}", T::type_name());
    }

    #[test]
    fn fields_without_a_loader_are_at_hand() {
        assert_at_hand::<Prompt>(&["averageScore", "evaluationCount", "passRate"]);
        assert_at_hand::<Run>(&[
            "erroredTests",
            "failedTests",
            "passRate",
            "passedTests",
            "totalCostUsd",
            "totalTests",
        ]);
        assert_at_hand::<Evaluation>(&[]);
        assert_at_hand::<TestResult>(&[]);
        assert_at_hand::<PromptTemplate>(&[]);
        assert_at_hand::<AuditEntry>(&[]);
    }
}
