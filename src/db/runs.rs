//! Runs.

mod lifecycle;

use std::sync::Arc;

use diesel::prelude::*;
use diesel::result::QueryResult;
use diesel::sql_types::Untyped;
use diesel_async::RunQueryDsl;
use futures_util::future::BoxFuture;

use super::backend::on_backend;
use super::columns::{ColumnSet, one_shared, row};
use super::conditions::Conditions;
use super::connection::DbConnection;
use super::entity::entity;
use super::lists::any_text;
use super::raw::Raw;
use super::schema::runs;
use super::types::Json;
use crate::domain::{EvaluationStatus, Principal, RunId, RunOrderField, RunSource, Timestamp};

pub use lifecycle::{
    RunContent, RunToChange, content, count_results, delete, insert_unless_known, lock_visible, set_baseline,
};

row! {
    /// One run of a tool.
    pub struct RunRow of runs {
        /// Its id.
        id: RunId,
        /// What people call it.
        name: String,
        /// When it was created.
        created_at: Timestamp,
    }
    on demand run_columns {
        /// Its owner.
        user_id / USER_ID: String,
        /// What the tool calls it.
        external_id / EXTERNAL_ID: String,
        /// Where it came from.
        source / SOURCE: RunSource,
        /// The version of the tool.
        source_version / SOURCE_VERSION: String,
        /// Where it is in its life.
        status / STATUS: EvaluationStatus,
        /// Whether others are compared with it.
        is_baseline / IS_BASELINE: bool,
        /// How long it took.
        duration_ms / DURATION_MS: i64,
        /// When it began.
        started_at / STARTED_AT: Timestamp,
        /// When it ended.
        completed_at / COMPLETED_AT: Timestamp,
        /// What it was about.
        description / DESCRIPTION: String,
        /// A JSON object.
        tags / TAGS: Json,
        /// Commit, branch and the like, as JSON.
        git / GIT: Json,
        /// A JSON object.
        metadata / METADATA: Json,
    }
}

/// A run to be stored.
#[derive(Debug, Clone, Insertable)]
#[diesel(table_name = runs, treat_none_as_default_value = false)]
#[allow(missing_docs, reason = "the fields are those of `RunRow`, but for the two that are explained")]
pub struct NewRun {
    pub id: RunId,
    pub user_id: String,
    pub external_id: Option<String>,
    pub source: RunSource,
    pub source_version: Option<String>,
    pub name: String,
    pub description: Option<String>,
    pub tags: Json,
    /// The tool's configuration without its secrets.
    pub config: Json,
    pub git: Option<Json>,
    pub metadata: Json,
    pub status: EvaluationStatus,
    pub is_baseline: bool,
    /// The counts that the tool claims.
    pub declared: Json,
    pub duration_ms: Option<i64>,
    pub created_at: Timestamp,
    pub started_at: Option<Timestamp>,
    pub completed_at: Option<Timestamp>,
    pub updated_at: Timestamp,
}

/// Which runs of a list are wanted.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct RunFilter {
    /// Only those that came from one of these.
    pub source: Option<Vec<RunSource>>,
    /// Only those of this name.
    pub name: Option<String>,
    /// Only those in one of these states.
    pub status: Option<Vec<EvaluationStatus>>,
    /// Only baselines, or only others.
    pub is_baseline: Option<bool>,
    /// Only those created at this time or later.
    pub created_after: Option<Timestamp>,
    /// Only those created before this time.
    pub created_before: Option<Timestamp>,
}

/// Runs are under no parent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RunParent {}

/// The table of runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Runs;

entity!(Runs, runs, RunRow, RunFilter, RunOrderField {
    CreatedAt => created_at: Time,
    Name => name: Text,
}, RunParent {});

pub(super) fn visible(principal: &Principal) -> Conditions<runs::table> {
    let mut conditions = Conditions::default();
    if !principal.is_admin {
        conditions.require(runs::user_id.eq(principal.user_id.to_string()));
    }
    conditions
}

fn matching(principal: &Principal, filter: &RunFilter) -> Conditions<runs::table> {
    let mut conditions = visible(principal);
    conditions.require_if(filter.source.as_deref(), |sources| {
        any_text(runs::source, sources.iter().map(|source| source.as_str()))
    });
    conditions.require_if(filter.name.clone(), |name| runs::name.eq(name));
    conditions.require_if(filter.status.as_deref(), |statuses| {
        any_text(runs::status, statuses.iter().map(|status| status.as_str()))
    });
    conditions.require_if(filter.is_baseline, |is_baseline| runs::is_baseline.eq(is_baseline));
    conditions.require_if(filter.created_after, |time| runs::created_at.ge(time));
    conditions.require_if(filter.created_before, |time| runs::created_at.lt(time));
    conditions
}

/// The run that a tool knows by this id. The principal's own goes before those of others, newer before older.
///
/// # Errors
/// When the statement fails.
pub async fn by_external_id(
    connection: &mut DbConnection,
    principal: &Principal,
    external_id: &str,
    source: Option<RunSource>,
    columns: ColumnSet,
) -> QueryResult<Option<Arc<RunRow>>> {
    let mut conditions = visible(principal);
    conditions.require(runs::external_id.eq(external_id.to_owned()));
    conditions.require_if(source, |source| runs::source.eq(source));
    let own = runs::user_id.eq(principal.user_id.to_string());
    let statement: Raw<Untyped> = Raw::new("SELECT ")
        .fragment(selection(columns))
        .sql(" FROM runs WHERE ")
        .fragment(conditions)
        .sql(" ORDER BY ")
        .fragment(own)
        .sql(" DESC, runs.created_at DESC, runs.id DESC LIMIT 1");
    on_backend!(connection, |inner| statement.load(inner).await).map(one_shared)
}

/// The id of the owner's run that came from `source` under this id.
///
/// # Errors
/// When the statement fails.
pub async fn find_imported(
    connection: &mut DbConnection,
    user_id: &str,
    source: RunSource,
    external_id: &str,
) -> QueryResult<Option<RunId>> {
    let statement = runs::table
        .filter(runs::user_id.eq(user_id.to_owned()))
        .filter(runs::source.eq(source))
        .filter(runs::external_id.eq(external_id.to_owned()))
        .select(runs::id);
    on_backend!(connection, |inner| statement.first(inner).await.optional())
}

/// A run, as far as adding to it needs it.
#[derive(Debug, Clone, Queryable)]
pub struct RunState {
    /// Where it is in its life.
    pub status: EvaluationStatus,
    /// The counts that its tool claims.
    pub declared: Json,
    /// When it began.
    pub started_at: Option<Timestamp>,
    /// How long it took, in milliseconds.
    pub duration_ms: Option<i64>,
    /// When it ended.
    pub completed_at: Option<Timestamp>,
}

/// What is known of a run, which on PostgreSQL is locked until the end of the transaction: whoever reads its evaluations
/// afterwards sees those of everybody who had it before. SQLite has one writer at a time.
///
/// # Errors
/// When the statement fails, or there is no such run.
pub async fn lock(connection: &mut DbConnection, id: RunId) -> QueryResult<RunState> {
    let columns = (runs::status, runs::declared, runs::started_at, runs::duration_ms, runs::completed_at);
    let statement = runs::table.filter(runs::id.eq(id)).select(columns);
    match connection {
        DbConnection::Postgres(connection) => statement.for_update().first(connection.inner()).await,
        DbConnection::Sqlite(connection) => statement.first(connection.inner()).await,
    }
}

/// What changes in a run to which more results of the same tool are added; `None` leaves what is there.
#[derive(Debug, Clone, AsChangeset)]
#[diesel(table_name = runs)]
#[allow(missing_docs, reason = "the fields are those of `NewRun`")]
pub struct RunExtension {
    pub status: Option<EvaluationStatus>,
    pub declared: Option<Json>,
    pub duration_ms: Option<i64>,
    pub completed_at: Option<Timestamp>,
    pub updated_at: Timestamp,
}

/// Changes a run to which results were added.
///
/// # Errors
/// When the statement fails.
pub async fn extend(connection: &mut DbConnection, id: RunId, changes: RunExtension) -> QueryResult<()> {
    let statement = diesel::update(runs::table.filter(runs::id.eq(id))).set(changes);
    on_backend!(connection, |inner| statement.execute(inner).await).map(drop)
}
