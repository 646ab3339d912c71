//! Pages per parent read the rows they return: the databases say so themselves.

mod common;

use common::{EvaluationBuilder, Kind, PromptBuilder, ResultBuilder, TestDatabase, on_both_databases, sql};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Text};
use evalgraph::db::conditions::Conditions;
use evalgraph::db::page::{Order, Page, PagePerParent, Slice};
use evalgraph::db::schema::test_results;
use evalgraph::db::types::sql::Uuid as SqlUuid;
use evalgraph::db::{StatementCount, insert};
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

/// What comes before the values in Diesel's description of a statement.
fn text(description: &str) -> String {
    description.split_once(" -- binds:").unwrap().0.to_owned()
}

async fn plan(database: &TestDatabase, parents: &[Uuid], only_not_passed: bool) -> String {
    #[derive(QueryableByName)]
    struct Sqlite {
        #[diesel(sql_type = Text)]
        detail: String,
    }
    #[derive(QueryableByName)]
    struct Postgres {
        #[diesel(sql_type = Text, column_name = "QUERY PLAN")]
        line: String,
    }
    let pages = pages(parents, only_not_passed);
    let lines: Vec<String> = match database.kind {
        Kind::Sqlite => {
            let statement = text(&diesel::debug_query::<diesel::sqlite::Sqlite, _>(&pages).to_string());
            let ids: Vec<_> = parents.iter().map(|id| id.simple().to_string()).collect();
            let explain = diesel::sql_query(format!("EXPLAIN QUERY PLAN {statement}"))
                .bind::<Text, _>(serde_json::to_string(&ids).unwrap())
                .bind::<BigInt, _>(LIMIT);
            let rows = diesel::RunQueryDsl::load::<Sqlite>(explain, &mut sql::sqlite(&database.location)).unwrap();
            rows.into_iter().map(|row| row.detail).collect()
        }
        Kind::Postgres => {
            let statement = text(&diesel::debug_query::<diesel::pg::Pg, _>(&pages).to_string());
            let explain = diesel::sql_query(format!("EXPLAIN {statement}"))
                .bind::<Array<SqlUuid>, _>(parents.to_vec())
                .bind::<BigInt, _>(LIMIT);
            let mut connection = sql::postgres(&database.location).await;
            let rows = diesel_async::RunQueryDsl::load::<Postgres>(explain, &mut connection).await.unwrap();
            rows.into_iter().map(|row| row.line).collect()
        }
    };
    lines.join("\n")
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
    let count = StatementCount::default();
    let store = database
        .database
        .write(&count, |connection| Box::pin(async move { insert::test_results(connection, results).await }));
    store.await.unwrap();
    database.execute("ANALYZE").await;
    evaluations
}

on_both_databases! {
    async fn a_page_per_parent_is_a_range_of_an_index(database: TestDatabase) {
        let parents = fill(&database).await;
        for (only_not_passed, index) in
            [(false, "test_results_evaluation_order"), (true, "test_results_evaluation_not_passed")]
        {
            let plan = plan(&database, &parents[..10], only_not_passed).await;
            assert!(plan.contains(index), "{plan}");
            for costly in ["Seq Scan", "SCAN test_results", "Sort", "TEMP B-TREE", "Bitmap"] {
                assert!(!plan.contains(costly), "{costly}: {plan}");
            }
        }
    }
}
