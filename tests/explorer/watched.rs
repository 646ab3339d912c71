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
use evalgraph::app::App;
use evalgraph::auth::api_tokens::ApiToken;
use evalgraph::auth::{ApiTokens, AuthSettings, Authenticator};
use evalgraph::db::StatementCount;
use evalgraph::db::columns::ColumnSet;
use evalgraph::domain::{Deed, Principal, Scopes, Timestamp};
use evalgraph::writes::api_tokens::CreateApiToken;
use evalgraph::writes::perform;
use evalgraph::{demo, http};
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use crate::common::{TestDatabase, TestServer};

const SECRET: &str = "a secret of thirty-two bytes and some more";

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
        let database = with_demo_data().await;
        let app = TestServer::app(database.database.clone());
        Self::serve(database, app).await
    }

    /// One that asks who is there, and an API token of the owner of the demo data.
    pub async fn asking() -> (Self, String) {
        let database = with_demo_data().await;
        let settings = AuthSettings { jwt: None, token_secret: Some(SECRET.to_owned()) };
        let authenticator = Authenticator::start(&settings, &database.database).await.unwrap();
        let token = ApiToken::generate();
        let write = CreateApiToken {
            name: "explorer".to_owned(),
            hash: ApiTokens::new(database.database.clone(), SECRET).hash(&token),
            scopes: Scopes::OWN,
            expires_at: None,
            columns: ColumnSet::NONE,
        };
        let deed = Deed::command("token create", Principal::LOCAL_USER);
        perform(&database.database, &StatementCount::default(), deed, write).await.unwrap().unwrap();
        let app = TestServer::app(database.database.clone()).with_authenticator(Arc::new(authenticator));
        (Self::serve(database, app).await, token.expose().to_owned())
    }

    async fn serve(database: TestDatabase, app: App) -> Self {
        let blocked = Arc::<Mutex<Vec<String>>>::default();
        let reports = Arc::clone(&blocked);
        let report = async move |body: String| {
            reports.lock().unwrap().push(body);
            StatusCode::NO_CONTENT
        };
        let router = http::router(app)
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

async fn with_demo_data() -> TestDatabase {
    let database = TestDatabase::sqlite().await;
    demo::load_once(&database.database, Timestamp::now()).await.unwrap();
    database
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
