//! Test results.

mod recorded;

use std::collections::HashSet;

use diesel::dsl::not;
use diesel::prelude::*;
use diesel::result::QueryResult;
use diesel_async::RunQueryDsl;
use futures_util::future::BoxFuture;

use super::backend::on_backend;
use super::columns::{ColumnSet, row};
use super::conditions::Conditions;
use super::connection::DbConnection;
use super::entity::entity;
use super::lists::{any_id, any_text};
use super::raw::Raw;
use super::schema::{evaluations, prompts, test_results};
use super::types::Json;
use crate::domain::{EvaluationId, FiniteFloat, Principal, TestOutcome, TestResultId, TestResultOrderField, Timestamp};

pub use recorded::{ResultContent, last_repetitions, recorded};

row! {
    /// The outcome of one test case in one evaluation.
    pub struct TestResultRow of test_results {
        /// Its id.
        id: TestResultId,
        /// The place of the test in its suite.
        position: Option<i32>,
        /// Any finite number.
        score: f64,
        /// How long the answer took.
        latency_ms: Option<i32>,
        /// When it was created.
        created_at: Timestamp,
    }
    on demand test_result_columns {
        /// The evaluation.
        evaluation_id / EVALUATION_ID: EvaluationId,
        /// What the client calls it.
        external_id / EXTERNAL_ID: String,
        /// The name of the test case.
        test_case_name / TEST_CASE_NAME: String,
        /// Counted from 0 among equal cases of the evaluation.
        repetition / REPETITION: i32,
        /// What became of the case.
        outcome / OUTCOME: TestOutcome,
        /// Whether the outcome is `passed`.
        passed / PASSED: bool,
        /// Tokens of prompt and answer.
        token_count / TOKEN_COUNT: i32,
        /// What the answer cost.
        cost_usd / COST_USD: f64,
        /// When it was last changed.
        updated_at / UPDATED_AT: Timestamp,
        /// The variables of the case, as JSON.
        input_data / INPUT_DATA: Json,
        /// The prompt as it was sent.
        rendered_prompt / RENDERED_PROMPT: String,
        /// What was hoped for.
        expected_output / EXPECTED_OUTPUT: String,
        /// What came.
        actual_output / ACTUAL_OUTPUT: String,
        /// The grader's words.
        reason / REASON: String,
        /// Scores by metric: a JSON object of numbers.
        named_scores / NAMED_SCORES: Json,
        /// A JSON object.
        metadata / METADATA: Json,
        /// Why there was no answer.
        error_message / ERROR_MESSAGE: String,
    }
}

/// A test result to be stored.
#[derive(Debug, Clone, Insertable)]
#[diesel(table_name = test_results, treat_none_as_default_value = false)]
#[allow(missing_docs, reason = "the fields are those of `TestResultRow`, but for those that are explained")]
pub struct NewTestResult {
    pub id: TestResultId,
    pub evaluation_id: EvaluationId,
    pub external_id: Option<String>,
    pub position: Option<i32>,
    pub test_case_name: String,
    /// SHA-256 of the variables in canonical form, in hexadecimal; null without variables.
    pub case_hash: Option<String>,
    pub repetition: i32,
    pub input_data: Json,
    pub rendered_prompt: Option<String>,
    pub expected_output: Option<String>,
    pub actual_output: Option<String>,
    pub score: f64,
    pub outcome: TestOutcome,
    pub passed: bool,
    pub reason: Option<String>,
    pub latency_ms: Option<i32>,
    pub token_count: Option<i32>,
    pub cost_usd: Option<f64>,
    pub named_scores: Json,
    pub metadata: Json,
    pub error_message: Option<String>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// Which test results of a list are wanted.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct TestResultFilter {
    /// Only those that passed, or only those that did not.
    pub passed: Option<bool>,
    /// Only those with one of these outcomes.
    pub outcome: Option<Vec<TestOutcome>>,
    /// Only those with this score or a higher one.
    pub min_score: Option<FiniteFloat>,
    /// Only those with this score or a lower one.
    pub max_score: Option<FiniteFloat>,
    /// Only those of the test case of this name.
    pub test_case_name: Option<String>,
}

/// The list of test results under a parent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TestResultParent {
    /// Those of an evaluation.
    Evaluation,
}

/// The table of test results.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TestResults;

entity!(TestResults, test_results, TestResultRow, TestResultFilter, TestResultOrderField {
    CreatedAt => created_at: Time,
    Position => position: OptionalCount,
    Score => score: Score,
    Latency => latency_ms: OptionalCount,
}, TestResultParent {
    Evaluation => evaluation_id,
});

/// A result belongs to the owner of its evaluation's prompt.
fn visible(principal: &Principal) -> Conditions<test_results::table> {
    let mut conditions = Conditions::default();
    if !principal.is_admin {
        // As for evaluations: looked up for each row, and not joined.
        let owner = evaluations::table
            .inner_join(prompts::table)
            .filter(evaluations::id.eq(test_results::evaluation_id))
            .select(prompts::user_id);
        conditions.require(owner.single_value().eq(principal.user_id.to_string()));
    }
    conditions
}

fn matching(principal: &Principal, filter: &TestResultFilter) -> Conditions<test_results::table> {
    let mut conditions = visible(principal);
    match filter.passed {
        Some(true) => conditions.require(test_results::passed),
        // Not as a parameter: in these words it is the condition of a partial index.
        Some(false) => conditions.require(not(test_results::passed)),
        None => {}
    }
    conditions.require_if(filter.outcome.as_deref(), |outcomes| {
        any_text(test_results::outcome, outcomes.iter().map(|outcome| outcome.as_str()))
    });
    conditions.require_if(filter.min_score, |score| test_results::score.ge(score.get()));
    conditions.require_if(filter.max_score, |score| test_results::score.le(score.get()));
    conditions.require_if(filter.test_case_name.clone(), |name| test_results::test_case_name.eq(name));
    conditions
}

/// Which of these results are there: their evaluations, and what the clients call them.
///
/// # Errors
/// When the statement fails.
pub async fn known(
    connection: &mut DbConnection,
    evaluations: &[EvaluationId],
    external_ids: Vec<String>,
) -> QueryResult<Vec<(EvaluationId, Option<String>)>> {
    let statement = test_results::table
        .filter(any_id(test_results::evaluation_id, evaluations.iter().copied()))
        .filter(any_text(test_results::external_id, external_ids))
        .select((test_results::evaluation_id, test_results::external_id));
    on_backend!(connection, |inner| statement.load(inner).await)
}

/// Counts the repetitions of the cases of these names, or of all, in an evaluation, in the order of the tests.
///
/// # Errors
/// When the statement fails.
pub async fn count_repetitions(
    connection: &mut DbConnection,
    evaluation: EvaluationId,
    names: Option<&HashSet<String>>,
    now: Timestamp,
) -> QueryResult<()> {
    let mut of_cases = Conditions::<test_results::table>::default();
    of_cases.require(test_results::evaluation_id.eq(evaluation));
    of_cases.require_if(names, |names| any_text(test_results::test_case_name, names));
    let statement: Raw<()> = Raw::new("UPDATE test_results SET repetition = counted.repetition, updated_at = ")
        .time(now)
        .sql(
            " FROM (SELECT id, CAST(ROW_NUMBER() OVER (PARTITION BY test_case_name, case_hash ORDER BY position, id) - 1 \
             AS INTEGER) AS repetition FROM test_results WHERE ",
        )
        .fragment(of_cases)
        .sql(
            ") AS counted WHERE test_results.id = counted.id AND test_results.repetition <> counted.repetition",
        );
    on_backend!(connection, |inner| statement.execute(inner).await).map(drop)
}

/// Whether a result of an evaluation cost more than this.
///
/// # Errors
/// When the statement fails.
pub async fn has_cost_above(connection: &mut DbConnection, evaluation: EvaluationId, cost: f64) -> QueryResult<bool> {
    let above = test_results::table
        .filter(test_results::evaluation_id.eq(evaluation))
        .filter(test_results::cost_usd.gt(cost))
        .select(test_results::id);
    let found: Option<TestResultId> = on_backend!(connection, |inner| above.first(inner).await.optional())?;
    Ok(found.is_some())
}
