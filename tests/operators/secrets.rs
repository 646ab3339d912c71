//! What clients and operators give in confidence stands in no log, span, metric or error.

use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use evalgraph::db::pool::DatabaseLocation;
use reqwest::Client;
use serde_json::json;

use crate::common::process::{Server, evalgraph_on, run};
use crate::common::{Kind, TestLocation, eventually};
use crate::free_address;

/// Part of every secret: whoever finds it has found one.
const MARK: &str = "x5ecretz";

fn secret(place: &str) -> String {
    format!("{MARK}-{place}")
}

/// A collector that keeps what it is sent. In the messages of OTLP, texts stand as they are.
#[derive(Clone, Default)]
struct Collector(Arc<Mutex<Vec<u8>>>);

impl Collector {
    async fn start() -> (Self, String) {
        let collector = Self::default();
        let keep =
            async |State(collector): State<Self>, body: Bytes| collector.0.lock().unwrap().extend_from_slice(&body);
        let router = Router::new().fallback(keep).with_state(collector.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await });
        (collector, address)
    }

    fn has(&self, text: &str) -> bool {
        let sent = self.0.lock().unwrap();
        sent.windows(text.len()).any(|window| window == text.as_bytes())
    }
}

/// The same database with a password, which nobody checks.
fn with_password(location: &DatabaseLocation) -> String {
    match location {
        DatabaseLocation::Postgres(url) => url.replace("postgres@", &format!("postgres:{}@", secret("database"))),
        DatabaseLocation::Sqlite(path) => format!("sqlite:{}", path.display()),
    }
}

/// Sends secrets in every place that a request has, and returns all that came back as errors.
async fn send_secrets(base: &str) -> String {
    let client = Client::new();
    let post = |body: serde_json::Value| client.post(format!("{base}/graphql")).json(&body);
    let literal = |place: &str| format!("query Leak {{ promptByName(name: \"{}\") {{ title }} }}", secret(place));
    let create =
        "mutation Leak($input: CreatePromptInput!) { createPrompt(input: $input) { prompt { title content } } }";
    let variables =
        json!({ "input": { "title": secret("title"), "content": secret("content"), "name": secret("name") } });
    let requests = [
        // What is asked for and stored, and so may come back as data.
        post(json!({ "query": literal("literal") })),
        post(json!({ "query": create, "variables": variables })),
        // The same name again: a conflict.
        post(json!({ "query": create, "variables": variables })),
        post(
            json!({ "query": "query Leak($f: PromptFilter) { prompts(filter: $f) { totalCount nodes { title } } }", "variables": { "f": { "search": secret("search"), "tags": [secret("tag")], "userId": secret("user") } } }),
        ),
        client
            .post(format!("{base}/graphql"))
            .header("authorization", format!("Bearer {}", secret("bearer")))
            .header("cookie", format!("session={}", secret("cookie")))
            .header("x-api-key", secret("header"))
            .header("baggage", format!("token={}", secret("baggage")))
            .json(&json!({ "query": "{ viewer { userId } }" })),
        client.get(format!("{base}/graphql?query=%7Bviewer%7BuserId%7D%7D&token={}", secret("address"))),
        client.get(format!(
            "{base}/graphql?query=%7Bviewer%7BuserId%7D%7D&variables=%7B%22v%22:%22{}%22%7D",
            secret("address-variable")
        )),
        // What is refused, for its variables, extensions, values and form.
        post(
            json!({ "query": "query Leak($n: Int) { prompts(first: $n) { totalCount } }", "variables": { "n": secret("wrong-type") } }),
        ),
        post(json!({ "query": create, "variables": { "input": { "title": 1, "content": secret("beside-a-fault") } } })),
        post(json!({ "query": "{ viewer { userId } }", "extensions": { "token": secret("extension") } })),
        client
            .post(format!("{base}/graphql"))
            .header("content-type", "application/json")
            .body(format!("{{\"query\": \"{}", secret("broken-body"))),
    ];
    let mut errors = String::new();
    for request in requests {
        let answer: serde_json::Value = request.send().await.unwrap().json().await.unwrap();
        errors += &answer["errors"].to_string();
    }
    errors
}

async fn check(kind: Kind) {
    let location = TestLocation::migrated(kind).await;
    let (collector, endpoint) = Collector::start().await;
    let (admin, file) = (free_address(), tempfile::NamedTempFile::with_suffix(".json").unwrap());
    let results =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/promptfoo/edge-scores.json"));
    let results = results.unwrap().replacen("{", &format!("{{\"apiKey\": \"{}\",", secret("import")), 1);
    std::fs::write(file.path(), results).unwrap();
    let redis = format!("redis://:{}@127.0.0.1:9", secret("redis"));
    let command = |arguments: &[&str]| {
        let mut command = evalgraph_on(&location.location, arguments);
        command.env("DATABASE_URL", with_password(&location.location));
        command.env("EVALGRAPH_REDIS_URL", &redis).env("OTEL_EXPORTER_OTLP_ENDPOINT", &endpoint);
        command.env("OTEL_EXPORTER_OTLP_HEADERS", format!("x-token={}", secret("exporter")));
        command.env("OTEL_METRIC_EXPORT_INTERVAL", "100").env("OTEL_BSP_SCHEDULE_DELAY", "50");
        command
    };
    // Everything that anybody could ask the log for.
    let flags = ["serve", "--listen=127.0.0.1:0", "--log=trace", "--slow-statement-ms=1", "--cache-process=on"];
    let mut serve = command(&flags);
    let mut server = Server::start_with_log(serve.arg(format!("--admin-listen={admin}")).stderr(Stdio::piped()));
    // A full pipe would stop the server.
    let log = server.follow_log();
    // A wrong value is quoted to whoever sent it, and to nobody else.
    let errors = send_secrets(&format!("http://{}", server.address)).await.replace(&secret("wrong-type"), "");

    let imported = run(&mut command(&["import", "promptfoo", file.path().to_str().unwrap(), "--log=trace"]));
    assert!(imported.status.success(), "{}", String::from_utf8_lossy(&imported.stderr));
    let shown = run(&mut command(&["config"]));
    let mut told = vec![
        ("errors", errors),
        ("the log of an import", String::from_utf8_lossy(&imported.stderr).into_owned()),
        ("the configuration", String::from_utf8_lossy(&shown.stdout).into_owned()),
    ];
    for path in ["/metrics", "/health", "/cache/stats", "/log-filter"] {
        let text = reqwest::get(format!("http://{admin}{path}")).await.unwrap().text().await.unwrap();
        assert!(!text.is_empty());
        told.push((path, text));
    }
    let slow = reqwest::get(format!("http://{admin}/slow-statements?plans=true")).await.unwrap();
    told.push(("the report of slow statements", slow.text().await.unwrap()));
    let sent = ["graphql.dataloader.batch", "createPrompt", "graphql.server.request.duration"];
    eventually(Duration::from_secs(20), "spans and metrics were sent", async || {
        collector.has(sent[0]) && collector.has(sent[2])
    })
    .await;
    server.signal("TERM");
    assert_eq!(server.wait(), Some(0));
    told.push(("the log", log.join().unwrap()));
    for (place, text) in told {
        let leak = text.lines().find(|line| line.contains(MARK));
        assert!(leak.is_none(), "{kind:?}: {place} has a secret: {}", leak.unwrap_or_default());
    }
    assert!(!collector.has(MARK), "{kind:?}: a span or a metric has a secret");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn secrets_are_told_nowhere_on_postgres() {
    check(Kind::Postgres).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn secrets_are_told_nowhere_on_sqlite() {
    check(Kind::Sqlite).await;
}
