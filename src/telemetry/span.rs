//! One span, and the way from it to those below it.
//!
//! Spans are `tracing`'s: it knows which of them the work at hand belongs to, from task to task, and its layer of
//! `tracing-opentelemetry` makes a span of OpenTelemetry of each. What `tracing` has no word for goes to that one by
//! itself: a name that is known late, and an end that does not wait for everybody who still holds the span. Spans of
//! resolvers and batches, of which a trace has hundreds, and those that have begun already are OpenTelemetry's alone.

use std::borrow::Cow;
use std::pin::Pin;
use std::task::{self, Poll, ready};

use opentelemetry::trace::{SpanBuilder, SpanContext, SpanRef, Status, TraceContextExt as _, Tracer as _};
use opentelemetry::{Context, ContextGuard, KeyValue, Value};
use pin_project_lite::pin_project;
use tracing::span::Entered;
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

use super::TRACER;

/// Under which name the log could be told to have the spans; it leaves them out whatever it is told.
pub const TARGET: &str = "evalgraph::trace";

/// A span that is recorded. It ends when it is dropped, as it is when nobody waits for the work any more; what others do
/// on its behalf may go on.
#[derive(Debug)]
pub struct Span {
    tracing: tracing::Span,
    context: Context,
}

impl Drop for Span {
    fn drop(&mut self) {
        self.context.span().end();
    }
}

impl Span {
    /// The span, if it is recorded. For the head of a trace, that is decided here.
    fn recorded(tracing: tracing::Span) -> Option<Self> {
        let context = tracing.context();
        is_recorded(&context).then_some(Self { tracing, context })
    }

    /// A span below `parent` that `tracing` does not know of, made by OpenTelemetry's own interface.
    pub(super) fn untracked(builder: SpanBuilder, parent: &Context) -> Option<Self> {
        let span = TRACER.get()?.build_with_context(builder, parent);
        Some(Self { tracing: tracing::Span::none(), context: parent.with_span(span) })
    }

    pub(super) fn context(&self) -> &Context {
        &self.context
    }

    /// Where work goes that belongs to the span.
    #[must_use]
    pub fn place(&self) -> Place {
        Place { tracing: self.tracing.clone(), context: self.context.clone() }
    }

    /// By which ids others know the span.
    #[must_use]
    pub fn ids(&self) -> SpanContext {
        self.context.span().span_context().clone()
    }

    /// Adds what is known of the work.
    pub fn set(&self, name: &'static str, value: impl Into<Value>) {
        self.context.span().set_attribute(KeyValue::new(name, value));
    }

    /// Adds all of this.
    pub fn set_all(&self, attributes: impl IntoIterator<Item = KeyValue>) {
        self.context.span().set_attributes(attributes);
    }

    /// Marks the work as failed, for a reason from a closed list: messages could have values in them.
    pub fn fail(&self, reason: impl Into<Cow<'static, str>>) {
        fail(&self.context.span(), reason);
    }
}

/// Marks the work of a span as failed: see [`Span::fail`].
pub fn fail(span: &SpanRef<'_>, reason: impl Into<Cow<'static, str>>) {
    let reason = reason.into();
    span.set_attribute(KeyValue::new("error.type", reason));
    span.set_status(Status::Error { description: Cow::Borrowed("") });
}

/// What work belongs to, to be taken along to another task or thread.
#[derive(Debug, Clone)]
pub struct Place {
    tracing: tracing::Span,
    context: Context,
}

impl Place {
    /// What is done on this thread belongs here, for as long as the result lives.
    pub fn enter(&self) -> (Entered<'_>, ContextGuard) {
        // In this order: entering the span makes its own context the current one, and this may know more.
        (self.tracing.enter(), self.context.clone().attach())
    }

    /// By which ids others know the span.
    #[must_use]
    pub fn ids(&self) -> SpanContext {
        self.context.span().span_context().clone()
    }

    /// Marks the work as failed: see [`Span::fail`].
    pub(super) fn fail(&self, reason: &'static str) {
        fail(&self.context.span(), reason);
    }

    /// OpenTelemetry's context of the work.
    pub(super) fn context(&self) -> &Context {
        &self.context
    }

    /// The same place, where work finds `value` too.
    pub(super) fn with_value<T: Send + Sync + 'static>(self, value: T) -> Self {
        Self { context: self.context.with_value(value), ..self }
    }
}

fn is_recorded(context: &Context) -> bool {
    context.has_active_span() && context.span().span_context().is_sampled()
}

/// Whether the trace of the work at hand is recorded.
#[must_use]
pub fn is_recording() -> bool {
    Context::map_current(is_recorded)
}

/// By which ids others know the span of the work at hand, where its trace is recorded.
#[must_use]
pub fn current_ids() -> Option<SpanContext> {
    Context::map_current(|context| is_recorded(context).then(|| context.span().span_context().clone()))
}

/// What the work at hand belongs to, where its trace is recorded.
#[must_use]
pub fn place() -> Option<Place> {
    let context = Context::map_current(|context| is_recorded(context).then(|| context.clone()))?;
    Some(Place { tracing: tracing::Span::current(), context })
}

/// A span for a part of the work at hand, where its trace is recorded.
#[must_use]
pub fn child(name: &str) -> Option<Span> {
    is_recording().then(|| tracing::info_span!(target: TARGET, "part", otel.name = name)).and_then(Span::recorded)
}

/// The same, for work that somebody else does for this process.
#[must_use]
pub fn client(name: &str) -> Option<Span> {
    let open = || tracing::info_span!(target: TARGET, "client", otel.name = name, otel.kind = "client");
    is_recording().then(open).and_then(Span::recorded)
}

/// The same, for work that this process does for a client.
#[must_use]
pub fn service(name: &str) -> Option<Span> {
    let open = || tracing::info_span!(target: TARGET, "service", otel.name = name, otel.kind = "server");
    is_recording().then(open).and_then(Span::recorded)
}

/// A span at the head of a trace of its own, where such traces are recorded.
#[must_use]
pub fn root(name: &'static str) -> Option<Span> {
    Span::recorded(tracing::info_span!(target: TARGET, parent: None, "root", otel.name = name))
}

/// The span of a request, below what the client says of it. Here is decided whether the trace is recorded.
pub(super) fn request(name: &'static str, parent: Context) -> Option<Span> {
    let span = tracing::info_span!(target: TARGET, parent: None, "request", otel.name = name, otel.kind = "server");
    // It fails where nothing is recorded.
    span.set_parent(parent).ok()?;
    Span::recorded(span)
}

/// A span for work that goes on beside what caused it: of that trace where it is recorded, else of one of its own.
#[must_use]
pub fn beside(name: &'static str) -> Option<Span> {
    if is_recording() { child(name) } else { root(name) }
}

pin_project! {
    /// Work that belongs somewhere. It is kept once: an `async fn` around it would keep it, and move it, several times.
    #[must_use = "nothing is done before it is awaited"]
    pub struct At<F> {
        // Dropped before its span ends.
        #[pin]
        work: F,
        place: Option<Place>,
        span: Option<Span>,
    }
}

impl<F: Future> Future for At<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, context: &mut task::Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let entered = this.place.as_ref().map(Place::enter);
        let done = ready!(this.work.poll(context));
        drop(entered);
        *this.span = None;
        Poll::Ready(done)
    }
}

/// Does work at a place, where there is one.
pub fn at<F: Future>(place: Option<Place>, work: F) -> At<F> {
    At { work, place, span: None }
}

/// Does work that belongs to a span, which ends with it.
pub fn within<F: Future>(span: Option<Span>, work: F) -> At<F> {
    At { work, place: span.as_ref().map(Span::place), span }
}

/// Adds to the span of the work at hand, where its trace is recorded.
pub fn describe(describe: impl FnOnce(&SpanRef<'_>)) {
    Context::map_current(|context| {
        if is_recorded(context) {
            describe(&context.span());
        }
    });
}
