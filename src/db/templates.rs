//! Prompt templates. They belong to everybody.

mod changes;

use std::sync::Arc;

use diesel::prelude::*;
use diesel::result::QueryResult;
use diesel_async::RunQueryDsl;
use futures_util::future::BoxFuture;

use super::backend::on_backend;
use super::columns::{ColumnSet, one_shared, row};
use super::conditions::Conditions;
use super::connection::DbConnection;
use super::entity::entity;
use super::page::Rows;
use super::schema::prompt_templates;
use super::types::Json;
use crate::domain::{Principal, PromptTemplateOrderField, TemplateId, Timestamp};

pub use changes::{StoredTemplate, TemplateTexts, count_use, lock, replace};

row! {
    /// A reusable prompt text.
    pub struct TemplateRow of prompt_templates {
        /// Its id.
        id: TemplateId,
        /// Its unique name.
        name: String,
        /// How often it was used.
        usage_count: i32,
        /// When it was created.
        created_at: Timestamp,
    }
    on demand template_columns {
        /// What it is used for.
        category / CATEGORY: String,
        /// When it was last changed.
        updated_at / UPDATED_AT: Timestamp,
        /// What it is for.
        description / DESCRIPTION: String,
        /// The text with its variables.
        template / TEMPLATE: String,
        /// What the variables mean, as JSON.
        variables / VARIABLES: Json,
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
) -> QueryResult<Option<Arc<TemplateRow>>> {
    let mut conditions = Conditions::<prompt_templates::table>::default();
    conditions.require(prompt_templates::name.eq(name.to_owned()));
    let statement = Rows::new(selection(columns), conditions);
    on_backend!(connection, |inner| statement.load(inner).await).map(one_shared)
}
