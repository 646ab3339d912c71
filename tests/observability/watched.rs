//! A server under load, and a Prometheus that watches it.

use std::time::Duration;

use crate::common::process::{Server, evalgraph_on};
use crate::common::{Kind, TestLocation, eventually, sql};
use crate::load::Load;
use crate::prometheus::{Prometheus, promtool};
use crate::{deployed, expressions_of_the_dashboard, free_address};

const PATIENCE: Duration = Duration::from_secs(60);

/// A server with all that there is to be watched, and where operators find it.
fn start(location: &TestLocation) -> (Server, String) {
    let address = free_address();
    let redis = std::env::var("EVALGRAPH_TEST_REDIS_URL").unwrap();
    let mut command = evalgraph_on(&location.location, &["serve", "--demo", "--listen=127.0.0.1:0"]);
    command
        .arg(format!("--admin-listen={address}"))
        .args(["--slow-statement-ms=1", "--cache-process=on", "--redis-prefix=observability"])
        .env("EVALGRAPH_REDIS_URL", redis)
        // Nobody listens there: all requests are sampled, and their spans dropped.
        .env("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://127.0.0.1:9/v1/traces");
    (Server::start(&mut command), address)
}

/// Both sides of the comparison that an alarm makes, which is the last.
fn watched_by(alarm: &str) -> &str {
    let comparisons = [" > ", " == ", " < "];
    comparisons
        .iter()
        .filter_map(|sign| alarm.rsplit_once(sign))
        .map(|(watched, _)| watched)
        .next()
        .expect("it compares")
}

#[test]
#[ignore = "needs Prometheus, which scripts/test-long installs"]
fn promtool_is_content_with_the_rules() {
    for (check, file) in [
        (&["check", "rules"], "prometheus/rules.yml"),
        (&["check", "config"], "prometheus/prometheus.yml"),
        (&["test", "rules"], "prometheus/rules_test.yml"),
    ] {
        promtool(&[check[0], check[1], deployed(file).to_str().unwrap()], None);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs Prometheus, which scripts/test-long installs"]
async fn every_expression_finds_something_and_alarms_fire() {
    let location = TestLocation::migrated(Kind::Postgres).await;
    let (mut server, admin) = start(&location);
    let load = Load::on(&server.address);
    let prometheus = Prometheus::watching(&admin).await;

    let page = reqwest::get(format!("http://{admin}/metrics")).await.unwrap().text().await.unwrap();
    promtool(&["check", "metrics"], Some(&page));

    // Every expression of the dashboard, of the rules, and what each alarm looks at.
    let rules = prometheus.rules().await;
    let mut expressions = expressions_of_the_dashboard();
    assert!(expressions.len() >= 40 && rules.len() >= 20, "{} and {}", expressions.len(), rules.len());
    for (kind, name, query, _) in &rules {
        expressions.push(if kind == "alerting" { watched_by(query).to_owned() } else { name.clone() });
    }
    for expression in &expressions {
        let finds = async || prometheus.values(expression).await.iter().any(|value| !value.is_nan());
        eventually(PATIENCE, &format!("it finds something: {expression}"), finds).await;
    }
    for (_, name, _, problem) in prometheus.rules().await {
        assert_eq!(problem, None, "{name}");
    }
    let has_examples = async || !prometheus.examples("graphql_server_request_duration_seconds_bucket").await.is_empty();
    eventually(PATIENCE, "durations have traces as examples", has_examples).await;
    for name in ["EvalgraphErrors", "EvalgraphDown", "EvalgraphStatementsFail"] {
        assert!(!prometheus.is_firing(name).await, "{name} fires though nothing is wrong");
    }

    // The database is away.
    let name = sql::texts(&location.location, "SELECT current_database()::text AS value").await.remove(0);
    let url = std::env::var("EVALGRAPH_TEST_POSTGRES_URL").unwrap();
    let maintenance = evalgraph::db::pool::DatabaseLocation::Postgres(url);
    let statements = format!(
        "ALTER DATABASE {name} ALLOW_CONNECTIONS false;
         SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"
    );
    sql::execute(&maintenance, &statements).await;
    for alarm in ["EvalgraphErrors", "EvalgraphCacheUnavailable"] {
        eventually(PATIENCE, &format!("{alarm} fires"), async || prometheus.is_firing(alarm).await).await;
    }
    sql::execute(&maintenance, &format!("ALTER DATABASE {name} ALLOW_CONNECTIONS true")).await;
    let is_over = async || !prometheus.is_firing("EvalgraphErrors").await;
    eventually(PATIENCE * 2, "the alarm ends with its cause", is_over).await;

    // The server is away.
    drop(load);
    server.signal("KILL");
    server.wait();
    eventually(PATIENCE, "EvalgraphDown fires", async || prometheus.is_firing("EvalgraphDown").await).await;
}
