//! Which cases are the same, and what their change is.

use evalgraph::db::test_results::NewTestResult;
use evalgraph::domain::TestOutcome::{self, Errored, Failed, Passed, Skipped};
use serde_json::{Value, json};

use super::model::SELECTION;
use super::{COUNTS, compare, evaluations, results, store};
use crate::common::{EvaluationBuilder, PromptBuilder, TestServer, on_both_databases};
use crate::{global_id, texts};

/// The cases of an evaluation: name, hash or nothing, and what became of each.
type Cases = &'static [(&'static str, &'static str, TestOutcome)];

/// What is compared, and the lines of the comparison: name and change.
type Scenario = (&'static str, Cases, Cases, &'static [&'static str]);

const SCENARIOS: &[Scenario] = &[
    (
        "outcomes",
        &[("a", "1", Passed), ("b", "2", Failed), ("c", "3", Passed), ("d", "4", Failed), ("e", "5", Passed)],
        &[("f", "6", Failed), ("d", "4", Failed), ("c", "3", Failed), ("b", "2", Passed), ("a", "1", Passed)],
        &["a UNCHANGED_PASS", "b FIXED", "c REGRESSED", "d UNCHANGED_FAIL", "e REMOVED", "f ADDED"],
    ),
    (
        "an error on either side",
        &[("a", "1", Errored), ("b", "2", Passed), ("c", "3", Errored), ("d", "4", Errored)],
        &[("a", "1", Passed), ("b", "2", Errored), ("c", "3", Errored), ("e", "5", Errored)],
        &["a ERRORED", "b ERRORED", "c ERRORED", "d REMOVED", "e ADDED"],
    ),
    (
        "cases that were skipped are absent, and nothing else is taken for them",
        &[("a", "1", Skipped), ("b", "2", Passed), ("c", "3", Skipped), ("d", "4", Skipped), ("e", "5", Passed)],
        &[("a", "1", Passed), ("b", "2", Skipped), ("c", "3", Skipped), ("e", "5", Skipped), ("e", "6", Failed)],
        &["b REMOVED", "e REMOVED", "a ADDED", "e ADDED"],
    ),
    ("equal names and other variables", &[("a", "1", Passed)], &[("a", "2", Failed)], &["a REGRESSED"]),
    ("equal variables and another name", &[("a", "1", Passed)], &[("b", "1", Failed)], &["b REGRESSED"]),
    ("a name with and without variables", &[("a", "", Passed)], &[("a", "1", Failed)], &["a REGRESSED"]),
    ("no variables are not equal variables", &[("a", "", Passed)], &[("b", "", Passed)], &["a REMOVED", "b ADDED"]),
    (
        "a name that is left over once on each side",
        &[("a", "1", Passed), ("a", "2", Passed)],
        &[("a", "3", Failed), ("a", "1", Passed)],
        &["a UNCHANGED_PASS", "a REGRESSED"],
    ),
    (
        "a name that is left over twice leads nowhere",
        &[("a", "1", Passed)],
        &[("a", "2", Passed), ("a", "3", Passed)],
        &["a REMOVED", "a ADDED", "a ADDED"],
    ),
    (
        "what the name has told apart, the variables need not",
        &[("a", "1", Passed), ("b", "2", Passed)],
        &[("a", "2", Failed), ("c", "1", Failed)],
        &["a REGRESSED", "b REMOVED", "c ADDED"],
    ),
    (
        "variables that are left over twice lead nowhere",
        &[("a", "1", Passed), ("b", "1", Passed)],
        &[("c", "1", Passed)],
        &["a REMOVED", "b REMOVED", "c ADDED"],
    ),
    (
        "the outcome of most repetitions, failed when there is none",
        &[("a", "1", Passed), ("a", "1", Failed), ("a", "1", Passed), ("b", "2", Passed), ("b", "2", Errored)],
        &[("a", "1", Errored), ("a", "1", Failed), ("a", "1", Failed), ("b", "2", Passed), ("b", "2", Skipped)],
        &["a REGRESSED", "b FIXED"],
    ),
    ("nothing", &[], &[], &[]),
];

/// What a comparison must say of itself when it has these lines.
fn counts(lines: &[String]) -> Value {
    let of = |change: &str| lines.iter().filter(|line| line.ends_with(&format!(" {change}"))).count();
    json!({
        "matched": lines.len() - of("ADDED") - of("REMOVED"),
        "fixed": of("FIXED"), "regressed": of("REGRESSED"), "unchangedPass": of("UNCHANGED_PASS"),
        "unchangedFail": of("UNCHANGED_FAIL"), "errored": of("ERRORED"), "added": of("ADDED"), "removed": of("REMOVED"),
    })
}

fn lines(comparison: &Value) -> Vec<String> {
    let cases = &comparison["cases"]["nodes"];
    texts(cases, "testCaseName")
        .iter()
        .zip(texts(cases, "change"))
        .map(|(name, change)| format!("{name} {change}"))
        .collect()
}

on_both_databases! {
    async fn cases_match_by_name_and_variables_then_by_either(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        for (scenario, before, after, expected) in SCENARIOS {
            let [baseline, candidate] = evaluations(&database).await;
            store(&database, [results(&baseline, before), results(&candidate, after)].concat()).await;
            let selection = format!("{COUNTS} cases {{ totalCount nodes {{ testCaseName change }} }}");
            let mut comparison = compare(&server, &baseline, &candidate, &selection).await;
            let found = lines(&comparison);
            assert_eq!(found, *expected, "{scenario}");
            let cases = comparison.as_object_mut().unwrap().remove("cases").unwrap();
            assert_eq!(cases["totalCount"], expected.len(), "{scenario}");
            assert_eq!(comparison, counts(&found), "{scenario}");
        }
    }

    async fn the_first_repetition_that_was_not_skipped_stands_for_its_case(database: TestDatabase) {
        let [baseline, candidate] = evaluations(&database).await;
        let figures = |mut results: Vec<NewTestResult>, figures: [(f64, Option<i32>); 3]| {
            for (result, (score, latency)) in results.iter_mut().zip(figures) {
                (result.score, result.latency_ms) = (score, latency);
            }
            results
        };
        let cases = [("a", "1", Skipped), ("a", "1", Failed), ("a", "1", Passed)];
        let mut before = figures(results(&baseline, &cases), [(9.0, Some(900)), (0.5, Some(100)), (7.0, Some(700))]);
        // The number of the repetition decides, not the place.
        before.reverse();
        let cases = [("a", "1", Passed), ("a", "1", Passed), ("a", "1", Failed)];
        let after = figures(results(&candidate, &cases), [(2.0, Some(40)), (7.0, None), (7.0, None)]);
        let shown = [before[1].id, after[0].id].map(|id| json!({ "id": global_id("TestResult", id) }));
        store(&database, [before, after].concat()).await;
        let server = TestServer::start(&database).await;
        let selection = format!("cases {{ nodes {{ {} }} }}", SELECTION);
        let comparison = compare(&server, &baseline, &candidate, &selection).await;
        assert_eq!(
            comparison["cases"]["nodes"],
            json!([{
                "testCaseName": "a", "change": "FIXED", "baseline": shown[0], "candidate": shown[1],
                "baselineOutcome": "FAILED", "candidateOutcome": "PASSED", "scoreDelta": 1.5, "latencyDeltaMs": -60,
            }]),
        );
    }

    async fn an_evaluation_can_be_compared_with_itself(database: TestDatabase) {
        let [evaluation, _] = evaluations(&database).await;
        let cases = [("a", "1", Passed), ("b", "", Failed), ("b", "", Failed), ("b", "2", Errored), ("c", "3", Skipped)];
        store(&database, results(&evaluation, &cases)).await;
        let server = TestServer::start(&database).await;
        let selection = "baseline { id } candidate { id metrics } cases { nodes { testCaseName change scoreDelta } }";
        let comparison = compare(&server, &evaluation, &evaluation, selection).await;
        assert_eq!(lines(&comparison), ["a UNCHANGED_PASS", "b UNCHANGED_FAIL", "b ERRORED"]);
        assert_eq!(comparison["cases"]["nodes"][0]["scoreDelta"], 0.0);
        assert_eq!(comparison["baseline"]["id"], comparison["candidate"]["id"]);
        assert_eq!(comparison["candidate"]["metrics"], json!({}));
    }

    async fn the_difference_of_scores_needs_both(database: TestDatabase) {
        let prompt = PromptBuilder::new().insert(&database).await;
        let scored = async |score: Option<f64>| {
            EvaluationBuilder::of(&prompt).with(|row| row.overall_score = score).insert(&database).await
        };
        let (none, low, high) = (scored(None).await, scored(Some(0.25)).await, scored(Some(1.0)).await);
        let (least, most) = (scored(Some(f64::MIN)).await, scored(Some(f64::MAX)).await);
        let server = TestServer::start(&database).await;
        for (baseline, candidate, expected) in [
            (&low, &high, json!(0.75)),
            (&high, &low, json!(-0.75)),
            (&none, &high, Value::Null),
            (&high, &none, Value::Null),
            // No number is that large.
            (&least, &most, Value::Null),
        ] {
            let comparison = compare(&server, baseline, candidate, "scoreDelta").await;
            assert_eq!(comparison["scoreDelta"], expected, "{:?} {:?}", baseline.overall_score, candidate.overall_score);
        }
    }

    async fn the_evaluations_of_a_deleted_prompt_are_compared(database: TestDatabase) {
        let prompt = PromptBuilder::new().deleted().insert(&database).await;
        let evaluation = EvaluationBuilder::of(&prompt).insert(&database).await;
        store(&database, results(&evaluation, &[("a", "1", Passed)])).await;
        let server = TestServer::start(&database).await;
        let comparison = compare(&server, &evaluation, &evaluation, "unchangedPass baseline { prompt { id } }").await;
        assert_eq!(comparison, json!({ "unchangedPass": 1, "baseline": { "prompt": null } }));
    }
}
