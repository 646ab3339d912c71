//! Evaluations.

use std::sync::Arc;

use async_graphql::{Context, ID, Object};
use uuid::Uuid;

use super::{Prompt, Run, TestResult, int, read};
use crate::db::columns::ColumnSet;
use crate::db::evaluations::{EvaluationRow, Evaluations, evaluation_columns};
use crate::domain::{EvaluationId, EvaluationStatus, Timestamp, rate};
use crate::graphql::connection::{Connection, GraphNode, ListField, Source, paginate};
use crate::graphql::error::ApiError;
use crate::graphql::global_id::NodeType;
use crate::graphql::inputs::{EvaluationFilterInput, EvaluationOrder, TestResultFilterInput, TestResultOrder};
use crate::graphql::pagination::PageParams;
use crate::graphql::scalars::JsonScalar;
use crate::graphql::scope::loaders;
use crate::graphql::selection::{self, FieldColumns};
use crate::graphql::written::Writable;
use crate::loaders::RowKey;

/// One prompt version with one provider and model over a set of test cases.
pub struct Evaluation(Arc<EvaluationRow>);

impl Writable for Evaluation {
    const AT_HAND: &'static [&'static str] = &[
        "id",
        "position",
        "providerLabel",
        "testSuiteId",
        "externalId",
        "status",
        "provider",
        "model",
        "overallScore",
        "metrics",
        "totalTests",
        "passedTests",
        "failedTests",
        "erroredTests",
        "passRate",
        "totalCostUsd",
        "totalTokens",
        "averageLatencyMs",
        "executionTimeMs",
        "errorMessage",
        "createdAt",
        "startedAt",
        "completedAt",
        "updatedAt",
    ];
}

impl GraphNode for Evaluation {
    type Entity = Evaluations;
    const COLUMNS: FieldColumns = &[
        ("providerLabel", evaluation_columns::PROVIDER_LABEL),
        ("testSuiteId", evaluation_columns::TEST_SUITE_ID),
        ("externalId", evaluation_columns::EXTERNAL_ID),
        ("status", evaluation_columns::STATUS),
        ("provider", evaluation_columns::PROVIDER),
        ("model", evaluation_columns::MODEL),
        ("metrics", evaluation_columns::METRICS),
        ("totalTests", evaluation_columns::TOTAL_TESTS),
        ("passedTests", evaluation_columns::PASSED_TESTS),
        ("failedTests", evaluation_columns::FAILED_TESTS),
        ("erroredTests", evaluation_columns::ERRORED_TESTS),
        (
            "passRate",
            evaluation_columns::PASSED_TESTS
                .and(evaluation_columns::FAILED_TESTS)
                .and(evaluation_columns::ERRORED_TESTS),
        ),
        ("totalCostUsd", evaluation_columns::COST_USD),
        ("totalTokens", evaluation_columns::TOTAL_TOKENS),
        ("averageLatencyMs", evaluation_columns::TIMED_TESTS.and(evaluation_columns::TOTAL_LATENCY_MS)),
        ("errorMessage", evaluation_columns::ERROR_MESSAGE),
        ("startedAt", evaluation_columns::STARTED_AT),
        ("completedAt", evaluation_columns::COMPLETED_AT),
        ("updatedAt", evaluation_columns::UPDATED_AT),
        ("prompt", evaluation_columns::PROMPT_ID),
        ("run", evaluation_columns::RUN_ID),
    ];

    fn new(row: Arc<EvaluationRow>) -> Self {
        Self(row)
    }
}

impl Evaluation {
    /// The evaluation, unless it does not exist or belongs to somebody else.
    pub async fn load(context: &Context<'_>, id: Uuid, columns: ColumnSet) -> Result<Option<Self>, ApiError> {
        let row = loaders(context).evaluation_by_id.load(RowKey { id, columns }).await?;
        Ok(row.map(Self))
    }

    pub(super) async fn related(context: &Context<'_>, id: EvaluationId) -> Result<Option<Self>, ApiError> {
        Self::load(context, id.into(), selection::of_object(context, Self::COLUMNS)).await
    }

    /// A page of a list of evaluations.
    pub async fn page(
        context: &Context<'_>,
        coordinate: &'static str,
        source: Source<Evaluations>,
        filter: Option<EvaluationFilterInput>,
        order_by: Option<EvaluationOrder>,
        params: PageParams,
    ) -> Result<Connection<Self>, ApiError> {
        let filter = filter.unwrap_or_default().try_into()?;
        let list = ListField { coordinate, source, filter, order: EvaluationOrder::order(order_by) };
        paginate(context, list, params).await
    }
}

/// One prompt version with one provider and model, run over a set of test cases.
#[Object]
impl Evaluation {
    /// The id: opaque, and unique among all objects.
    pub async fn id(&self) -> ID {
        NodeType::Evaluation.encode(self.0.id)
    }

    /// The prompt version that was evaluated; null when it was deleted.
    async fn prompt(&self, context: &Context<'_>) -> Option<Result<Prompt, ApiError>> {
        let prompt = async { Prompt::related(context, *read(&self.0.prompt_id, "Evaluation.prompt")?).await };
        prompt.await.transpose()
    }

    /// The run that the evaluation is part of; null when it was recorded by itself.
    async fn run(&self, context: &Context<'_>) -> Option<Result<Run, ApiError>> {
        Run::related(context, self.0.run_id?).await.transpose()
    }

    /// The place of the evaluation among those of its run, counted from 0; null outside of a run.
    async fn position(&self) -> Option<i32> {
        self.0.position
    }

    /// What the tool shows for the provider; null when nobody said.
    async fn provider_label(&self) -> Option<&str> {
        self.0.provider_label.as_deref()
    }

    /// The set of test cases, as the client names it; null when nobody said.
    async fn test_suite_id(&self) -> Option<&str> {
        self.0.test_suite_id.as_deref()
    }

    /// What the client calls the evaluation; null when it has no name for it. Unique per prompt version.
    async fn external_id(&self) -> Option<&str> {
        self.0.external_id.as_deref()
    }

    /// Where the evaluation is in its life.
    async fn status(&self) -> Result<EvaluationStatus, ApiError> {
        read(&self.0.status, "Evaluation.status").copied()
    }

    /// Who runs the model, such as `openai`; null when nobody said.
    async fn provider(&self) -> Option<&str> {
        self.0.provider.as_deref()
    }

    /// The model; null when nobody said.
    async fn model(&self) -> Option<&str> {
        self.0.model.as_deref()
    }

    /// The score of the whole: any finite number, as a rule the mean of the results; null as long as there is none.
    async fn overall_score(&self) -> Option<f64> {
        self.0.overall_score
    }

    /// Whatever was measured beside the score: a JSON object.
    async fn metrics(&self) -> Result<JsonScalar, ApiError> {
        read(&self.0.metrics, "Evaluation.metrics").cloned().map(JsonScalar)
    }

    /// Test results in all.
    async fn total_tests(&self) -> Result<i32, ApiError> {
        read(&self.0.total_tests, "Evaluation.totalTests").copied()
    }

    /// Test results that passed.
    async fn passed_tests(&self) -> Result<i32, ApiError> {
        read(&self.0.passed_tests, "Evaluation.passedTests").copied()
    }

    /// Test results that failed: an assertion said no.
    async fn failed_tests(&self) -> Result<i32, ApiError> {
        read(&self.0.failed_tests, "Evaluation.failedTests").copied()
    }

    /// Test results without an answer to judge.
    async fn errored_tests(&self) -> Result<i32, ApiError> {
        read(&self.0.errored_tests, "Evaluation.erroredTests").copied()
    }

    /// Passed results among those that passed, failed or errored, from 0 to 1; null when there are none.
    async fn pass_rate(&self) -> Option<Result<f64, ApiError>> {
        let count = |column| read(column, "Evaluation.passRate").copied().map(i64::from);
        let counts = || Ok((count(&self.0.passed_tests)?, count(&self.0.failed_tests)?, count(&self.0.errored_tests)?));
        counts().map(|(passed, failed, errored)| rate(passed, passed + failed + errored)).transpose()
    }

    /// What the answers cost in all, in US dollars; null when nobody said.
    async fn total_cost_usd(&self) -> Option<f64> {
        self.0.cost_usd
    }

    /// Tokens of prompts and answers in all; null when nobody said.
    async fn total_tokens(&self) -> Option<Result<i32, ApiError>> {
        self.0.total_tokens.map(|tokens| int(tokens, "Evaluation.totalTokens"))
    }

    /// The mean latency of the results that have one, in milliseconds; null when none has.
    async fn average_latency_ms(&self) -> Option<Result<f64, ApiError>> {
        let timed = read(&self.0.timed_tests, "Evaluation.averageLatencyMs");
        timed.map(|&timed| rate(self.0.total_latency_ms?, timed.into())).transpose()
    }

    /// How long the evaluation took, in milliseconds; null when nobody said.
    async fn execution_time_ms(&self) -> Option<i32> {
        self.0.execution_time_ms
    }

    /// Why the evaluation failed; null when it did not.
    async fn error_message(&self) -> Option<&str> {
        self.0.error_message.as_deref()
    }

    /// When the evaluation was created.
    async fn created_at(&self) -> Timestamp {
        self.0.created_at
    }

    /// When the evaluation began; null when it has not, or nobody said.
    async fn started_at(&self) -> Option<Timestamp> {
        self.0.started_at
    }

    /// When the evaluation ended; null when it has not, or nobody said.
    async fn completed_at(&self) -> Option<Timestamp> {
        self.0.completed_at
    }

    /// When the evaluation was last changed.
    async fn updated_at(&self) -> Result<Timestamp, ApiError> {
        read(&self.0.updated_at, "Evaluation.updatedAt").copied()
    }

    /// The test results of the evaluation.
    #[allow(clippy::too_many_arguments, reason = "they are the arguments of the field")]
    async fn test_results(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which objects are wanted: all by default.")] filter: Option<TestResultFilterInput>,
        #[graphql(desc = "The order of the list.")] order_by: Option<TestResultOrder>,
        #[graphql(
            desc = "So many objects from the beginning of the list, or after `after`. Without `first` and `last`, a page of the usual size."
        )]
        first: Option<i32>,
        #[graphql(desc = "The cursor of the object that the page follows.")] after: Option<String>,
        #[graphql(desc = "So many objects from the end of the list, or before `before`. Not together with `first`.")]
        last: Option<i32>,
        #[graphql(desc = "The cursor of the object that the page precedes.")] before: Option<String>,
    ) -> Option<Result<Connection<TestResult>, ApiError>> {
        let filter = match filter.unwrap_or_default().try_into() {
            Ok(filter) => filter,
            Err(error) => return Some(Err(error)),
        };
        let source = Source::Under {
            parent: self.0.id.into(),
            pages: |loaders| &loaders.test_results_by_evaluation,
            counts: |loaders| &loaders.test_result_count_by_evaluation,
        };
        let order = TestResultOrder::order(order_by);
        let list = ListField { coordinate: "Evaluation.testResults", source, filter, order };
        Some(paginate(context, list, PageParams { first, after, last, before }).await)
    }
}
