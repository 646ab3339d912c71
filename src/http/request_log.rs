//! One log line for every request, whatever becomes of it.

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::Response;
use futures_util::FutureExt as _;
use opentelemetry::trace::SpanContext;
use uuid::Uuid;

use super::client_address::ClientAddress;
use super::negotiation::{Answer, MediaType};
use crate::domain::shortened;
use crate::graphql::{ErrorCode, RequestScope, request_error};
use crate::telemetry::metrics::{self, ActiveHttpRequest, HttpFacts};
use crate::telemetry::{self, OperationNote, RequestTrace, TraceSettings};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// A request id of a client is taken over when it is not longer than this.
const LONGEST_REQUEST_ID: usize = 128;
/// What clients choose is cut to so many characters before it goes into a line or back to them.
pub const LONGEST_SHOWN: usize = 128;

/// The id of the request that a handler works on.
#[derive(Debug, Clone)]
pub struct RequestId(pub Arc<str>);

/// What a handler adds to the line of its request.
#[derive(Debug, Clone, Default)]
pub struct LogDetails(Arc<Mutex<Details>>);

#[derive(Debug, Default)]
struct Details {
    operation: Option<String>,
    statements: u64,
    errors: usize,
    note: Option<OperationNote>,
}

/// Notes what an operation did, when it ends or is dropped.
pub struct Watch<'a> {
    details: &'a LogDetails,
    scope: Arc<RequestScope>,
}

impl Drop for Watch<'_> {
    fn drop(&mut self) {
        self.details.with(|details| {
            details.statements = self.scope.statements();
            details.note = self.scope.take_note();
        });
    }
}

impl LogDetails {
    /// The name of the operation in its document.
    pub fn operation(&self, name: &str) {
        self.with(|details| details.operation = Some(shortened(name, LONGEST_SHOWN).into_owned()));
    }

    /// What the operation does, for as long as the result lives.
    pub fn watch(&self, scope: &Arc<RequestScope>) -> Watch<'_> {
        Watch { details: self, scope: Arc::clone(scope) }
    }

    /// How many errors the answer tells.
    pub fn errors(&self, errors: usize) {
        self.with(|details| details.errors = errors);
    }

    fn with<T>(&self, change: impl FnOnce(&mut Details) -> T) -> T {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Writes the line when it is dropped: a request whose client left is dropped in the middle.
struct Line {
    request_id: Arc<str>,
    method: Method,
    path: String,
    route: Option<MatchedPath>,
    client: Option<ClientAddress>,
    begun: Instant,
    details: LogDetails,
    trace: Option<RequestTrace>,
    /// What the client is told of the trace.
    trace_ids: Option<SpanContext>,
    status: Option<StatusCode>,
    _active: ActiveHttpRequest,
}

impl Line {
    /// The request is over. Its trace ends before the line is written, which has its id.
    fn end(&mut self, status: Option<StatusCode>) {
        self.status = status;
        let note = self.details.with(|details| details.note.take());
        self.trace_ids = self.trace.as_ref().and_then(|trace| trace.end(status, note));
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        if self.status.is_none() {
            self.end(None);
        }
        let Details { operation, statements, errors, .. } = self.details.with(std::mem::take);
        let (request_id, method, path) = (&*self.request_id, self.method.as_str(), self.path.as_str());
        let of_client = || self.trace.as_ref().and_then(RequestTrace::trace_id);
        let trace_id = self.trace_ids.as_ref().map(|ids| ids.trace_id().to_string()).or_else(of_client);
        let status = self.status.map(|status| status.as_u16());
        let took = self.begun.elapsed();
        let duration_ms = took.as_secs_f64() * 1e3;
        let route = self.route.as_ref().map(MatchedPath::as_str);
        metrics::http_answered(HttpFacts { method: telemetry::method_name(&self.method), route, status, took });
        let client = self.client.map(|ClientAddress(address)| tracing::field::display(address));
        // The same fields at each level, for the level of a line is part of its call site.
        macro_rules! line {
            ($level:ident, $status:expr, $message:literal) => {
                tracing::$level!(
                    request_id,
                    trace_id,
                    client,
                    method,
                    path,
                    operation,
                    status = $status,
                    duration_ms,
                    statements,
                    errors,
                    $message
                )
            };
        }
        match status {
            None => line!(info, tracing::field::Empty, "request cancelled"),
            Some(status @ 500..) => line!(warn, status, "request"),
            Some(status) if is_probe(path) => line!(debug, status, "request"),
            Some(status) => line!(info, status, "request"),
        }
    }
}

/// Whether machines ask this again and again.
fn is_probe(path: &str) -> bool {
    path.starts_with("/health/") || path == "/metrics"
}

/// Gives the request its id, which the answer carries too, its trace, and writes its line.
pub async fn log_request(State(tracing): State<TraceSettings>, mut request: Request, next: Next) -> Response {
    let request_id = request_id(&request);
    let trace = RequestTrace::begin(&tracing, request.method(), request.uri().path(), request.headers(), &request_id);
    let details = LogDetails::default();
    let mut line = Line {
        request_id: Arc::clone(&request_id),
        method: request.method().clone(),
        path: shortened(request.uri().path(), LONGEST_SHOWN).into_owned(),
        route: request.extensions().get().cloned(),
        client: request.extensions().get().copied(),
        begun: Instant::now(),
        details: details.clone(),
        trace: trace.clone(),
        trace_ids: None,
        status: None,
        _active: ActiveHttpRequest::begin(),
    };
    request.extensions_mut().insert(RequestId(Arc::clone(&request_id)));
    request.extensions_mut().insert(details);
    let place = trace.as_ref().and_then(RequestTrace::place);
    if let Some(trace) = trace {
        request.extensions_mut().insert(trace);
    }
    let answer = AssertUnwindSafe(telemetry::at(place, next.run(request))).catch_unwind().await;
    let mut response = answer.unwrap_or_else(|panic| after_panic(&request_id, &*panic));
    line.end(Some(response.status()));
    if let Some(ids) = &line.trace_ids {
        telemetry::tell_client(ids, response.headers_mut());
    }
    if let Ok(value) = HeaderValue::from_str(&request_id) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    response
}

/// The client's id where it has a harmless one, else a new one.
fn request_id(request: &Request) -> Arc<str> {
    let harmless = |id: &&str| {
        (1..=LONGEST_REQUEST_ID).contains(&id.len())
            && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.:/+=".contains(&byte))
    };
    let given = request.headers().get(REQUEST_ID).and_then(|value| value.to_str().ok()).filter(harmless);
    given.map_or_else(|| Uuid::now_v7().to_string().into(), Into::into)
}

/// A panic is a defect: the cause goes to the log, and the client gets an answer of the usual form.
fn after_panic(request_id: &str, panic: &(dyn Any + Send)) -> Response {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let cause = text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("unknown");
    tracing::error!(request_id, cause, "a request handler panicked");
    let mut error = request_error(ErrorCode::Internal, "internal error");
    error.extensions.get_or_insert_default().set("requestId", request_id);
    Answer::refusal(StatusCode::INTERNAL_SERVER_ERROR, error).into_response(MediaType::GraphqlResponse)
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::routing::get;
    use tokio::net::TcpListener;

    use super::*;
    use crate::telemetry::captured::Captured;

    async fn broken() -> &'static str {
        panic!("a secret cause")
    }

    #[tokio::test]
    async fn a_panic_is_answered_and_the_server_goes_on() {
        let log = Captured::default();
        let writer = log.clone();
        let subscriber = tracing_subscriber::fmt().with_ansi(false).with_writer(move || writer.clone()).finish();
        let _logging = tracing::subscriber::set_default(subscriber);
        let router = Router::new()
            .route("/panic", get(broken))
            .route("/", get(|| async { "well" }))
            .layer(axum::middleware::from_fn_with_state(TraceSettings::default(), log_request));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, router).await });
        let answer = reqwest::get(format!("http://{address}/panic")).await.unwrap();
        assert_eq!(answer.status(), 500);
        let request_id = answer.headers()["x-request-id"].to_str().unwrap().to_owned();
        let body: serde_json::Value = answer.json().await.unwrap();
        let expected = serde_json::json!({ "errors": [{
            "message": "internal error",
            "extensions": { "code": "INTERNAL", "requestId": request_id },
        }] });
        assert_eq!(body, expected);
        assert_eq!(reqwest::get(format!("http://{address}/")).await.unwrap().status(), 200);
        // The cause is where only the operator reads it, under the id that the client can quote.
        let log = log.text();
        let line = log.lines().find(|line| line.contains("a secret cause")).unwrap_or_else(|| panic!("{log}"));
        assert!(line.contains(&request_id), "{line}");
    }
}
