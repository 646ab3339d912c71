//! Somebody who asks: requests go through the whole server but for the network.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use evalgraph::app::App;
use evalgraph::auth::Authenticator;
use evalgraph::cache::Cache;
use evalgraph::db::Database;
use evalgraph::domain::Principal;
use evalgraph::http;
use http_body_util::BodyExt as _;
use hyper::service::Service as _;
use hyper_util::service::TowerToHyperService;
use serde_json::{Value, json};

use crate::common::TestServer;

/// Somebody who asks.
pub struct Party(TowerToHyperService<Router>);

impl Party {
    pub fn new(database: &Database, cache: Option<&Arc<Cache>>, principal: Principal) -> Self {
        let app: App = TestServer::app(database.clone()).with_cache(cache.cloned());
        let app = app.with_authenticator(Arc::new(Authenticator::everybody(principal)));
        Self(TowerToHyperService::new(http::router(app)))
    }

    /// The answer, as it is sent.
    pub async fn ask(&self, document: &str) -> String {
        let body = Body::from(json!({ "query": document }).to_string());
        let request = Request::post("/graphql").header("content-type", "application/json").body(body).unwrap();
        let response = self.0.call(request).await.unwrap();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        String::from_utf8(body.to_vec()).unwrap()
    }

    /// The data of an answer, which must have no errors.
    pub async fn data(&self, document: &str) -> Value {
        let mut answer: Value = serde_json::from_str(&self.ask(document).await).unwrap();
        assert!(answer.get("errors").is_none(), "{document}\n{answer:#}");
        answer["data"].take()
    }
}
