//! Spans of requests that are over: of slow ones, and of those that the server could not answer. Which these are is known in
//! the end, when what lies below was not recorded; so they have two spans, of HTTP and of the operation.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use opentelemetry::Context;
use opentelemetry::trace::{SpanBuilder, SpanKind, TraceContextExt as _};

use super::TRACER;
use super::operation::{ErrorFacts, OperationFacts};
use super::sampler::Demanded;
use super::span::{Span, is_recording};

/// Notes what there is to tell of an operation, while it is executed.
#[derive(Debug, Default)]
pub struct OperationNotes(Mutex<Option<OperationNote>>);

/// What was noted of an operation.
#[derive(Debug)]
pub struct OperationNote {
    begun: SystemTime,
    ended: Option<SystemTime>,
    facts: Option<OperationFacts>,
    errors: Option<ErrorFacts>,
}

impl OperationNotes {
    /// Notes for an operation that may have to be told in the end: it is not recorded, and others are.
    #[must_use]
    pub fn wanted() -> Option<Self> {
        (TRACER.get().is_some() && !is_recording()).then(Self::default)
    }

    /// The operation has begun.
    pub fn begin(&self) {
        *self.lock() = Some(OperationNote { begun: SystemTime::now(), ended: None, facts: None, errors: None });
    }

    /// What it is.
    pub fn facts(&self, facts: OperationFacts) {
        if let Some(note) = &mut *self.lock() {
            note.facts = Some(facts);
        }
    }

    /// It has ended.
    pub fn end(&self, errors: Option<ErrorFacts>) {
        if let Some(note) = &mut *self.lock() {
            note.ended = Some(SystemTime::now());
            note.errors = errors;
        }
    }

    /// What was noted.
    #[must_use]
    pub fn take(&self) -> Option<OperationNote> {
        self.lock().take()
    }

    fn lock(&self) -> MutexGuard<'_, Option<OperationNote>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl OperationNote {
    /// Whether the server is to blame for an error.
    pub(super) fn is_fault_of_server(&self) -> bool {
        self.errors.as_ref().is_some_and(|errors| errors.is_of_server)
    }

    /// Makes the span of the operation, below that of its request.
    pub(super) fn tell(self, request: &Span) {
        let Some(span) = open("GraphQL Operation", self.begun, request.context()) else { return };
        let span = span.context().span();
        if let Some(facts) = &self.facts {
            facts.tell(&span);
        }
        if let Some(errors) = self.errors {
            errors.tell(&span);
        }
        span.end_with_timestamp(self.ended.unwrap_or_else(SystemTime::now));
    }
}

/// Whether it took so long since then.
pub(super) fn is_slow(begun: SystemTime, threshold: Duration) -> bool {
    begun.elapsed().is_ok_and(|elapsed| elapsed >= threshold)
}

/// The span of a request that began then, whatever the sampler says.
pub(super) fn request(name: &'static str, begun: SystemTime, parent: &Context) -> Option<Span> {
    open(name, begun, &parent.with_value(Demanded))
}

fn open(name: &'static str, begun: SystemTime, parent: &Context) -> Option<Span> {
    Span::untracked(SpanBuilder::from_name(name).with_kind(SpanKind::Server).with_start_time(begun), parent)
}
