//! Test results.

use std::sync::Arc;

use async_graphql::{Context, ID, Object};
use uuid::Uuid;

use super::{Evaluation, read};
use crate::db::columns::ColumnSet;
use crate::db::test_results::{TestResultRow, TestResults, test_result_columns};
use crate::domain::{TestOutcome, Timestamp};
use crate::graphql::connection::GraphNode;
use crate::graphql::error::ApiError;
use crate::graphql::global_id::NodeType;
use crate::graphql::scalars::JsonScalar;
use crate::graphql::scope::loaders;
use crate::graphql::selection::FieldColumns;
use crate::graphql::written::Writable;
use crate::loaders::RowKey;

/// The outcome of one test case in one evaluation.
pub struct TestResult(Arc<TestResultRow>);

impl Writable for TestResult {
    const AT_HAND: &'static [&'static str] = &[
        "id",
        "testCaseName",
        "inputData",
        "expectedOutput",
        "actualOutput",
        "renderedPrompt",
        "score",
        "outcome",
        "passed",
        "reason",
        "repetition",
        "externalId",
        "namedScores",
        "metadata",
        "latencyMs",
        "tokenCount",
        "costUsd",
        "errorMessage",
        "createdAt",
        "updatedAt",
    ];
}

impl GraphNode for TestResult {
    type Entity = TestResults;
    const COLUMNS: FieldColumns = &[
        ("testCaseName", test_result_columns::TEST_CASE_NAME),
        ("inputData", test_result_columns::INPUT_DATA),
        ("expectedOutput", test_result_columns::EXPECTED_OUTPUT),
        ("actualOutput", test_result_columns::ACTUAL_OUTPUT),
        ("renderedPrompt", test_result_columns::RENDERED_PROMPT),
        ("outcome", test_result_columns::OUTCOME),
        ("passed", test_result_columns::PASSED),
        ("reason", test_result_columns::REASON),
        ("repetition", test_result_columns::REPETITION),
        ("externalId", test_result_columns::EXTERNAL_ID),
        ("namedScores", test_result_columns::NAMED_SCORES),
        ("metadata", test_result_columns::METADATA),
        ("tokenCount", test_result_columns::TOKEN_COUNT),
        ("costUsd", test_result_columns::COST_USD),
        ("errorMessage", test_result_columns::ERROR_MESSAGE),
        ("updatedAt", test_result_columns::UPDATED_AT),
        ("evaluation", test_result_columns::EVALUATION_ID),
    ];

    fn new(row: Arc<TestResultRow>) -> Self {
        Self(row)
    }
}

impl TestResult {
    /// The test result, unless it does not exist or belongs to somebody else.
    pub async fn load(context: &Context<'_>, id: Uuid, columns: ColumnSet) -> Result<Option<Self>, ApiError> {
        let row = loaders(context).test_result_by_id.load(RowKey { id, columns }).await?;
        Ok(row.map(Self))
    }
}

/// The outcome of one test case in one evaluation.
#[Object]
impl TestResult {
    /// The id: opaque, and unique among all objects.
    pub async fn id(&self) -> ID {
        NodeType::TestResult.encode(self.0.id)
    }

    /// The evaluation that the result is part of.
    async fn evaluation(&self, context: &Context<'_>) -> Option<Result<Evaluation, ApiError>> {
        let evaluation =
            async { Evaluation::related(context, *read(&self.0.evaluation_id, "TestResult.evaluation")?).await };
        evaluation.await.transpose()
    }

    /// The name of the test case. It is known by it across evaluations.
    async fn test_case_name(&self) -> Result<&String, ApiError> {
        read(&self.0.test_case_name, "TestResult.testCaseName")
    }

    /// The variables of the test case.
    async fn input_data(&self) -> Result<JsonScalar, ApiError> {
        read(&self.0.input_data, "TestResult.inputData").cloned().map(JsonScalar)
    }

    /// What was hoped for; null when the test case has no such text.
    async fn expected_output(&self) -> Option<&str> {
        self.0.expected_output.as_deref()
    }

    /// What came back; null when nothing did.
    async fn actual_output(&self) -> Option<&str> {
        self.0.actual_output.as_deref()
    }

    /// The prompt as it was sent, with its variables filled in; null when nobody said.
    async fn rendered_prompt(&self) -> Option<&str> {
        self.0.rendered_prompt.as_deref()
    }

    /// The score: any finite number. A failed result may have one above 0.
    async fn score(&self) -> f64 {
        self.0.score
    }

    /// What became of the test case.
    async fn outcome(&self) -> Result<TestOutcome, ApiError> {
        read(&self.0.outcome, "TestResult.outcome").copied()
    }

    /// Whether the outcome is PASSED.
    async fn passed(&self) -> Result<bool, ApiError> {
        read(&self.0.passed, "TestResult.passed").copied()
    }

    /// The grader's words; null when there are none.
    async fn reason(&self) -> Option<&str> {
        self.0.reason.as_deref()
    }

    /// How many equal test cases come before this one in the evaluation: 0 unless cases are repeated.
    async fn repetition(&self) -> Result<i32, ApiError> {
        read(&self.0.repetition, "TestResult.repetition").copied()
    }

    /// What the client calls the result; null when it has no name for it. Unique per evaluation.
    async fn external_id(&self) -> Option<&str> {
        self.0.external_id.as_deref()
    }

    /// Scores by metric: a JSON object of numbers.
    async fn named_scores(&self) -> Result<JsonScalar, ApiError> {
        read(&self.0.named_scores, "TestResult.namedScores").cloned().map(JsonScalar)
    }

    /// Whatever else is known about the result: a JSON object.
    async fn metadata(&self) -> Result<JsonScalar, ApiError> {
        read(&self.0.metadata, "TestResult.metadata").cloned().map(JsonScalar)
    }

    /// How long the answer took, in milliseconds; null when nobody said.
    async fn latency_ms(&self) -> Option<i32> {
        self.0.latency_ms
    }

    /// Tokens of prompt and answer; null when nobody said.
    async fn token_count(&self) -> Option<i32> {
        self.0.token_count
    }

    /// What the answer cost, in US dollars; null when nobody said.
    async fn cost_usd(&self) -> Option<f64> {
        self.0.cost_usd
    }

    /// Why there was no answer to judge; null unless the outcome is ERRORED.
    async fn error_message(&self) -> Option<&str> {
        self.0.error_message.as_deref()
    }

    /// When the result was recorded.
    async fn created_at(&self) -> Timestamp {
        self.0.created_at
    }

    /// When the result was last changed.
    async fn updated_at(&self) -> Result<Timestamp, ApiError> {
        read(&self.0.updated_at, "TestResult.updatedAt").copied()
    }
}
