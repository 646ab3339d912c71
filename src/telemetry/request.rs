//! The span of an HTTP request, which is the head of what a trace has of this server.

use axum::http::header::HeaderName;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use opentelemetry::Context;
use opentelemetry::propagation::{Extractor, TextMapPropagator as _};
use opentelemetry::trace::{SpanBuilder, SpanKind};
use opentelemetry_sdk::propagation::TraceContextPropagator;

use super::TRACER;
use super::span::{Span, open};

const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
/// What can be traced: files and the questions of load balancers would hide it.
const ROUTE: &str = "/graphql";

/// The span of a request. One that is dropped without an answer belongs to a client that has left.
#[derive(Debug)]
pub struct RequestSpan {
    span: Span,
    is_answered: bool,
}

/// Headers, for whoever reads a trace's ids from them.
struct Headers<'a>(&'a HeaderMap);

impl Extractor for Headers<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).and_then(|value| value.to_str().ok())
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(HeaderName::as_str).collect()
    }
}

impl RequestSpan {
    /// Decides whether the request is recorded: as its header `traceparent` says, else as the sampler says.
    #[must_use]
    pub fn begin(method: &Method, path: &str, headers: &HeaderMap, request_id: &str) -> Option<Self> {
        TRACER.get()?;
        if path != ROUTE {
            return None;
        }
        let parent = match headers.contains_key(TRACEPARENT) {
            true => TraceContextPropagator::new().extract_with_context(&Context::new(), &Headers(headers)),
            false => Context::new(),
        };
        let (name, method) = match *method {
            Method::GET => ("GET /graphql", "GET"),
            Method::POST => ("POST /graphql", "POST"),
            Method::OPTIONS => ("OPTIONS /graphql", "OPTIONS"),
            // A method may be any word.
            _ => ("HTTP /graphql", "_OTHER"),
        };
        let span = open(SpanBuilder::from_name(name).with_kind(SpanKind::Server), &parent)?;
        span.set("http.request.method", method);
        span.set("http.route", ROUTE);
        span.set("url.path", ROUTE);
        span.set("url.scheme", "http");
        span.set("evalgraph.request.id", request_id.to_owned());
        Some(Self { span, is_answered: false })
    }

    /// The context in which the request is worked on.
    #[must_use]
    pub fn context(&self) -> Context {
        self.span.context()
    }

    /// The id of the trace.
    #[must_use]
    pub fn trace_id(&self) -> String {
        self.span.ids().trace_id().to_string()
    }

    /// Ends the span with its answer, and tells the client its ids. What a client did wrong is no error of the server.
    pub fn answer(mut self, status: StatusCode, headers: &mut HeaderMap) {
        self.is_answered = true;
        self.span.set("http.response.status_code", i64::from(status.as_u16()));
        if status.is_server_error() {
            self.span.fail(status.as_u16().to_string());
        }
        let ids = self.span.ids();
        let value = format!("00-{}-{}-{:02x}", ids.trace_id(), ids.span_id(), ids.trace_flags());
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.insert(TRACEPARENT, value);
        }
    }
}

impl Drop for RequestSpan {
    fn drop(&mut self) {
        if !self.is_answered {
            self.span.set("evalgraph.request.cancelled", true);
        }
    }
}
