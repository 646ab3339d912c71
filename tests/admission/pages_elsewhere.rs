//! Pages of other servers may ask this one when they are listed.

use axum::http::Method;
use evalgraph::admission::{Admission, AdmissionSettings};
use evalgraph::domain::Principal;
use reqwest::header::HeaderMap;
use serde_json::json;

use crate::common::{Reply, TestDatabase, TestServer};
use crate::{VIEWER, header, rate};

const LISTED: &str = "https://app.example";

async fn serve(origins: &str, settings: &AdmissionSettings) -> (TestServer, TestDatabase) {
    let database = TestDatabase::sqlite().await;
    let mut app = TestServer::app(database.database.clone()).with_admission(Admission::new(settings, None));
    app.origins = (!origins.is_empty()).then(|| origins.parse().unwrap());
    (TestServer::with(app, Principal::local()).await, database)
}

/// What a browser is told when it announces an operation with a token for a page of this origin.
async fn announce(server: &TestServer, origin: &str) -> HeaderMap {
    let request = server.client.request(Method::OPTIONS, server.url("/graphql")).header("origin", origin);
    let request = request.header("access-control-request-method", "POST");
    let request = request.header("access-control-request-headers", "authorization,content-type");
    request.send().await.unwrap().headers().clone()
}

fn allowed(headers: &HeaderMap) -> Option<&str> {
    headers.get("access-control-allow-origin").map(|value| value.to_str().unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_page_elsewhere_may_ask_unless_it_is_listed() {
    let (nobody, _database) = serve("", &AdmissionSettings::NONE).await;
    assert_eq!(allowed(&announce(&nobody, LISTED).await), None);
    let (some, _database) = serve("https://other.example, https://app.example", &AdmissionSettings::NONE).await;
    let told = announce(&some, LISTED).await;
    assert_eq!(allowed(&told), Some(LISTED));
    let list = |name: &str| told[name].to_str().unwrap().to_ascii_lowercase();
    assert_eq!(list("access-control-allow-methods"), "get,post");
    for name in ["authorization", "content-type", "x-evalgraph-request", "traceparent"] {
        assert!(list("access-control-allow-headers").split(',').any(|allowed| allowed == name), "{name}");
    }
    assert!(list("vary").contains("origin"));
    for origin in ["https://app.example.evil", "http://app.example", "https://app.example:8443", "null"] {
        assert_eq!(allowed(&announce(&some, origin).await), None, "{origin}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_may_be_seen_by_pages_that_are_listed_whatever_they_are() {
    let settings = AdmissionSettings { principal_rate: rate(1, 110), ..AdmissionSettings::NONE };
    let (server, _database) = serve(LISTED, &settings).await;
    for (query, status) in [(VIEWER, 200), (VIEWER, 429)] {
        let request = server.client.post(server.url("/graphql")).header("origin", LISTED);
        let reply = Reply::of(request.json(&json!({ "query": query }))).await;
        assert_eq!(reply.status, status);
        assert_eq!(allowed(&reply.headers), Some(LISTED));
        let exposed = header(&reply, "access-control-expose-headers").unwrap().to_ascii_lowercase();
        for name in ["ratelimit", "retry-after", "x-request-id"] {
            assert!(exposed.split(',').any(|exposed| exposed == name), "{exposed}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_browsers_know_by_themselves_is_asked_for_by_no_page() {
    for origins in ["*", LISTED] {
        let (server, _database) = serve(origins, &AdmissionSettings::NONE).await;
        let told = announce(&server, LISTED).await;
        assert_eq!(allowed(&told), Some(origins));
        assert_eq!(told.get("access-control-allow-credentials"), None, "{origins}");
    }
}
