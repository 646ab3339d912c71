//! What is said of test results that are to be recorded.

use async_graphql::InputObject;

use super::values::{object, optional_text};
use crate::db::test_results::ResultContent;
use crate::domain::TestOutcome;
use crate::graphql::scalars::JsonScalar;
use crate::writes::{Checks, Refusal};

/// A test result that is to be recorded. What became of the case is said by `outcome` or by `passed`: by one of them.
#[derive(InputObject)]
pub struct TestResultInput {
    /// The name of the test case: 1 to 255 characters.
    test_case_name: String,
    /// The variables of the case, as a rule a JSON object. Together with the name they are what the case is known by in
    /// other evaluations; results of the same case in one evaluation are repetitions, numbered as they come.
    input_data: JsonScalar,
    /// What was hoped for.
    expected_output: Option<String>,
    /// What came.
    actual_output: Option<String>,
    /// The score: any finite number. That of a skipped case does not count.
    score: f64,
    /// What became of the case.
    outcome: Option<TestOutcome>,
    /// True stands for the outcome PASSED, false for FAILED.
    passed: Option<bool>,
    /// The grader's words.
    reason: Option<String>,
    /// What the client calls the result: 1 to 255 characters, unique among those of the evaluation. A result of the
    /// same name and content, recorded before or given earlier in the same list, is not recorded again, so that a request
    /// can be repeated; with another content it is a `CONFLICT`.
    external_id: Option<String>,
    /// Scores by metric: a JSON object of numbers.
    named_scores: Option<JsonScalar>,
    /// Whatever else is known about the result: a JSON object. Whole numbers under `prompt_tokens` and `completion_tokens`
    /// count in the totals of the evaluation.
    metadata: Option<JsonScalar>,
    /// How long the answer took, in milliseconds: 0 or more.
    latency_ms: Option<i32>,
    /// The tokens of prompt and answer: 0 or more.
    token_count: Option<i32>,
    /// What the answer cost, in US dollars: from 0 to a billion.
    cost_usd: Option<f64>,
    /// Why there was no answer.
    error_message: Option<String>,
}

impl TestResultInput {
    /// The results that are meant.
    ///
    /// # Errors
    /// With all that is wrong.
    pub fn read_all(inputs: Vec<Self>) -> Result<Vec<ResultContent>, Refusal> {
        let mut checks = Checks::default();
        let read = |(index, input): (usize, Self)| {
            checks.item(index);
            input.read(&mut checks)
        };
        let results = inputs.into_iter().enumerate().map(read).collect();
        checks.finish().map(|()| results)
    }

    fn read(self, checks: &mut Checks) -> ResultContent {
        checks.short_text("testCaseName", &self.test_case_name);
        checks.finite("score", self.score);
        let outcome = self.read_outcome(checks);
        optional_text(checks, "externalId", self.external_id.as_deref());
        let named_scores = object(checks, "namedScores", self.named_scores);
        checks.numbers("namedScores", &named_scores);
        let metadata = object(checks, "metadata", self.metadata);
        checks.count("latencyMs", self.latency_ms);
        checks.count("tokenCount", self.token_count);
        checks.cost("costUsd", self.cost_usd);
        let JsonScalar(input_data) = self.input_data;
        ResultContent {
            external_id: self.external_id,
            test_case_name: self.test_case_name,
            input_data,
            expected_output: self.expected_output,
            actual_output: self.actual_output,
            score: self.score,
            outcome,
            reason: self.reason,
            latency_ms: self.latency_ms,
            token_count: self.token_count,
            cost_usd: self.cost_usd,
            named_scores,
            metadata,
            error_message: self.error_message,
        }
    }

    fn read_outcome(&self, checks: &mut Checks) -> TestOutcome {
        match (self.outcome, self.passed) {
            (Some(outcome), None) => outcome,
            (None, Some(true)) => TestOutcome::Passed,
            (None, Some(false)) => TestOutcome::Failed,
            (None, None) => {
                checks.fault("outcome", "must be given, or `passed` in its place");
                TestOutcome::Skipped
            }
            (Some(outcome), Some(_)) => {
                checks.fault("passed", "must not be given together with `outcome`");
                outcome
            }
        }
    }
}
