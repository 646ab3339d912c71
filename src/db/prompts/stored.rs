//! Versions as far as changing them needs them.

use diesel::prelude::*;
use diesel::result::QueryResult;
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use super::{owned, visible};
use crate::db::backend::on_backend;
use crate::db::connection::DbConnection;
use crate::db::lists::any_id;
use crate::db::schema::prompts;
use crate::db::types::Json;
use crate::domain::{Principal, PromptFormat, PromptId, PromptStatus, Timestamp};

/// A version whose text may change.
#[derive(Debug, Clone, Queryable)]
#[allow(missing_docs, reason = "the fields are those of `PromptRow`")]
pub struct StoredPrompt {
    pub id: PromptId,
    pub user_id: String,
    pub name: Option<String>,
    pub root_id: PromptId,
    pub format: PromptFormat,
    pub title: String,
    pub description: Option<String>,
    pub content: String,
    pub content_hash: String,
    pub system_message: Option<String>,
    pub tags: Json,
    pub metadata: Json,
    pub status: PromptStatus,
    pub updated_at: Timestamp,
}

/// The principal's versions with these ids that are not deleted.
///
/// # Errors
/// When the statement fails.
pub async fn stored(
    connection: &mut DbConnection,
    principal: &Principal,
    ids: Vec<Uuid>,
) -> QueryResult<Vec<StoredPrompt>> {
    let mut conditions = visible(principal);
    conditions.require(any_id(prompts::id, ids));
    let statement = prompts::table.filter(conditions).select((
        prompts::id,
        prompts::user_id,
        prompts::name,
        prompts::root_id,
        prompts::format,
        prompts::title,
        prompts::description,
        prompts::content,
        prompts::content_hash,
        prompts::system_message,
        prompts::tags,
        prompts::metadata,
        prompts::status,
        prompts::updated_at,
    ));
    on_backend!(connection, |inner| statement.load(inner).await)
}

/// A version that may be marked.
#[derive(Debug, Clone, Queryable)]
#[allow(missing_docs, reason = "the fields are those of `PromptRow`")]
pub struct MarkedPrompt {
    pub id: PromptId,
    pub user_id: String,
    pub name: Option<String>,
    pub root_id: PromptId,
    pub status: PromptStatus,
    pub updated_at: Timestamp,
    pub deleted_at: Option<Timestamp>,
}

/// The principal's versions with these ids, deleted or not.
///
/// # Errors
/// When the statement fails.
pub async fn marked(
    connection: &mut DbConnection,
    principal: &Principal,
    ids: Vec<Uuid>,
) -> QueryResult<Vec<MarkedPrompt>> {
    let mut conditions = owned(principal);
    conditions.require(any_id(prompts::id, ids));
    let statement = prompts::table.filter(conditions).select((
        prompts::id,
        prompts::user_id,
        prompts::name,
        prompts::root_id,
        prompts::status,
        prompts::updated_at,
        prompts::deleted_at,
    ));
    on_backend!(connection, |inner| statement.load(inner).await)
}
