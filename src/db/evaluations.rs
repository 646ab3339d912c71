//! Evaluations.

mod lifecycle;
mod totals;

use diesel::prelude::*;
use diesel::result::QueryResult;
use diesel_async::RunQueryDsl;
use futures_util::future::BoxFuture;
use uuid::Uuid;

use super::backend::on_backend;
use super::columns::{ColumnSet, row};
use super::conditions::Conditions;
use super::connection::DbConnection;
use super::entity::entity;
use super::lists::any_text;
use super::raw::Raw;
use super::schema::{evaluations, prompts};
use super::types::{Json, sql};
use crate::domain::{
    EvaluationId, EvaluationOrderField, EvaluationStatus, FiniteFloat, Principal, PromptId, RunId, Timestamp,
};

pub use lifecycle::{
    EvaluationContent, EvaluationProgress, EvaluationState, advance, by_external_id, extend, insert_unless_known, lock,
    next_position,
};
pub use totals::{EvaluationTotals, totals_with};

row! {
    /// One prompt version with one provider and model over a set of test cases.
    pub struct EvaluationRow of evaluations {
        /// Its id.
        id: EvaluationId,
        /// Its place in the run.
        position: Option<i32>,
        /// The score of the whole.
        overall_score: Option<f64>,
        /// How long it took.
        execution_time_ms: Option<i32>,
        /// When it was created.
        created_at: Timestamp,
    }
    on demand evaluation_columns {
        /// The prompt version.
        prompt_id / PROMPT_ID: PromptId,
        /// The run it is part of.
        run_id / RUN_ID: RunId,
        /// The set of test cases, as the client names it.
        test_suite_id / TEST_SUITE_ID: String,
        /// What the client calls it.
        external_id / EXTERNAL_ID: String,
        /// Where it is in its life.
        status / STATUS: EvaluationStatus,
        /// Who runs the model.
        provider / PROVIDER: String,
        /// The model.
        model / MODEL: String,
        /// What the tool shows for the provider.
        provider_label / PROVIDER_LABEL: String,
        /// Results in all.
        total_tests / TOTAL_TESTS: i32,
        /// Results that passed.
        passed_tests / PASSED_TESTS: i32,
        /// Results that failed.
        failed_tests / FAILED_TESTS: i32,
        /// Results without an answer to judge.
        errored_tests / ERRORED_TESTS: i32,
        /// Results with a latency.
        timed_tests / TIMED_TESTS: i32,
        /// The sum of those latencies.
        total_latency_ms / TOTAL_LATENCY_MS: i64,
        /// Tokens in all.
        total_tokens / TOTAL_TOKENS: i64,
        /// Cost in all.
        cost_usd / COST_USD: f64,
        /// When it began.
        started_at / STARTED_AT: Timestamp,
        /// When it ended.
        completed_at / COMPLETED_AT: Timestamp,
        /// When it was last changed.
        updated_at / UPDATED_AT: Timestamp,
        /// A JSON object.
        metrics / METRICS: Json,
        /// Why it failed.
        error_message / ERROR_MESSAGE: String,
    }
}

/// An evaluation to be stored, with the totals of its results.
#[derive(Debug, Clone, Insertable)]
#[diesel(table_name = evaluations, treat_none_as_default_value = false)]
#[allow(missing_docs, reason = "the fields are those of `EvaluationRow`, but for those that are explained")]
pub struct NewEvaluation {
    pub id: EvaluationId,
    pub prompt_id: PromptId,
    pub run_id: Option<RunId>,
    pub position: Option<i32>,
    pub test_suite_id: Option<String>,
    pub external_id: Option<String>,
    pub status: EvaluationStatus,
    pub provider: Option<String>,
    pub model: Option<String>,
    /// The provider as the tool identifies it.
    pub provider_id: Option<String>,
    pub provider_label: Option<String>,
    pub overall_score: Option<f64>,
    /// The sum of the results' scores.
    pub score_sum: Option<f64>,
    pub metrics: Json,
    pub total_tests: i32,
    pub passed_tests: i32,
    pub failed_tests: i32,
    pub errored_tests: i32,
    pub timed_tests: i32,
    pub total_latency_ms: Option<i64>,
    /// Tokens of the prompts.
    pub prompt_tokens: Option<i64>,
    /// Tokens of the answers.
    pub completion_tokens: Option<i64>,
    pub total_tokens: Option<i64>,
    pub cost_usd: Option<f64>,
    pub execution_time_ms: Option<i32>,
    pub error_message: Option<String>,
    pub created_at: Timestamp,
    pub started_at: Option<Timestamp>,
    pub completed_at: Option<Timestamp>,
    pub updated_at: Timestamp,
}

/// Which evaluations of a list are wanted.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct EvaluationFilter {
    /// Only those in one of these states.
    pub status: Option<Vec<EvaluationStatus>>,
    /// Only those of this provider.
    pub provider: Option<String>,
    /// Only those of this model.
    pub model: Option<String>,
    /// Only those with this overall score or a higher one.
    pub min_score: Option<FiniteFloat>,
    /// Only those with this overall score or a lower one.
    pub max_score: Option<FiniteFloat>,
    /// Only those of this set of test cases.
    pub test_suite_id: Option<String>,
    /// Only those created at this time or later.
    pub created_after: Option<Timestamp>,
    /// Only those created before this time.
    pub created_before: Option<Timestamp>,
}

/// The lists of evaluations under a parent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EvaluationParent {
    /// Those of a prompt version.
    Prompt,
    /// Those of a run.
    Run,
}

/// The table of evaluations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Evaluations;

entity!(Evaluations, evaluations, EvaluationRow, EvaluationFilter, EvaluationOrderField {
    CreatedAt => created_at: Time,
    Position => position: OptionalCount,
    OverallScore => overall_score: OptionalScore,
    ExecutionTime => execution_time_ms: OptionalCount,
}, EvaluationParent {
    Prompt => prompt_id,
    Run => run_id,
});

/// An evaluation belongs to the owner of its prompt, deleted or not.
pub(super) fn visible(principal: &Principal) -> Conditions<evaluations::table> {
    let mut conditions = Conditions::default();
    if !principal.is_admin {
        // A value that is looked up for each row. With `EXISTS`, PostgreSQL would rather join all prompts of the owner.
        let owner = prompts::table.filter(prompts::id.eq(evaluations::prompt_id)).select(prompts::user_id);
        conditions.require(owner.single_value().eq(principal.user_id.to_string()));
    }
    conditions
}

fn matching(principal: &Principal, filter: &EvaluationFilter) -> Conditions<evaluations::table> {
    let mut conditions = visible(principal);
    conditions.require_if(filter.status.as_deref(), |statuses| {
        any_text(evaluations::status, statuses.iter().map(|status| status.as_str()))
    });
    conditions.require_if(filter.provider.clone(), |provider| evaluations::provider.eq(provider));
    conditions.require_if(filter.model.clone(), |model| evaluations::model.eq(model));
    conditions.require_if(filter.min_score, |score| evaluations::overall_score.ge(score.get()));
    conditions.require_if(filter.max_score, |score| evaluations::overall_score.le(score.get()));
    conditions.require_if(filter.test_suite_id.clone(), |suite| evaluations::test_suite_id.eq(suite));
    conditions.require_if(filter.created_after, |time| evaluations::created_at.ge(time));
    conditions.require_if(filter.created_before, |time| evaluations::created_at.lt(time));
    conditions
}

/// An evaluation of a run, as far as adding to the run needs it.
#[derive(Debug, Clone, Queryable)]
pub struct EvaluationOfRun {
    /// Its id.
    pub id: EvaluationId,
    /// Its place in the run.
    pub position: Option<i32>,
    /// What the client calls it.
    pub external_id: Option<String>,
    /// Where it is in its life.
    pub status: EvaluationStatus,
    /// What it keeps of its results.
    pub totals: EvaluationTotals,
}

/// The evaluations of a run. On PostgreSQL they are locked until the end of the transaction, in
/// the order of their ids; SQLite has one writer at a time.
///
/// # Errors
/// When the statement fails.
pub async fn lock_of_run(connection: &mut DbConnection, run_id: RunId) -> QueryResult<Vec<EvaluationOfRun>> {
    let statement = evaluations::table.filter(evaluations::run_id.eq(run_id)).order(evaluations::id).select((
        evaluations::id,
        evaluations::position,
        evaluations::external_id,
        evaluations::status,
        EvaluationTotals::columns(),
    ));
    match connection {
        DbConnection::Postgres(connection) => statement.for_update().load(connection.inner()).await,
        DbConnection::Sqlite(connection) => statement.load(connection.inner()).await,
    }
}

/// The prompts of the evaluations of a run.
///
/// # Errors
/// When the statement fails.
pub async fn prompts_of_run(connection: &mut DbConnection, run_id: RunId) -> QueryResult<Vec<PromptId>> {
    let statement = evaluations::table.filter(evaluations::run_id.eq(run_id)).select(evaluations::prompt_id).distinct();
    on_backend!(connection, |inner| statement.load(inner).await)
}

/// Those of the prompts that have evaluations.
///
/// # Errors
/// When the statement fails.
pub async fn evaluated_prompts(connection: &mut DbConnection, prompts: Vec<PromptId>) -> QueryResult<Vec<PromptId>> {
    let ids = prompts.into_iter().map(Uuid::from).collect();
    // A value of its own for each prompt: neither database can turn that round and begin with the evaluations.
    let statement: Raw<sql::Uuid> = Raw::new("SELECT id FROM prompts WHERE ")
        .any_id("id", ids)
        .sql(" AND (SELECT TRUE FROM evaluations WHERE evaluations.prompt_id = prompts.id LIMIT 1)");
    on_backend!(connection, |inner| statement.load(inner).await)
}

/// Completes those evaluations of a run that are still open.
///
/// # Errors
/// When the statement fails.
pub async fn complete_of_run(
    connection: &mut DbConnection,
    run_id: RunId,
    completed_at: Option<Timestamp>,
    now: Timestamp,
) -> QueryResult<()> {
    let open = [EvaluationStatus::Pending, EvaluationStatus::Running];
    let rows = evaluations::table.filter(evaluations::run_id.eq(run_id)).filter(evaluations::status.eq_any(open));
    let changes = (
        evaluations::status.eq(EvaluationStatus::Completed),
        evaluations::completed_at.eq(completed_at),
        evaluations::updated_at.eq(now),
    );
    let statement = diesel::update(rows).set(changes);
    on_backend!(connection, |inner| statement.execute(inner).await).map(drop)
}
