//! Whether an answer has objects that are put together from several places of the document.

use std::collections::HashSet;

use async_graphql::parser::types::{ExecutableDocument, Field, OperationDefinition, Selection, SelectionSet};

/// Whether an operation selects fields of one object under the same name in the answer more than once, such as in
/// `{ prompt { title } prompt { version } }`: async-graphql resolves each, and merges what comes of them.
///
/// The document is within the limits: no fragment contains itself, and selections were counted wherever they are spread.
/// Fragments that cannot both apply are taken to.
#[must_use]
pub fn merges_fields(document: &ExecutableDocument, operation: &OperationDefinition) -> bool {
    merges(document, &operation.selection_set.node)
}

fn merges(document: &ExecutableDocument, selections: &SelectionSet) -> bool {
    let mut objects = Vec::new();
    collect_objects(document, selections, &mut objects);
    let mut names = HashSet::new();
    objects.iter().any(|field| !names.insert(field.response_key().node.as_str()))
        || objects.iter().any(|field| merges(document, &field.selection_set.node))
}

/// The fields with fields of their own in a selection set and in the fragments in it.
fn collect_objects<'a>(document: &'a ExecutableDocument, selections: &'a SelectionSet, objects: &mut Vec<&'a Field>) {
    for selection in &selections.items {
        match &selection.node {
            Selection::Field(field) if field.node.selection_set.node.items.is_empty() => {}
            Selection::Field(field) => objects.push(&field.node),
            Selection::InlineFragment(fragment) => {
                collect_objects(document, &fragment.node.selection_set.node, objects);
            }
            Selection::FragmentSpread(spread) => {
                if let Some(fragment) = document.fragments.get(&spread.node.fragment_name.node) {
                    collect_objects(document, &fragment.node.selection_set.node, objects);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use async_graphql::parser::parse_query;

    use super::*;

    fn merging(text: &str) -> bool {
        let document = parse_query(text).unwrap();
        let (_, operation) = document.operations.iter().next().unwrap();
        merges_fields(&document, &operation.node)
    }

    #[test]
    fn objects_of_one_name_are_merged() {
        assert!(merging("{ a { x } a { y } }"));
        assert!(merging("{ a { x } b: c { x } ... { b: c { y } } }"));
        assert!(merging("{ a { b { x } ...F } } fragment F on T { b { y } }"));
        assert!(merging("{ a { ...F ... on T { ...F } } } fragment F on T { b { y } }"));
    }

    #[test]
    fn values_of_one_name_and_objects_of_several_are_not() {
        assert!(!merging("{ a { x x } b: a { x } }"));
        assert!(!merging("{ a { b { x } } c { b { x } ...F } } fragment F on T { d { b { y } } x }"));
        assert!(!merging("{ ...Unknown a { x } }"));
    }
}
