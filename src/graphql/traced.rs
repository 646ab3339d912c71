//! What a trace is told of an operation: nothing but names and places, for values may be secrets.

use std::fmt::Write as _;

use async_graphql::parser::types::OperationType;
use async_graphql::{PathSegment, Response, ServerError, Value};
use opentelemetry::KeyValue;
use opentelemetry::trace::SpanRef;
use sha2::{Digest as _, Sha256};

use crate::domain::shortened;
use crate::telemetry;

/// How many errors of an answer are told: the draft's default.
const MOST_ERRORS: usize = 10;
/// How much of a name or a path is told; clients choose aliases.
const LONGEST_NAME: usize = 128;
const LONGEST_PATH: usize = 512;

/// Names the span of the operation by its type, as those are few, and tells which document it is of.
pub fn describe(document: &str, operation_type: OperationType, name: Option<&str>) {
    telemetry::describe(|span| {
        let operation_type = type_name(operation_type);
        span.update_name(operation_type);
        span.set_attribute(KeyValue::new("graphql.operation.type", operation_type));
        if let Some(name) = name {
            let name = shortened(name, LONGEST_NAME).into_owned();
            span.set_attribute(KeyValue::new("graphql.operation.name", name));
        }
        let mut hash = "sha256:".to_owned();
        for byte in Sha256::digest(document) {
            let _ = write!(hash, "{byte:02x}");
        }
        span.set_attribute(KeyValue::new("graphql.document.hash", hash));
    });
}

/// The kind of an operation, as conventions have it.
pub fn type_name(operation_type: OperationType) -> &'static str {
    match operation_type {
        OperationType::Query => "query",
        OperationType::Mutation => "mutation",
        OperationType::Subscription => "subscription",
    }
}

/// The codes of the errors of an answer, for metrics.
pub fn codes(response: &Response) -> Vec<String> {
    response.errors.iter().map(code).collect()
}

/// Tells the errors of an answer: code and path, and no messages, which may quote what was sent.
pub fn tell_errors(response: &Response) {
    let Some(first) = response.errors.first() else { return };
    telemetry::describe(|span| {
        telemetry::fail(span, code(first));
        for error in response.errors.iter().take(MOST_ERRORS) {
            tell(span, error);
        }
        let count = i64::try_from(response.errors.len()).unwrap_or(i64::MAX);
        span.set_attribute(KeyValue::new("graphql.error.count", count));
    });
}

fn tell(span: &SpanRef<'_>, error: &ServerError) {
    let mut attributes = vec![KeyValue::new("graphql.error.code", code(error))];
    if !error.path.is_empty() {
        attributes.push(KeyValue::new("graphql.error.path", path(&error.path)));
    }
    if let Some(place) = error.locations.first() {
        attributes.push(KeyValue::new("graphql.error.location", format!("{}:{}", place.line, place.column)));
    }
    span.add_event("graphql.error", attributes);
}

fn path(segments: &[PathSegment]) -> String {
    let mut path = String::new();
    for segment in segments {
        let _ = match segment {
            PathSegment::Index(index) => write!(path, "[{index}]"),
            PathSegment::Field(name) if path.is_empty() => write!(path, "{name}"),
            PathSegment::Field(name) => write!(path, ".{name}"),
        };
    }
    shortened(&path, LONGEST_PATH).into_owned()
}

/// The error's code. Errors of validation are given theirs at the very end.
fn code(error: &ServerError) -> String {
    match error.extensions.as_ref().and_then(|extensions| extensions.get("code")) {
        Some(Value::String(code)) => code.clone(),
        _ => "GRAPHQL_VALIDATION_FAILED".to_owned(),
    }
}
