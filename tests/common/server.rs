//! The whole server on a port of its own.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use evalgraph::app::App;
use evalgraph::auth::Authenticator;
use evalgraph::db::Database;
use evalgraph::domain::Principal;
use evalgraph::graphql::ServiceLimits;
use evalgraph::http::{self, ConnectionLimits};
use reqwest::header::HeaderMap;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use super::TestDatabase;

/// A server that stops when it is dropped.
pub struct TestServer {
    pub address: SocketAddr,
    pub client: reqwest::Client,
    _stop: oneshot::Sender<()>,
}

/// What came back.
#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Value,
}

impl TestServer {
    /// With the usual limits, for the administrator `local`.
    pub async fn start(database: &TestDatabase) -> Self {
        Self::for_principal(database, Principal::local()).await
    }

    /// With the usual limits, for this principal.
    pub async fn for_principal(database: &TestDatabase, principal: Principal) -> Self {
        Self::with(Self::app(database.database.clone()), principal).await
    }

    /// The application with the usual limits.
    pub fn app(database: Database) -> App {
        App::with_limits(database, ServiceLimits::DEFAULT)
    }

    /// This application for this principal.
    pub async fn with(app: App, principal: Principal) -> Self {
        Self::with_limits(app, principal, Self::connections()).await
    }

    /// This application for this principal, with other limits on connections.
    pub async fn with_limits(app: App, principal: Principal, limits: ConnectionLimits) -> Self {
        let app = app.with_authenticator(Arc::new(Authenticator::everybody(principal)));
        Self::authenticating(app, limits).await
    }

    /// This application, for whom its authenticator knows.
    pub async fn authenticating(app: App, limits: ConnectionLimits) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let router = http::router(app);
        let shutdown = async move {
            let _ = stopped.await;
        };
        tokio::spawn(http::serve(listener, router, limits, shutdown));
        Self { address, client: reqwest::Client::new(), _stop: stop }
    }

    /// The usual limits on connections, and no patience at the end.
    pub fn connections() -> ConnectionLimits {
        ConnectionLimits {
            header_timeout: Duration::from_secs(10),
            idle_timeout: Duration::from_secs(75),
            half_close_patience: Duration::from_millis(250),
            most: 10_000,
            shutdown: Duration::ZERO,
        }
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Sends an operation.
    pub async fn send(&self, query: &str, variables: Value) -> Reply {
        let body = json!({ "query": query, "variables": variables });
        let request = self.client.post(self.url("/graphql")).header("x-evalgraph-explain", "1").json(&body);
        Reply::of(request).await
    }

    /// The data that a query without variables returns; there must be no error.
    pub async fn data(&self, query: &str) -> Value {
        self.ask(query, json!({})).await
    }

    /// The data that a query with variables returns; there must be no error.
    pub async fn ask(&self, query: &str, variables: Value) -> Value {
        let mut reply = self.send(query, variables).await;
        assert!(reply.body.get("errors").is_none(), "{:#}", reply.body);
        reply.body["data"].take()
    }

    /// What the one error of a query without variables says: its message, code and argument.
    pub async fn error(&self, query: &str) -> (String, String, Option<String>) {
        let reply = self.send(query, json!({})).await;
        let errors = reply.body["errors"].as_array().unwrap_or_else(|| panic!("no error: {:#}", reply.body));
        assert_eq!(errors.len(), 1, "{errors:#?}");
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let extensions = &errors[0]["extensions"];
        let argument = text(&extensions["argument"]);
        (text(&errors[0]["message"]).unwrap(), text(&extensions["code"]).unwrap(), argument)
    }
}

impl Reply {
    pub async fn of(request: reqwest::RequestBuilder) -> Self {
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let text = response.text().await.unwrap();
        let body = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
        Self { status, headers, body }
    }

    /// The id that the server knows the request by.
    pub fn request_id(&self) -> Option<&str> {
        self.headers.get("x-request-id").and_then(|id| id.to_str().ok())
    }

    /// How many statements the operation sent.
    pub fn statements(&self) -> u64 {
        self.body["extensions"]["evalgraph"]["statements"].as_u64().expect("the answer explains itself")
    }

    /// What a loader did: its batches and keys.
    pub fn loader(&self, name: &str) -> (u64, u64) {
        let usage = &self.body["extensions"]["evalgraph"]["loaders"][name];
        (usage["batches"].as_u64().unwrap_or(0), usage["keys"].as_u64().unwrap_or(0))
    }
}
