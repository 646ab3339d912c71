//! Runs.

use std::sync::Arc;

use async_graphql::{Context, ID, Object};
use uuid::Uuid;

use super::{Evaluation, int, read};
use crate::db::columns::ColumnSet;
use crate::db::runs::{RunRow, Runs, run_columns};
use crate::db::totals::RunTotals;
use crate::domain::{EvaluationStatus, RunId, RunSource, Timestamp};
use crate::graphql::connection::{Connection, GraphNode, Source};
use crate::graphql::error::ApiError;
use crate::graphql::global_id::NodeType;
use crate::graphql::inputs::{EvaluationFilterInput, EvaluationOrder};
use crate::graphql::pagination::PageParams;
use crate::graphql::scalars::JsonScalar;
use crate::graphql::scope::loaders;
use crate::graphql::selection::{self, FieldColumns};
use crate::graphql::written::Writable;
use crate::loaders::RowKey;

/// One run of a tool.
pub struct Run(Arc<RunRow>);

impl Writable for Run {
    const AT_HAND: &'static [&'static str] = &[
        "id",
        "userId",
        "externalId",
        "source",
        "sourceVersion",
        "name",
        "description",
        "tags",
        "git",
        "metadata",
        "status",
        "isBaseline",
        "durationMs",
        "createdAt",
        "startedAt",
        "completedAt",
    ];
}

impl GraphNode for Run {
    type Entity = Runs;
    const COLUMNS: FieldColumns = &[
        ("userId", run_columns::USER_ID),
        ("externalId", run_columns::EXTERNAL_ID),
        ("source", run_columns::SOURCE),
        ("sourceVersion", run_columns::SOURCE_VERSION),
        ("description", run_columns::DESCRIPTION),
        ("tags", run_columns::TAGS),
        ("git", run_columns::GIT),
        ("metadata", run_columns::METADATA),
        ("status", run_columns::STATUS),
        ("isBaseline", run_columns::IS_BASELINE),
        ("durationMs", run_columns::DURATION_MS),
        ("startedAt", run_columns::STARTED_AT),
        ("completedAt", run_columns::COMPLETED_AT),
    ];

    fn new(row: Arc<RunRow>) -> Self {
        Self(row)
    }
}

impl Run {
    async fn totals(&self, context: &Context<'_>) -> Result<RunTotals, ApiError> {
        Ok(loaders(context).run_totals.load(self.0.id.into()).await?)
    }

    async fn count(
        &self,
        context: &Context<'_>,
        field: &'static str,
        count: fn(&RunTotals) -> i64,
    ) -> Option<Result<i32, ApiError>> {
        let count = async { int(count(&self.totals(context).await?), field) };
        Some(count.await)
    }

    /// The run, unless it does not exist or belongs to somebody else.
    pub async fn load(context: &Context<'_>, id: Uuid, columns: ColumnSet) -> Result<Option<Self>, ApiError> {
        let row = loaders(context).run_by_id.load(RowKey { id, columns }).await?;
        Ok(row.map(Self))
    }

    pub(super) async fn related(context: &Context<'_>, id: RunId) -> Result<Option<Self>, ApiError> {
        Self::load(context, id.into(), selection::of_object(context, Self::COLUMNS)).await
    }
}

/// One run of a tool: prompts × providers × tests, executed together. It holds evaluations.
#[Object]
impl Run {
    /// The id: opaque, and unique among all objects.
    pub async fn id(&self) -> ID {
        NodeType::Run.encode(self.0.id)
    }

    /// The user whom the run belongs to.
    async fn user_id(&self) -> Result<&String, ApiError> {
        read(&self.0.user_id, "Run.userId")
    }

    /// What the tool that made the run calls it; null when it has no name for it.
    async fn external_id(&self) -> Option<&str> {
        self.0.external_id.as_deref()
    }

    /// Where the run came from.
    async fn source(&self) -> Result<RunSource, ApiError> {
        read(&self.0.source, "Run.source").copied()
    }

    /// The version of the tool that made the run; null when it did not say.
    async fn source_version(&self) -> Option<&str> {
        self.0.source_version.as_deref()
    }

    /// What people call the run.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// What the run was about; null when nobody said.
    async fn description(&self) -> Option<&str> {
        self.0.description.as_deref()
    }

    /// Labels: a JSON object of texts.
    async fn tags(&self) -> Result<JsonScalar, ApiError> {
        read(&self.0.tags, "Run.tags").cloned().map(JsonScalar)
    }

    /// The state of the code that was tested, such as commit and branch; null when nobody said.
    async fn git(&self) -> Option<JsonScalar> {
        self.0.git.clone().map(JsonScalar)
    }

    /// Whatever else is known about the run: a JSON object.
    async fn metadata(&self) -> Result<JsonScalar, ApiError> {
        read(&self.0.metadata, "Run.metadata").cloned().map(JsonScalar)
    }

    /// Where the run is in its life.
    async fn status(&self) -> Result<EvaluationStatus, ApiError> {
        read(&self.0.status, "Run.status").copied()
    }

    /// Whether other runs are compared with this one.
    async fn is_baseline(&self) -> Result<bool, ApiError> {
        read(&self.0.is_baseline, "Run.isBaseline").copied()
    }

    /// How long the run took, in milliseconds; null when nobody said.
    async fn duration_ms(&self) -> Option<Result<i32, ApiError>> {
        self.0.duration_ms.map(|duration| int(duration, "Run.durationMs"))
    }

    /// When the run was created.
    async fn created_at(&self) -> Timestamp {
        self.0.created_at
    }

    /// When the run began; null when it has not, or nobody said.
    async fn started_at(&self) -> Option<Timestamp> {
        self.0.started_at
    }

    /// When the run ended; null when it has not, or nobody said.
    async fn completed_at(&self) -> Option<Timestamp> {
        self.0.completed_at
    }

    /// The evaluations of the run.
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
            pages: |loaders| &loaders.evaluations_by_run,
            counts: |loaders| &loaders.evaluation_count_by_run,
        };
        let params = PageParams { first, after, last, before };
        Some(Evaluation::page(context, "Run.evaluations", source, filter, order_by, params).await)
    }
    /// How many results the evaluations of the run have.
    async fn total_tests(&self, context: &Context<'_>) -> Option<Result<i32, ApiError>> {
        self.count(context, "Run.totalTests", |totals| totals.total_tests).await
    }

    /// How many of them passed.
    async fn passed_tests(&self, context: &Context<'_>) -> Option<Result<i32, ApiError>> {
        self.count(context, "Run.passedTests", |totals| totals.passed_tests).await
    }

    /// How many failed: an assertion did not hold.
    async fn failed_tests(&self, context: &Context<'_>) -> Option<Result<i32, ApiError>> {
        self.count(context, "Run.failedTests", |totals| totals.failed_tests).await
    }

    /// How many errored: there was no answer to judge.
    async fn errored_tests(&self, context: &Context<'_>) -> Option<Result<i32, ApiError>> {
        self.count(context, "Run.erroredTests", |totals| totals.errored_tests).await
    }

    /// Passed results among those that passed, failed or errored, from 0 to 1; null when there are none.
    async fn pass_rate(&self, context: &Context<'_>) -> Option<Result<f64, ApiError>> {
        self.totals(context).await.map(|totals| totals.pass_rate()).transpose()
    }

    /// What the evaluations of the run cost together, in US dollars; null when that is known of none.
    async fn total_cost_usd(&self, context: &Context<'_>) -> Option<Result<f64, ApiError>> {
        self.totals(context).await.map(|totals| totals.cost_usd).transpose()
    }
}
