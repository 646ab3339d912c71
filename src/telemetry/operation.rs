//! What a trace is told of an operation: nothing but names and places, for values may be secrets.

use std::fmt::Write as _;

use opentelemetry::KeyValue;
use opentelemetry::trace::SpanRef;
use sha2::{Digest as _, Sha256};

use super::span::fail;
use crate::domain::shortened;

/// How much of a name is told; clients choose it.
const LONGEST_NAME: usize = 128;

/// What is known of an operation before it is executed.
#[derive(Debug)]
pub struct OperationFacts {
    /// `query`, `mutation` or `subscription`. It names the span, as those are few.
    pub operation_type: &'static str,
    /// The name, if it has one.
    pub name: Option<String>,
    /// The document.
    pub document: String,
    /// How many values the answer could have.
    pub complexity: u64,
}

impl OperationFacts {
    /// Tells all of it to the span of the operation.
    pub fn tell(&self, span: &SpanRef<'_>) {
        span.update_name(self.operation_type);
        span.set_attributes(self.attributes());
    }

    /// The attributes of the span of the operation.
    #[must_use]
    pub fn attributes(&self) -> Vec<KeyValue> {
        let mut hash = "sha256:".to_owned();
        for byte in Sha256::digest(&self.document) {
            let _ = write!(hash, "{byte:02x}");
        }
        let complexity = i64::try_from(self.complexity).unwrap_or(i64::MAX);
        let mut attributes = vec![
            KeyValue::new("graphql.operation.type", self.operation_type),
            KeyValue::new("graphql.document.hash", hash),
            KeyValue::new("evalgraph.operation.complexity", complexity),
        ];
        if let Some(name) = &self.name {
            attributes.push(KeyValue::new("graphql.operation.name", shortened(name, LONGEST_NAME).into_owned()));
        }
        attributes
    }
}

/// What went wrong with an operation.
#[derive(Debug)]
pub struct ErrorFacts {
    /// The code of the first error.
    pub code: String,
    /// Whether one of them is a fault of the server, and none of the client.
    pub is_of_server: bool,
    /// How many there are.
    pub count: usize,
    /// What is told of the first of them.
    pub events: Vec<Vec<KeyValue>>,
}

impl ErrorFacts {
    /// Tells all of it to the span of the operation, which has failed.
    pub fn tell(self, span: &SpanRef<'_>) {
        fail(span, self.code);
        for event in self.events {
            span.add_event("graphql.error", event);
        }
        span.set_attribute(KeyValue::new("graphql.error.count", i64::try_from(self.count).unwrap_or(i64::MAX)));
    }
}
