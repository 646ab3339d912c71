//! Prompts.

use std::sync::Arc;

use async_graphql::{Context, ID, Object};

use super::{Evaluation, PromptTemplate, ScorePoint, int, read};
use crate::db::columns::ColumnSet;
use crate::db::evaluations::EvaluationFilter;
use crate::db::page::{Order, Slice};
use crate::db::prompts::{PromptFilter, PromptRow, Prompts, prompt_columns};
use crate::db::totals::PromptTotals;
use crate::db::trends::{MOST_BUCKETS, TrendQuestion};
use crate::domain::{
    EvaluationOrderField, EvaluationStatus, PromptFormat, PromptId, PromptOrderField, PromptStatus, Timestamp,
    TrendInterval,
};
use crate::graphql::connection::{Connection, GraphNode, ListField, Source, paginate};
use crate::graphql::error::ApiError;
use crate::graphql::global_id::NodeType;
use crate::graphql::inputs::{EvaluationFilterInput, EvaluationOrder};
use crate::graphql::pagination::{PageParams, length};
use crate::graphql::scalars::JsonScalar;
use crate::graphql::scope::loaders;
use crate::graphql::selection::{self, FieldColumns};
use crate::graphql::written::Writable;
use crate::loaders::{ChildPageKey, PageArguments, RowKey, TrendKey};

/// One version of a prompt.
pub struct Prompt(Arc<PromptRow>);

impl Writable for Prompt {
    const AT_HAND: &'static [&'static str] = &[
        "id",
        "userId",
        "name",
        "title",
        "description",
        "content",
        "contentHash",
        "format",
        "systemMessage",
        "tags",
        "metadata",
        "version",
        "status",
        "createdAt",
        "updatedAt",
        "deletedAt",
    ];
}

impl GraphNode for Prompt {
    type Entity = Prompts;
    const COLUMNS: FieldColumns = &[
        ("userId", prompt_columns::USER_ID),
        ("name", prompt_columns::NAME),
        ("description", prompt_columns::DESCRIPTION),
        ("content", prompt_columns::CONTENT),
        ("contentHash", prompt_columns::CONTENT_HASH),
        ("format", prompt_columns::FORMAT),
        ("systemMessage", prompt_columns::SYSTEM_MESSAGE),
        ("tags", prompt_columns::TAGS),
        ("metadata", prompt_columns::METADATA),
        ("version", prompt_columns::VERSION),
        ("status", prompt_columns::STATUS),
        ("deletedAt", prompt_columns::DELETED_AT),
        ("parent", prompt_columns::PARENT_ID),
        ("root", prompt_columns::ROOT_ID),
        ("versions", prompt_columns::ROOT_ID),
        ("template", prompt_columns::TEMPLATE_ID),
    ];

    fn new(row: Arc<PromptRow>) -> Self {
        Self(row)
    }
}

impl Prompt {
    async fn totals(&self, context: &Context<'_>) -> Result<PromptTotals, ApiError> {
        Ok(loaders(context).prompt_totals.load(self.0.id.into()).await?)
    }

    /// The prompt, unless it does not exist, was deleted or belongs to somebody else.
    pub async fn load(
        context: &Context<'_>,
        id: impl Into<uuid::Uuid>,
        columns: ColumnSet,
    ) -> Result<Option<Self>, ApiError> {
        let row = loaders(context).prompt_by_id.load(RowKey { id: id.into(), columns }).await?;
        Ok(row.map(Self))
    }

    pub(super) async fn related(context: &Context<'_>, id: PromptId) -> Result<Option<Self>, ApiError> {
        Self::load(context, id, selection::of_object(context, Self::COLUMNS)).await
    }

    async fn page(
        context: &Context<'_>,
        coordinate: &'static str,
        source: Source<Prompts>,
        params: PageParams,
    ) -> Result<Connection<Self>, ApiError> {
        let list = ListField {
            coordinate,
            source,
            filter: PromptFilter::default(),
            order: Order::descending(PromptOrderField::CreatedAt),
        };
        paginate(context, list, params).await
    }
}

/// One version of a prompt. Versions that were made from one another are a lineage.
#[Object]
impl Prompt {
    /// The id: opaque, and unique among all objects.
    pub async fn id(&self) -> ID {
        NodeType::Prompt.encode(self.0.id)
    }

    /// The user whom the prompt belongs to.
    async fn user_id(&self) -> Result<&String, ApiError> {
        read(&self.0.user_id, "Prompt.userId")
    }

    /// The stable name of the lineage; `/` makes folders. Null when it has none.
    async fn name(&self) -> Option<&str> {
        self.0.name.as_deref()
    }

    /// What people call the prompt.
    async fn title(&self) -> &str {
        &self.0.title
    }

    /// What the prompt is for; null when nobody said.
    async fn description(&self) -> Option<&str> {
        self.0.description.as_deref()
    }

    /// The text or, in the format CHAT, a JSON array of messages.
    async fn content(&self) -> Result<&String, ApiError> {
        read(&self.0.content, "Prompt.content")
    }

    /// SHA-256 of format, content and system message in hexadecimal: equal for equal texts.
    async fn content_hash(&self) -> Result<&String, ApiError> {
        read(&self.0.content_hash, "Prompt.contentHash")
    }

    /// How the content is to be read.
    async fn format(&self) -> Result<PromptFormat, ApiError> {
        read(&self.0.format, "Prompt.format").copied()
    }

    /// The system message; null when there is none.
    async fn system_message(&self) -> Option<&str> {
        self.0.system_message.as_deref()
    }

    /// Words to find the prompt by.
    async fn tags(&self) -> Result<Vec<String>, ApiError> {
        let tags = read(&self.0.tags, "Prompt.tags")?;
        serde_json::from_str(tags.as_str()).map_err(|error| ApiError::Defect(format!("tags of {}: {error}", self.0.id)))
    }

    /// Whatever else is known about the prompt: a JSON object.
    async fn metadata(&self) -> Result<JsonScalar, ApiError> {
        read(&self.0.metadata, "Prompt.metadata").cloned().map(JsonScalar)
    }

    /// The number of this version in its lineage, counted from 1.
    async fn version(&self) -> Result<i32, ApiError> {
        read(&self.0.version, "Prompt.version").copied()
    }

    /// Where the prompt is in its life.
    async fn status(&self) -> Result<PromptStatus, ApiError> {
        read(&self.0.status, "Prompt.status").copied()
    }

    /// When this version was created.
    async fn created_at(&self) -> Timestamp {
        self.0.created_at
    }

    /// When this version was last changed.
    async fn updated_at(&self) -> Timestamp {
        self.0.updated_at
    }

    /// When this version was deleted; null as long as it was not.
    async fn deleted_at(&self) -> Option<Timestamp> {
        self.0.deleted_at
    }

    /// The version that this one was made from; null for the first, and when that one was deleted.
    async fn parent(&self, context: &Context<'_>) -> Option<Result<Prompt, ApiError>> {
        Self::related(context, self.0.parent_id?).await.transpose()
    }

    /// The first version of the lineage, this one perhaps; null when that one was deleted.
    async fn root(&self, context: &Context<'_>) -> Option<Result<Prompt, ApiError>> {
        let root = async { Self::related(context, *read(&self.0.root_id, "Prompt.root")?).await };
        root.await.transpose()
    }

    /// The versions that were made from this one, the newest first.
    async fn children(
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
            pages: |loaders| &loaders.prompts_by_parent,
            counts: |loaders| &loaders.prompt_count_by_parent,
        };
        let params = PageParams { first, after, last, before };
        Some(Self::page(context, "Prompt.children", source, params).await)
    }

    /// All versions of the lineage, this one among them, the newest first.
    async fn versions(
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
        let root = match read(&self.0.root_id, "Prompt.versions") {
            Ok(root) => *root,
            Err(error) => return Some(Err(error)),
        };
        let source = Source::Under {
            parent: root.into(),
            pages: |loaders| &loaders.prompts_by_root,
            counts: |loaders| &loaders.prompt_count_by_root,
        };
        let params = PageParams { first, after, last, before };
        Some(Self::page(context, "Prompt.versions", source, params).await)
    }

    /// The template that the prompt was made from; null when it was written by hand.
    async fn template(&self, context: &Context<'_>) -> Option<Result<PromptTemplate, ApiError>> {
        PromptTemplate::related(context, self.0.template_id?).await.transpose()
    }

    /// The evaluations of this version.
    #[allow(clippy::too_many_arguments, reason = "they are the arguments of the field")]
    async fn evaluations(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which objects are wanted: all by default.")] filter: Option<EvaluationFilterInput>,
        #[graphql(desc = "The order of the list.")] order_by: Option<EvaluationOrder>,
        #[graphql(
            desc = "So many objects from the beginning of the list, or after `after`. Without `first` and `last`, a page of the usual size."
        )]
        first: Option<i32>,
        #[graphql(desc = "The cursor of the object that the page follows.")] after: Option<String>,
        #[graphql(desc = "So many objects from the end of the list, or before `before`. Not together with `first`.")]
        last: Option<i32>,
        #[graphql(desc = "The cursor of the object that the page precedes.")] before: Option<String>,
    ) -> Option<Result<Connection<Evaluation>, ApiError>> {
        let source = Source::Under {
            parent: self.0.id.into(),
            pages: |loaders| &loaders.evaluations_by_prompt,
            counts: |loaders| &loaders.evaluation_count_by_prompt,
        };
        let params = PageParams { first, after, last, before };
        Some(Evaluation::page(context, "Prompt.evaluations", source, filter, order_by, params).await)
    }

    /// The newest evaluation of this version, or the newest in one state; null when there is none.
    async fn latest_evaluation(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Only evaluations in this state.")] status: Option<EvaluationStatus>,
    ) -> Option<Result<Evaluation, ApiError>> {
        let filter = EvaluationFilter { status: status.map(|status| vec![status]), ..EvaluationFilter::default() };
        let slice = Slice::first(1, Order::descending(EvaluationOrderField::CreatedAt));
        let key = ChildPageKey {
            parent: self.0.id.into(),
            page: PageArguments { filter, slice },
            columns: selection::of_object(context, Evaluation::COLUMNS),
        };
        let page = loaders(context).evaluations_by_prompt.load(key).await;
        page.map(|rows| rows.first().cloned().map(Evaluation::new)).map_err(ApiError::from).transpose()
    }
    /// How many evaluations this version has, in whatever state.
    async fn evaluation_count(&self, context: &Context<'_>) -> Option<Result<i32, ApiError>> {
        let count = async { int(self.totals(context).await?.evaluation_count, "Prompt.evaluationCount") };
        Some(count.await)
    }

    /// The mean overall score of this version's completed evaluations that have one; null when none has.
    async fn average_score(&self, context: &Context<'_>) -> Option<Result<f64, ApiError>> {
        self.totals(context).await.map(|totals| totals.average_score).transpose()
    }

    /// Passed results among those that passed, failed or errored, from 0 to 1, over all evaluations of this version;
    /// null when there are none.
    async fn pass_rate(&self, context: &Context<'_>) -> Option<Result<f64, ApiError>> {
        self.totals(context).await.map(|totals| totals.pass_rate()).transpose()
    }

    /// The course of this version's scores over time: what the completed evaluations come to that were created in the
    /// same hour, day, week or month of UTC. The oldest first; times without evaluations are left out.
    async fn score_trend(
        &self,
        context: &Context<'_>,
        #[graphql(default, desc = "How much time a point stands for.")] interval: TrendInterval,
        #[graphql(desc = "Only evaluations created at this time or later.")] since: Option<Timestamp>,
        #[graphql(
            default_with = "Some(1_000)",
            desc = "At most so many points, the newest ones, from 0 to 1,000. They count in the complexity of the request."
        )]
        limit: Option<i32>,
    ) -> Option<Result<Vec<ScorePoint>, ApiError>> {
        let points = async {
            let limit = limit.map_or(Ok(MOST_BUCKETS), |limit| length("limit", limit, MOST_BUCKETS))?.into();
            let key = TrendKey { prompt: self.0.id.into(), question: TrendQuestion { interval, since, limit } };
            let points = loaders(context).score_trends.load(key).await?;
            Ok(points.iter().copied().map(ScorePoint).collect())
        };
        Some(points.await)
    }
}
