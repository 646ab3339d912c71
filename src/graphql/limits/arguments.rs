//! What the arguments of fields say: how many objects are wanted, and how much is sent to say so.

use std::collections::HashMap;

use async_graphql::parser::types::{ExecutableDocument, Field};
use async_graphql::{Name, Positioned, Value as ConstValue, Variables};
use async_graphql_value::Value;

use super::shape::{FieldShape, Multiplicity};

/// The argument that bounds a list which has no pages.
pub const LIMIT_ARGUMENT: &str = "limit";

/// The arguments that say how many objects are wanted.
const SIZE_ARGUMENTS: [&str; 3] = ["first", "last", LIMIT_ARGUMENT];

/// What a value costs beside its texts: about what it takes in memory, were it not for allocations.
const VALUE_BYTES: u64 = 16;

/// Reads arguments, whose values may come from variables.
pub struct Arguments<'a> {
    variables: HashMap<&'a str, Variable>,
    /// The size of a page where nothing names one.
    default_page_size: u64,
}

/// What is known of a variable.
#[derive(Debug, Clone, Copy, Default)]
struct Variable {
    /// The number of objects that it stands for.
    size: Option<u64>,
    /// What its value costs.
    bytes: u64,
}

impl<'a> Arguments<'a> {
    /// With the values that variables have: those of the request, else their defaults. Where operations disagree about
    /// the default, the larger counts.
    pub fn new(document: &'a ExecutableDocument, variables: &'a Variables, default_page_size: u32) -> Self {
        let mut known: HashMap<&'a str, Variable> = HashMap::new();
        let definitions = document.operations.iter().flat_map(|(_, operation)| &operation.node.variable_definitions);
        for definition in definitions {
            let name = &definition.node.name.node;
            let given = || variables.get(name);
            let default = || definition.node.default_value.as_ref().map(|value| &value.node);
            let known = known.entry(name).or_default();
            // Measured once, however many operations share it.
            if let Some(value) = if known.bytes == 0 { given().or_else(default) } else { default() } {
                known.size = known.size.max(size_of_const(value));
                known.bytes = known.bytes.max(bytes_of_const(value));
            }
        }
        Self { variables: known, default_page_size: default_page_size.into() }
    }

    /// What the values of arguments cost.
    pub fn bytes(&self, arguments: &[(Positioned<Name>, Positioned<Value>)]) -> u64 {
        let bytes = arguments.iter().map(|(name, value)| member(&name.node, self.bytes_of(&value.node)));
        bytes.fold(0, u64::saturating_add)
    }

    fn bytes_of(&self, value: &Value) -> u64 {
        match value {
            Value::Variable(name) => {
                self.variables.get(name.as_str()).map_or(VALUE_BYTES, |variable| variable.bytes.max(VALUE_BYTES))
            }
            Value::String(text) => text_bytes(text),
            Value::List(values) => sum(values.iter().map(|value| self.bytes_of(value))),
            Value::Object(fields) => sum(fields.iter().map(|(name, value)| member(name, self.bytes_of(value)))),
            _ => VALUE_BYTES,
        }
    }

    /// How many objects the field can have at most, at least one: what is nested in a list of none still has to be
    /// checked.
    pub fn page_size(&self, field: &Field, shape: &FieldShape) -> u64 {
        let named = |name: &str| field.get_argument(name).and_then(|value| self.size(&value.node));
        let largest = SIZE_ARGUMENTS.iter().filter_map(|name| named(name)).max();
        let lists = || field.arguments.iter().filter_map(|(_, value)| self.size(&value.node)).max();
        let size = match shape.multiplicity {
            Multiplicity::One | Multiplicity::PerNode => 1,
            Multiplicity::Fixed(size) => size,
            Multiplicity::Page => largest.unwrap_or(self.default_page_size),
            Multiplicity::List { usual } => largest.or(usual).or_else(lists).unwrap_or(self.default_page_size),
            Multiplicity::Bulk => lists().unwrap_or_default(),
        };
        size.max(1)
    }

    fn size(&self, value: &Value) -> Option<u64> {
        match value {
            Value::Variable(name) => self.variables.get(name.as_str())?.size,
            Value::Number(number) => Some(size_of_number(number)),
            Value::List(values) => u64::try_from(values.len()).ok(),
            _ => None,
        }
    }
}

/// The size that a value stands for: itself, or its length.
pub fn size_of_const(value: &ConstValue) -> Option<u64> {
    match value {
        ConstValue::Number(number) => Some(size_of_number(number)),
        ConstValue::List(values) => u64::try_from(values.len()).ok(),
        _ => None,
    }
}

/// A negative size will be refused where it is used.
fn size_of_number(number: &serde_json::Number) -> u64 {
    number.as_u64().unwrap_or_default()
}

fn bytes_of_const(value: &ConstValue) -> u64 {
    match value {
        ConstValue::String(text) => text_bytes(text),
        ConstValue::List(values) => sum(values.iter().map(bytes_of_const)),
        ConstValue::Object(fields) => sum(fields.iter().map(|(name, value)| member(name, bytes_of_const(value)))),
        _ => VALUE_BYTES,
    }
}

fn text_bytes(text: &str) -> u64 {
    u64::try_from(text.len()).unwrap_or(u64::MAX).saturating_add(VALUE_BYTES)
}

fn member(name: &str, value: u64) -> u64 {
    text_bytes(name).saturating_add(value)
}

/// A list or an object with these parts.
fn sum(parts: impl Iterator<Item = u64>) -> u64 {
    parts.fold(VALUE_BYTES, u64::saturating_add)
}
