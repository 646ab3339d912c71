//! How many objects a field can have, by its arguments.

use std::collections::HashMap;

use async_graphql::parser::types::{ExecutableDocument, Field};
use async_graphql::{Value as ConstValue, Variables};
use async_graphql_value::Value;

use super::shape::{FieldShape, Multiplicity};

/// The argument that bounds a list which has no pages.
pub const LIMIT_ARGUMENT: &str = "limit";

/// The arguments that say how many objects are wanted.
const SIZE_ARGUMENTS: [&str; 3] = ["first", "last", LIMIT_ARGUMENT];

/// Reads page sizes from arguments and from variables.
pub struct PageSizes<'a> {
    variables: HashMap<&'a str, u64>,
    /// The size of a page where nothing names one.
    default: u64,
}

impl<'a> PageSizes<'a> {
    /// With the values that variables have: those of the request, else their defaults. Where operations disagree about
    /// the default, the larger counts.
    pub fn new(document: &'a ExecutableDocument, variables: &'a Variables, default: u32) -> Self {
        let mut sizes: HashMap<&'a str, u64> = HashMap::new();
        let definitions = document.operations.iter().flat_map(|(_, operation)| &operation.node.variable_definitions);
        for definition in definitions {
            let name = &definition.node.name.node;
            let default = definition.node.default_value.as_ref().map(|value| &value.node);
            if let Some(size) = variables.get(name).or(default).and_then(size_of_const) {
                let known = sizes.entry(name).or_default();
                *known = size.max(*known);
            }
        }
        Self { variables: sizes, default: default.into() }
    }

    /// How many objects the field can have at most, at least one: what is nested in a list of none still has to be
    /// checked.
    pub fn of(&self, field: &Field, shape: &FieldShape) -> u64 {
        let named = |name: &str| field.get_argument(name).and_then(|value| self.size(&value.node));
        let largest = SIZE_ARGUMENTS.iter().filter_map(|name| named(name)).max();
        let size = match shape.multiplicity {
            Multiplicity::One | Multiplicity::PerNode => 1,
            Multiplicity::Fixed(size) => size,
            Multiplicity::Page => largest.unwrap_or(self.default),
            Multiplicity::List { usual } => {
                let lists = || field.arguments.iter().filter_map(|(_, value)| self.size(&value.node)).max();
                largest.or(usual).or_else(lists).unwrap_or(self.default)
            }
        };
        size.max(1)
    }

    fn size(&self, value: &Value) -> Option<u64> {
        match value {
            Value::Variable(name) => self.variables.get(name.as_str()).copied(),
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
