//! A comparison reads the results of its two evaluations: the databases say so themselves.

use evalgraph::db::comparison::{CasePosition, CaseRange, CaseSlice, Cases, ChangeCounts, EvaluationPair};
use evalgraph::db::evaluations::NewEvaluation;
use evalgraph::domain::{Principal, TestCaseChange, TestOutcome, TestResultId};

use super::{results, store};
use crate::common::plans::plan;
use crate::common::{EvaluationBuilder, PromptBuilder, TestDatabase, on_both_databases};

/// 40 evaluations with 100 results each, and statistics that know of them.
async fn fill(database: &TestDatabase) -> Vec<NewEvaluation> {
    let prompt = PromptBuilder::new().insert(database).await;
    let names: Vec<_> = (0..100).map(|number| format!("case {number}")).collect();
    let cases: Vec<_> = names.iter().map(|name| (name.as_str(), name.as_str(), TestOutcome::Passed)).collect();
    let mut evaluations = Vec::new();
    for _ in 0..40 {
        let evaluation = EvaluationBuilder::of(&prompt).insert(database).await;
        store(database, results(&evaluation, &cases)).await;
        evaluations.push(evaluation);
    }
    database.execute("ANALYZE").await;
    evaluations
}

fn assert_by_index(plan: &str) {
    // Once for each evaluation. Their results are as many as can be told beforehand, so nothing may be looped over.
    assert_eq!(plan.matches("test_results_evaluation_").count(), 2, "{plan}");
    for costly in ["Seq Scan on test_results", "SCAN test_results", "Nested Loop", "Join", "AUTOMATIC"] {
        assert!(!plan.contains(costly), "{costly}: {plan}");
    }
}

on_both_databases! {
    async fn the_results_of_two_evaluations_are_read_by_an_index(database: TestDatabase) {
        let evaluations = fill(&database).await;
        let pair = EvaluationPair { baseline: evaluations[3].id, candidate: evaluations[30].id };
        let position = CasePosition { candidate_only: 0, place: 50, result: TestResultId::generate() };
        let principal = Principal::local();
        assert_by_index(&plan(&database, ChangeCounts::new(&principal, pair)).await);
        for range in [CaseRange::All, CaseRange::After(position), CaseRange::UpTo(position)] {
            for changes in [None, Some(vec![TestCaseChange::Regressed, TestCaseChange::Fixed])] {
                let slice = CaseSlice { changes, range, limit: 21 };
                assert_by_index(&plan(&database, Cases::new(&principal, pair, slice)).await);
            }
        }
    }
}
