//! Objects of what is known.

use serde_json::{Map, Value};

use super::redact::redact_config;

/// A JSON object that leaves out what is null or empty.
#[derive(Debug, Default)]
pub(super) struct Members(pub Map<String, Value>);

impl Members {
    /// Adds a member unless its value is null, `[]` or `{}`.
    pub fn add(&mut self, name: &str, value: impl Into<Value>) {
        let value = value.into();
        let is_empty = match &value {
            Value::Null => true,
            Value::Array(elements) => elements.is_empty(),
            Value::Object(members) => members.is_empty(),
            _ => false,
        };
        if !is_empty {
            self.0.insert(name.to_owned(), value);
        }
    }

    /// Adds a configuration without its secrets.
    pub fn add_config(&mut self, name: &str, config: Option<Value>) {
        let mut config = config.unwrap_or_default();
        redact_config(&mut config);
        self.add(name, config);
    }

    /// The object.
    pub fn into_map(self) -> Map<String, Value> {
        self.0
    }
}
