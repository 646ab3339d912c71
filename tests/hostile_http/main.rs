//! Clients that send what no client should: each gets the right status and a clear message, and the process goes on.

#[path = "../common/mod.rs"]
mod common;

mod bodies;
mod connections;
mod heads;
mod variables;

use std::net::SocketAddr;
use std::time::Duration;

use common::{TestDatabase, TestServer};
use evalgraph::domain::Principal;
use evalgraph::http::ConnectionLimits;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// Every code that a client may ever see.
const CODES: [&str; 12] = [
    "BAD_USER_INPUT",
    "UNAUTHENTICATED",
    "FORBIDDEN",
    "NOT_FOUND",
    "CONFLICT",
    "LIMIT_EXCEEDED",
    "RATE_LIMITED",
    "TIMEOUT",
    "UNAVAILABLE",
    "INTERNAL",
    "GRAPHQL_PARSE_FAILED",
    "GRAPHQL_VALIDATION_FAILED",
];

const VIEWER: &str = r#"{"query":"{ viewer { userId } }"}"#;

/// How long anything may take here before the test has failed.
const PATIENCE: Duration = Duration::from_secs(15);

async fn within<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, future).await.expect("the server answers in time")
}

/// The head of a POST request, without the length of its body.
fn post_head(more: &str) -> String {
    format!("POST /graphql HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n{more}\r\n")
}

/// A whole POST request.
fn post(body: &str) -> String {
    format!("{}{body}", post_head(&format!("content-length: {}\r\n", body.len())))
}

/// An answer as it came over the wire.
#[derive(Debug)]
struct RawReply {
    status: u16,
    head: String,
    body: String,
}

impl RawReply {
    fn parse(text: &str) -> Self {
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no answer: {text:?}"));
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
        Self { status: status.expect("a status"), head: head.to_lowercase(), body: body.to_owned() }
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

async fn connect(address: SocketAddr) -> TcpStream {
    TcpStream::connect(address).await.unwrap()
}

/// Sends bytes on a connection of its own and reads until the server closes it.
async fn exchange(address: SocketAddr, request: impl AsRef<[u8]>) -> RawReply {
    let mut stream = connect(address).await;
    within(stream.write_all(request.as_ref())).await.unwrap();
    read_to_end(&mut stream).await
}

async fn read_to_end(stream: &mut TcpStream) -> RawReply {
    let mut bytes = Vec::new();
    within(stream.read_to_end(&mut bytes)).await.unwrap();
    RawReply::parse(&String::from_utf8(bytes).unwrap())
}

/// Reads one answer with a `content-length` from a connection that stays open.
async fn read_one(stream: &mut TcpStream) -> RawReply {
    let mut text = String::new();
    loop {
        let mut buffer = [0; 4096];
        let read = within(stream.read(&mut buffer)).await.unwrap();
        assert_ne!(read, 0, "the connection ended: {text:?}");
        text.push_str(std::str::from_utf8(&buffer[..read]).unwrap());
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length = head.to_lowercase().split_once("content-length: ").map(|(_, rest)| rest.to_owned());
        let length: usize = length.unwrap().lines().next().unwrap().parse().unwrap();
        if body.len() >= length {
            return RawReply::parse(&text);
        }
    }
}

/// The one error of an answer has a code of the list; its code and message.
fn error_of(body: &Value) -> (String, String) {
    let errors = body["errors"].as_array().unwrap_or_else(|| panic!("no error: {body:#}"));
    for error in errors {
        let code = error["extensions"]["code"].as_str().unwrap_or_else(|| panic!("no code: {error}"));
        assert!(CODES.contains(&code), "{code} is no code of the list: {error}");
        assert!(!error["message"].as_str().unwrap().is_empty(), "{error}");
    }
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    (text(&errors[0]["extensions"]["code"]), text(&errors[0]["message"]))
}

/// The server answers others as before.
async fn is_well(server: &TestServer) {
    assert_eq!(within(server.data("{ viewer { userId } }")).await, json!({ "viewer": { "userId": "local" } }));
}

/// A server with its database, which is removed with it.
struct Served {
    server: TestServer,
    database: TestDatabase,
}

impl std::ops::Deref for Served {
    type Target = TestServer;

    fn deref(&self) -> &TestServer {
        &self.server
    }
}

async fn server() -> Served {
    limited(|_| {}).await
}

/// With other limits on connections than the usual ones.
async fn limited(change: impl FnOnce(&mut ConnectionLimits)) -> Served {
    let mut limits = TestServer::connections();
    change(&mut limits);
    let database = TestDatabase::sqlite().await;
    let app = TestServer::app(database.database.clone());
    Served { server: TestServer::with_limits(app, Principal::local(), limits).await, database }
}
