//! Whether the variables of a request are what its operation declares, after the GraphQL specification
//! (<https://spec.graphql.org/September2025/#sec-Coercing-Variable-Values>).
//!
//! async-graphql looks at variables only where they are used, some of them only when the rest has been executed, and
//! blames the argument.

use std::collections::{HashMap, HashSet};
use std::fmt;

use async_graphql::parser::types::{BaseType, ExecutableDocument, OperationDefinition, Type, TypeKind};
use async_graphql::parser::types::{ServiceDocument, TypeDefinition, TypeSystemDefinition, VariableDefinition};
use async_graphql::{Pos, Positioned, Request, ScalarType, ServerError, Value, Variables};

use super::error::{ErrorCode, nul_refused, request_error};
use crate::domain::{Timestamp, shortened};

/// How much of a wrong value is shown.
const LONGEST_VALUE: usize = 60;

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

/// The operation of the document that the request means.
pub fn chosen_operation<'a>(
    request: &Request,
    document: &'a ExecutableDocument,
) -> Result<&'a Positioned<OperationDefinition>, ServerError> {
    let mut operations = document.operations.iter();
    let found = match &request.operation_name {
        Some(wanted) => operations.find(|(name, _)| name.is_some_and(|name| name == wanted)),
        None => operations.next().filter(|_| operations.next().is_none()),
    };
    found.map(|(_, operation)| operation).ok_or_else(|| {
        let message = match &request.operation_name {
            Some(wanted) => format!("the document has no operation named {}", quoted(wanted)),
            None => "the document has several operations: tell with `operationName` which one is meant".to_owned(),
        };
        request_error(ErrorCode::BadUserInput, message)
    })
}

/// The types of arguments that are a schema's own, by name.
pub struct InputTypes(HashMap<String, InputType>);

enum InputType {
    Enum(Vec<String>),
    Object(Vec<InputField>),
}

struct InputField {
    name: String,
    of_type: Type,
    is_required: bool,
}

impl InputTypes {
    /// Those of this schema.
    pub fn new(schema: &ServiceDocument) -> Self {
        let types = schema.definitions.iter().filter_map(|definition| match definition {
            TypeSystemDefinition::Type(definition) => input_type(&definition.node),
            _ => None,
        });
        Self(types.collect())
    }

    /// Refuses a request with the first variable that has a value of another type than it is declared with, or that has
    /// none and needs one. One that is declared twice is refused before its value is looked at twice.
    pub fn check(&self, request: &Request, operation: &OperationDefinition) -> Result<(), ServerError> {
        let mut names = HashSet::new();
        operation.variable_definitions.iter().try_for_each(|Positioned { pos, node }| {
            if !names.insert(&node.name.node) {
                let message = format!("the variable ${} is declared twice", node.name.node);
                let error = request_error(ErrorCode::GraphqlValidationFailed, message);
                return Err(ServerError { locations: vec![*pos], ..error });
            }
            self.check_variable(request, node).map_err(|problem| {
                let mut error = request_error(ErrorCode::BadUserInput, problem);
                error.extensions.get_or_insert_default().set("variable", node.name.node.as_str());
                ServerError { locations: vec![*pos], ..error }
            })
        })
    }

    fn check_variable(&self, request: &Request, definition: &VariableDefinition) -> Result<(), String> {
        let (name, var_type) = (&definition.name.node, &definition.var_type.node);
        match request.variables.get(name) {
            None if definition.default_value.is_some() || var_type.nullable => Ok(()),
            None | Some(Value::Null) if !var_type.nullable => {
                Err(format!("the variable ${name} must have a value of the type {var_type}"))
            }
            None => Ok(()),
            Some(value) => self.check_value(var_type, value, &Place::Variable(name)),
        }
    }

    fn check_value(&self, wanted: &Type, value: &Value, place: &Place<'_>) -> Result<(), String> {
        match (&wanted.base, value) {
            (_, Value::Null) if wanted.nullable => Ok(()),
            (_, Value::Null) => Err(format!("{place} must not be null: its type is {wanted}")),
            (BaseType::List(item), Value::List(values)) => {
                let mut items = values.iter().enumerate();
                items.try_for_each(|(index, value)| self.check_value(item, value, &Place::Item(place, index)))
            }
            // One value stands for a list of one.
            (BaseType::List(item), value) => self.check_value(item, value, place),
            (BaseType::Named(name), value) => self.check_named(name, value, place),
        }
    }

    fn check_named(&self, name: &str, value: &Value, place: &Place<'_>) -> Result<(), String> {
        let expected = |what: &str| Err(format!("{place} must be {what}, not {}", shown(value)));
        match (name, value) {
            ("Int", Value::Number(number)) if number.as_i64().is_some_and(|number| i32::try_from(number).is_ok()) => {
                Ok(())
            }
            ("Int", _) => expected("an Int, a whole number of 32 bits"),
            ("Float", Value::Number(_)) | ("String" | "ID", Value::String(_)) | ("Boolean", Value::Boolean(_)) => {
                Ok(())
            }
            ("ID", Value::Number(number)) if number.is_i64() || number.is_u64() => Ok(()),
            ("Float", _) => expected("a Float"),
            ("String", _) => expected("a String"),
            ("Boolean", _) => expected("a Boolean"),
            ("ID", _) => expected("an ID, a text"),
            ("DateTime", value) => check_time(value).map_err(|problem| format!("{place}: {problem}")),
            _ => match self.0.get(name) {
                Some(InputType::Enum(values)) => match value {
                    Value::String(value) if values.contains(value) => Ok(()),
                    _ => expected(&format!("one of {}", values.join(", "))),
                },
                Some(InputType::Object(fields)) => self.check_object(name, fields, value, place),
                // A scalar that takes anything, or a type that validation will not let pass.
                None => Ok(()),
            },
        }
    }

    fn check_object(&self, name: &str, fields: &[InputField], value: &Value, place: &Place<'_>) -> Result<(), String> {
        let Value::Object(values) = value else {
            return Err(format!("{place} must be an object of the type {name}, not {}", shown(value)));
        };
        if let Some(unknown) = values.keys().find(|key| fields.iter().all(|field| field.name != key.as_str())) {
            return Err(format!("{place} has the field {}, which {name} does not know", quoted(unknown)));
        }
        fields.iter().try_for_each(|field| match values.get(field.name.as_str()) {
            Some(value) => self.check_value(&field.of_type, value, &Place::Field(place, &field.name)),
            None if field.is_required => Err(format!("{place} lacks the field {}: {}", field.name, field.of_type)),
            None => Ok(()),
        })
    }
}

fn input_type(definition: &TypeDefinition) -> Option<(String, InputType)> {
    let input_type = match &definition.kind {
        TypeKind::Enum(values) => {
            InputType::Enum(values.values.iter().map(|value| value.node.value.node.to_string()).collect())
        }
        TypeKind::InputObject(object) => {
            let fields = object.fields.iter().map(|Positioned { node: field, .. }| InputField {
                name: field.name.node.to_string(),
                is_required: !field.ty.node.nullable && field.default_value.is_none(),
                of_type: field.ty.node.clone(),
            });
            InputType::Object(fields.collect())
        }
        _ => return None,
    };
    Some((definition.name.node.to_string(), input_type))
}

/// Where in a variable a value stands.
enum Place<'a> {
    Variable(&'a str),
    Field(&'a Place<'a>, &'a str),
    Item(&'a Place<'a>, usize),
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Variable(name) => write!(formatter, "the variable ${name}"),
            Self::Field(place, name) => write!(formatter, "{place}.{name}"),
            Self::Item(place, index) => write!(formatter, "{place}[{index}]"),
        }
    }
}

/// A wrong value as the client is shown it.
fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => quoted(text),
        Value::List(_) => "a list".to_owned(),
        Value::Object(_) => "an object".to_owned(),
        other => other.to_string(),
    }
}

/// A text as the client is shown it, which is not longer than it has to be.
pub(super) fn quoted(text: &str) -> String {
    format!("«{}»", shortened(text, LONGEST_VALUE))
}

/// The same as where it is used, only earlier.
fn check_time(value: &Value) -> Result<(), String> {
    let parsed = <Timestamp as ScalarType>::parse(value.clone());
    parsed.map(drop).map_err(|problem| problem.into_server_error(Pos::default()).message)
}

#[cfg(test)]
mod tests {
    use async_graphql::parser::{parse_query, parse_schema};

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

    fn problem(declaration: &str, variables: serde_json::Value) -> Option<String> {
        let document = parse_query(format!("query ({declaration}) {{ viewer {{ userId }} }}")).unwrap();
        let request = Request::new("").variables(Variables::from_json(variables));
        let operation = chosen_operation(&request, &document).unwrap();
        let input_types = InputTypes::new(&parse_schema(crate::graphql::sdl()).unwrap());
        input_types.check(&request, &operation.node).err().map(|error| error.message)
    }

    #[test]
    fn a_value_is_of_the_type_that_is_declared() {
        let json = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
        for (declaration, value) in [
            ("$v: Int", "null"),
            ("$v: Int!", "-2147483648"),
            ("$v: Float", "1"),
            ("$v: ID!", "7"),
            ("$v: [Int!]", "3"),
            ("$v: [Int]", "[1, null]"),
            ("$v: [[Int]]", "[[1]]"),
            ("$v: PromptStatus", "\"DRAFT\""),
            ("$v: PromptFilter", r#"{ "status": ["DRAFT"], "name": null }"#),
            ("$v: JSON", r#"{ "anything": [] }"#),
            ("$v: DateTime", "\"2026-11-23T09:30:00Z\""),
            ("$v: Unknown", "1"),
            ("$w: Int", "\"not declared\""),
        ] {
            assert_eq!(problem(declaration, serde_json::json!({ "v": json(value) })), None, "{declaration} {value}");
        }
        for (declaration, value, expected) in [
            ("$v: Int", "\"five\"", "the variable $v must be an Int, a whole number of 32 bits, not «five»"),
            ("$v: Int", "2147483648", "the variable $v must be an Int, a whole number of 32 bits, not 2147483648"),
            ("$v: Int", "1.5", "a whole number of 32 bits, not 1.5"),
            ("$v: Int!", "null", "the variable $v must have a value of the type Int!"),
            ("$v: Float", "true", "must be a Float, not true"),
            ("$v: String", "5", "must be a String, not 5"),
            ("$v: Boolean", "\"true\"", "must be a Boolean, not «true»"),
            ("$v: ID", "1.5", "must be an ID, a text, not 1.5"),
            ("$v: [Int!]", "[1, null]", "the variable $v[1] must not be null: its type is Int!"),
            ("$v: [Int]", "[1, [2]]", "the variable $v[1] must be an Int, a whole number of 32 bits, not a list"),
            ("$v: PromptStatus", "\"NEW\"", "the variable $v must be one of "),
            ("$v: PromptFilter", r#"{ "status": ["DRAFT", 1] }"#, "the variable $v.status[1] must be one of "),
            ("$v: PromptFilter", r#"{ "colour": 1 }"#, "has the field «colour», which PromptFilter does not know"),
            ("$v: PromptFilter", "\"DRAFT\"", "must be an object of the type PromptFilter, not «DRAFT»"),
            ("$v: DateTime", "\"yesterday\"", "«yesterday» is not an RFC 3339 time such as"),
            ("$v: DateTime", "7", "DateTime"),
        ] {
            let problem = problem(declaration, serde_json::json!({ "v": json(value) })).unwrap_or_default();
            assert!(problem.contains(expected), "{declaration} {value}: {problem}");
        }
        let long = || serde_json::json!({ "v": "ü".repeat(1_000) });
        assert!(problem("$v: Int", long()).unwrap().ends_with(&format!("«{}…»", "ü".repeat(60))));
        assert!(problem("$v: DateTime", long()).unwrap().len() < 300);
        assert!(problem("$v: DateTime", serde_json::json!({ "v": vec![7; 1_000] })).unwrap().len() < 300);
    }

    #[test]
    fn a_variable_without_a_value_may_have_a_default() {
        let nothing = || serde_json::json!({});
        assert_eq!(problem("$v: Int", nothing()), None);
        assert_eq!(problem("$v: Int! = 3", nothing()), None);
        assert!(problem("$v: Int! = 3", serde_json::json!({ "v": null })).is_some());
        assert_eq!(problem("$v: Int!", nothing()).unwrap(), "the variable $v must have a value of the type Int!");
        let lacking = problem("$v: PromptOrder", serde_json::json!({ "v": {} }));
        assert!(lacking.unwrap().starts_with("the variable $v lacks the field field: "));
    }

    #[test]
    fn the_operation_is_the_one_that_is_named() {
        let chosen = |document: &str, name: Option<&str>| {
            let document = parse_query(document).unwrap();
            let request = name.map_or_else(|| Request::new(""), |name| Request::new("").operation_name(name));
            chosen_operation(&request, &document).map(|found| found.pos.column).map_err(|error| error.message)
        };
        assert_eq!(chosen("query A { a } query B { b }", Some("B")), Ok(15));
        assert_eq!(chosen("query A { a }", None), Ok(1));
        assert_eq!(chosen("query A { a }", Some("B")), Err("the document has no operation named «B»".to_owned()));
        assert_eq!(chosen("{ a }", Some("B")), Err("the document has no operation named «B»".to_owned()));
        assert!(chosen("query A { a } query B { b }", None).unwrap_err().contains("has several operations"));
    }
}
