//! What a trace is told of an operation and of the phases of its way: nothing but names and places, for values may be secrets.

use std::fmt::Write as _;

use async_graphql::parser::types::OperationType;
use async_graphql::{PathSegment, Response, ServerError, Value};
use opentelemetry::KeyValue;

use super::error::{ErrorCode, code_of};
use super::scope::RequestScope;
use crate::domain::shortened;
use crate::telemetry::{self, ErrorFacts, OperationFacts, Span};

/// How many errors of an answer are told: the draft's default.
const MOST_ERRORS: usize = 10;
/// How much of a path is told; clients choose aliases.
const LONGEST_PATH: usize = 512;

/// Opens the span of an operation, or begins to note what there would be to tell of it.
pub fn begin(scope: &RequestScope) -> Option<Span> {
    if let Some(notes) = &scope.notes {
        notes.begin();
    }
    telemetry::service("GraphQL Operation")
}

/// Tells what the operation is. `document` is asked for its text where somebody wants to know.
pub fn describe(
    scope: &RequestScope,
    operation_type: OperationType,
    name: Option<&str>,
    complexity: u64,
    document: impl FnOnce() -> String,
) {
    if scope.notes.is_none() && !telemetry::is_recording() {
        return;
    }
    let operation_type = type_name(operation_type);
    let facts = OperationFacts { operation_type, name: name.map(str::to_owned), document: document(), complexity };
    telemetry::describe(|span| facts.tell(span));
    if let Some(notes) = &scope.notes {
        notes.facts(facts);
    }
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

/// Tells what the answer has come to: of its errors the codes and paths, and no messages, which may quote what was sent.
pub fn end(scope: &RequestScope, response: &Response) {
    if scope.notes.is_none() && !telemetry::is_recording() {
        return;
    }
    let errors = response.errors.first().map(|first| ErrorFacts {
        code: code(first),
        is_of_server: response.errors.iter().any(|error| is_of_server(&code(error))),
        count: response.errors.len(),
        events: response.errors.iter().take(MOST_ERRORS).map(event).collect(),
    });
    if let Some(notes) = &scope.notes {
        notes.end(errors);
    } else if let Some(errors) = errors {
        telemetry::describe(|span| errors.tell(span));
    }
}

/// A part of the way of an operation, in the words of the working group's draft.
#[derive(Debug, Clone, Copy)]
pub enum Phase {
    /// The document is read.
    Parse,
    /// Our own limits are applied; the library's rules are at the beginning of the execution.
    Validate,
    /// The variables are made to fit.
    CoerceVariables,
    /// The fields are resolved.
    Execute,
}

impl Phase {
    /// Opens its span, where the trace is recorded.
    pub fn begin(self) -> Option<Span> {
        let (name, processing) = match self {
            Self::Parse => ("GraphQL Document Parsing", "parse"),
            Self::Validate => ("GraphQL Document Validation", "validate"),
            Self::CoerceVariables => ("GraphQL Variable Coercion", "variable_coercion"),
            Self::Execute => ("GraphQL Operation Execution", "execute"),
        };
        let span = telemetry::child(name)?;
        span.set("graphql.processing.type", processing);
        Some(span)
    }

    /// Does the work of it, which may find something wrong.
    pub fn run<T>(self, work: impl FnOnce() -> Result<T, Vec<ServerError>>) -> Result<T, Vec<ServerError>> {
        let span = self.begin();
        let result = work();
        if let (Some(span), Err(errors)) = (&span, &result)
            && let Some(first) = errors.first()
        {
            fail(span, first);
        }
        result
    }
}

/// Marks what a span is about as failed.
pub fn fail(span: &Span, error: &ServerError) {
    span.fail(code(error));
}

/// Marks the execution as failed, where an answer has errors.
pub fn executed(response: &Response) {
    if let Some(first) = response.errors.first() {
        telemetry::describe(|span| telemetry::fail(span, code(first)));
    }
}

fn event(error: &ServerError) -> Vec<KeyValue> {
    let mut attributes = vec![KeyValue::new("graphql.error.code", code(error))];
    if !error.path.is_empty() {
        attributes.push(KeyValue::new("graphql.error.path", path(&error.path)));
    }
    if let Some(place) = error.locations.first() {
        attributes.push(KeyValue::new("graphql.error.locations", format!("{}:{}", place.line, place.column)));
    }
    attributes
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

/// Whether a client can do nothing about an error with this code.
fn is_of_server(code: &str) -> bool {
    [ErrorCode::Internal, ErrorCode::Unavailable, ErrorCode::Timeout].iter().any(|known| known.as_str() == code)
}

/// The error's code, which most are given at the very end.
fn code(error: &ServerError) -> String {
    match error.extensions.as_ref().and_then(|extensions| extensions.get("code")) {
        Some(Value::String(code)) => code.clone(),
        _ => code_of(error).as_str().to_owned(),
    }
}
