//! The page of metrics.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use evalgraph::telemetry::metrics::{ALL, Kind};
use reqwest::header::ACCEPT;
use serde_json::json;

use crate::Operated;
use crate::common::{Kind as DatabaseKind, TestLocation, eventually, sql};

const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0";

/// The samples of a page, by what stands before their values.
type Samples = BTreeMap<String, f64>;

impl Operated {
    async fn page(&self, accept: &str) -> String {
        let response = self.client.get(self.url("/metrics")).header(ACCEPT, accept).send().await.unwrap();
        assert_eq!(response.status(), 200);
        response.text().await.unwrap()
    }

    async fn samples(&self) -> Samples {
        let page = self.page("text/plain").await;
        let lines = page.lines().filter(|line| !line.starts_with('#'));
        let sample = |line: &str| {
            let (name, value) = line.rsplit_once(' ').unwrap();
            (name.to_owned(), value.parse().unwrap())
        };
        lines.map(sample).collect()
    }

    /// Sends an operation, whose answer may have errors.
    async fn operation(&self, query: &str) {
        let request = self.client.post(format!("http://{}/graphql", self.server.address));
        request.json(&json!({ "query": query })).send().await.unwrap().bytes().await.unwrap();
    }
}

fn value(samples: &Samples, name: &str) -> f64 {
    *samples.get(name).unwrap_or_else(|| panic!("{name} is not among {:#?}", samples.keys()))
}

async fn start(kind: DatabaseKind, arguments: &[&str]) -> (Operated, TestLocation) {
    let location = TestLocation::migrated(kind).await;
    (Operated::start(&location.location, arguments), location)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_are_counted_and_measured_by_operation() {
    for kind in [DatabaseKind::Sqlite, DatabaseKind::Postgres] {
        let (server, _location) = start(kind, &["--cache-process=off"]).await;
        for _ in 0..3 {
            server.operation("query Board { prompts { totalCount nodes { title } } }").await;
        }
        server.operation("mutation { deletePrompts(ids: []) { affected } }").await;
        server.operation("query Broken { nothing }").await;
        server.operation("{").await;
        let samples = server.samples().await;
        let board = "{graphql_operation_name=\"Board\",graphql_operation_type=\"query\"}";
        let of_board = |name: &str| value(&samples, &format!("{name}{board}"));
        assert_eq!(of_board("graphql_server_request_duration_seconds_count"), 3.0);
        assert_eq!(of_board("evalgraph_request_statements_sum"), 6.0);
        assert_eq!(of_board("graphql_server_response_error_count_sum"), 0.0);
        assert_eq!(value(&samples, "evalgraph_graphql_errors_total{error_type=\"GRAPHQL_PARSE_FAILED\"}"), 1.0);
        assert_eq!(value(&samples, "evalgraph_graphql_errors_total{error_type=\"GRAPHQL_VALIDATION_FAILED\"}"), 1.0);
        assert_eq!(value(&samples, "graphql_server_active_requests{graphql_operation_type=\"query\"}"), 0.0);
        assert_eq!(value(&samples, "graphql_server_request_parse_duration_seconds_count{error_type=\"REFUSED\"}"), 1.0);
        assert_eq!(value(&samples, "graphql_server_request_plan_duration_seconds_count"), 5.0);
        let database = "{graphql_dataloader_name=\"prompts\",source=\"database\"}";
        assert_eq!(value(&samples, &format!("evalgraph_dataloader_answers_total{database}")), 3.0);
        let batches = "evalgraph_dataloader_batch_size_count{graphql_dataloader_name=\"prompts\"}";
        assert_eq!(value(&samples, batches), 3.0);
        let selects = "{operation=\"SELECT\",status=\"ok\",table=\"prompts\"}";
        assert!(value(&samples, &format!("db_query_total{selects}")) >= 6.0);
        assert!(value(&samples, "db_query_duration_seconds_count{operation=\"SELECT\",table=\"prompts\"}") >= 6.0);
        let posts = "{http_request_method=\"POST\",http_response_status_code=\"200\",http_route=\"/graphql\"}";
        assert!(value(&samples, &format!("http_server_request_duration_seconds_count{posts}")) >= 3.0);
        let pool = if kind == DatabaseKind::Sqlite { "read" } else { "all" };
        let of_pool = |name: &str| value(&samples, &format!("db_connection_pool_{name}{{pool=\"{pool}\"}}"));
        assert_eq!(of_pool("size"), of_pool("idle") + of_pool("in_use"));
        assert!(of_pool("max") >= of_pool("size") && of_pool("wait_seconds_count") >= 6.0);
        assert_eq!((of_pool("waiters"), of_pool("timeouts_total")), (0.0, 0.0));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_whose_client_left_is_not_in_flight_any_more() {
    use diesel_async::SimpleAsyncConnection as _;
    let (server, location) = start(DatabaseKind::Postgres, &[]).await;
    let mut other = sql::postgres(&location.location).await;
    other.batch_execute("BEGIN; LOCK TABLE prompts IN ACCESS EXCLUSIVE MODE").await.unwrap();
    let active = async || {
        let samples = server.samples().await;
        // The page itself is a request that is being worked on.
        (
            value(&samples, "graphql_server_active_requests{graphql_operation_type=\"query\"}"),
            value(&samples, "http_server_active_requests"),
        )
    };
    let request = server.client.post(format!("http://{}/graphql", server.server.address));
    let waiting = tokio::spawn(request.json(&json!({ "query": "query Lost { prompts { totalCount } }" })).send());
    eventually(Duration::from_secs(10), "it is in flight", async || active().await == (1.0, 2.0)).await;
    waiting.abort();
    eventually(Duration::from_secs(10), "it is not any more", async || active().await == (0.0, 1.0)).await;
    let samples = server.samples().await;
    let cancelled = "graphql_server_request_duration_seconds_count{error_type=\"cancelled\",\
                     graphql_operation_name=\"Lost\",graphql_operation_type=\"query\"}";
    assert_eq!(value(&samples, cancelled), 1.0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clients_cannot_make_any_number_of_series() {
    let flags = ["--metrics-operations=Known, Other", "--metrics-more-operations=2"];
    let (server, _location) = start(DatabaseKind::Sqlite, &flags).await;
    // What the schema does not know takes no place of others.
    server.operation("query Nonsense { nothing }").await;
    for name in ["A", "B", "C", "D", "Known"] {
        server.operation(&format!("query {name} {{ viewer {{ userId }} }}")).await;
    }
    for path in ["/x", "/y", "/graphql/z"] {
        reqwest::get(format!("http://{}{path}", server.server.address)).await.unwrap();
    }
    let samples = server.samples().await;
    let count = |name: &str| {
        let labels = format!("{{graphql_operation_name=\"{name}\",graphql_operation_type=\"query\"}}");
        samples.get(&format!("graphql_server_request_duration_seconds_count{labels}")).copied()
    };
    assert_eq!(["A", "B", "C", "Known", "other"].map(count), [Some(1.0), Some(1.0), None, Some(1.0), Some(2.0)]);
    let lost = "{http_request_method=\"GET\",http_response_status_code=\"404\",http_route=\"other\"}";
    assert_eq!(value(&samples, &format!("http_server_request_duration_seconds_count{lost}")), 3.0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_told_is_what_is_defined() {
    let redis = std::env::var("EVALGRAPH_TEST_REDIS_URL").unwrap();
    let flags = [format!("--redis-url={redis}"), "--cache-process=on".to_owned(), "--redis-prefix=metrics".to_owned()];
    let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
    let (server, _location) = start(DatabaseKind::Postgres, &flags).await;
    server.operation("query Board { prompts { totalCount nodes { title } } }").await;
    let page = server.page("text/plain").await;
    let known: BTreeMap<String, &[&str]> = ALL
        .iter()
        .map(|metric| {
            let suffix = if metric.kind == Kind::Counter { "_total" } else { "" };
            (metric.family() + suffix, metric.labels)
        })
        .collect();
    let mut told = BTreeSet::new();
    for line in page.lines().filter(|line| line.starts_with("# TYPE ")) {
        let name = line.split(' ').nth(2).unwrap();
        assert!(name == "target_info" || known.contains_key(name), "{line}");
        assert!(told.insert(name.to_owned()), "{name} is told twice");
    }
    // Of sampled requests alone, and there are none.
    let missing: Vec<_> =
        known.keys().filter(|name| !told.contains(*name) && *name != "evalgraph_field_duration_seconds").collect();
    assert!(missing.is_empty(), "{missing:?}");
    for line in page.lines().filter(|line| !line.starts_with(['#']) && !line.starts_with("target_info")) {
        let (name, labels) = line.split_once('{').unwrap_or((line, ""));
        let name = name.split(' ').next().unwrap();
        let family = ["_bucket", "_sum", "_count"].iter().find_map(|suffix| name.strip_suffix(suffix));
        let allowed = known.get(name).or_else(|| known.get(family?)).unwrap_or_else(|| panic!("{line}"));
        for label in labels.split("\",").filter_map(|label| label.split_once("=\"")).map(|(label, _)| label) {
            let is_allowed = label == "le" || allowed.iter().any(|known| known.replace('.', "_") == label);
            assert!(is_allowed, "{label}: {line}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn open_metrics_has_examples_of_sampled_requests() {
    let location = TestLocation::migrated(DatabaseKind::Sqlite).await;
    // Nobody listens there: spans are dropped, and requests do not notice.
    let traces = [("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://127.0.0.1:9/v1/traces")];
    let server = Operated::start_with(&location.location, &["--cache-process=off"], &traces);
    let trace_id = "4bf92f3577b34da6a3ce929d0e0e4736";
    let request = server.client.post(format!("http://{}/graphql", server.server.address));
    let request = request.header("traceparent", format!("00-{trace_id}-00f067aa0ba902b7-01"));
    let query = json!({ "query": "query Board { prompts { nodes { title evaluations { totalCount } } } }" });
    assert_eq!(request.json(&query).send().await.unwrap().status(), 200);
    let page = server.page(OPEN_METRICS).await;
    assert!(page.ends_with("# EOF\n"));
    for family in ["graphql_server_request_duration_seconds_bucket", "db_query_duration_seconds_bucket"] {
        let example = format!("# {{trace_id=\"{trace_id}\",span_id=\"");
        let is_example = |line: &&str| line.starts_with(family) && line.contains(&example);
        assert!(page.lines().any(|line| is_example(&line)), "{family}: {page}");
    }
    assert!(page.contains("# TYPE db_query counter\n") && page.contains("\ndb_query_total{"), "{page}");
    // Prometheus' own format has no place for them.
    assert!(!server.page("text/plain").await.contains(trace_id));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_collector_that_hangs_costs_requests_nothing() {
    let location = TestLocation::migrated(DatabaseKind::Sqlite).await;
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", silent.local_addr().unwrap());
    let exporting = [("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint.as_str()), ("OTEL_METRIC_EXPORT_INTERVAL", "50")];
    let server = Operated::start_with(&location.location, &[], &exporting);
    let begun = std::time::Instant::now();
    for _ in 0..50 {
        server.operation("query Board { viewer { userId } }").await;
    }
    // It would take ten seconds to give up a single one.
    assert!(begun.elapsed() < Duration::from_secs(8), "{:?}", begun.elapsed());
    assert!(server.page("").await.contains("graphql_operation_name=\"Board\""));
}
