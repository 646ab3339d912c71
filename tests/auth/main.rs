//! Who is let in, and to what.

#[path = "../common/mod.rs"]
mod common;

mod attempts;
mod command;
mod jwt;
mod keys;
mod signer;
mod table;
mod tokens;

use std::sync::Arc;
use std::time::Duration;

use common::{Reply, TestDatabase, TestServer};
use evalgraph::auth::jwt::{ClaimRules, IssuerSettings, JwtSettings};
use evalgraph::auth::{AuthSettings, Authenticator};
use serde_json::json;

/// What JWTs and API tokens are kept with in these tests.
pub const JWT_SECRET: &str = "a secret of thirty-two bytes and some more";
pub const TOKEN_SECRET: &str = "another secret of thirty-two bytes and more";

/// The usual rules: one issuer, one audience, administrators by a role.
pub fn jwt_settings(jwks: &str) -> JwtSettings {
    let name = "https://issuer.example".to_owned();
    JwtSettings {
        issuers: vec![IssuerSettings { name: Some(name.clone()), jwks: jwks.to_owned() }],
        secret: Some(JWT_SECRET.to_owned()),
        names: vec![name],
        audience: vec!["evalgraph".to_owned()],
        skew: Duration::from_secs(30),
        rules: ClaimRules {
            user: "sub".to_owned(),
            admin: Some(("roles".to_owned(), "admin".to_owned())),
            scopes: Some("scope".to_owned()),
        },
        refresh: Duration::from_secs(3600),
        least_refresh: Duration::from_millis(300),
        timeout: Duration::from_secs(2),
    }
}

/// A server that asks who is there, and what finds it out.
pub async fn server(database: &TestDatabase, settings: AuthSettings) -> (TestServer, Arc<Authenticator>) {
    let authenticator = Arc::new(Authenticator::start(&settings, &database.database).await.unwrap());
    let app = TestServer::app(database.database.clone()).with_authenticator(Arc::clone(&authenticator));
    (TestServer::authenticating(app, TestServer::connections()).await, authenticator)
}

/// Sends an operation with this header `Authorization`, if any.
pub async fn send(server: &TestServer, authorization: Option<&str>, query: &str) -> Reply {
    let mut request = server.client.post(server.url("/graphql")).json(&json!({ "query": query }));
    if let Some(authorization) = authorization {
        request = request.header("authorization", authorization);
    }
    Reply::of(request).await
}

/// Sends an operation with a token.
pub async fn send_with(server: &TestServer, token: &str, query: &str) -> Reply {
    send(server, Some(&format!("Bearer {token}")), query).await
}

/// The code of the first error.
pub fn code(reply: &Reply) -> &str {
    reply.body["errors"][0]["extensions"]["code"].as_str().unwrap_or_else(|| panic!("no error: {reply:#?}"))
}

/// The request was refused because nobody knows who sent it.
pub fn check_refused(reply: &Reply, what: &str) {
    assert_eq!((reply.status, code(reply)), (401, "UNAUTHENTICATED"), "{what}: {reply:#?}");
    let challenge = reply.headers["www-authenticate"].to_str().unwrap();
    assert!(challenge.starts_with("Bearer realm="), "{what}: {challenge}");
    assert!(reply.body.get("data").is_none(), "{what}");
}

/// A file that is removed in the end.
pub fn file(text: &str) -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), text).unwrap();
    file
}
