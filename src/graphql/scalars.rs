//! The scalars that GraphQL does not have itself.

use async_graphql::{InputValueError, InputValueResult, Scalar, ScalarType, Value};

use super::variables::quoted;
use crate::db::types::Json;
use crate::domain::Timestamp;

/// A point in time as RFC 3339 text. Answers are in UTC and have microseconds: `2026-11-23T09:30:00.123456Z`.
/// Arguments may have any offset.
#[Scalar(name = "DateTime", specified_by_url = "https://scalars.graphql.org/andimarek/date-time.html")]
impl ScalarType for Timestamp {
    fn parse(value: Value) -> InputValueResult<Self> {
        match &value {
            Value::String(text) => Self::parse(text).map_err(|error| {
                InputValueError::custom(format!(
                    "{} is not an RFC 3339 time such as 2026-11-23T09:30:00Z: {error}",
                    quoted(text)
                ))
            }),
            _ => Err(InputValueError::custom("a DateTime is a text such as \"2026-11-23T09:30:00Z\"")),
        }
    }

    fn to_value(&self) -> Value {
        Value::String(self.to_string())
    }
}

/// Any JSON value.
pub struct JsonScalar(pub Json);

/// Any JSON value: an object, a list, a text, a number, a boolean or null.
#[Scalar(name = "JSON")]
impl ScalarType for JsonScalar {
    fn parse(value: Value) -> InputValueResult<Self> {
        let value = value.into_json().map_err(|error| InputValueError::custom(error.to_string()))?;
        Ok(Self(value.into()))
    }

    fn to_value(&self) -> Value {
        // What the database keeps is JSON; should it ever not be, null shows less than a panic costs.
        serde_json::from_str(self.0.as_str()).unwrap_or_default()
    }
}
