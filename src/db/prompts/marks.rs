//! Marking many versions at once.

use diesel::prelude::*;
use diesel::result::QueryResult;
use diesel_async::RunQueryDsl;

use crate::db::backend::on_backend;
use crate::db::connection::DbConnection;
use crate::db::lists::any_id;
use crate::db::schema::prompts;
use crate::domain::{PromptId, PromptStatus, Timestamp};

/// Sets where these versions are in their lives.
///
/// # Errors
/// When the statement fails.
pub async fn set_status(
    connection: &mut DbConnection,
    ids: &[PromptId],
    status: PromptStatus,
    now: Timestamp,
) -> QueryResult<()> {
    let statement = diesel::update(prompts::table.filter(any_id(prompts::id, ids.iter().copied())))
        .set((prompts::status.eq(status), prompts::updated_at.eq(now)));
    on_backend!(connection, |inner| statement.execute(inner).await.map(drop))
}

/// Sets when these versions were deleted, or that they are not.
///
/// # Errors
/// When the statement fails, or when a name is taken that one of them has.
pub async fn set_deleted(
    connection: &mut DbConnection,
    ids: &[PromptId],
    deleted_at: Option<Timestamp>,
    now: Timestamp,
) -> QueryResult<()> {
    let statement = diesel::update(prompts::table.filter(any_id(prompts::id, ids.iter().copied())))
        .set((prompts::deleted_at.eq(deleted_at), prompts::updated_at.eq(now)));
    on_backend!(connection, |inner| statement.execute(inner).await.map(drop))
}
