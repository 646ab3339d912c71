//! Two real runs compared: what became of each test case from one to the other.

use common::TestServer;
use evalgraph::domain::EvaluationId;

use super::*;

/// Prompt, the evaluations of it with the same provider by their places in the two runs, and how many cases passed in
/// both, failed in both, regressed, were fixed and errored.
const PAIRS: [(&str, usize, usize, [i64; 5]); 3] = [
    ("triage-terse", 3, 0, [12, 2, 4, 0, 2]),
    ("triage-json", 4, 1, [11, 2, 4, 1, 2]),
    ("triage-chat", 5, 2, [11, 3, 4, 0, 2]),
];

fn global_id(id: EvaluationId) -> String {
    let engine = base64::engine::general_purpose::STANDARD;
    base64::Engine::encode(&engine, format!("Evaluation:{id}"))
}

on_both_databases! {
    async fn two_runs_of_the_same_prompts_are_compared(database: TestDatabase) {
        let baseline = imported(&database.database, "baseline.json").await;
        let candidate = imported(&database.database, "candidate.json").await;
        let stored = stored(&database.database).await;
        let server = TestServer::start(&database).await;
        for (prompt, before, after, [passed, failed, regressed, fixed, errored]) in PAIRS {
            let (before, after) = (stored.evaluations_of(&baseline)[before], stored.evaluations_of(&candidate)[after]);
            assert_eq!(before.provider_label.as_deref(), Some("triage-sim-small"));
            assert_eq!(before.provider_label, after.provider_label);
            let query = "query ($baseline: ID!, $candidate: ID!) {
                compareEvaluations(baseline: $baseline, candidate: $candidate) {
                    matched added removed unchangedPass unchangedFail regressed fixed errored scoreDelta
                    baseline { prompt { name } }
                    cases(first: 100) { totalCount nodes { change } }
                } }";
            let variables = json!({ "baseline": global_id(before.id), "candidate": global_id(after.id) });
            let mut comparison = server.ask(query, variables).await["compareEvaluations"].take();
            let cases = comparison.as_object_mut().unwrap().remove("cases").unwrap();
            assert_eq!((&cases["totalCount"], cases["nodes"].as_array().unwrap().len()), (&json!(22), 22));
            let score = comparison.as_object_mut().unwrap().remove("scoreDelta").unwrap();
            assert_close(score.as_f64(), after.overall_score.unwrap() - before.overall_score.unwrap(), 1e-12);
            assert_eq!(
                comparison,
                json!({
                    "matched": 20, "added": 1, "removed": 1, "unchangedPass": passed, "unchangedFail": failed,
                    "regressed": regressed, "fixed": fixed, "errored": errored,
                    "baseline": { "prompt": { "name": prompt } },
                }),
            );
        }
    }
}
