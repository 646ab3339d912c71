//! Filters of runs.

use evalgraph::domain::{EvaluationStatus, RunSource, Timestamp};

use super::{all, check_filters};
use crate::common::{RunBuilder, TestDatabase, TestServer, on_both_databases};

async fn store(database: &TestDatabase, label: &str, change: impl FnOnce(RunBuilder) -> RunBuilder) {
    change(RunBuilder::new().external_id(label)).insert(database).await;
}

async fn check_runs(database: &TestDatabase, cases: &[(&str, &[&str])]) {
    let server = TestServer::start(database).await;
    check_filters(&server, &all("Query.runs"), "externalId", cases).await;
}

on_both_databases! {
    async fn runs_by_source_and_status(database: TestDatabase) {
        store(&database, "api", |run| run).await;
        store(&database, "csv", |run| run.source(RunSource::Csv).status(EvaluationStatus::Failed)).await;
        store(&database, "inspect", |run| run.source(RunSource::Inspect)).await;
        store(&database, "jsonl", |run| run.source(RunSource::Jsonl).status(EvaluationStatus::Running)).await;
        store(&database, "promptfoo", |run| run.source(RunSource::Promptfoo).status(EvaluationStatus::Pending)).await;
        check_runs(
            &database,
            &[
                ("", &["api", "csv", "inspect", "jsonl", "promptfoo"]),
                ("source: PROMPTFOO", &["promptfoo"]),
                ("source: [API, CSV, JSONL]", &["api", "csv", "jsonl"]),
                ("source: []", &[]),
                ("source: null, status: null", &["api", "csv", "inspect", "jsonl", "promptfoo"]),
                ("status: COMPLETED", &["api", "inspect"]),
                ("status: [FAILED, RUNNING, PENDING]", &["csv", "jsonl", "promptfoo"]),
                ("status: []", &[]),
                ("status: [COMPLETED], source: [INSPECT, CSV]", &["inspect"]),
            ],
        )
        .await;
    }

    async fn runs_by_name_and_baseline(database: TestDatabase) {
        store(&database, "a", |run| run.name("nightly")).await;
        store(&database, "b", |run| run.name("nightly").baseline()).await;
        store(&database, "c", |run| run.name("night_y \"50%\" ö")).await;
        check_runs(
            &database,
            &[
                ("name: \"nightly\"", &["a", "b"]),
                ("name: \"night_y\"", &[]),
                ("name: \"Nightly\"", &[]),
                ("name: \"night_y \\\"50%\\\" ö\"", &["c"]),
                ("isBaseline: true", &["b"]),
                ("isBaseline: false", &["a", "c"]),
                ("isBaseline: null", &["a", "b", "c"]),
                ("name: \"nightly\", isBaseline: false", &["a"]),
            ],
        )
        .await;
    }

    async fn runs_by_time(database: TestDatabase) {
        for time in ["2026-11-22T23:59:59.999999Z", "2026-11-23T00:00:00Z", "2026-11-23T00:00:00.000001Z"] {
            store(&database, time, |run| run.created_at(Timestamp::parse(time).unwrap())).await;
        }
        let at = "2026-11-23T00:00:00Z";
        check_runs(
            &database,
            &[
                ("createdAfter: \"2026-11-23T00:00:00Z\"", &["2026-11-23T00:00:00.000001Z", at]),
                ("createdBefore: \"2026-11-23T00:00:00Z\"", &["2026-11-22T23:59:59.999999Z"]),
                (
                    "createdAfter: \"2026-11-23T00:00:00Z\", createdBefore: \"2026-11-23T00:00:00.000001Z\"",
                    &[at],
                ),
            ],
        )
        .await;
    }
}
