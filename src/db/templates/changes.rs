//! Changing templates.

use diesel::prelude::*;
use diesel::result::QueryResult;
use diesel_async::RunQueryDsl;

use crate::db::backend::on_backend;
use crate::db::connection::DbConnection;
use crate::db::schema::prompt_templates;
use crate::db::types::Json;
use crate::domain::{TemplateId, Timestamp};

/// A template as it is stored.
#[derive(Debug, Clone, Queryable)]
#[allow(missing_docs, reason = "the fields are those of `TemplateRow`")]
pub struct StoredTemplate {
    pub name: String,
    pub description: Option<String>,
    pub template: String,
    pub variables: Json,
    pub category: String,
    pub updated_at: Timestamp,
}

/// The template with this id, which nobody else changes until the end of the transaction.
///
/// # Errors
/// When the statement fails.
pub async fn lock(connection: &mut DbConnection, id: TemplateId) -> QueryResult<Option<StoredTemplate>> {
    let statement = prompt_templates::table.filter(prompt_templates::id.eq(id)).select((
        prompt_templates::name,
        prompt_templates::description,
        prompt_templates::template,
        prompt_templates::variables,
        prompt_templates::category,
        prompt_templates::updated_at,
    ));
    match connection {
        DbConnection::Postgres(connection) => statement.for_no_key_update().first(connection.inner()).await.optional(),
        // SQLite has one writer at a time.
        DbConnection::Sqlite(connection) => statement.first(connection.inner()).await.optional(),
    }
}

/// What can be changed of a template.
#[derive(Debug, Clone, PartialEq, Eq, AsChangeset)]
#[diesel(table_name = prompt_templates, treat_none_as_null = true)]
#[allow(missing_docs, reason = "the fields are those of `TemplateRow`")]
pub struct TemplateTexts {
    pub name: String,
    pub description: Option<String>,
    pub template: String,
    pub variables: Json,
    pub category: String,
    pub updated_at: Timestamp,
}

impl TemplateTexts {
    /// Those of a template as it is stored.
    #[must_use]
    pub fn of(stored: &StoredTemplate) -> Self {
        let StoredTemplate { name, description, template, variables, category, updated_at } = stored.clone();
        Self { name, description, template, variables, category, updated_at }
    }
}

/// Replaces what the template says.
///
/// # Errors
/// When the statement fails, or when another template has the name.
pub async fn replace(connection: &mut DbConnection, id: TemplateId, texts: TemplateTexts) -> QueryResult<()> {
    let statement = diesel::update(prompt_templates::table.find(id)).set(texts);
    on_backend!(connection, |inner| statement.execute(inner).await.map(drop))
}

/// Counts one more use of the template.
///
/// # Errors
/// When the statement fails.
pub async fn count_use(connection: &mut DbConnection, id: TemplateId, now: Timestamp) -> QueryResult<()> {
    let statement = diesel::update(prompt_templates::table.find(id)).set((
        prompt_templates::usage_count.eq(prompt_templates::usage_count + 1),
        prompt_templates::updated_at.eq(now),
    ));
    on_backend!(connection, |inner| statement.execute(inner).await.map(drop))
}
