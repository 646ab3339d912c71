//! A server with the demo data that a browser tells what it was not allowed to do.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use axum::http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::map_response;
use axum::response::Response;
use axum::routing::{get, post};
use evalgraph::domain::Timestamp;
use evalgraph::{demo, http};
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use crate::common::{TestDatabase, TestServer};

/// A server that stops when it is dropped.
pub struct WatchedServer {
    address: SocketAddr,
    blocked: Arc<Mutex<Vec<String>>>,
    _database: TestDatabase,
    _stop: oneshot::Sender<()>,
}

impl WatchedServer {
    /// What is shipped, but for one directive more in its policy: where the browser reports what it blocked. Pages do
    /// not hear of what is blocked in workers; this address does.
    pub async fn start() -> Self {
        let database = TestDatabase::sqlite().await;
        demo::load_once(&database.database, Timestamp::now()).await.unwrap();
        let blocked = Arc::<Mutex<Vec<String>>>::default();
        let reports = Arc::clone(&blocked);
        let report = async move |body: String| {
            reports.lock().unwrap().push(body);
            StatusCode::NO_CONTENT
        };
        let router = http::router(TestServer::app(database.database.clone()))
            .merge(indiscreet_page())
            .layer(map_response(async |response: Response| with_report_address(response)))
            .route("/reports", post(report));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let stopped = async move {
            let _ = stopped.await;
        };
        tokio::spawn(http::serve(listener, router, TestServer::connections(), stopped));
        Self { address, blocked, _database: database, _stop: stop }
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// What the browser has reported so far.
    pub fn blocked(&self) -> Vec<String> {
        self.blocked.lock().unwrap().clone()
    }
}

fn with_report_address(mut response: Response) -> Response {
    if let Some(policy) = response.headers_mut().get_mut(CONTENT_SECURITY_POLICY) {
        *policy = HeaderValue::from_str(&format!("{}; report-uri /reports", policy.to_str().unwrap())).unwrap();
    }
    response
}

/// A page at `/indiscreet/free` that asks another server for something, itself and in a worker, and the same under a
/// policy at `/indiscreet/strict`: to see that both are noticed.
fn indiscreet_page() -> Router {
    let page = "<!doctype html><link rel=icon href=data:,><script src=page.js></script>";
    let script = "fetch('http://page.example/').catch(() => {}); new Worker('worker.js')";
    let worker = "fetch('http://worker.example/').catch(() => {})";
    let policy = "default-src 'none'; script-src 'self'; worker-src 'self'; connect-src 'self'; img-src data:";
    let file = |content_type: &'static str, body: &'static str, policy: Option<&'static str>| {
        get(async move || {
            let mut response = Response::new(Body::from(body));
            response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
            if let Some(policy) = policy {
                response.headers_mut().insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy));
            }
            response
        })
    };
    let mut router = Router::new();
    for (folder, policy) in [("free", None), ("strict", Some(policy))] {
        router = router
            .route(&format!("/indiscreet/{folder}/"), file("text/html", page, policy))
            .route(&format!("/indiscreet/{folder}/page.js"), file("text/javascript", script, policy))
            .route(&format!("/indiscreet/{folder}/worker.js"), file("text/javascript", worker, policy));
    }
    router
}
