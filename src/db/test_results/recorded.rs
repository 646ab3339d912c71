//! What is known already of results that are recorded.

use diesel::dsl::max;
use diesel::prelude::*;
use diesel::result::QueryResult;
use diesel_async::RunQueryDsl;

use crate::db::backend::on_backend;
use crate::db::connection::DbConnection;
use crate::db::lists::any_text;
use crate::db::schema::test_results;
use crate::db::types::Json;
use crate::domain::{EvaluationId, TestOutcome};

/// What is said of a result when it is recorded.
#[derive(Debug, Clone, Queryable)]
#[allow(missing_docs, reason = "the fields are those of `NewTestResult`")]
pub struct ResultContent {
    pub external_id: Option<String>,
    pub test_case_name: String,
    pub input_data: Json,
    pub expected_output: Option<String>,
    pub actual_output: Option<String>,
    pub score: f64,
    pub outcome: TestOutcome,
    pub reason: Option<String>,
    pub latency_ms: Option<i32>,
    pub token_count: Option<i32>,
    pub cost_usd: Option<f64>,
    pub named_scores: Json,
    pub metadata: Json,
    pub error_message: Option<String>,
}

/// The results of an evaluation that the client calls so.
///
/// # Errors
/// When the statement fails.
pub async fn recorded(
    connection: &mut DbConnection,
    evaluation: EvaluationId,
    external_ids: Vec<String>,
) -> QueryResult<Vec<ResultContent>> {
    let statement = test_results::table
        .filter(test_results::evaluation_id.eq(evaluation))
        .filter(any_text(test_results::external_id, external_ids))
        .select((
            test_results::external_id,
            test_results::test_case_name,
            test_results::input_data,
            test_results::expected_output,
            test_results::actual_output,
            test_results::score,
            test_results::outcome,
            test_results::reason,
            test_results::latency_ms,
            test_results::token_count,
            test_results::cost_usd,
            test_results::named_scores,
            test_results::metadata,
            test_results::error_message,
        ));
    on_backend!(connection, |inner| statement.load(inner).await)
}

/// The cases of an evaluation with these names: name, hash, and the number of the last repetition.
///
/// # Errors
/// When the statement fails.
pub async fn last_repetitions(
    connection: &mut DbConnection,
    evaluation: EvaluationId,
    names: Vec<String>,
) -> QueryResult<Vec<(String, Option<String>, Option<i32>)>> {
    let case = (test_results::test_case_name, test_results::case_hash);
    let statement = test_results::table
        .filter(test_results::evaluation_id.eq(evaluation))
        .filter(any_text(test_results::test_case_name, names))
        .group_by(case)
        .select((test_results::test_case_name, test_results::case_hash, max(test_results::repetition)));
    on_backend!(connection, |inner| statement.load(inner).await)
}
