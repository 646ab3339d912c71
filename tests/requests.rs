//! What holds for every request, whatever it asks.

mod common;

use std::time::Duration;

use common::log::{capture_log, lines_about};
use common::{Reply, TestDatabase, TestServer, eventually, on_both_databases};
use evalgraph::domain::Principal;
use serde_json::json;
use tokio::io::AsyncWriteExt as _;

async fn post(server: &TestServer, headers: &[(&str, &str)], body: impl Into<reqwest::Body>) -> Reply {
    let mut request = server.client.post(server.url("/graphql")).body(body);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    Reply::of(request).await
}

const JSON: (&str, &str) = ("content-type", "application/json");
const VIEWER: &str = r#"{"query":"query Who { viewer { userId } }"}"#;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_has_an_id_and_one_log_line() {
    capture_log();
    let server = TestServer::start(&TestDatabase::sqlite().await).await;
    let reply = post(&server, &[JSON, ("x-request-id", "ci-run:42")], VIEWER).await;
    assert_eq!(reply.headers["x-request-id"], "ci-run:42");
    let lines = lines_about("ci-run:42");
    assert_eq!(lines.len(), 1, "{lines:#?}");
    let line = &lines[0];
    assert_eq!(
        (&line["message"], &line["status"], &line["operation"]),
        (&json!("request"), &json!(200), &json!("Who"))
    );
    assert!(line["duration_ms"].as_f64().unwrap() > 0.0);
    assert_eq!(line["errors"], 0);
    post(&server, &[JSON, ("x-request-id", "mistaken")], r#"{"query":"{ one two }"}"#).await;
    assert_eq!(lines_about("mistaken")[0]["errors"], 2);

    // Ids that could confuse a log are replaced.
    for bad in ["", "two words", "quote\"", &"x".repeat(129)] {
        let reply = post(&server, &[JSON, ("x-request-id", bad)], VIEWER).await;
        let id = reply.headers["x-request-id"].to_str().unwrap().to_owned();
        assert!(uuid::Uuid::parse_str(&id).is_ok(), "{bad:?} became {id:?}");
        assert_eq!(lines_about(&id).len(), 1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_line_has_no_query_no_variables_and_no_long_path() {
    capture_log();
    let server = TestServer::start(&TestDatabase::sqlite().await).await;
    let body = r#"{"query":"query($n: String!) { promptByName(name: $n) { id } } #hidden","variables":{"n":"hidden"}}"#;
    assert_eq!(post(&server, &[JSON, ("x-request-id", "in-body")], body).await.status, 200);
    let get = async |path: &str, id: &str| {
        let request = server.client.get(server.url(path)).header("x-request-id", id);
        Reply::of(request.header("x-evalgraph-request", "1")).await.status
    };
    assert_eq!(get("/graphql?query=%7Bviewer%7BuserId%7D%7D%23hidden", "in-address").await, 200);
    assert_eq!(get(&format!("/{}", "x".repeat(1_000)), "long-path").await, 404);
    for (id, longest) in [("in-body", 8), ("in-address", 8), ("long-path", 129)] {
        let lines = lines_about(id);
        assert_eq!(lines.len(), 1, "{lines:#?}");
        assert_eq!(lines[0]["path"].as_str().unwrap().chars().count(), longest, "{}", lines[0]);
        assert!(!lines[0].to_string().contains("hidden"), "{}", lines[0]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_request_took_is_told_to_those_who_ask() {
    let server = TestServer::start(&TestDatabase::sqlite().await).await;
    for (value, is_told) in [("1", true), ("0", false), ("", false)] {
        let reply = post(&server, &[JSON, ("x-evalgraph-explain", value)], VIEWER).await;
        assert_eq!(reply.body["extensions"]["evalgraph"].is_object(), is_told, "{value}: {}", reply.body);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cancelled_request_leaves_its_log_line_too() {
    capture_log();
    let database = TestDatabase::sqlite().await;
    let server = TestServer::start(&database).await;
    // The body never arrives in full, so the handler waits when the client leaves.
    let mut stream = tokio::net::TcpStream::connect(server.address).await.unwrap();
    let head = "POST /graphql HTTP/1.1\r\nhost: 127.0.0.1\r\nx-request-id: leaver\r\ncontent-type: application/json\r\n\
                content-length: 100\r\n\r\n{\"query\"";
    stream.write_all(head.as_bytes()).await.unwrap();
    tokio::time::sleep(Duration::from_millis(50)).await;
    drop(stream);
    eventually(Duration::from_secs(5), "the line is written", async || !lines_about("leaver").is_empty()).await;
    let lines = lines_about("leaver");
    assert_eq!(lines.len(), 1, "{lines:#?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_that_cannot_be_read_is_refused_with_the_reason() {
    let database = TestDatabase::sqlite().await;
    let mut app = TestServer::app(database.database.clone());
    app.limits.max_body_bytes = 1_000;
    let server = TestServer::with(app, Principal::local()).await;
    let long = format!(r#"{{"query":"{{ viewer {{ userId }} }} #{}"}}"#, "x".repeat(1_000));
    let accept_html = ("accept", "text/html");
    type Headers<'a> = &'a [(&'a str, &'a str)];
    let cases: [(Headers<'_>, &str, u16, &str, &str); 9] = [
        (&[JSON], &long, 413, "LIMIT_EXCEEDED", "the body of the request is larger than 1000 bytes"),
        (
            &[("content-type", "text/plain")],
            VIEWER,
            415,
            "BAD_USER_INPUT",
            "must be application/json, not «text/plain»",
        ),
        (&[], VIEWER, 415, "BAD_USER_INPUT", "must be application/json, not «nothing»"),
        (&[JSON, accept_html], VIEWER, 406, "BAD_USER_INPUT", "accept application/graphql-response+json"),
        (&[JSON], "{", 400, "BAD_USER_INPUT", "line 1 column 1"),
        (&[JSON], "[]", 400, "BAD_USER_INPUT", "one operation, not a list"),
        (&[JSON], r#"{"query":" "}"#, 400, "BAD_USER_INPUT", "no `query`"),
        (&[JSON], r#"{"query":7}"#, 400, "BAD_USER_INPUT", "`query` must be a text"),
        (&[JSON], r#"[{"query":"{ viewer { userId } }"}]"#, 400, "BAD_USER_INPUT", "one operation, not a list"),
    ];
    for (headers, body, status, code, message) in cases {
        let reply = post(&server, headers, body.to_owned()).await;
        let error = &reply.body["errors"][0];
        assert_eq!((reply.status, &error["extensions"]["code"]), (status, &json!(code)), "{body}: {error}");
        assert!(error["message"].as_str().unwrap().contains(message), "{body}: {error}");
        assert!(reply.headers.contains_key("x-request-id"));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_may_have_as_many_bytes_as_the_limit_says_and_no_more() {
    let database = TestDatabase::sqlite().await;
    let mut app = TestServer::app(database.database.clone());
    app.limits.max_body_bytes = u32::try_from(VIEWER.len()).unwrap();
    let server = TestServer::with(app, Principal::local()).await;
    for (body, status) in [(VIEWER.to_owned(), 200), (format!("{VIEWER} "), 413)] {
        assert_eq!(post(&server, &[JSON], body.clone()).await.status, status);
        // Its length is not told before.
        let in_pieces = futures_util::stream::iter([Ok::<_, std::io::Error>(body)]);
        assert_eq!(post(&server, &[JSON], reqwest::Body::wrap_stream(in_pieces)).await.status, status);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_that_trickles_is_given_up() {
    let database = TestDatabase::sqlite().await;
    let mut app = TestServer::app(database.database.clone());
    app.limits.request_timeout = Duration::from_millis(100);
    let server = TestServer::with(app, Principal::local()).await;
    let never_ending = futures_util::stream::pending::<Result<Vec<u8>, std::io::Error>>();
    let reply = post(&server, &[JSON], reqwest::Body::wrap_stream(never_ending)).await;
    assert_eq!((reply.status, &reply.body["errors"][0]["extensions"]["code"]), (408, &json!("TIMEOUT")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_form_of_the_answer_is_negotiated() {
    let server = TestServer::start(&TestDatabase::sqlite().await).await;
    let invalid = r#"{"query":"{ nothing }"}"#;
    for (accept, content_type, status) in [
        ("application/json", "application/json; charset=utf-8", 200),
        ("application/graphql-response+json", "application/graphql-response+json; charset=utf-8", 400),
    ] {
        let reply = post(&server, &[JSON, ("accept", accept)], invalid).await;
        assert_eq!((reply.status, reply.headers["content-type"].to_str().unwrap()), (status, content_type));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_query_may_come_in_the_address() {
    let server = TestServer::start(&TestDatabase::sqlite().await).await;
    let ask = async |query: &str| {
        let request = server.client.get(server.url(&format!("/graphql?{query}")));
        Reply::of(request.header("x-evalgraph-request", "1")).await
    };
    let reply = ask("query=%7B%20viewer%20%7B%20userId%20isAdmin%20%7D%20%7D").await;
    assert_eq!(reply.body["data"], json!({ "viewer": { "userId": "local", "isAdmin": true } }));
    assert_eq!(ask("question=1").await.status, 400);
}

on_both_databases! {
    async fn health_tells_whether_the_database_answers(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        for path in ["/health/live", "/health/ready"] {
            assert_eq!(reqwest::get(server.url(path)).await.unwrap().status(), 200, "{path}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_does_not_answer_is_not_waited_for_by_its_health() {
    use diesel_async::SimpleAsyncConnection as _;
    let database = TestDatabase::postgres().await;
    let server = TestServer::start(&database).await;
    let mut other = common::sql::postgres(&database.location).await;
    other.batch_execute("BEGIN; LOCK TABLE runs IN ACCESS EXCLUSIVE MODE").await.unwrap();
    let ready = reqwest::get(server.url("/health/ready")).await.unwrap();
    assert_eq!(ready.status(), 503);
    assert_eq!(ready.text().await.unwrap(), "the database does not answer\n");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_goes_away_is_reported_and_found_again() {
    let database = TestDatabase::postgres().await;
    let server = TestServer::start(&database).await;
    server.data("{ prompts { totalCount } }").await;
    let name = common::sql::texts(&database.location, "SELECT current_database()::text AS value").await.remove(0);
    let maintenance =
        evalgraph::db::pool::DatabaseLocation::Postgres(std::env::var("EVALGRAPH_TEST_POSTGRES_URL").unwrap());
    let admit = async |allowed: bool| {
        let statements = format!(
            "ALTER DATABASE {name} ALLOW_CONNECTIONS {allowed};
             SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"
        );
        common::sql::execute(&maintenance, &statements).await;
    };
    admit(false).await;
    let ready = async || reqwest::get(server.url("/health/ready")).await.unwrap().status().as_u16();
    eventually(Duration::from_secs(5), "the server is not ready", async || ready().await == 503).await;
    assert_eq!(reqwest::get(server.url("/health/live")).await.unwrap().status(), 200);
    let (message, code, _) = server.error("{ prompts { totalCount nodes { id } } }").await;
    assert_eq!((message.as_str(), code.as_str()), ("the database cannot be reached: try again later", "UNAVAILABLE"));
    admit(true).await;
    eventually(Duration::from_secs(5), "the server is ready again", async || ready().await == 200).await;
    server.data("{ prompts { totalCount } }").await;
}
