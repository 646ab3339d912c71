//! The spans of resolvers that load.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use opentelemetry::Array;
use opentelemetry::trace::SpanContext;
use opentelemetry::{StringValue, Value};

use super::metrics;
use super::span::{Span, child};

/// How many resolvers of a request have spans; a request may have tens of thousands that load.
const MOST_FIELDS: usize = 1_000;

/// Which resolver waits for a batch.
#[derive(Debug, Clone)]
pub struct FieldLink {
    /// Its span.
    pub ids: SpanContext,
    /// Its field, such as `Prompt.evaluations`.
    pub coordinate: Arc<str>,
}

/// The span of a resolver, from its question to the answer.
#[derive(Debug)]
pub struct FieldSpan {
    span: Span,
    link: FieldLink,
    begun: Instant,
}

impl Drop for FieldSpan {
    fn drop(&mut self) {
        metrics::field_answered(&self.link.coordinate, self.begun.elapsed());
    }
}

impl FieldSpan {
    /// What a batch names the resolver by.
    #[must_use]
    pub fn link(&self) -> FieldLink {
        self.link.clone()
    }

    /// Marks the resolver as failed.
    pub fn fail(&self) {
        self.span.fail("LOAD_FAILED");
    }
}

/// Hands the span of a resolver to the question that it asks. A request is resolved in one task, and a resolver that has
/// said that it will ask asks before any other resolver goes on.
#[derive(Debug, Default)]
pub struct FieldSpans {
    /// The span of the resolver that is about to ask.
    asking: Mutex<Option<FieldSpan>>,
    opened: AtomicUsize,
}

impl FieldSpans {
    /// Opens the span of a resolver that is about to ask.
    pub fn open(&self, coordinate: &Arc<str>, path: String, arguments: impl Iterator<Item = String>) {
        if self.opened.fetch_add(1, Ordering::Relaxed) >= MOST_FIELDS {
            return;
        }
        let Some(span) = child(coordinate.to_string()) else { return };
        span.set("graphql.field.coordinate", coordinate.to_string());
        span.set("graphql.field.path", path);
        let arguments: Vec<_> = arguments.map(StringValue::from).collect();
        if !arguments.is_empty() {
            span.set("graphql.field.arguments", Value::Array(Array::String(arguments)));
        }
        let link = FieldLink { ids: span.ids(), coordinate: Arc::clone(coordinate) };
        *self.asking() = Some(FieldSpan { span, link, begun: Instant::now() });
    }

    /// The span of the resolver that asks.
    #[must_use]
    pub fn take(&self) -> Option<FieldSpan> {
        self.asking().take()
    }

    fn asking(&self) -> MutexGuard<'_, Option<FieldSpan>> {
        self.asking.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
