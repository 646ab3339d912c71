//! Runs that are recorded through the API.

use diesel::prelude::*;
use diesel::result::QueryResult;
use diesel_async::RunQueryDsl;

use super::{NewRun, visible};
use crate::db::backend::on_backend;
use crate::db::connection::DbConnection;
use crate::db::schema::{evaluations, runs, test_results};
use crate::db::types::Json;
use crate::domain::{EvaluationStatus, Principal, RunId, RunSource, Timestamp};

/// A run, as far as changing it needs it.
#[derive(Debug, Clone, Queryable)]
pub struct RunToChange {
    /// Its owner.
    pub user_id: String,
    /// Where it came from.
    pub source: RunSource,
    /// Where it is in its life.
    pub status: EvaluationStatus,
    /// When it began.
    pub started_at: Option<Timestamp>,
}

/// The run, if the principal may see it. On PostgreSQL it is locked until the end of the transaction, so that nobody adds
/// evaluations to it; SQLite has one writer at a time.
///
/// # Errors
/// When the statement fails.
pub async fn lock_visible(
    connection: &mut DbConnection,
    principal: &Principal,
    id: RunId,
) -> QueryResult<Option<RunToChange>> {
    let columns = (runs::user_id, runs::source, runs::status, runs::started_at);
    let statement = runs::table.filter(runs::id.eq(id)).filter(visible(principal)).select(columns);
    match connection {
        DbConnection::Postgres(connection) => statement.for_update().first(connection.inner()).await.optional(),
        DbConnection::Sqlite(connection) => statement.first(connection.inner()).await.optional(),
    }
}

/// Stores a run, unless its owner has one from the same source under the same external id. Tells whether it was stored.
///
/// # Errors
/// When the row breaks a rule of the table.
pub async fn insert_unless_known(connection: &mut DbConnection, row: NewRun) -> QueryResult<bool> {
    let statement = diesel::insert_into(runs::table)
        .values(row)
        .on_conflict((runs::user_id, runs::source, runs::external_id))
        .do_nothing();
    on_backend!(connection, |inner| statement.execute(inner).await).map(|stored| stored > 0)
}

/// What was said of a run when it was started.
#[derive(Debug, Clone, Queryable)]
pub struct RunContent {
    /// What people call it.
    pub name: String,
    /// What it was about.
    pub description: Option<String>,
    /// A JSON object.
    pub tags: Json,
    /// Commit, branch and the like.
    pub git: Option<Json>,
    /// A JSON object.
    pub metadata: Json,
}

/// What was said of a run.
///
/// # Errors
/// When the statement fails, or there is no such run.
pub async fn content(connection: &mut DbConnection, id: RunId) -> QueryResult<RunContent> {
    let columns = (runs::name, runs::description, runs::tags, runs::git, runs::metadata);
    let statement = runs::table.filter(runs::id.eq(id)).select(columns);
    on_backend!(connection, |inner| statement.first(inner).await)
}

/// Says whether others are compared with a run.
///
/// # Errors
/// When the statement fails.
pub async fn set_baseline(
    connection: &mut DbConnection,
    id: RunId,
    is_baseline: bool,
    now: Timestamp,
) -> QueryResult<()> {
    let changes = (runs::is_baseline.eq(is_baseline), runs::updated_at.eq(now));
    let statement = diesel::update(runs::table.filter(runs::id.eq(id))).set(changes);
    on_backend!(connection, |inner| statement.execute(inner).await).map(drop)
}

/// How many results the evaluations of a run have.
///
/// # Errors
/// When the statement fails.
pub async fn count_results(connection: &mut DbConnection, id: RunId) -> QueryResult<i64> {
    let of_run = evaluations::table.filter(evaluations::run_id.eq(id)).select(evaluations::id);
    let statement = test_results::table.filter(test_results::evaluation_id.eq_any(of_run)).count();
    on_backend!(connection, |inner| statement.get_result(inner).await)
}

/// Removes a run with its evaluations and their results.
///
/// # Errors
/// When the statement fails.
pub async fn delete(connection: &mut DbConnection, id: RunId) -> QueryResult<()> {
    let statement = diesel::delete(runs::table.filter(runs::id.eq(id)));
    on_backend!(connection, |inner| statement.execute(inner).await).map(drop)
}
