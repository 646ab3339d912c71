//! Lineages that are being changed.

use std::sync::Arc;

use diesel::prelude::*;
use diesel::result::QueryResult;
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use super::{PromptRow, owned, selection};
use crate::db::backend::on_backend;
use crate::db::columns::{ColumnSet, shared};
use crate::db::connection::DbConnection;
use crate::db::lists::any_id;
use crate::db::page::Rows;
use crate::db::raw::Raw;
use crate::db::schema::prompts;
use crate::db::types::sql;
use crate::domain::{Principal, PromptId, Timestamp};

/// Keeps everybody else from changing the lineages of these versions, as far as they are the principal's, until the end of
/// the transaction. A lineage is locked by its first version, in the order of the ids. Evaluations can be added meanwhile.
///
/// # Errors
/// When the statement fails.
pub async fn lock_lineages(connection: &mut DbConnection, principal: &Principal, ids: Vec<Uuid>) -> QueryResult<()> {
    // SQLite has one writer at a time.
    let DbConnection::Postgres(connection) = connection else { return Ok(()) };
    let statement: Raw<sql::Uuid> = Raw::new("SELECT id FROM prompts WHERE id IN (SELECT root_id FROM prompts WHERE ")
        .any_id("id", ids)
        .sql(" AND ")
        .fragment(owned(principal))
        .sql(") ORDER BY id FOR NO KEY UPDATE");
    statement.execute(connection.inner()).await.map(drop)
}

/// Waits for those who are adding evaluations to these versions, and keeps everybody from adding more until the end of the
/// transaction.
///
/// # Errors
/// When the statement fails.
pub async fn lock_against_evaluations(connection: &mut DbConnection, ids: Vec<PromptId>) -> QueryResult<()> {
    let DbConnection::Postgres(connection) = connection else { return Ok(()) };
    let ids = ids.into_iter().map(Uuid::from).collect();
    let statement: Raw<sql::Uuid> =
        Raw::new("SELECT id FROM prompts WHERE ").any_id("id", ids).sql(" ORDER BY id FOR UPDATE");
    statement.execute(connection.inner()).await.map(drop)
}

/// The principal's versions with these ids, deleted or not.
///
/// # Errors
/// When the statement fails.
pub async fn owned_by_ids(
    connection: &mut DbConnection,
    principal: &Principal,
    ids: Vec<Uuid>,
    columns: ColumnSet,
) -> QueryResult<Vec<Arc<PromptRow>>> {
    let mut conditions = owned(principal);
    conditions.require(any_id(prompts::id, ids));
    let rows = Rows::new(selection(columns), conditions);
    on_backend!(connection, |inner| rows.load(inner).await).map(shared)
}

/// The newest version of a lineage, as far as making the next one needs it.
#[derive(Debug, Clone, Copy, Queryable)]
pub struct NewestVersion {
    /// Its number.
    pub version: i32,
    /// When it was created.
    pub created_at: Timestamp,
}

/// The newest version of a lineage, deleted or not.
///
/// # Errors
/// When the statement fails.
pub async fn newest_version(connection: &mut DbConnection, root: PromptId) -> QueryResult<NewestVersion> {
    let statement = prompts::table
        .filter(prompts::root_id.eq(root))
        .order(prompts::version.desc())
        .select((prompts::version, prompts::created_at));
    on_backend!(connection, |inner| statement.first(inner).await)
}

/// Gives all versions of a lineage, deleted or not, this name, and tells which they are.
///
/// # Errors
/// When a statement fails, or when another lineage of the owner has the name.
pub async fn rename_lineage(
    connection: &mut DbConnection,
    root: PromptId,
    name: Option<&str>,
    now: Timestamp,
) -> QueryResult<Vec<PromptId>> {
    let name = name.map(str::to_owned);
    let of_lineage = prompts::root_id.eq(root);
    let statement =
        diesel::update(prompts::table.filter(of_lineage)).set((prompts::name.eq(name), prompts::updated_at.eq(now)));
    on_backend!(connection, |inner| statement.execute(inner).await)?;
    let versions = prompts::table.filter(of_lineage).select(prompts::id);
    on_backend!(connection, |inner| versions.load(inner).await)
}
