//! A comparison reads the results of its two evaluations: the databases say so themselves.

use diesel::backend::Backend;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::result::QueryResult;
use diesel::sql_types::{Integer, Text};
use evalgraph::db::comparison::{CasePosition, CaseRange, CaseSlice, Cases, ChangeCounts, EvaluationPair};
use evalgraph::db::evaluations::NewEvaluation;
use evalgraph::domain::{Principal, TestCaseChange, TestOutcome, TestResultId};

use super::{results, store};
use crate::common::{EvaluationBuilder, Kind, PromptBuilder, TestDatabase, on_both_databases, sql};

/// The plan of a statement in place of its answer.
struct Explain<S, T> {
    words: &'static str,
    statement: S,
    returns: std::marker::PhantomData<T>,
}

impl<S, T> Explain<S, T> {
    fn new(words: &'static str, statement: S) -> Self {
        Self { words, statement, returns: std::marker::PhantomData }
    }
}

impl<S: QueryFragment<DB>, T, DB: Backend> QueryFragment<DB> for Explain<S, T> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        out.push_sql(self.words);
        self.statement.walk_ast(out)
    }
}

impl<S, T> QueryId for Explain<S, T> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<S, T> Query for Explain<S, T> {
    type SqlType = T;
}

impl<S, T, C> diesel::RunQueryDsl<C> for Explain<S, T> {}

async fn plan<S>(database: &TestDatabase, statement: S) -> String
where
    S: QueryFragment<diesel::pg::Pg> + QueryFragment<diesel::sqlite::Sqlite> + Send,
{
    let lines: Vec<String> = match database.kind {
        Kind::Sqlite => {
            let explain = Explain::<_, (Integer, Integer, Integer, Text)>::new("EXPLAIN QUERY PLAN ", statement);
            let mut connection = sql::sqlite(&database.location);
            let rows: Vec<(i32, i32, i32, String)> = diesel::RunQueryDsl::load(explain, &mut connection).unwrap();
            rows.into_iter().map(|row| row.3).collect()
        }
        Kind::Postgres => {
            let explain = Explain::<_, Text>::new("EXPLAIN ", statement);
            let mut connection = sql::postgres(&database.location).await;
            diesel_async::RunQueryDsl::load(explain, &mut connection).await.unwrap()
        }
    };
    lines.join("\n")
}

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
