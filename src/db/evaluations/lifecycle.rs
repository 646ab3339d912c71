//! Evaluations on their way from pending to their end.

use diesel::dsl::max;
use diesel::prelude::*;
use diesel::result::QueryResult;
use diesel_async::RunQueryDsl;

use super::{EvaluationTotals, NewEvaluation, visible};
use crate::db::backend::on_backend;
use crate::db::connection::DbConnection;
use crate::db::schema::evaluations;
use crate::db::types::Json;
use crate::domain::{EvaluationId, EvaluationStatus, Principal, PromptId, RunId, Timestamp};

/// An evaluation, as far as changing it needs it.
#[derive(Debug, Clone, Queryable)]
pub struct EvaluationState {
    /// The prompt version.
    pub prompt_id: PromptId,
    /// The run it is part of.
    pub run_id: Option<RunId>,
    /// Where it is in its life.
    pub status: EvaluationStatus,
    /// When it began.
    pub started_at: Option<Timestamp>,
    /// What its results come to.
    pub totals: EvaluationTotals,
}

/// The evaluation, if the principal may see it. On PostgreSQL it is locked until the end of the transaction: whoever adds
/// to what its results come to sees what was added before. SQLite has one writer at a time.
///
/// # Errors
/// When the statement fails.
pub async fn lock(
    connection: &mut DbConnection,
    principal: &Principal,
    id: EvaluationId,
) -> QueryResult<Option<EvaluationState>> {
    let columns = (
        evaluations::prompt_id,
        evaluations::run_id,
        evaluations::status,
        evaluations::started_at,
        EvaluationTotals::columns(),
    );
    let statement = evaluations::table.filter(evaluations::id.eq(id)).filter(visible(principal)).select(columns);
    match connection {
        DbConnection::Postgres(connection) => statement.for_update().first(connection.inner()).await.optional(),
        DbConnection::Sqlite(connection) => statement.first(connection.inner()).await.optional(),
    }
}

/// What changes in an evaluation beside the totals of its results; `None` leaves what is there.
#[derive(Debug, Clone, Default, AsChangeset)]
#[diesel(table_name = evaluations)]
#[allow(missing_docs, reason = "the fields are those of `NewEvaluation`")]
pub struct EvaluationProgress {
    pub status: Option<EvaluationStatus>,
    pub metrics: Option<Json>,
    pub execution_time_ms: Option<i32>,
    pub error_message: Option<String>,
    pub started_at: Option<Timestamp>,
    pub completed_at: Option<Timestamp>,
}

/// Changes an evaluation to which no results are added; without a score, that stays what it is.
///
/// # Errors
/// When the statement fails.
pub async fn advance(
    connection: &mut DbConnection,
    id: EvaluationId,
    progress: EvaluationProgress,
    overall_score: Option<f64>,
    now: Timestamp,
) -> QueryResult<()> {
    let score = overall_score.map(|score| evaluations::overall_score.eq(score));
    let rows = evaluations::table.filter(evaluations::id.eq(id));
    let statement = diesel::update(rows).set((progress, score, evaluations::updated_at.eq(now)));
    on_backend!(connection, |inner| statement.execute(inner).await).map(drop)
}

/// Changes an evaluation to which results were added.
///
/// # Errors
/// When the statement fails.
pub async fn extend(
    connection: &mut DbConnection,
    id: EvaluationId,
    totals: EvaluationTotals,
    progress: EvaluationProgress,
) -> QueryResult<()> {
    let statement = diesel::update(evaluations::table.filter(evaluations::id.eq(id))).set((totals, progress));
    on_backend!(connection, |inner| statement.execute(inner).await).map(drop)
}

/// Stores an evaluation, unless its prompt has one of its external id. Tells whether it was stored.
///
/// # Errors
/// When the row breaks a rule of the table.
pub async fn insert_unless_known(connection: &mut DbConnection, row: NewEvaluation) -> QueryResult<bool> {
    let statement = diesel::insert_into(evaluations::table)
        .values(row)
        .on_conflict((evaluations::prompt_id, evaluations::external_id))
        .do_nothing();
    on_backend!(connection, |inner| statement.execute(inner).await).map(|stored| stored > 0)
}

/// What was said of an evaluation when it was created.
#[derive(Debug, Clone, Queryable)]
pub struct EvaluationContent {
    /// Its id.
    pub id: EvaluationId,
    /// Where it is in its life.
    pub status: EvaluationStatus,
    /// The run it is part of.
    pub run_id: Option<RunId>,
    /// Who runs the model.
    pub provider: Option<String>,
    /// The model.
    pub model: Option<String>,
    /// The set of test cases.
    pub test_suite_id: Option<String>,
    /// A JSON object.
    pub metrics: Json,
}

/// The evaluation of the prompt that the client calls so.
///
/// # Errors
/// When the statement fails.
pub async fn by_external_id(
    connection: &mut DbConnection,
    prompt_id: PromptId,
    external_id: &str,
) -> QueryResult<Option<EvaluationContent>> {
    let statement = evaluations::table
        .filter(evaluations::prompt_id.eq(prompt_id))
        .filter(evaluations::external_id.eq(external_id.to_owned()))
        .select((
            evaluations::id,
            evaluations::status,
            evaluations::run_id,
            evaluations::provider,
            evaluations::model,
            evaluations::test_suite_id,
            evaluations::metrics,
        ));
    on_backend!(connection, |inner| statement.first(inner).await.optional())
}

/// The place that the next evaluation of a run has. The run must be locked.
///
/// # Errors
/// When the statement fails.
pub async fn next_position(connection: &mut DbConnection, run_id: RunId) -> QueryResult<i32> {
    let statement = evaluations::table.filter(evaluations::run_id.eq(run_id)).select(max(evaluations::position));
    let last: Option<i32> = on_backend!(connection, |inner| statement.first(inner).await)?;
    Ok(last.map_or(0, |last| last.saturating_add(1)))
}
