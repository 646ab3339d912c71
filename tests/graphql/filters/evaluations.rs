//! Filters of evaluations.

use evalgraph::domain::{EvaluationStatus, Timestamp};

use super::{all, check_filters};
use crate::common::{EvaluationBuilder, PromptBuilder, RunBuilder, TestDatabase, TestServer, on_both_databases};
use crate::global_id;
use crate::world::List;

/// An evaluation with a label, to be changed by a test.
type Labelled = (&'static str, fn(EvaluationBuilder) -> EvaluationBuilder);

/// Stores these evaluations of one prompt in one run, and checks the filters on each of the three lists that they are
/// in; a second prompt and a second run have the same.
async fn check_evaluations(database: &TestDatabase, evaluations: &[Labelled], cases: &[(&str, &[&str])]) {
    let mut parents = Vec::new();
    for _ in 0..2 {
        let prompt = PromptBuilder::new().insert(database).await;
        let run = RunBuilder::new().insert(database).await;
        for (position, (label, change)) in (0..).zip(evaluations) {
            change(EvaluationBuilder::of(&prompt).run(&run, position)).external_id(label).insert(database).await;
        }
        parents =
            vec![("Prompt.evaluations", global_id("Prompt", prompt.id)), ("Run.evaluations", global_id("Run", run.id))];
    }
    let server = TestServer::start(database).await;
    for (coordinate, parent) in parents {
        let list = List { coordinate, parent: Some(parent), ids: vec![] };
        check_filters(&server, &list, "externalId", cases).await;
    }
    let twice: Vec<Vec<_>> =
        cases.iter().map(|(_, labels)| labels.iter().flat_map(|label| [*label; 2]).collect()).collect();
    let cases: Vec<_> = cases.iter().zip(&twice).map(|((filter, _), labels)| (*filter, &labels[..])).collect();
    check_filters(&server, &all("Query.evaluations"), "externalId", &cases).await;
}

fn at(time: &str) -> Timestamp {
    Timestamp::parse(time).unwrap()
}

on_both_databases! {
    async fn evaluations_by_status(database: TestDatabase) {
        check_evaluations(
            &database,
            &[
                ("pending", |row| row.status(EvaluationStatus::Pending)),
                ("running", |row| row.status(EvaluationStatus::Running)),
                ("completed", |row| row.status(EvaluationStatus::Completed)),
                ("failed", |row| row.status(EvaluationStatus::Failed)),
            ],
            &[
                ("", &["completed", "failed", "pending", "running"]),
                ("status: RUNNING", &["running"]),
                ("status: [FAILED, PENDING]", &["failed", "pending"]),
                ("status: [COMPLETED, COMPLETED]", &["completed"]),
                ("status: []", &[]),
                ("status: null", &["completed", "failed", "pending", "running"]),
            ],
        )
        .await;
    }

    async fn evaluations_by_provider_model_and_suite(database: TestDatabase) {
        check_evaluations(
            &database,
            &[
                ("a", |row| row.provider("openai", "gpt-4o")),
                ("b", |row| row.provider("azure", "gpt-4o").with(|row| row.test_suite_id = Some("smoke".to_owned()))),
                ("c", |row| row.provider("openai", "gpt-4o-mini")),
                ("d", |row| row.with(|row| row.test_suite_id = Some("it's 100% \"ö\"".to_owned()))),
            ],
            &[
                ("provider: \"openai\"", &["a", "c"]),
                ("provider: \"OpenAI\"", &[]),
                ("provider: \"open%\"", &[]),
                ("provider: \"\"", &[]),
                ("model: \"gpt-4o\"", &["a", "b"]),
                ("provider: \"openai\", model: \"gpt-4o\"", &["a"]),
                ("provider: null, model: null, testSuiteId: null", &["a", "b", "c", "d"]),
                ("testSuiteId: \"smoke\"", &["b"]),
                ("testSuiteId: \"it's 100% \\\"ö\\\"\"", &["d"]),
                ("testSuiteId: \"smoke\", provider: \"openai\"", &[]),
            ],
        )
        .await;
    }

    async fn evaluations_by_score(database: TestDatabase) {
        check_evaluations(
            &database,
            &[
                ("below zero", |row| row.score(-2.0)),
                ("five", |row| row.score(5.0)),
                ("half", |row| row.score(0.5)),
                ("none", |row| row),
                ("zero", |row| row.score(0.0)),
            ],
            &[
                ("minScore: 0.5", &["five", "half"]),
                ("minScore: 0.5000000001", &["five"]),
                ("maxScore: 0.5", &["below zero", "half", "zero"]),
                ("minScore: 0", &["five", "half", "zero"]),
                ("minScore: -0.0, maxScore: -0.0", &["zero"]),
                ("minScore: -2, maxScore: 0.5", &["below zero", "half", "zero"]),
                ("minScore: 1, maxScore: 0", &[]),
                ("minScore: -1e308", &["below zero", "five", "half", "zero"]),
                ("minScore: null", &["below zero", "five", "half", "none", "zero"]),
            ],
        )
        .await;
    }

    async fn evaluations_by_time(database: TestDatabase) {
        check_evaluations(
            &database,
            &[
                ("1 before", |row| row.created_at(at("2026-11-22T23:59:59.999999Z"))),
                ("2 at", |row| row.created_at(at("2026-11-23T00:00:00Z"))),
                ("3 after", |row| row.created_at(at("2026-11-23T00:00:00.000001Z"))),
            ],
            &[
                ("createdAfter: \"2026-11-23T00:00:00Z\"", &["2 at", "3 after"]),
                ("createdBefore: \"2026-11-23T00:00:00Z\"", &["1 before"]),
                (
                    "createdAfter: \"2026-11-23T00:00:00Z\", createdBefore: \"2026-11-23T00:00:00.000001Z\"",
                    &["2 at"],
                ),
            ],
        )
        .await;
    }

    async fn all_conditions_on_evaluations_must_hold(database: TestDatabase) {
        check_evaluations(
            &database,
            &[
                ("a", |row| row.provider("x", "m").score(0.9)),
                ("b", |row| row.provider("x", "m").score(0.1)),
                ("c", |row| row.provider("y", "m").score(0.9)),
                ("d", |row| row.provider("x", "m").score(0.9).status(EvaluationStatus::Failed)),
            ],
            &[
                ("provider: \"x\", minScore: 0.5, status: [COMPLETED]", &["a"]),
                ("provider: \"x\", minScore: 0.5", &["a", "d"]),
                ("model: \"m\", maxScore: 0.5", &["b"]),
            ],
        )
        .await;
    }
}
