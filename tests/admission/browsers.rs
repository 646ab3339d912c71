//! Queries in addresses are executed when a page elsewhere cannot have had them sent.

use std::collections::HashMap;

use evalgraph::admission::AdmissionSettings;

use crate::common::Reply;
use crate::common::log::{capture_log, lines_about};
use crate::{code, serve};

const QUERY: &str = "/graphql?query=%7B%20viewer%20%7B%20userId%20%7D%20%7D";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_query_in_an_address_needs_a_mark() {
    let (server, _database) = serve(&AdmissionSettings::NONE).await;
    // As a link or an image on a page elsewhere would have it sent; and as curl does.
    for headers in [
        &[][..],
        &[("sec-fetch-site", "cross-site"), ("origin", "https://elsewhere.example"), ("cookie", "a=b")],
        &[("sec-fetch-site", "same-site")],
        &[("content-type", "text/plain")],
        &[("authorization", "Basic YWRhOnNlY3JldA==")],
    ] {
        let request = headers
            .iter()
            .fold(server.client.get(server.url(QUERY)), |request, (name, value)| request.header(*name, *value));
        let reply = Reply::of(request).await;
        assert_eq!((reply.status, code(&reply)), (403, "FORBIDDEN"), "{headers:?}");
        let message = reply.body["errors"][0]["message"].as_str().unwrap();
        assert!(message.contains("x-evalgraph-request: 1"), "{message}");
    }
    for header in [
        ("x-evalgraph-request", "1"),
        ("apollo-require-preflight", "true"),
        ("content-type", "application/json"),
        ("sec-fetch-site", "same-origin"),
    ] {
        let reply = Reply::of(server.client.get(server.url(QUERY)).header(header.0, header.1)).await;
        assert_eq!(reply.status, 200, "{header:?}: {:#}", reply.body);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bodies_that_need_no_announcement_are_not_read() {
    let (server, database) = serve(&AdmissionSettings::NONE).await;
    let body = r#"{"query":"mutation { startRun(input: { name: \"x\" }) { run { id } } }"}"#;
    for content_type in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"] {
        // Not even with a mark: there is no other form of body.
        for mark in ["", "1"] {
            let request = server.client.post(server.url("/graphql")).header("content-type", content_type);
            let reply = Reply::of(request.header("x-evalgraph-request", mark).body(body)).await;
            assert_eq!((reply.status, code(&reply)), (415, "BAD_USER_INPUT"), "{content_type}");
        }
    }
    assert_eq!(database.count("runs").await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_answer_tells_browsers_what_not_to_do_with_it() {
    let (server, _database) = serve(&AdmissionSettings::NONE).await;
    let get = |path: &str| server.client.get(server.url(path));
    let post = |body: &'static str| {
        server.client.post(server.url("/graphql")).header("content-type", "application/json").body(body)
    };
    for (request, status) in [
        (post(r#"{"query":"{ viewer { userId } }"}"#), 200),
        (post("{"), 400),
        (get(QUERY), 403),
        (get("/nothing"), 404),
        (server.client.put(server.url("/graphql")), 405),
        (post("{}").header("accept", "image/png"), 406),
        (server.client.post(server.url("/graphql")).body("x"), 415),
        (get("/health/live"), 200),
        (get("/health/ready"), 200),
        (get("/"), 200),
        (get("/licenses.txt"), 200),
    ] {
        let answer = request.send().await.unwrap();
        let path = answer.url().path().to_owned();
        assert_eq!(answer.status(), status, "{path}");
        let headers: HashMap<&str, &str> =
            answer.headers().iter().map(|(name, value)| (name.as_str(), value.to_str().unwrap())).collect();
        assert_eq!(headers["x-content-type-options"], "nosniff", "{path}");
        assert_eq!(headers["referrer-policy"], "no-referrer", "{path}");
        assert_eq!(headers["cross-origin-resource-policy"], "same-origin", "{path}");
        let policy = headers["content-security-policy"];
        assert!(
            policy.starts_with("default-src 'none'") && policy.ends_with("frame-ancestors 'none'"),
            "{path}: {policy}"
        );
        assert_eq!(policy.contains("script-src"), path == "/" || path == "/licenses.txt", "{path}: {policy}");
        assert!(!headers.contains_key("strict-transport-security"), "{path}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn credentials_are_neither_logged_nor_told() {
    capture_log();
    let (server, _database) = serve(&AdmissionSettings::NONE).await;
    for (number, (name, value)) in [
        ("authorization", "Bearer hunter2"),
        ("authorization", "Basic aHVudGVyMjpodW50ZXIy"),
        ("authorization", "hunter2"),
        ("cookie", "session=hunter2"),
        ("proxy-authorization", "Bearer hunter2"),
    ]
    .into_iter()
    .enumerate()
    {
        for (path, body) in [
            ("/graphql?token=hunter2", r#"{"query":"{ viewer { userId } }"}"#),
            ("/graphql?token=hunter2", r#"{"query":"{ nope }"}"#),
            ("/graphql?token=hunter2", "{"),
            ("/nothing?token=hunter2", ""),
        ] {
            let id = format!("credential-{number}");
            let request = server.client.post(server.url(path)).header("content-type", "application/json");
            let request = request.header(name, value).header("x-request-id", &id).body(body);
            let reply = Reply::of(request).await;
            let told = format!("{:?} {}", reply.headers, reply.body);
            let lines = lines_about(&id);
            assert!(!lines.is_empty());
            for text in lines.iter().map(ToString::to_string).chain([told]) {
                assert!(!text.contains("hunter2") && !text.contains("aHVudGVy"), "{text}");
            }
        }
    }
}
