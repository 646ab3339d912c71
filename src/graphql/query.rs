//! The fields of the root.

use async_graphql::{Context, ID, Object};
use futures_util::future::join_all;

use super::ServiceLimits;
use super::connection::{Connection, GraphNode as _, ListField, Source, paginate};
use super::error::ApiError;
use super::global_id::NodeType;
use super::inputs::{
    AuditLogFilterInput, EvaluationFilterInput, EvaluationOrder, PromptFilterInput, PromptOrder, PromptTemplateOrder,
    RunFilterInput, RunOrder,
};
use super::pagination::{PageLimits, PageParams, length};
use super::scope::{loaders, scope};
use super::selection;
use super::types::{
    AuditEntry, Evaluation, EvaluationComparison, ModelRanking, Node, Prompt, PromptRanking, PromptTemplate, Run,
    ServiceConfig, Statistics, TestResult, Viewer, load_node,
};
use crate::db::leaderboards::ModelQuestion;
use crate::db::page::Order;
use crate::db::templates::TemplateFilter;
use crate::domain::{AuditOrderField, RunSource, Timestamp};
use crate::loaders::{PromptNameKey, RunExternalIdKey, TemplateNameKey};

/// How many scored evaluations a prompt needs to be ranked, where the client does not say.
const DEFAULT_MIN_EVALUATIONS: i32 = 5;
/// How long leaderboards are, where the client does not say.
const DEFAULT_LIMIT: i32 = 20;

fn leaderboard_length(context: &Context<'_>, limit: Option<i32>) -> Result<i64, ApiError> {
    let maximum = context.data_unchecked::<PageLimits>().maximum;
    // The default is no mistake of the client's where pages are shorter.
    let Some(limit) = limit.filter(|&limit| limit != DEFAULT_LIMIT) else {
        return Ok(i64::from(DEFAULT_LIMIT).min(maximum.into()));
    };
    length("limit", limit, maximum).map(Into::into)
}

/// What can be asked.
///
/// A field that may be null returns `Option<Result<…>>`, so that its failure costs nothing else: async-graphql passes
/// the error of a `Result<Option<…>>` on to the parent.
pub struct Query;

/// What can be asked. Lists come in pages, the newest first unless the field says otherwise; an object that does not
/// exist, or that the viewer may not see, is null.
#[Object]
impl Query {
    /// The object with this id, of whatever type.
    async fn node(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The id of an object of any type.")] id: ID,
    ) -> Option<Result<Node, ApiError>> {
        load_node(context, "id", &id).await.transpose()
    }

    /// The objects with these ids, in their order; null in the place of one that does not exist. At most as many ids
    /// as a page may have objects.
    async fn nodes(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The ids of objects of any type.")] ids: Vec<ID>,
    ) -> Result<Vec<Option<Result<Node, ApiError>>>, ApiError> {
        let maximum = context.data_unchecked::<PageLimits>().maximum as usize;
        if ids.len() > maximum {
            return Err(ApiError::argument("ids", format!("must be at most {maximum} ids, not {}", ids.len())));
        }
        let nodes = join_all(ids.iter().map(|id| load_node(context, "ids", id))).await;
        Ok(nodes.into_iter().map(Result::transpose).collect())
    }

    /// The one who asks.
    async fn viewer(&self, context: &Context<'_>) -> Option<Viewer> {
        Some(Viewer::from(&scope(context).context.principal))
    }

    /// What the server allows.
    async fn service_config(&self, context: &Context<'_>) -> ServiceConfig {
        ServiceConfig::from(*context.data_unchecked::<ServiceLimits>())
    }

    /// The prompt version with this id.
    async fn prompt(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The prompt's id.")] id: ID,
    ) -> Option<Result<Prompt, ApiError>> {
        let prompt = async {
            let id = NodeType::Prompt.decode(&id, "id")?;
            Prompt::load(context, id, selection::of_object(context, Prompt::COLUMNS)).await
        };
        prompt.await.transpose()
    }

    /// A version of the prompt with this name: the one asked for, else the newest. The viewer's own prompt goes before
    /// those of others.
    async fn prompt_by_name(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The name of the lineage, with its folders.")] name: String,
        #[graphql(desc = "The number of the version; without it, the newest.")] version: Option<i32>,
    ) -> Option<Result<Prompt, ApiError>> {
        let columns = selection::of_object(context, Prompt::COLUMNS);
        let row = loaders(context).prompt_by_name.load(PromptNameKey { name, version, columns }).await;
        row.map_err(ApiError::from).transpose().map(|row| row.map(Prompt::new))
    }

    /// Prompt versions.
    #[allow(clippy::too_many_arguments, reason = "they are the arguments of the field")]
    async fn prompts(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which objects are wanted: all by default.")] filter: Option<PromptFilterInput>,
        #[graphql(desc = "The order of the list.")] order_by: Option<PromptOrder>,
        #[graphql(
            desc = "So many objects from the beginning of the list, or after `after`. Without `first` and `last`, a page of the usual size."
        )]
        first: Option<i32>,
        #[graphql(desc = "The cursor of the object that the page follows.")] after: Option<String>,
        #[graphql(desc = "So many objects from the end of the list, or before `before`. Not together with `first`.")]
        last: Option<i32>,
        #[graphql(desc = "The cursor of the object that the page precedes.")] before: Option<String>,
    ) -> Result<Connection<Prompt>, ApiError> {
        let source = Source::All { pages: |loaders| &loaders.prompts, counts: |loaders| &loaders.prompt_count };
        let list = ListField {
            coordinate: "Query.prompts",
            source,
            filter: filter.unwrap_or_default().try_into()?,
            order: PromptOrder::order(order_by),
        };
        paginate(context, list, PageParams { first, after, last, before }).await
    }

    /// The run with this id, or the one that its tool knows by `externalId`; give one of the two. The viewer's own run
    /// goes before those of others.
    async fn run(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The run's id.")] id: Option<ID>,
        #[graphql(desc = "What the tool calls the run.")] external_id: Option<String>,
        #[graphql(desc = "Only the run of this tool. With `externalId` alone.")] source: Option<RunSource>,
    ) -> Option<Result<Run, ApiError>> {
        let columns = selection::of_object(context, Run::COLUMNS);
        let run = async {
            match (id, external_id) {
                (Some(id), None) => Run::load(context, NodeType::Run.decode(&id, "id")?, columns).await,
                (None, Some(external_id)) => {
                    let key = RunExternalIdKey { external_id, source, columns };
                    Ok(loaders(context).run_by_external_id.load(key).await?.map(Run::new))
                }
                _ => Err(ApiError::argument("id", "give either `id` or `externalId`")),
            }
        };
        run.await.transpose()
    }

    /// Runs.
    #[allow(clippy::too_many_arguments, reason = "they are the arguments of the field")]
    async fn runs(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which objects are wanted: all by default.")] filter: Option<RunFilterInput>,
        #[graphql(desc = "The order of the list.")] order_by: Option<RunOrder>,
        #[graphql(
            desc = "So many objects from the beginning of the list, or after `after`. Without `first` and `last`, a page of the usual size."
        )]
        first: Option<i32>,
        #[graphql(desc = "The cursor of the object that the page follows.")] after: Option<String>,
        #[graphql(desc = "So many objects from the end of the list, or before `before`. Not together with `first`.")]
        last: Option<i32>,
        #[graphql(desc = "The cursor of the object that the page precedes.")] before: Option<String>,
    ) -> Result<Connection<Run>, ApiError> {
        let source = Source::All { pages: |loaders| &loaders.runs, counts: |loaders| &loaders.run_count };
        let list = ListField {
            coordinate: "Query.runs",
            source,
            filter: filter.unwrap_or_default().into(),
            order: RunOrder::order(order_by),
        };
        paginate(context, list, PageParams { first, after, last, before }).await
    }

    /// The evaluation with this id.
    async fn evaluation(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The evaluation's id.")] id: ID,
    ) -> Option<Result<Evaluation, ApiError>> {
        let evaluation = async {
            let id = NodeType::Evaluation.decode(&id, "id")?;
            Evaluation::load(context, id, selection::of_object(context, Evaluation::COLUMNS)).await
        };
        evaluation.await.transpose()
    }

    /// Evaluations.
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
    ) -> Result<Connection<Evaluation>, ApiError> {
        let source = Source::All { pages: |loaders| &loaders.evaluations, counts: |loaders| &loaders.evaluation_count };
        let params = PageParams { first, after, last, before };
        Evaluation::page(context, "Query.evaluations", source, filter, order_by, params).await
    }

    /// The test result with this id.
    async fn test_result(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The test result's id.")] id: ID,
    ) -> Option<Result<TestResult, ApiError>> {
        let result = async {
            let id = NodeType::TestResult.decode(&id, "id")?;
            TestResult::load(context, id, selection::of_object(context, TestResult::COLUMNS)).await
        };
        result.await.transpose()
    }

    /// The template with this id, or with this name; give one of the two.
    async fn prompt_template(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The template's id.")] id: Option<ID>,
        #[graphql(desc = "The template's name.")] name: Option<String>,
    ) -> Option<Result<PromptTemplate, ApiError>> {
        let columns = selection::of_object(context, PromptTemplate::COLUMNS);
        let template = async {
            match (id, name) {
                (Some(id), None) => {
                    PromptTemplate::load(context, NodeType::PromptTemplate.decode(&id, "id")?, columns).await
                }
                (None, Some(name)) => {
                    let row = loaders(context).template_by_name.load(TemplateNameKey { name, columns }).await?;
                    Ok(row.map(PromptTemplate::new))
                }
                _ => Err(ApiError::argument("id", "give either `id` or `name`")),
            }
        };
        template.await.transpose()
    }

    /// Templates.
    #[allow(clippy::too_many_arguments, reason = "they are the arguments of the field")]
    async fn prompt_templates(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Only those of exactly this category.")] category: Option<String>,
        #[graphql(desc = "The order of the list.")] order_by: Option<PromptTemplateOrder>,
        #[graphql(
            desc = "So many objects from the beginning of the list, or after `after`. Without `first` and `last`, a page of the usual size."
        )]
        first: Option<i32>,
        #[graphql(desc = "The cursor of the object that the page follows.")] after: Option<String>,
        #[graphql(desc = "So many objects from the end of the list, or before `before`. Not together with `first`.")]
        last: Option<i32>,
        #[graphql(desc = "The cursor of the object that the page precedes.")] before: Option<String>,
    ) -> Result<Connection<PromptTemplate>, ApiError> {
        let source = Source::All { pages: |loaders| &loaders.templates, counts: |loaders| &loaders.template_count };
        let list = ListField {
            coordinate: "Query.promptTemplates",
            source,
            filter: TemplateFilter { category },
            order: PromptTemplateOrder::order(order_by),
        };
        paginate(context, list, PageParams { first, after, last, before }).await
    }

    /// One evaluation held against another: which test cases were fixed, which regressed, and all others. Null when one of
    /// the two does not exist.
    async fn compare_evaluations(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The id of the evaluation that was before.")] baseline: ID,
        #[graphql(desc = "The id of the evaluation that is to be judged.")] candidate: ID,
    ) -> Option<Result<EvaluationComparison, ApiError>> {
        let comparison = async {
            let baseline = NodeType::Evaluation.decode(&baseline, "baseline")?;
            let candidate = NodeType::Evaluation.decode(&candidate, "candidate")?;
            EvaluationComparison::load(context, baseline, candidate).await
        };
        comparison.await.transpose()
    }

    /// The prompt versions with the highest mean scores, the best first. Of equal means that of more evaluations goes
    /// first.
    async fn prompt_leaderboard(
        &self,
        context: &Context<'_>,
        #[graphql(
            default_with = "Some(DEFAULT_MIN_EVALUATIONS)",
            desc = "Only versions with at least so many completed evaluations that have a score, from 1."
        )]
        min_evaluations: Option<i32>,
        #[graphql(default_with = "Some(DEFAULT_LIMIT)", desc = "At most so many: from 0 to the size of a page.")]
        limit: Option<i32>,
    ) -> Result<Vec<PromptRanking>, ApiError> {
        let min_evaluations = min_evaluations.unwrap_or(DEFAULT_MIN_EVALUATIONS);
        if min_evaluations < 1 {
            return Err(ApiError::argument("minEvaluations", format!("must be at least 1, not {min_evaluations}")));
        }
        PromptRanking::load(context, min_evaluations.into(), leaderboard_length(context, limit)?).await
    }

    /// The models with the highest mean scores over the completed evaluations that the viewer may see, the best first;
    /// models without a score come last. Of equal means that of more evaluations goes first. Evaluations of deleted
    /// prompts, and those of which provider or model are not known, do not count.
    async fn model_leaderboard(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Only evaluations of this prompt version.")] prompt_id: Option<ID>,
        #[graphql(desc = "Only evaluations created at this time or later.")] since: Option<Timestamp>,
        #[graphql(default_with = "Some(DEFAULT_LIMIT)", desc = "At most so many: from 0 to the size of a page.")]
        limit: Option<i32>,
    ) -> Result<Vec<ModelRanking>, ApiError> {
        let prompt = prompt_id.map(|id| NodeType::Prompt.decode(&id, "promptId")).transpose()?.map(Into::into);
        let limit = leaderboard_length(context, limit)?;
        ModelRanking::load(context, ModelQuestion { prompt, since, limit }).await
    }

    /// Figures about everything that the viewer may see.
    async fn statistics(&self, context: &Context<'_>) -> Result<Statistics, ApiError> {
        Ok(Statistics(loaders(context).statistics.load(()).await?))
    }

    /// What was changed, by whom, when and from where, the newest first. For administrators alone: for others, and when the list
    /// cannot be read, null. Changes that were refused, and requests that changed nothing, are not in it.
    #[allow(clippy::too_many_arguments, reason = "they are the arguments of the field")]
    async fn audit_log(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which entries are wanted: all by default.")] filter: Option<AuditLogFilterInput>,
        #[graphql(
            desc = "So many objects from the beginning of the list, or after `after`. Without `first` and `last`, a page of the usual size."
        )]
        first: Option<i32>,
        #[graphql(desc = "The cursor of the object that the page follows.")] after: Option<String>,
        #[graphql(desc = "So many objects from the end of the list, or before `before`. Not together with `first`.")]
        last: Option<i32>,
        #[graphql(desc = "The cursor of the object that the page precedes.")] before: Option<String>,
    ) -> Option<Result<Connection<AuditEntry>, ApiError>> {
        let page = async {
            if !scope(context).context.principal.is_admin {
                return Err(ApiError::Forbidden("auditLog is for administrators alone"));
            }
            let list = ListField {
                coordinate: "Query.auditLog",
                source: Source::All { pages: |loaders| &loaders.audit_log, counts: |loaders| &loaders.audit_count },
                filter: filter.unwrap_or_default().try_into()?,
                order: Order::descending(AuditOrderField::CreatedAt),
            };
            paginate(context, list, PageParams { first, after, last, before }).await
        };
        Some(page.await)
    }
}
