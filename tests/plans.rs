//! Pages per parent read the rows they return: the databases say so themselves.

mod common;

use common::plans::plan;
use common::{EvaluationBuilder, PromptBuilder, ResultBuilder, TestDatabase, on_both_databases};
use evalgraph::db::conditions::Conditions;
use evalgraph::db::insert;
use evalgraph::db::page::{Order, Page, PagePerParent, Slice};
use evalgraph::db::schema::test_results;
use evalgraph::domain::{TestOutcome, TestResultOrderField};
use uuid::Uuid;

const LIMIT: i64 = 5;

type Pages = PagePerParent<test_results::table, test_results::id, test_results::evaluation_id>;

/// The statement for pages of results, of all or of those that did not pass.
fn pages(parents: &[Uuid], only_not_passed: bool) -> Pages {
    let mut conditions = Conditions::default();
    if only_not_passed {
        conditions.require(diesel::dsl::not(test_results::passed));
    }
    let slice = Slice::first(LIMIT, Order::ascending(TestResultOrderField::CreatedAt));
    PagePerParent::new(Page::new(test_results::id, conditions, slice), test_results::evaluation_id, parents.to_vec())
}

/// 40 evaluations with 100 results each, and statistics that know of them.
async fn fill(database: &TestDatabase) -> Vec<Uuid> {
    let prompt = PromptBuilder::new().insert(database).await;
    let (mut evaluations, mut results) = (Vec::new(), Vec::new());
    for _ in 0..40 {
        let evaluation = EvaluationBuilder::of(&prompt).insert(database).await;
        for number in 0..100 {
            let outcome = if number % 10 == 0 { TestOutcome::Failed } else { TestOutcome::Passed };
            results.push(ResultBuilder::of(&evaluation).outcome(outcome).build());
        }
        evaluations.push(evaluation.id.into());
    }
    database.write(|connection| Box::pin(async move { insert::test_results(connection, results).await })).await;
    database.execute("ANALYZE").await;
    evaluations
}

on_both_databases! {
    async fn a_page_per_parent_is_a_range_of_an_index(database: TestDatabase) {
        let parents = fill(&database).await;
        for (only_not_passed, index) in
            [(false, "test_results_evaluation_order"), (true, "test_results_evaluation_not_passed")]
        {
            let plan = plan(&database, pages(&parents[..10], only_not_passed)).await;
            assert!(plan.contains(index), "{plan}");
            for costly in ["Seq Scan", "SCAN test_results", "Sort", "TEMP B-TREE", "Bitmap"] {
                assert!(!plan.contains(costly), "{costly}: {plan}");
            }
        }
    }
}
