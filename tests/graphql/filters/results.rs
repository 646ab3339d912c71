//! Filters of test results and of templates.

use evalgraph::db::evaluations::NewEvaluation;
use evalgraph::domain::TestOutcome;

use super::{all, check_filters};
use crate::common::{
    EvaluationBuilder, PromptBuilder, ResultBuilder, TemplateBuilder, TestDatabase, TestServer, on_both_databases,
};
use crate::world::List;
use crate::{global_id, texts};

async fn evaluation(database: &TestDatabase) -> NewEvaluation {
    EvaluationBuilder::of(&PromptBuilder::new().insert(database).await).insert(database).await
}

async fn check_results(database: &TestDatabase, evaluation: &NewEvaluation, cases: &[(&str, &[&str])]) {
    let server = TestServer::start(database).await;
    let parent = Some(global_id("Evaluation", evaluation.id));
    let list = List { coordinate: "Evaluation.testResults", parent, ids: vec![] };
    check_filters(&server, &list, "externalId", cases).await;
}

/// Results of every outcome.
async fn store_outcomes(database: &TestDatabase, evaluation: &NewEvaluation) {
    for (label, outcome) in [
        ("errored", TestOutcome::Errored),
        ("failed", TestOutcome::Failed),
        ("passed", TestOutcome::Passed),
        ("skipped", TestOutcome::Skipped),
    ] {
        ResultBuilder::of(evaluation).external_id(label).outcome(outcome).insert(database).await;
    }
}

on_both_databases! {
    async fn what_did_not_pass_may_have_failed_errored_or_been_skipped(database: TestDatabase) {
        let evaluation = evaluation(&database).await;
        store_outcomes(&database, &evaluation).await;
        check_results(
            &database,
            &evaluation,
            &[
                ("", &["errored", "failed", "passed", "skipped"]),
                ("passed: true", &["passed"]),
                ("passed: false", &["errored", "failed", "skipped"]),
                ("passed: null", &["errored", "failed", "passed", "skipped"]),
                ("outcome: FAILED", &["failed"]),
                ("outcome: [ERRORED, SKIPPED, SKIPPED]", &["errored", "skipped"]),
                ("outcome: []", &[]),
                ("passed: false, outcome: [PASSED, FAILED]", &["failed"]),
                ("passed: true, outcome: [FAILED]", &[]),
            ],
        )
        .await;
    }

    async fn results_by_score_and_case(database: TestDatabase) {
        let evaluation = evaluation(&database).await;
        for (label, score, name) in [
            ("a", 0.0, "case"),
            ("b", 0.25, "case"),
            ("c", 1.0, "Case"),
            ("d", -2.0, "c_se \"50%\" ö"),
            ("e", 5.0, "cases"),
        ] {
            ResultBuilder::of(&evaluation).external_id(label).score(score).name(name).insert(&database).await;
        }
        check_results(
            &database,
            &evaluation,
            &[
                ("minScore: 0.25", &["b", "c", "e"]),
                ("maxScore: 0.25", &["a", "b", "d"]),
                ("minScore: 0, maxScore: 1", &["a", "b", "c"]),
                ("minScore: 0.3, maxScore: 0.2", &[]),
                ("testCaseName: \"case\"", &["a", "b"]),
                ("testCaseName: \"c_se\"", &[]),
                ("testCaseName: \"c_se \\\"50%\\\" ö\"", &["d"]),
                ("testCaseName: \"case\", minScore: 0.1", &["b"]),
                ("testCaseName: \"case\", minScore: 0.1, passed: false", &[]),
            ],
        )
        .await;
    }

    async fn templates_by_category(database: TestDatabase) {
        for (name, category) in [("a", "support"), ("b", "support"), ("c", "Support"), ("d", "it's 50% \"ö\"")] {
            TemplateBuilder::new().name(name).category(category).insert(&database).await;
        }
        let server = TestServer::start(&database).await;
        let list = all("Query.promptTemplates");
        for (arguments, expected) in [
            ("category: \"support\"", &["a", "b"][..]),
            ("category: \"sup%\"", &[]),
            ("category: \"\"", &[]),
            ("category: \"it's 50% \\\"ö\\\"\"", &["d"]),
            ("category: null", &["a", "b", "c", "d"]),
        ] {
            let found = list.select(&server, arguments, "totalCount nodes { name }").await;
            let mut names = texts(&found["nodes"], "name");
            names.sort();
            assert_eq!(names, expected, "{arguments}");
            assert_eq!(found["totalCount"], expected.len(), "{arguments}");
        }
    }
}
