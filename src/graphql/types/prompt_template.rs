//! Templates.

use std::sync::Arc;

use async_graphql::{Context, ID, Object};
use uuid::Uuid;

use super::{Prompt, read};
use crate::db::columns::ColumnSet;
use crate::db::page::Order;
use crate::db::prompts::PromptFilter;
use crate::db::templates::{TemplateRow, Templates, template_columns};
use crate::domain::{PromptOrderField, TemplateId, Timestamp};
use crate::graphql::connection::{Connection, GraphNode, ListField, Source, paginate};
use crate::graphql::error::ApiError;
use crate::graphql::global_id::NodeType;
use crate::graphql::pagination::PageParams;
use crate::graphql::scalars::JsonScalar;
use crate::graphql::scope::loaders;
use crate::graphql::selection::{self, FieldColumns};
use crate::graphql::written::Writable;
use crate::loaders::RowKey;

/// A reusable prompt text.
pub struct PromptTemplate(Arc<TemplateRow>);

impl Writable for PromptTemplate {
    const AT_HAND: &'static [&'static str] =
        &["id", "name", "description", "template", "variables", "category", "usageCount", "createdAt", "updatedAt"];
}

impl GraphNode for PromptTemplate {
    type Entity = Templates;
    const COLUMNS: FieldColumns = &[
        ("description", template_columns::DESCRIPTION),
        ("template", template_columns::TEMPLATE),
        ("variables", template_columns::VARIABLES),
        ("category", template_columns::CATEGORY),
        ("updatedAt", template_columns::UPDATED_AT),
    ];

    fn new(row: Arc<TemplateRow>) -> Self {
        Self(row)
    }
}

impl PromptTemplate {
    /// The template, if it exists.
    pub async fn load(context: &Context<'_>, id: Uuid, columns: ColumnSet) -> Result<Option<Self>, ApiError> {
        let row = loaders(context).template_by_id.load(RowKey { id, columns }).await?;
        Ok(row.map(Self))
    }

    pub(super) async fn related(context: &Context<'_>, id: TemplateId) -> Result<Option<Self>, ApiError> {
        Self::load(context, id.into(), selection::of_object(context, Self::COLUMNS)).await
    }
}

/// A reusable prompt text with variables. Templates belong to everybody.
#[Object]
impl PromptTemplate {
    /// The id: opaque, and unique among all objects.
    pub async fn id(&self) -> ID {
        NodeType::PromptTemplate.encode(self.0.id)
    }

    /// The template's unique name.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// What the template is for; null when nobody said.
    async fn description(&self) -> Option<&str> {
        self.0.description.as_deref()
    }

    /// The text, with variables in double braces; it may have conditions, loops and filters as Jinja has them.
    async fn template(&self) -> Result<&String, ApiError> {
        read(&self.0.template, "PromptTemplate.template")
    }

    /// What is known about the variables: a JSON object with one entry for each.
    async fn variables(&self) -> Result<JsonScalar, ApiError> {
        read(&self.0.variables, "PromptTemplate.variables").cloned().map(JsonScalar)
    }

    /// What kind of work the template is for.
    async fn category(&self) -> Result<&String, ApiError> {
        read(&self.0.category, "PromptTemplate.category")
    }

    /// How many prompts were made from the template.
    async fn usage_count(&self) -> i32 {
        self.0.usage_count
    }

    /// When the template was created.
    async fn created_at(&self) -> Timestamp {
        self.0.created_at
    }

    /// When the template was last changed.
    async fn updated_at(&self) -> Result<Timestamp, ApiError> {
        read(&self.0.updated_at, "PromptTemplate.updatedAt").copied()
    }

    /// The prompts that were made from the template and that the viewer may see, the newest first.
    async fn prompts(
        &self,
        context: &Context<'_>,
        #[graphql(
            desc = "So many objects from the beginning of the list, or after `after`. Without `first` and `last`, a page of the usual size."
        )]
        first: Option<i32>,
        #[graphql(desc = "The cursor of the object that the page follows.")] after: Option<String>,
        #[graphql(desc = "So many objects from the end of the list, or before `before`. Not together with `first`.")]
        last: Option<i32>,
        #[graphql(desc = "The cursor of the object that the page precedes.")] before: Option<String>,
    ) -> Option<Result<Connection<Prompt>, ApiError>> {
        let source = Source::Under {
            parent: self.0.id.into(),
            pages: |loaders| &loaders.prompts_by_template,
            counts: |loaders| &loaders.prompt_count_by_template,
        };
        let list = ListField {
            coordinate: "PromptTemplate.prompts",
            source,
            filter: PromptFilter::default(),
            order: Order::descending(PromptOrderField::CreatedAt),
        };
        Some(paginate(context, list, PageParams { first, after, last, before }).await)
    }
}
