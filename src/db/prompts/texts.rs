//! Replacing what a version says.

use diesel::prelude::*;
use diesel::result::QueryResult;

use super::StoredPrompt;
use crate::db::arrays::replace_function;
use crate::db::connection::DbConnection;
use crate::db::schema::prompts;
use crate::db::types::Json;
use crate::domain::{PromptId, PromptStatus, Timestamp};

/// What can be changed of one version alone.
#[derive(Debug, Clone, PartialEq, Eq, AsChangeset)]
#[diesel(table_name = prompts, treat_none_as_null = true)]
#[allow(missing_docs, reason = "the fields are those of `PromptRow`")]
pub struct PromptTexts {
    pub id: PromptId,
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

impl PromptTexts {
    /// Those of a version as it is stored.
    #[must_use]
    pub fn of(row: &StoredPrompt) -> Self {
        Self {
            id: row.id,
            title: row.title.clone(),
            description: row.description.clone(),
            content: row.content.clone(),
            content_hash: row.content_hash.clone(),
            system_message: row.system_message.clone(),
            tags: row.tags.clone(),
            metadata: row.metadata.clone(),
            status: row.status,
            updated_at: row.updated_at,
        }
    }
}

replace_function! {
    /// Replaces what these versions say.
    replace_texts: PromptTexts {
        title, description, content, content_hash, system_message, tags, metadata, status, updated_at
    } in prompts
}
