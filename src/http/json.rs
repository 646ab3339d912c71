//! JSON as it comes from clients.

use std::fmt;

use async_graphql::indexmap::IndexMap;
use async_graphql::{Name, Number, Value};
use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use super::request_log::LONGEST_SHOWN;
use crate::domain::shortened;

/// Why a text cannot be read.
#[derive(Debug)]
pub enum Problem {
    /// Lists or objects are nested more than 127 deep: reading them would take too much of the stack.
    TooDeep,
    /// What is wrong, and where.
    NotJson(String),
}

/// Reads one JSON value. An object that has a name twice is refused: those who look at a request on its way may have
/// seen the other value.
pub fn parse(text: &str) -> Result<Value, Problem> {
    serde_json::from_str::<Strict>(text).map(|Strict(value)| value).map_err(|error| {
        let cause = error.to_string();
        if cause.starts_with("recursion limit exceeded") { Problem::TooDeep } else { Problem::NotJson(cause) }
    })
}

struct Strict(Value);

impl<'de> Deserialize<'de> for Strict {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(StrictVisitor).map(Self)
    }
}

struct StrictVisitor;

impl<'de> Visitor<'de> for StrictVisitor {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON value")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Boolean(value))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Value, E> {
        Ok(Value::Number(number.into()))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Value, E> {
        Ok(Value::Number(number.into()))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Value, E> {
        Number::from_f64(number).map(Value::Number).ok_or_else(|| E::custom("number out of range"))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Value, E> {
        Ok(Value::String(text.to_owned()))
    }

    fn visit_string<E: Error>(self, text: String) -> Result<Value, E> {
        Ok(Value::String(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        while let Some(Strict(value)) = list.next_element()? {
            values.push(value);
        }
        Ok(Value::List(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Value, A::Error> {
        let mut fields = IndexMap::new();
        while let Some(name) = object.next_key::<String>()? {
            let name = Name::new(name);
            if fields.contains_key(&name) {
                let name = shortened(&name, LONGEST_SHOWN);
                return Err(A::Error::custom(format!("the name `{name}` appears twice in an object")));
            }
            let Strict(value) = object.next_value()?;
            fields.insert(name, value);
        }
        Ok(Value::Object(fields))
    }
}
