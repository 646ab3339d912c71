//! Figures about everything that a principal may see.

use diesel::dsl::{avg, count_star, sum};
use diesel::prelude::*;
use diesel::result::QueryResult;
use diesel_async::RunQueryDsl;

use super::backend::on_backend;
use super::conditions::Conditions;
use super::connection::DbConnection;
use super::schema::{evaluations, prompts, runs};
use crate::domain::{EvaluationStatus, Principal, PromptStatus, Timestamp};

/// The figures. Deleted prompts and their evaluations do not count.
#[derive(Debug, Clone, PartialEq)]
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

/// Computes the figures, all in one statement and so of one moment.
///
/// # Errors
/// When the statement fails.
pub async fn compute(connection: &mut DbConnection, principal: &Principal) -> QueryResult<StatisticsRow> {
    let prompts_where = |extra: Option<PromptStatus>| {
        let mut conditions = Conditions::<prompts::table>::default();
        conditions.require(prompts::deleted_at.is_null());
        if !principal.is_admin {
            conditions.require(prompts::user_id.eq(principal.user_id.to_string()));
        }
        conditions.require_if(extra, |status| prompts::status.eq(status));
        conditions
    };
    let mut run_conditions = Conditions::<runs::table>::default();
    if !principal.is_admin {
        run_conditions.require(runs::user_id.eq(principal.user_id.to_string()));
    }
    let of_live_prompts = || {
        evaluations::table
            .filter(evaluations::prompt_id.eq_any(prompts::table.filter(prompts_where(None)).select(prompts::id)))
    };
    let completed = of_live_prompts().filter(evaluations::status.eq(EvaluationStatus::Completed));
    let statement = diesel::select((
        prompts::table.filter(prompts_where(None)).select(count_star()).single_value(),
        prompts::table.filter(prompts_where(Some(PromptStatus::Active))).select(count_star()).single_value(),
        runs::table.filter(run_conditions).select(count_star()).single_value(),
        of_live_prompts().select(count_star()).single_value(),
        of_live_prompts().select(sum(evaluations::total_tests)).single_value(),
        completed.select(avg(evaluations::overall_score)).single_value(),
        of_live_prompts().select(sum(evaluations::passed_tests)).single_value(),
        of_live_prompts()
            .select(sum(evaluations::passed_tests + evaluations::failed_tests + evaluations::errored_tests))
            .single_value(),
    ));
    type Figures =
        (Option<i64>, Option<i64>, Option<i64>, Option<i64>, Option<i64>, Option<f64>, Option<i64>, Option<i64>);
    let (prompts, active, runs, evaluations, results, average_score, passed, judged): Figures =
        on_backend!(connection, |inner| statement.get_result(inner).await)?;
    Ok(StatisticsRow {
        prompt_count: prompts.unwrap_or(0),
        active_prompt_count: active.unwrap_or(0),
        run_count: runs.unwrap_or(0),
        evaluation_count: evaluations.unwrap_or(0),
        test_result_count: results.unwrap_or(0),
        average_score,
        pass_rate: crate::domain::rate(passed.unwrap_or(0), judged.unwrap_or(0)),
        computed_at: Timestamp::now(),
    })
}
