//! The same figures from the top down: every fragment is followed wherever it is spread, every value counted as often
//! as it can occur.

use async_graphql::parser::types::{Directive, ExecutableDocument, Field, Selection, SelectionSet};
use async_graphql::{Name, Positioned};
use async_graphql_value::Value;

use super::{DEFAULT, Measures};

/// The figures of all operations and all fragments.
pub fn of_document(document: &ExecutableDocument) -> Measures {
    let operations = document.operations.iter().map(|(_, operation)| {
        let operation = &operation.node;
        figures(document, "Query", &operation.selection_set.node, &operation.directives)
    });
    let fragments = document.fragments.values().map(|fragment| {
        let (fragment, on) = (&fragment.node, &fragment.node.type_condition.node.on.node);
        let figures = figures(document, on, &fragment.selection_set.node, &fragment.directives);
        Measures { root_fields: 0, ..figures }
    });
    operations.chain(fragments).fold(Measures::default(), Measures::beside)
}

fn figures(
    document: &ExecutableDocument,
    on: &str,
    set: &SelectionSet,
    directives: &[Positioned<Directive>],
) -> Measures {
    let mut walk = Walk { document, measures: Measures::default() };
    walk.directives(directives, 1);
    walk.set(set, &At { on, occurrences: 1, page: 1, depth: 0, nesting: 0 });
    walk.measures
}

/// Where a selection set is.
struct At<'a> {
    on: &'a str,
    /// How often the object can occur that it selects from.
    occurrences: u64,
    /// The size of the page, in a connection.
    page: u64,
    depth: u64,
    nesting: u64,
}

struct Walk<'a> {
    document: &'a ExecutableDocument,
    measures: Measures,
}

impl Walk<'_> {
    fn set(&mut self, set: &SelectionSet, at: &At<'_>) {
        let nesting = at.nesting + 1;
        self.measures.nesting = self.measures.nesting.max(nesting);
        for selection in &set.items {
            match &selection.node {
                Selection::Field(field) => self.field(&field.node, &At { nesting, ..*at }),
                Selection::InlineFragment(inner) => {
                    let inner = &inner.node;
                    let on = inner.type_condition.as_ref().map_or(at.on, |condition| &condition.node.on.node);
                    self.spread(&inner.directives, at);
                    self.set(&inner.selection_set.node, &At { on, nesting, ..*at });
                }
                Selection::FragmentSpread(spread) => {
                    self.spread(&spread.node.directives, at);
                    if let Some(fragment) = self.document.fragments.get(&spread.node.fragment_name.node) {
                        let (fragment, on) = (&fragment.node, &fragment.node.type_condition.node.on.node);
                        self.directives(&fragment.directives, at.occurrences);
                        self.set(&fragment.selection_set.node, &At { on, nesting, ..*at });
                    }
                }
            }
        }
    }

    fn spread(&mut self, directives: &[Positioned<Directive>], at: &At<'_>) {
        self.measures.fragment_spreads += 1;
        self.measures.selections += 1;
        self.directives(directives, at.occurrences);
    }

    fn directives(&mut self, directives: &[Positioned<Directive>], occurrences: u64) {
        for directive in directives {
            self.measures.directives += 1;
            self.measures.volume.input_bytes += occurrences * bytes(&directive.node.arguments);
        }
    }

    fn field(&mut self, field: &Field, at: &At<'_>) {
        let size = |default| size(field).unwrap_or(default).max(1);
        let (on, values, page) = match (at.on, field.name.node.as_str()) {
            ("Query" | "Item", "item") | ("ItemEdge", "node") => ("Item", 1, 1),
            ("Query" | "Item", "items") => ("ItemConnection", 1, size(DEFAULT.into())),
            ("Query", "top") => ("Item", size(7), 1),
            ("Item", "byIds") => ("Item", size(DEFAULT.into()), 1),
            ("ItemConnection", "nodes") => ("Item", at.page, 1),
            ("ItemConnection", "edges") => ("ItemEdge", at.page, 1),
            _ => ("", 1, 1),
        };
        let (occurrences, depth) = (at.occurrences * values, at.depth + 1);
        self.measures.selections += 1;
        self.measures.volume.values += occurrences;
        self.measures.volume.input_bytes += at.occurrences * bytes(&field.arguments);
        self.measures.depth = self.measures.depth.max(depth);
        self.measures.root_fields += u64::from(depth == 1);
        self.measures.aliases += u64::from(field.alias.is_some());
        self.directives(&field.directives, at.occurrences);
        if !field.selection_set.node.items.is_empty() {
            self.set(&field.selection_set.node, &At { on, occurrences, page, depth, nesting: at.nesting });
        }
    }
}

/// The largest size that the arguments name.
fn size(field: &Field) -> Option<u64> {
    let sizes = field.arguments.iter().filter_map(|(_, value)| match &value.node {
        Value::Number(number) => Some(number.as_u64().unwrap_or(0)),
        Value::List(values) => Some(values.len() as u64),
        Value::Variable(name) => match name.as_str() {
            "three" => Some(3),
            "five" => Some(5),
            _ => None,
        },
        _ => None,
    });
    sizes.max()
}

/// What arguments cost: 16 for every value and every name, and the bytes of names.
fn bytes(arguments: &[(Positioned<Name>, Positioned<Value>)]) -> u64 {
    let cost = |value: &Value| match value {
        Value::List(values) => 16 + 16 * values.len() as u64,
        _ => 16,
    };
    arguments.iter().map(|(name, value)| 16 + name.node.len() as u64 + cost(&value.node)).sum()
}
