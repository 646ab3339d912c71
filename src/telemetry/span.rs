//! One span, and the way from it to those below it.

use std::borrow::Cow;

use opentelemetry::context::FutureExt as _;
use opentelemetry::trace::{SpanBuilder, SpanContext, SpanKind, SpanRef, Status, TraceContextExt as _, Tracer as _};
use opentelemetry::{Context, KeyValue, Value};

use super::TRACER;

/// A span that is recorded. It ends when it is dropped, as it is when nobody waits for the work any more.
#[derive(Debug)]
pub struct Span(Context);

impl Drop for Span {
    fn drop(&mut self) {
        self.0.span().end();
    }
}

impl Span {
    /// The context in which work belongs to the span.
    #[must_use]
    pub fn context(&self) -> Context {
        self.0.clone()
    }

    /// By which ids others know the span.
    #[must_use]
    pub fn ids(&self) -> SpanContext {
        self.0.span().span_context().clone()
    }

    /// Adds what is known of the work.
    pub fn set(&self, name: &'static str, value: impl Into<Value>) {
        self.0.span().set_attribute(KeyValue::new(name, value));
    }

    /// Marks the work as failed, for a reason from a closed list: messages could have values in them.
    pub fn fail(&self, reason: impl Into<Cow<'static, str>>) {
        fail(&self.0.span(), reason);
    }
}

/// Marks the work of a span as failed: see [`Span::fail`].
pub fn fail(span: &SpanRef<'_>, reason: impl Into<Cow<'static, str>>) {
    let reason = reason.into();
    span.set_attribute(KeyValue::new("error.type", reason.clone()));
    span.set_status(Status::Error { description: reason });
}

fn is_recorded(context: &Context) -> bool {
    context.has_active_span() && context.span().span_context().is_sampled()
}

/// The context of the work at hand, where its trace is recorded.
#[must_use]
pub fn current() -> Option<Context> {
    Context::map_current(|context| is_recorded(context).then(|| context.clone()))
}

/// A span for a part of the work at hand, where its trace is recorded.
#[must_use]
pub fn child(name: impl Into<Cow<'static, str>>) -> Option<Span> {
    let parent = current()?;
    open(SpanBuilder::from_name(name), &parent)
}

/// A span at the head of a trace of its own, where such traces are recorded.
#[must_use]
pub fn root(name: &'static str) -> Option<Span> {
    open(SpanBuilder::from_name(name), &Context::new())
}

/// A span below `parent`. Here is decided whether the trace is recorded, where `parent` does not say it.
pub(super) fn open(builder: SpanBuilder, parent: &Context) -> Option<Span> {
    let span = TRACER.get()?.build_with_context(builder, parent);
    opentelemetry::trace::Span::span_context(&span).is_sampled().then(|| Span(parent.with_span(span)))
}

/// A span of work that somebody else does for this process.
pub(super) fn client(name: impl Into<Cow<'static, str>>) -> Option<Span> {
    let parent = current()?;
    open(SpanBuilder::from_name(name).with_kind(SpanKind::Client), &parent)
}

/// Does work in a context, where there is one.
pub async fn attached<F: Future>(context: Option<Context>, work: F) -> F::Output {
    match context {
        None => work.await,
        Some(context) => work.with_context(context).await,
    }
}

/// Does work that belongs to a span, which ends with it.
pub async fn within<F: Future>(span: Option<Span>, work: F) -> F::Output {
    attached(span.as_ref().map(Span::context), work).await
}

/// Does work that belongs to a span of its own, and may fail for a reason from a closed list.
pub fn phase<T, E>(name: &'static str, work: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
    let span = child(name);
    let result = work();
    if let (Some(span), Err(_)) = (&span, &result) {
        span.fail("REFUSED");
    }
    result
}

/// Adds to the span of the work at hand, where its trace is recorded.
pub fn describe(describe: impl FnOnce(&SpanRef<'_>)) {
    Context::map_current(|context| {
        if is_recorded(context) {
            describe(&context.span());
        }
    });
}
