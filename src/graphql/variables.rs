//! What is checked of the variables before anything is executed.

use async_graphql::parser::types::{ExecutableDocument, VariableDefinition};
use async_graphql::{Positioned, Request, ServerError, Value, Variables};

use super::error::{ErrorCode, nul_refused, request_error};

/// Refuses variables with the character U+0000, which PostgreSQL cannot store and so cannot search for either.
pub fn check_texts(variables: &Variables) -> Result<(), ServerError> {
    if variables.values().any(has_nul) { Err(nul_refused()) } else { Ok(()) }
}

fn has_nul(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains('\0'),
        Value::List(values) => values.iter().any(has_nul),
        Value::Object(fields) => fields.iter().any(|(name, value)| name.contains('\0') || has_nul(value)),
        _ => false,
    }
}

/// Refuses a request without a value for a variable that needs one. async-graphql notices only where it is used, when
/// the rest has been executed, and not at all where the argument has a default.
pub fn check_required(request: &Request, document: &ExecutableDocument) -> Result<(), ServerError> {
    let chosen = request.operation_name.as_deref();
    let mut operations = document.operations.iter();
    let operation = operations
        .find(|(name, _)| chosen.is_none() || name.map(|name| name.as_str()) == chosen)
        // Which one is meant is the first question then.
        .filter(|_| chosen.is_some() || operations.next().is_none());
    let variables = operation.map_or(&[][..], |(_, operation)| &operation.node.variable_definitions);
    let lacks_value = |definition: &&Positioned<VariableDefinition>| {
        let definition = &definition.node;
        let value = request.variables.get(&definition.name.node);
        !definition.var_type.node.nullable
            && value.map_or(definition.default_value.is_none(), |value| *value == Value::Null)
    };
    let Some(definition) = variables.iter().find(lacks_value) else { return Ok(()) };
    let (name, var_type) = (&definition.node.name.node, &definition.node.var_type.node);
    let message = format!("the variable ${name} must have a value of the type {var_type}");
    Err(ServerError { locations: vec![definition.pos], ..request_error(ErrorCode::BadUserInput, message) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_character_zero_is_found_in_whatever_place() {
        let check = |variables| check_texts(&Variables::from_json(variables));
        for variables in [
            serde_json::json!({ "a": "x\0" }),
            serde_json::json!({ "a": [{ "b": ["\0"] }] }),
            serde_json::json!({ "a": { "\0": 1 } }),
        ] {
            assert_eq!(check(variables).unwrap_err().message, "texts must not contain the character U+0000");
        }
        assert!(check(serde_json::json!({ "a": ["\\u0000", 0] })).is_ok());
    }
}
