//! Errors of every layer, as a client reads them: their codes are of the list, and nothing of how or on what the server
//! is made is in them. The cause is in the log, under the id of the request.

mod common;

use std::time::Duration;

use common::log::{capture_log, lines_about};
use common::{Kind, PromptBuilder, Proxy, Reply, TestDatabase, TestServer, on_both_databases, small_pools, sql};
use evalgraph::db::Database;
use evalgraph::db::pool::{DatabaseLocation, PoolSettings};
use evalgraph::domain::Principal;
use serde_json::{Value, json};

/// What no client is to read, in lower case: statements, tables and columns, drivers and libraries, types, files, hosts,
/// panics.
const INTERNALS: [&str; 26] = [
    "select ",
    "insert",
    "relation",
    "table",
    "column \\\"",
    "prompts_",
    "hidden",
    "user_id",
    "created_at",
    "diesel",
    "sqlite",
    "postgres",
    "tokio",
    "async_graphql",
    "serde",
    "bb8",
    "hyper",
    "::",
    "panic",
    ".rs",
    ".db",
    "/tmp",
    "127.0.0.1",
    "os error",
    "refused",
    "evalgraph_test",
];

/// Checks every error of an answer; their codes.
fn codes_of(reply: &Reply, what: &str) -> Vec<String> {
    let errors = reply.body["errors"].as_array().unwrap_or_else(|| panic!("{what}: no error: {:#}", reply.body));
    let mut told = errors.clone();
    // An id of random digits may have any three of them.
    told.iter_mut().for_each(|error| drop(error["extensions"]["requestId"].take()));
    let text = Value::from(told).to_string().to_lowercase();
    for internal in INTERNALS {
        assert!(!text.contains(internal), "{what}: «{internal}» is told: {text}");
    }
    let code = |error: &Value| error["extensions"]["code"].as_str().expect("a code").to_owned();
    errors.iter().map(code).collect()
}

/// Checks an answer whose cause only the log tells, under the id in the answer.
fn check_hidden(reply: &Reply, code: &str, cause: &str) {
    assert!(codes_of(reply, cause).iter().all(|actual| actual == code), "{:#}", reply.body);
    let id = reply.headers["x-request-id"].to_str().unwrap();
    if code == "INTERNAL" {
        assert_eq!(reply.body["errors"][0]["extensions"]["requestId"], id, "what the client can quote");
    }
    let lines = lines_about(id);
    let causes: Vec<_> = lines.iter().filter_map(|line| line["cause"].as_str()).collect();
    assert!(causes.iter().any(|text| text.contains(cause)), "{cause} is not in the log: {lines:#?}");
}

async fn break_schema(database: &TestDatabase, statements: &str) {
    sql::execute(&database.location, statements).await;
}

const PROMPTS: &str = "{ prompts { totalCount nodes { id title version createdAt } } }";

on_both_databases! {
    async fn mistakes_of_clients_are_told_without_internals(database: TestDatabase) {
        capture_log();
        let server = TestServer::start(&database).await;
        let post = |body: &'static str| {
            Reply::of(server.client.post(server.url("/graphql")).header("content-type", "application/json").body(body))
        };
        for (body, code) in [
            ("", "BAD_USER_INPUT"),
            ("[1,", "BAD_USER_INPUT"),
            ("{\"query\":[]}", "BAD_USER_INPUT"),
            ("{\"query\":\"{ a\"}", "GRAPHQL_PARSE_FAILED"),
            ("{\"query\":\"{ a }\"}", "GRAPHQL_VALIDATION_FAILED"),
            ("{\"query\":\"{ prompts(first: -1) { totalCount } }\"}", "BAD_USER_INPUT"),
            ("{\"query\":\"{ prompts(first: 99999999999) { totalCount } }\"}", "BAD_USER_INPUT"),
            ("{\"query\":\"{ prompt(id: \\\"x\\\") { id } }\"}", "BAD_USER_INPUT"),
            ("{\"query\":\"{ prompts(after: \\\"x\\\") { totalCount } }\"}", "BAD_USER_INPUT"),
            ("{\"query\":\"{ prompts(filter: { createdAfter: 7 }) { totalCount } }\"}", "BAD_USER_INPUT"),
            ("{\"query\":\"query($i: ID!) { prompt(id: $i) { id } }\"}", "BAD_USER_INPUT"),
            ("{\"query\":\"{ prompts(filter: { status: [NEW] }) { totalCount } }\"}", "GRAPHQL_VALIDATION_FAILED"),
        ] {
            let codes = codes_of(&post(body).await, body);
            assert!(codes.iter().all(|actual| actual == code), "{body}: {codes:?}");
        }
        let deep = format!("{{\"query\":\"{}{}\"}}", "{a".repeat(100), "}".repeat(100));
        let reply = Reply::of(server.client.post(server.url("/graphql")).header("content-type", "application/json").body(deep));
        assert_eq!(codes_of(&reply.await, "deep"), ["LIMIT_EXCEEDED"]);
        for path in ["/nothing", "/graphql"] {
            let reply = Reply::of(server.client.delete(server.url(path))).await;
            codes_of(&reply, path);
        }
    }

    async fn a_schema_that_was_broken_behind_the_server_is_not_told(database: TestDatabase) {
        capture_log();
        PromptBuilder::new().insert(&database).await;
        let server = TestServer::start(&database).await;
        break_schema(&database, "ALTER TABLE prompts RENAME TO hidden_prompts").await;
        check_hidden(&server.send(PROMPTS, json!({})).await, "INTERNAL", "prompts");
        break_schema(&database, "ALTER TABLE hidden_prompts RENAME TO prompts").await;
        assert_eq!(server.send(PROMPTS, json!({})).await.body.get("errors"), None, "it works again");
        break_schema(&database, "ALTER TABLE prompts RENAME COLUMN title TO hidden_title").await;
        check_hidden(&server.send(PROMPTS, json!({})).await, "INTERNAL", "title");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_value_of_the_wrong_type_is_not_told() {
    capture_log();
    let database = TestDatabase::sqlite().await;
    PromptBuilder::new().insert(&database).await;
    let server = TestServer::start(&database).await;
    break_schema(&database, "PRAGMA ignore_check_constraints = ON; UPDATE prompts SET status = 'hidden'").await;
    let reply = server.send("{ prompts { nodes { id status } } }", json!({})).await;
    check_hidden(&reply, "INTERNAL", "status");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_statement_that_runs_too_long_is_told_in_plain_words() {
    capture_log();
    let settings = PoolSettings { statement_timeout: Duration::from_millis(200), ..small_pools() };
    let database = TestDatabase::with_settings(Kind::Postgres, settings).await;
    break_schema(&database, "ALTER TABLE runs RENAME TO hidden; CREATE VIEW runs AS SELECT 1 AS id FROM pg_sleep(30)")
        .await;
    let server = TestServer::start(&database).await;
    check_hidden(&server.send("{ runs { totalCount } }", json!({})).await, "TIMEOUT", "time limit");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_server_that_is_away_is_not_described() {
    capture_log();
    let database = TestDatabase::postgres().await;
    let proxy = Proxy::start(0, &database.location).await;
    let pools = Database::open(&proxy.location(&database.location), &small_pools()).await.unwrap();
    let server = TestServer::with(TestServer::app(pools), Principal::local()).await;
    proxy.stop().await;
    for _ in 0..10 {
        let reply = server.send(PROMPTS, json!({})).await;
        check_hidden(&reply, "UNAVAILABLE", "database");
    }
    check_hidden(&server.send(PROMPTS, json!({})).await, "UNAVAILABLE", "refused");
    let health = server.client.get(server.url("/health/ready")).send().await.unwrap();
    assert_eq!(health.text().await.unwrap(), "the database cannot be reached\n");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broken_file_is_not_described() {
    capture_log();
    let database = TestDatabase::sqlite().await;
    let DatabaseLocation::Sqlite(path) = &database.location else { unreachable!() };
    database.execute("PRAGMA wal_checkpoint(TRUNCATE)").await;
    let length = std::fs::metadata(path).unwrap().len();
    std::fs::write(path, vec![0xaa; usize::try_from(length).unwrap()]).unwrap();
    let pools = small_pools();
    let server = TestServer::start(&database).await;
    let mut replies = Vec::new();
    for _ in 0..pools.base + 2 {
        let reply = server.send(PROMPTS, json!({})).await;
        if reply.body.get("errors").is_some() {
            replies.push(reply);
        }
    }
    assert!(!replies.is_empty());
    for reply in replies {
        check_hidden(&reply, "UNAVAILABLE", "database");
    }
}

/// Found by connections that knew the schema as it was.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broken_schema_is_not_described() {
    capture_log();
    let database = TestDatabase::sqlite().await;
    let server = TestServer::start(&database).await;
    assert_eq!(server.send(PROMPTS, json!({})).await.body.get("errors"), None);
    let statements = "PRAGMA writable_schema = ON; \
        UPDATE sqlite_schema SET sql = 'CREATE TABEL prompts' WHERE type = 'table' AND name = 'prompts'; \
        PRAGMA schema_version = 9999";
    break_schema(&database, statements).await;
    check_hidden(&server.send(PROMPTS, json!({})).await, "UNAVAILABLE", "malformed database schema");
}
