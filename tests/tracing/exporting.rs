//! Spans arrive where they are sent, and who does not take them is nobody's concern but the operator's.

use std::time::{Duration, Instant};

use serde_json::json;
use tokio::net::TcpListener;

use crate::common::eventually;
use crate::common::process::{Server, evalgraph, run, stderr};
use crate::receivers::{exporting, receive};

const QUERY: &str = "{ prompts { nodes { id evaluations { totalCount } } } }";
/// From the request down to a statement.
const PATH: [&str; 6] = [
    "POST /graphql",
    "query",
    "GraphQL Operation Execution",
    "Query.prompts",
    "GraphQL DataLoader Batch prompts",
    "SELECT prompts",
];

async fn check_protocol(protocol: &str) {
    let (endpoint, received) = receive(protocol).await;
    let (mut command, _location) = exporting(&["serve", "--port", "0"], &endpoint, protocol).await;
    command.env("OTEL_RESOURCE_ATTRIBUTES", "team=quality");
    let server = Server::start(&mut command);
    server.data(QUERY).await;
    eventually(Duration::from_secs(20), "the spans arrive", async || received.has_path(&PATH)).await;
    for (name, value) in [("service.name", "evalgraph"), ("deployment.environment.name", "local"), ("team", "quality")]
    {
        assert_eq!(received.resource(name).as_deref(), Some(value), "{name}");
    }
    assert!(received.resource("service.instance.id").is_some());
    assert_eq!(received.resource("service.version").as_deref(), Some(env!("CARGO_PKG_VERSION")));
    // That it was migrated at the start is a trace of its own.
    assert!(received.has_path(&["evalgraph migrate"]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn spans_arrive_over_http() {
    check_protocol("http/protobuf").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn spans_arrive_over_grpc() {
    check_protocol("grpc").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_last_spans_are_sent_when_the_server_stops() {
    let (endpoint, received) = receive("http/protobuf").await;
    let (mut command, _location) = exporting(&["serve", "--port", "0"], &endpoint, "http/protobuf").await;
    // So long that nothing is sent before.
    let mut server = Server::start(command.env("OTEL_BSP_SCHEDULE_DELAY", "3600000"));
    server.data(QUERY).await;
    assert!(!received.has_path(&PATH));
    server.signal("TERM");
    assert_eq!(server.wait(), Some(0));
    assert!(received.has_path(&PATH));
}

/// Asks many times and tells how long that took.
async fn asked_often(server: &Server) -> Duration {
    let begun = Instant::now();
    for _ in 0..50 {
        server.data(QUERY).await;
    }
    begun.elapsed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_receiver_that_hangs_costs_requests_nothing() {
    // It accepts what is sent, and never answers.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let (called, mut is_called) = tokio::sync::mpsc::channel(1);
    tokio::spawn(async move {
        let mut open = Vec::new();
        while let Ok((connection, _)) = listener.accept().await {
            open.push(connection);
            let _ = called.send(()).await;
        }
    });
    for protocol in ["http/protobuf", "grpc"] {
        let (mut command, _location) = exporting(&["serve", "--port", "0"], &endpoint, protocol).await;
        // A request would have to wait until the sending is given up, if it waited for it.
        command.env("OTEL_EXPORTER_OTLP_TIMEOUT", "60000").env("OTEL_BSP_MAX_QUEUE_SIZE", "64");
        command.env("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "16").env("EVALGRAPH_LOG_FORMAT", "json");
        command.stderr(std::process::Stdio::piped());
        let mut server = Server::start_with_log(&mut command);
        tokio::time::timeout(Duration::from_secs(20), is_called.recv()).await.expect("it is called");
        let took = asked_often(&server).await;
        assert!(took < Duration::from_secs(30), "{protocol}: {took:?}");
        server.signal("TERM");
        assert_eq!(server.wait(), Some(0), "{protocol}: it stops all the same");
        let log = server.log();
        assert!(log.contains("spans are dropped"), "{protocol}: {log}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_receiver_that_is_gone_costs_requests_nothing() {
    // Nobody listens there any more.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    for protocol in ["http/protobuf", "grpc"] {
        let (mut command, _location) = exporting(&["serve", "--port", "0"], &endpoint, protocol).await;
        let mut server = Server::start(&mut command);
        let took = asked_often(&server).await;
        assert!(took < Duration::from_secs(30), "{protocol}: {took:?}");
        server.signal("TERM");
        assert_eq!(server.wait(), Some(0), "{protocol}");
    }
}

#[tokio::test]
async fn variables_that_mean_nothing_are_refused_by_name() {
    let endpoint = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4318");
    for (name, value) in [
        ("OTEL_TRACES_SAMPLER", "sometimes"),
        ("OTEL_BSP_MAX_QUEUE_SIZE", "none"),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/json"),
    ] {
        let mut command = evalgraph(&["serve", "--port", "0", "--data-dir", "/nonexistent"]);
        let output = run(command.env(endpoint.0, endpoint.1).env(name, value));
        assert!(!output.status.success());
        let expected = format!("{name} is «{value}»");
        assert!(stderr(&output).contains(&expected), "{}", stderr(&output));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lines_about_a_recorded_request_have_its_trace() {
    let (endpoint, _received) = receive("http/protobuf").await;
    let (mut command, location) = exporting(&["serve", "--port", "0"], &endpoint, "http/protobuf").await;
    command.env("EVALGRAPH_LOG_FORMAT", "json").env("EVALGRAPH_LOG", "trace").stderr(std::process::Stdio::piped());
    let log = tempfile::NamedTempFile::new().unwrap();
    command.stderr(log.reopen().unwrap());
    let mut server = Server::start_with_log(&mut command);
    let client = reqwest::Client::new();
    let trace_id = "0af7651916cd43dd8448eb211c80319c";
    let request = client.post(format!("http://{}/graphql", server.address));
    let request = request.header("traceparent", format!("00-{trace_id}-00f067aa0ba902b7-01"));
    let answer = request.json(&json!({ "query": QUERY })).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    server.signal("TERM");
    server.wait();
    drop(location);
    let log = std::fs::read_to_string(log.path()).unwrap();
    let about: Vec<serde_json::Value> =
        log.lines().filter(|line| line.contains(trace_id)).map(|line| serde_json::from_str(line).unwrap()).collect();
    // The statement's line, and that of the request.
    for target in ["evalgraph::db::statements", "evalgraph::http::request_log"] {
        assert!(about.iter().any(|line| line["target"] == target), "{target}: {about:#?}");
    }
    assert!(!log.contains("evalgraph::trace"), "spans are in the log");
}
