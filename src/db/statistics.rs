//! Figures about everything that a principal may see.

use diesel::prelude::*;
use diesel::result::QueryResult;
use diesel::sql_types::{BigInt, Double, Nullable};
use diesel_async::RunQueryDsl;

use super::backend::on_backend;
use super::connection::DbConnection;
use super::raw::Raw;
use super::totals::{SUMS_OF_TOTALS, mean};
use super::{prompts, runs, schema};
use crate::domain::{Principal, PromptStatus, Timestamp, rate};

/// The figures. Deleted prompts and their evaluations do not count.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct StatisticsRow {
    /// Prompt versions.
    pub prompt_count: i64,
    /// Those in use.
    pub active_prompt_count: i64,
    /// Runs.
    pub run_count: i64,
    /// Evaluations.
    pub evaluation_count: i64,
    /// Their test results.
    pub test_result_count: i64,
    /// The mean overall score of the completed evaluations that have one.
    pub average_score: Option<f64>,
    /// Passed among passed, failed and errored.
    pub pass_rate: Option<f64>,
    /// When the figures were computed.
    pub computed_at: Timestamp,
}

type Figures = (BigInt, BigInt, BigInt, (BigInt, BigInt, Nullable<Double>, BigInt, BigInt));

/// Computes the figures, all in one statement and so of one moment.
///
/// # Errors
/// When the statement fails.
pub async fn compute(connection: &mut DbConnection, principal: &Principal) -> QueryResult<StatisticsRow> {
    let mut active = prompts::visible(principal);
    active.require(schema::prompts::status.eq(PromptStatus::Active));
    let statement: Raw<Figures> = Raw::new("SELECT (SELECT count(*) FROM prompts WHERE ")
        .fragment(prompts::visible(principal))
        .sql("), (SELECT count(*) FROM prompts WHERE ")
        .fragment(active)
        .sql("), (SELECT count(*) FROM runs WHERE ")
        .fragment(runs::visible(principal))
        .sql(concat!(
            "), evaluation_count, total_tests, ",
            mean!("score_sum", "scored_count"),
            ", passed_tests, passed_tests + failed_tests + errored_tests FROM (SELECT "
        ))
        .sql(SUMS_OF_TOTALS)
        .sql(" FROM prompt_totals JOIN prompts ON prompts.id = prompt_totals.prompt_id WHERE ")
        .fragment(prompts::visible(principal))
        .sql(") AS totals");
    let (prompt_count, active_prompt_count, run_count, of_evaluations) =
        on_backend!(connection, |inner| statement.get_result(inner).await)?;
    let (evaluation_count, test_result_count, average_score, passed, judged): (i64, i64, Option<f64>, i64, i64) =
        of_evaluations;
    Ok(StatisticsRow {
        prompt_count,
        active_prompt_count,
        run_count,
        evaluation_count,
        test_result_count,
        average_score,
        pass_rate: rate(passed, judged),
        computed_at: Timestamp::now(),
    })
}
