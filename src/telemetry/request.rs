//! What a trace has of a request: the span of HTTP at its head, which is opened when the request comes, when somebody who
//! may asks for it, or when it turns out in the end that the request deserves one.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use axum::http::header::HeaderName;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use opentelemetry::baggage::BaggageExt as _;
use opentelemetry::propagation::TextMapPropagator as _;
use opentelemetry::trace::{SpanContext, TraceContextExt as _};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::propagation::{BaggagePropagator, TraceContextPropagator};

use super::headers::Headers;
use super::late::{self, OperationNote};
use super::sampler::Demanded;
use super::span::{Place, Span, request};
use super::{TRACER, TraceSettings};

const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
const BAGGAGE: HeaderName = HeaderName::from_static("baggage");
/// With `1`, an administrator asks for a trace of the request, whatever the sampler says.
const DEMAND: HeaderName = HeaderName::from_static("x-evalgraph-trace");
/// What can be traced: files and the questions of load balancers would hide it.
const ROUTE: &str = "/graphql";

/// What a trace has of a request, or may have in the end. Clones speak of the same request.
#[derive(Debug, Clone)]
pub struct RequestTrace(Arc<Request>);

#[derive(Debug)]
struct Request {
    begun: SystemTime,
    request_id: Arc<str>,
    name: &'static str,
    method: &'static str,
    /// What the client says of its own trace.
    parent: Context,
    is_demanded: bool,
    settings: TraceSettings,
    /// The span, from when it is opened to the answer.
    span: Mutex<Option<Span>>,
}

/// A method as telemetry has it: any word may be one.
#[must_use]
pub fn method_name(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::HEAD => "HEAD",
        Method::OPTIONS => "OPTIONS",
        _ => "_OTHER",
    }
}

impl RequestTrace {
    /// Decides whether the request is recorded: as its header `traceparent` says, else as the sampler says. There is nothing
    /// to be recorded where tracing is off.
    #[must_use]
    pub fn begin(
        settings: &TraceSettings,
        method: &Method,
        path: &str,
        headers: &HeaderMap,
        request_id: &Arc<str>,
    ) -> Option<Self> {
        TRACER.get()?;
        if path != ROUTE {
            return None;
        }
        let method = method_name(method);
        let name = match method {
            "GET" => "GET /graphql",
            "POST" => "POST /graphql",
            "OPTIONS" => "OPTIONS /graphql",
            _ => "HTTP /graphql",
        };
        let trace = Self(Arc::new(Request {
            begun: SystemTime::now(),
            request_id: Arc::clone(request_id),
            name,
            method,
            parent: parent(headers),
            is_demanded: headers.get(DEMAND).is_some_and(|value| value == "1"),
            settings: settings.clone(),
            span: Mutex::new(None),
        }));
        trace.open(|of| request(of.name, of.parent.clone()));
        Some(trace)
    }

    /// Opens the span of a request that is not recorded, if its client asks for that and may. Returns what the rest of the
    /// work belongs to then.
    #[must_use]
    pub fn demanded(&self, may_demand: bool) -> Option<Place> {
        let is_opened =
            self.0.is_demanded && may_demand && self.open(|of| request(of.name, of.parent.with_value(Demanded)));
        is_opened.then(|| self.place()).flatten()
    }

    fn open(&self, span: impl FnOnce(&Request) -> Option<Span>) -> bool {
        let mut opened = self.span();
        if opened.is_some() {
            return false;
        }
        *opened = span(&self.0);
        if let Some(span) = &*opened {
            span.set_all([
                KeyValue::new("http.request.method", self.0.method),
                KeyValue::new("http.route", ROUTE),
                KeyValue::new("url.path", ROUTE),
                KeyValue::new("url.scheme", "http"),
                KeyValue::new("evalgraph.request.id", Arc::clone(&self.0.request_id)),
            ]);
            let baggage = self.0.parent.baggage();
            let recorded = self.0.settings.baggage.iter().filter_map(|name| {
                let value = baggage.get(name.as_str())?;
                Some(KeyValue::new(format!("baggage.{name}"), value.clone()))
            });
            span.set_all(recorded);
        }
        opened.is_some()
    }

    fn span(&self) -> MutexGuard<'_, Option<Span>> {
        self.0.span.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What work on the request belongs to, where it is recorded.
    #[must_use]
    pub fn place(&self) -> Option<Place> {
        self.span().as_ref().map(Span::place)
    }

    /// The id of the trace: of the one that is recorded, else of the one that the client speaks of.
    #[must_use]
    pub fn trace_id(&self) -> Option<String> {
        let opened = self.span().as_ref().map(Span::ids);
        let ids = opened.unwrap_or_else(|| self.0.parent.span().span_context().clone());
        ids.is_valid().then(|| ids.trace_id().to_string())
    }

    fn deserves_span(&self, operation: Option<&OperationNote>) -> bool {
        late::is_slow(self.0.begun, self.0.settings.slow) || operation.is_some_and(OperationNote::is_fault_of_server)
    }

    /// Ends the span with the answer, or with its absence: then the client has left. A request that was not recorded, and
    /// is slow or failed, has its span now, and one of its operation. Returns what the client is told of the trace.
    ///
    /// What a client did wrong is no error of the server.
    pub fn end(&self, status: Option<StatusCode>, operation: Option<OperationNote>) -> Option<SpanContext> {
        let failed = status.is_some_and(|status| status.is_server_error());
        let is_late = self.span().is_none() && (failed || self.deserves_span(operation.as_ref()));
        if is_late {
            self.open(|of| late::request(of.name, of.begun, &of.parent));
        }
        let span = self.span().take()?;
        if is_late && let Some(operation) = operation {
            operation.tell(&span);
        }
        match status {
            Some(status) => span.set("http.response.status_code", i64::from(status.as_u16())),
            None => span.set("evalgraph.request.cancelled", true),
        }
        if let Some(status) = status.filter(StatusCode::is_server_error) {
            span.fail(status.as_u16().to_string());
        }
        Some(span.ids())
    }
}

/// What the client says of the trace that it is part of. Its baggage is kept, for whoever works on the request.
fn parent(headers: &HeaderMap) -> Context {
    let mut parent = Context::new();
    if headers.contains_key(TRACEPARENT) {
        parent = TraceContextPropagator::new().extract_with_context(&parent, &Headers::new(headers));
    }
    if headers.contains_key(BAGGAGE) {
        parent = BaggagePropagator::new().extract_with_context(&parent, &Headers::new(headers));
    }
    parent
}

/// Tells the client the ids of the trace.
pub fn tell_client(ids: &SpanContext, headers: &mut HeaderMap) {
    let value = format!("00-{}-{}-{:02x}", ids.trace_id(), ids.span_id(), ids.trace_flags());
    if let Ok(value) = HeaderValue::from_str(&value) {
        headers.insert(TRACEPARENT, value);
    }
}
