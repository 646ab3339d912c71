//! Two evaluations compared.

mod matching;
mod model;
mod pages;
mod plans;
mod random;
mod refused;

use evalgraph::db::evaluations::NewEvaluation;
use evalgraph::db::insert;
use evalgraph::db::test_results::NewTestResult;
use evalgraph::domain::TestOutcome;
use serde_json::Value;

use crate::common::{EvaluationBuilder, PromptBuilder, ResultBuilder, TestDatabase, TestServer};
use crate::global_id;

/// Two evaluations of one prompt.
async fn evaluations(database: &TestDatabase) -> [NewEvaluation; 2] {
    let prompt = PromptBuilder::new().insert(database).await;
    [EvaluationBuilder::of(&prompt).insert(database).await, EvaluationBuilder::of(&prompt).insert(database).await]
}

/// Results of an evaluation: name, hash or nothing, and what became of each. Their places are in their order, and equal
/// ones are counted.
fn results(evaluation: &NewEvaluation, cases: &[(&str, &str, TestOutcome)]) -> Vec<NewTestResult> {
    let result = |(index, &(name, hash, outcome)): (usize, &(&str, &str, TestOutcome))| {
        let repetition = cases[..index].iter().filter(|case| (case.0, case.1) == (name, hash)).count();
        let result = ResultBuilder::of(evaluation).name(name).outcome(outcome).with(|row| {
            row.case_hash = (!hash.is_empty()).then(|| hash.to_owned());
            row.position = i32::try_from(index).ok();
            row.repetition = i32::try_from(repetition).unwrap();
        });
        result.build()
    };
    cases.iter().enumerate().map(result).collect()
}

async fn store(database: &TestDatabase, results: Vec<NewTestResult>) {
    database.write(|connection| Box::pin(async move { insert::test_results(connection, results).await })).await;
}

/// The query for a comparison.
fn query(baseline: &NewEvaluation, candidate: &NewEvaluation, selection: &str) -> String {
    let [baseline, candidate] = [baseline, candidate].map(|row| global_id("Evaluation", row.id));
    format!("{{ compareEvaluations(baseline: {baseline:?}, candidate: {candidate:?}) {{ {selection} }} }}")
}

/// What a comparison returns.
async fn compare(server: &TestServer, baseline: &NewEvaluation, candidate: &NewEvaluation, selection: &str) -> Value {
    server.data(&query(baseline, candidate, selection)).await["compareEvaluations"].take()
}

const COUNTS: &str = "matched fixed regressed unchangedPass unchangedFail errored added removed";
