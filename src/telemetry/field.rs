//! The spans of resolvers that load.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use async_graphql::{Name, Positioned};
use opentelemetry::trace::SpanBuilder;
use opentelemetry::{Array, Context, KeyValue, StringValue, Value};

use super::metrics;
use super::span::{Place, Span, is_recording, place};

/// How many resolvers of a request have spans; a request may have tens of thousands that load.
const MOST_FIELDS: usize = 1_000;

/// How many attributes the span of a resolver has.
const MOST_ATTRIBUTES: usize = 7;

/// By what names a field is known.
#[derive(Debug)]
pub struct FieldName {
    /// Its type and itself, as in `Prompt.evaluations`.
    pub coordinate: Arc<str>,
    /// The type.
    pub parent_type: Arc<str>,
    /// Itself.
    pub name: Arc<str>,
}

/// Which resolver waits for a batch.
#[derive(Debug, Clone)]
pub struct FieldLink {
    /// Its span.
    pub(super) place: Place,
    /// Its field.
    pub(super) field: Arc<FieldName>,
}

/// The span of a resolver, from its question to the answer.
#[derive(Debug)]
pub struct FieldSpan {
    /// Ends with this. None where everything that the resolver does belongs to a span already.
    _span: Option<Span>,
    link: FieldLink,
    begun: Instant,
}

impl Drop for FieldSpan {
    fn drop(&mut self) {
        metrics::field_answered(&self.link.field.coordinate, self.begun.elapsed());
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
        self.link.place.fail("LOAD_FAILED");
    }
}

/// The span of a field, in the words of the working group's draft: with its place, and the names of its arguments.
#[must_use]
pub fn field<V>(
    field: &FieldName,
    selected_as: &str,
    path: impl FnOnce() -> String,
    arguments: &[(Positioned<Name>, V)],
) -> Option<Span> {
    if !is_recording() {
        return None;
    }
    let is_alias = selected_as != &*field.name;
    let selection_name = if is_alias { selected_as.into() } else { Arc::clone(&field.name) };
    // There are hundreds in a trace: all is told at once.
    let mut attributes = Vec::with_capacity(MOST_ATTRIBUTES);
    attributes.extend([
        KeyValue::new("graphql.processing.type", "resolve"),
        KeyValue::new("graphql.selection.name", selection_name),
        KeyValue::new("graphql.selection.path", path()),
        KeyValue::new("graphql.selection.field.name", Arc::clone(&field.name)),
        KeyValue::new("graphql.selection.field.parent_type", Arc::clone(&field.parent_type)),
        KeyValue::new("graphql.selection.field.coordinate", Arc::clone(&field.coordinate)),
    ]);
    if !arguments.is_empty() {
        let names = arguments.iter().map(|(name, _)| StringValue::from(name.node.as_str().to_owned())).collect();
        attributes.push(KeyValue::new("evalgraph.field.arguments", Value::Array(Array::String(names))));
    }
    let builder = SpanBuilder::from_name(str::to_owned(&field.coordinate)).with_attributes(attributes);
    Context::map_current(|parent| Span::untracked(builder, parent))
}

/// Hands the span of a resolver to the question that it asks. A request is resolved in one task, and a resolver that has
/// said that it will ask asks before any other resolver goes on.
#[derive(Debug, Default)]
pub struct FieldSpans {
    /// The span of the resolver that is about to ask.
    asking: Mutex<Option<FieldSpan>>,
    opened: AtomicUsize,
    /// Whether every resolver has a span, which others open.
    all_have: AtomicBool,
}

impl FieldSpans {
    /// From now on, every resolver is about its work in a span of its own.
    pub fn all_have_spans(&self) {
        self.all_have.store(true, Ordering::Relaxed);
    }

    /// Opens the span of a resolver that is about to ask, unless it has one.
    pub fn open(&self, name: &Arc<FieldName>, open: impl FnOnce() -> Option<Span>) {
        let (span, place) = if self.all_have.load(Ordering::Relaxed) {
            (None, place())
        } else if self.opened.fetch_add(1, Ordering::Relaxed) < MOST_FIELDS {
            let span = open();
            let place = span.as_ref().map(Span::place);
            (span, place)
        } else {
            return;
        };
        let Some(place) = place else { return };
        *self.asking() =
            Some(FieldSpan { _span: span, link: FieldLink { place, field: Arc::clone(name) }, begun: Instant::now() });
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
