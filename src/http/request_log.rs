//! One log line for every request, whatever becomes of it.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue, Method};
use axum::middleware::Next;
use axum::response::Response;
use uuid::Uuid;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// A request id of a client is taken over when it is not longer than this.
const LONGEST_REQUEST_ID: usize = 128;

/// The id of the request that a handler works on.
#[derive(Debug, Clone)]
pub struct RequestId(pub Arc<str>);

/// What a handler adds to the line of its request.
#[derive(Debug, Clone, Default)]
pub struct LogDetails(Arc<Mutex<Details>>);

#[derive(Debug, Clone, Default)]
struct Details {
    operation: Option<String>,
    statements: u64,
    errors: usize,
}

impl LogDetails {
    /// The name of the operation, which the document or the client gives.
    pub fn operation(&self, name: Option<&str>) {
        self.with(|details| details.operation = name.map(str::to_owned));
    }

    /// What the operation came to.
    pub fn outcome(&self, statements: u64, errors: usize) {
        self.with(|details| (details.statements, details.errors) = (statements, errors));
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
    begun: Instant,
    details: LogDetails,
    status: Option<u16>,
}

impl Drop for Line {
    fn drop(&mut self) {
        let Details { operation, statements, errors } = self.details.with(|details| details.clone());
        let (request_id, method, path) = (&*self.request_id, self.method.as_str(), self.path.as_str());
        let duration_ms = self.begun.elapsed().as_secs_f64() * 1e3;
        match self.status {
            Some(status) => {
                tracing::info!(request_id, method, path, operation, status, duration_ms, statements, errors, "request")
            }
            None => tracing::info!(request_id, method, path, operation, duration_ms, "request cancelled"),
        }
    }
}

/// Gives the request its id, which the answer carries too, and writes its line.
pub async fn log_request(mut request: Request, next: Next) -> Response {
    let request_id = request_id(&request);
    let details = LogDetails::default();
    let mut line = Line {
        request_id: Arc::clone(&request_id),
        method: request.method().clone(),
        path: request.uri().path().to_owned(),
        begun: Instant::now(),
        details: details.clone(),
        status: None,
    };
    request.extensions_mut().insert(RequestId(Arc::clone(&request_id)));
    request.extensions_mut().insert(details);
    let mut response = next.run(request).await;
    line.status = Some(response.status().as_u16());
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
