//! Prompt templates. They belong to everybody.

use diesel::prelude::*;
use diesel::result::QueryResult;
use diesel_async::RunQueryDsl;
use futures_util::future::BoxFuture;

use super::backend::on_backend;
use super::columns::{ColumnSet, row};
use super::conditions::Conditions;
use super::connection::DbConnection;
use super::entity::entity;
use super::schema::prompt_templates;
use super::types::Json;
use crate::domain::{Principal, PromptTemplateOrderField, TemplateId, Timestamp};

row! {
    /// A reusable prompt text.
    pub struct TemplateRow of prompt_templates {
        /// Its id.
        id: TemplateId,
        /// Its unique name.
        name: String,
        /// What it is used for.
        category: String,
        /// How often it was used.
        usage_count: i32,
        /// When it was created.
        created_at: Timestamp,
        /// When it was last changed.
        updated_at: Timestamp,
    }
    wide template_columns {
        /// What it is for.
        description / DESCRIPTION = 0: String,
        /// The text with its variables.
        template / TEMPLATE = 1: String,
        /// What the variables mean, as JSON.
        variables / VARIABLES = 2: Json,
    }
}

/// A template to be stored.
#[derive(Debug, Clone, Insertable)]
#[diesel(table_name = prompt_templates, treat_none_as_default_value = false)]
#[allow(missing_docs, reason = "the fields are those of `TemplateRow`")]
pub struct NewTemplate {
    pub id: TemplateId,
    pub name: String,
    pub description: Option<String>,
    pub template: String,
    pub variables: Json,
    pub category: String,
    pub usage_count: i32,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// Which templates of a list are wanted.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct TemplateFilter {
    /// Only those of this category.
    pub category: Option<String>,
}

/// Templates are under no parent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TemplateParent {}

/// The table of templates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Templates;

entity!(Templates, prompt_templates, TemplateRow, TemplateFilter, PromptTemplateOrderField {
    UsageCount => usage_count: Count,
    Name => name: Text,
    CreatedAt => created_at: Time,
}, TemplateParent {});

fn visible(_: &Principal) -> Conditions<prompt_templates::table> {
    Conditions::default()
}

fn matching(principal: &Principal, filter: &TemplateFilter) -> Conditions<prompt_templates::table> {
    let mut conditions = visible(principal);
    conditions.require_if(filter.category.clone(), |category| prompt_templates::category.eq(category));
    conditions
}

/// The template of this name.
///
/// # Errors
/// When the statement fails.
pub async fn by_name(
    connection: &mut DbConnection,
    name: &str,
    columns: ColumnSet,
) -> QueryResult<Option<TemplateRow>> {
    let statement =
        prompt_templates::table.filter(prompt_templates::name.eq(name.to_owned())).select(selection(columns));
    on_backend!(connection, |inner| statement.first(inner).await.optional())
}
