//! What a credential is for. The whole operation is looked at before any of it is executed: no field of it runs when one of
//! them is not allowed.
//!
//! | scope | operations |
//! |---|---|
//! | `read` | queries |
//! | `write` | mutations |
//! | `ingest` | the mutations that add: [`INGEST`] |
//! | `admin` | all of them |
//!
//! Whoever may not read sees of what a mutation returns the objects that it was about, and not where they lead.

use async_graphql::parser::types::{
    ExecutableDocument, Field, OperationDefinition, OperationType, Selection, SelectionSet,
};
use async_graphql::{Positioned, ServerError};

use super::error::{ErrorCode, request_error};
use crate::domain::{Scopes, TokenScope};

/// What programs need that record results. Nothing that others have stored is changed by them.
const INGEST: [&str; 10] = [
    "completeEvaluation",
    "createEvaluation",
    "createPrompt",
    "createPromptVersion",
    "createPromptWithEvaluation",
    "failEvaluation",
    "finishRun",
    "recordTestResults",
    "startEvaluation",
    "startRun",
];

/// What everybody may ask who is known at all: what a client needs to know before it does anything else.
const FOR_ALL: [&str; 4] = ["__schema", "__type", "__typename", "serviceConfig"];

/// How deep below a field that changes something the fields of the objects are that it returns.
const OF_RETURNED_OBJECTS: usize = 2;

/// Refuses operations that the scopes do not cover. The document must be within the limits.
///
/// # Errors
/// With the first field that is not allowed, and the scope that it needs.
pub fn check(
    scopes: Scopes,
    document: &ExecutableDocument,
    operation: &OperationDefinition,
) -> Result<(), ServerError> {
    if scopes == Scopes::ALL {
        return Ok(());
    }
    let changes = operation.ty == OperationType::Mutation;
    let mut refused = Ok(());
    each_field(document, &operation.selection_set.node, &mut |field| {
        if refused.is_ok() {
            refused = check_root(scopes, changes, field);
        }
        if refused.is_ok() && changes && !scopes.contains(TokenScope::Read) {
            refused = check_returned(scopes, document, &field.selection_set.node, 1);
        }
    });
    refused
}

fn check_root(scopes: Scopes, changes: bool, field: &Field) -> Result<(), ServerError> {
    let name = field.name.node.as_str();
    let (is_allowed, needed) = match changes {
        _ if FOR_ALL.contains(&name) => return Ok(()),
        false => (scopes.contains(TokenScope::Read), TokenScope::Read),
        true if INGEST.contains(&name) => {
            (scopes.contains(TokenScope::Ingest) || scopes.contains(TokenScope::Write), TokenScope::Ingest)
        }
        true => (scopes.contains(TokenScope::Write), TokenScope::Write),
    };
    if is_allowed { Ok(()) } else { Err(forbidden(scopes, name, needed)) }
}

/// Of what a mutation returns, the objects that it was about may be seen, and no others.
fn check_returned(
    scopes: Scopes,
    document: &ExecutableDocument,
    selections: &SelectionSet,
    level: usize,
) -> Result<(), ServerError> {
    let mut refused = Ok(());
    each_field(document, selections, &mut |field| {
        if refused.is_err() || field.selection_set.node.items.is_empty() {
            return;
        }
        refused = if level < OF_RETURNED_OBJECTS {
            check_returned(scopes, document, &field.selection_set.node, level + 1)
        } else {
            Err(forbidden(scopes, field.name.node.as_str(), TokenScope::Read))
        };
    });
    refused
}

/// The fields of a selection, those of its fragments too.
fn each_field<'a>(document: &'a ExecutableDocument, selections: &'a SelectionSet, visit: &mut dyn FnMut(&'a Field)) {
    for Positioned { node, .. } in &selections.items {
        match node {
            Selection::Field(field) => visit(&field.node),
            Selection::InlineFragment(fragment) => each_field(document, &fragment.node.selection_set.node, visit),
            Selection::FragmentSpread(spread) => {
                if let Some(fragment) = document.fragments.get(&spread.node.fragment_name.node) {
                    each_field(document, &fragment.node.selection_set.node, visit);
                }
            }
        }
    }
}

fn forbidden(scopes: Scopes, field: &str, needed: TokenScope) -> ServerError {
    let given = if scopes.is_empty() { "nothing".to_owned() } else { format!("`{scopes}`") };
    let message = format!("the field `{field}` needs a credential for `{}`: this one is for {given}", needed.as_str());
    let mut error = request_error(ErrorCode::Forbidden, message);
    let extensions = error.extensions.get_or_insert_default();
    extensions.set("field", field);
    extensions.set("scope", needed.as_str());
    error
}

#[cfg(test)]
mod tests {
    use async_graphql::parser::parse_query;

    use super::*;

    fn refused(scopes: &str, document: &str) -> Option<String> {
        let document = parse_query(document).unwrap();
        let (_, operation) = document.operations.iter().next().unwrap();
        let error = check(Scopes::parse(scopes).unwrap(), &document, &operation.node).err()?;
        Some(error.message.split('`').nth(1).unwrap().to_owned())
    }

    #[test]
    fn operations_need_their_scopes() {
        for (scopes, document, field) in [
            ("", "{ serviceConfig { maxDepth } __typename __schema { queryType { name } } }", None),
            ("", "{ viewer { userId } }", Some("viewer")),
            ("read", "{ viewer { userId } prompts { nodes { id } } }", None),
            ("write ingest", "{ serviceConfig { maxDepth } prompts { nodes { id } } }", Some("prompts")),
            ("read", "mutation { __typename startRun { run { id } } }", Some("startRun")),
            ("ingest", "mutation { startRun { run { id } } deleteRun { deletedId } }", Some("deleteRun")),
            ("write", "mutation { startRun { run { id } } deleteRun { deletedId } }", None),
            ("admin", "mutation { deleteRun { deletedId } }", None),
            (
                "ingest",
                "mutation { ... { ...F } } fragment F on Mutation { a: updatePrompt { prompt { id } } }",
                Some("updatePrompt"),
            ),
            ("ingest", "mutation { deleteRun @skip(if: true) { deletedId } }", Some("deleteRun")),
        ] {
            assert_eq!(refused(scopes, document).as_deref(), field, "{scopes}: {document}");
        }
    }

    #[test]
    fn whoever_may_not_read_sees_only_what_a_mutation_was_about() {
        let deep = "mutation { startRun { run { id ...F } } } fragment F on Run { name evaluations { nodes { id } } }";
        assert_eq!(refused("ingest", deep).as_deref(), Some("evaluations"));
        assert_eq!(refused("write", deep).as_deref(), Some("evaluations"));
        assert_eq!(refused("read ingest", deep), None);
        let shallow = "mutation { startRun { run { id ... on Run { name } } __typename } }";
        assert_eq!(refused("ingest", shallow), None);
    }
}
