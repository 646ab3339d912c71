//! Changing templates, and using them.

use std::sync::Arc;

use async_graphql::{Context, Object, SimpleObject};

use super::prompts::PromptPayload;
use super::{INPUT, perform};
use crate::db::columns::ColumnSet;
use crate::db::templates::TemplateRow;
use crate::graphql::connection::GraphNode as _;
use crate::graphql::error::ApiError;
use crate::graphql::inputs::{CreatePromptTemplateInput, InstantiatePromptTemplateInput, UpdatePromptTemplateInput};
use crate::graphql::selection;
use crate::graphql::types::PromptTemplate;
use crate::writes::{Refusal, Write};

/// The template that was stored.
#[derive(SimpleObject)]
pub struct PromptTemplatePayload {
    /// The template as it is stored now.
    template: PromptTemplate,
}

impl PromptTemplatePayload {
    fn columns(context: &Context<'_>) -> ColumnSet {
        selection::of_member(context, "template", PromptTemplate::COLUMNS)
    }

    async fn of<W>(context: &Context<'_>, write: Result<W, Refusal>) -> Result<Self, ApiError>
    where
        W: Write<Output = Arc<TemplateRow>>,
    {
        let write = write.map_err(|refusal| ApiError::refused(INPUT, refusal))?;
        let row = perform(context, INPUT, write).await?;
        Ok(Self { template: PromptTemplate::new(row) })
    }
}

/// Changes of templates.
#[derive(Default)]
pub struct TemplateMutations;

#[Object]
impl TemplateMutations {
    /// Stores a new template, which everybody may use and change.
    async fn create_prompt_template(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The template.")] input: CreatePromptTemplateInput,
    ) -> Result<PromptTemplatePayload, ApiError> {
        let write = input.read(PromptTemplatePayload::columns(context));
        PromptTemplatePayload::of(context, write).await
    }

    /// Changes a template. Prompts that were made from it stay as they are.
    async fn update_prompt_template(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "What becomes of it.")] input: UpdatePromptTemplateInput,
    ) -> Result<PromptTemplatePayload, ApiError> {
        let write = input.read(PromptTemplatePayload::columns(context));
        PromptTemplatePayload::of(context, write).await
    }

    /// Stores a new prompt whose text a template makes, and counts the use of the template. The prompt belongs to the viewer. A
    /// variable that is missing and one that the template does not have are told by their names; the text may have a
    /// megabyte.
    async fn instantiate_prompt_template(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The prompt.")] input: InstantiatePromptTemplateInput,
    ) -> Result<PromptPayload, ApiError> {
        let write = input.read(PromptPayload::columns(context));
        PromptPayload::of(context, write).await
    }
}
