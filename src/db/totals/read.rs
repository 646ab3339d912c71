//! The totals that are asked for.

use diesel::prelude::*;
use diesel::result::QueryResult;
use diesel::sql_types::{BigInt, Double, Nullable};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use super::figures::{TEST_COUNT_SUMS, cost_sum};
use crate::db::backend::on_backend;
use crate::db::conditions::Conditions;
use crate::db::connection::DbConnection;
use crate::db::evaluations;
use crate::db::lists::any_id;
use crate::db::raw::Raw;
use crate::db::schema::prompt_totals;
use crate::db::types::sql;
use crate::domain::{Principal, rate};

/// What a prompt version comes to over its evaluations.
#[derive(Debug, Clone, Copy, Default, PartialEq, Queryable, serde::Serialize, serde::Deserialize)]
pub struct PromptTotals {
    /// Its evaluations, in whatever state.
    pub evaluation_count: i64,
    /// The mean overall score of the completed ones that have one.
    pub average_score: Option<f64>,
    /// Results that passed, of all evaluations.
    pub passed_tests: i64,
    /// Results that failed.
    pub failed_tests: i64,
    /// Results without an answer to judge.
    pub errored_tests: i64,
}

impl PromptTotals {
    /// Passed among passed, failed and errored; none of nothing.
    #[must_use]
    pub fn pass_rate(&self) -> Option<f64> {
        rate(self.passed_tests, self.passed_tests + self.failed_tests + self.errored_tests)
    }
}

/// What a run comes to over its evaluations.
#[derive(Debug, Clone, Copy, Default, PartialEq, Queryable, serde::Serialize, serde::Deserialize)]
pub struct RunTotals {
    /// Results in all.
    pub total_tests: i64,
    /// Results that passed.
    pub passed_tests: i64,
    /// Results that failed.
    pub failed_tests: i64,
    /// Results without an answer to judge.
    pub errored_tests: i64,
    /// What its evaluations cost; none when that is known of none.
    pub cost_usd: Option<f64>,
}

impl RunTotals {
    /// Passed among passed, failed and errored; none of nothing.
    #[must_use]
    pub fn pass_rate(&self) -> Option<f64> {
        rate(self.passed_tests, self.passed_tests + self.failed_tests + self.errored_tests)
    }
}

/// Sums over completed evaluations, as both the best models and the course of scores show them.
#[derive(Debug, Clone, Copy, PartialEq, Queryable, serde::Serialize, serde::Deserialize)]
pub struct EvaluationSums {
    /// The evaluations.
    pub evaluation_count: i64,
    /// Their mean overall score, over those that have one.
    pub average_score: Option<f64>,
    /// Results that passed.
    pub passed_tests: i64,
    /// Results that passed, failed or errored.
    pub judged_tests: i64,
}

impl EvaluationSums {
    /// Passed among passed, failed and errored; none of nothing.
    #[must_use]
    pub fn pass_rate(&self) -> Option<f64> {
        rate(self.passed_tests, self.judged_tests)
    }
}

/// The totals of those of the prompts that the principal may see and that ever had an evaluation.
///
/// # Errors
/// When the statement fails.
pub async fn of_prompts(
    connection: &mut DbConnection,
    principal: &Principal,
    prompts: Vec<Uuid>,
) -> QueryResult<Vec<(Uuid, PromptTotals)>> {
    let mut conditions = Conditions::<prompt_totals::table>::default();
    if !principal.is_admin {
        conditions.require(prompt_totals::user_id.eq(principal.user_id.to_string()));
    }
    conditions.require(any_id(prompt_totals::prompt_id, prompts));
    let statement = prompt_totals::table.filter(conditions).select((
        prompt_totals::prompt_id,
        (
            prompt_totals::evaluation_count,
            prompt_totals::average_score,
            prompt_totals::passed_tests,
            prompt_totals::failed_tests,
            prompt_totals::errored_tests,
        ),
    ));
    on_backend!(connection, |inner| statement.load(inner).await)
}

type RunTotalsSql = (sql::Uuid, (BigInt, BigInt, BigInt, BigInt, Nullable<Double>));

/// The totals of those of the runs that have evaluations, over the evaluations that the principal may see. A run has as
/// many as its matrix has columns, so they are added up when somebody asks.
///
/// # Errors
/// When the statement fails.
pub async fn of_runs(
    connection: &mut DbConnection,
    principal: &Principal,
    runs: Vec<Uuid>,
) -> QueryResult<Vec<(Uuid, RunTotals)>> {
    let statement: Raw<RunTotalsSql> = Raw::new("SELECT evaluations.run_id, ")
        .sql(TEST_COUNT_SUMS)
        .sql(concat!(", ", cost_sum!("evaluations.cost_usd"), " FROM evaluations WHERE "))
        .any_id("evaluations.run_id", runs)
        .sql(" AND ")
        .fragment(evaluations::visible(principal))
        .sql(" GROUP BY evaluations.run_id");
    on_backend!(connection, |inner| statement.load(inner).await)
}
