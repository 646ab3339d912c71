//! What was imported, as rows of our tables.

use serde_json::{Map, Value};

use super::totals::{COMPLETION_TOKENS, Figures, PROMPT_TOKENS, told_tokens};
use super::{ImportedEvaluation, ImportedResult, ImportedRun, ImportedTokens};
use crate::db::evaluations::{EvaluationTotals, NewEvaluation};
use crate::db::runs::NewRun;
use crate::db::test_results::NewTestResult;
use crate::db::types::Json;
use crate::domain::{EvaluationId, PromptId, RunId, TestOutcome, TestResultId, Timestamp};

impl ImportedRun {
    /// When it ended, if it has and it is known how long it took.
    pub(super) fn completed_at(&self) -> Option<Timestamp> {
        self.duration_ms.filter(|_| !self.status.is_open()).map(|duration| self.started_at.plus_millis(duration))
    }
}

/// The row of a run.
pub(super) fn run_row(run: &ImportedRun, id: RunId, user_id: &str, now: Timestamp) -> NewRun {
    NewRun {
        id,
        user_id: user_id.to_owned(),
        external_id: Some(run.external_id.clone()),
        source: run.source,
        source_version: run.source_version.clone(),
        name: run.name.clone(),
        description: run.description.clone(),
        tags: Value::Object(run.tags.clone()).into(),
        config: run.config.clone().into(),
        git: run.git.clone().map(Json::from),
        metadata: Value::Object(run.metadata.clone()).into(),
        status: run.status,
        is_baseline: false,
        declared: run.declared.clone().map_or_else(Json::empty_object, Json::from),
        duration_ms: run.duration_ms,
        created_at: run.started_at,
        started_at: Some(run.started_at),
        completed_at: run.completed_at(),
        updated_at: now,
    }
}

/// The row of an evaluation with the totals of all its results.
pub(super) fn evaluation_row(
    run: &ImportedRun,
    evaluation: &ImportedEvaluation,
    (id, prompt_id, run_id): (EvaluationId, PromptId, RunId),
    position: i32,
    now: Timestamp,
) -> NewEvaluation {
    let totals = EvaluationTotals::of(&evaluation.totals, evaluation.score_sum, now);
    NewEvaluation {
        id,
        prompt_id,
        run_id: Some(run_id),
        position: Some(position),
        test_suite_id: evaluation.test_suite_id.clone(),
        external_id: Some(evaluation.external_id.clone()),
        status: evaluation.status,
        provider: evaluation.provider.clone(),
        model: evaluation.model.clone(),
        provider_id: evaluation.provider_id.clone(),
        provider_label: evaluation.provider_label.clone(),
        overall_score: totals.overall_score,
        score_sum: totals.score_sum,
        metrics: metrics(evaluation).unwrap_or_else(Json::empty_object),
        total_tests: totals.total_tests,
        passed_tests: totals.passed_tests,
        failed_tests: totals.failed_tests,
        errored_tests: totals.errored_tests,
        timed_tests: totals.timed_tests,
        total_latency_ms: totals.total_latency_ms,
        prompt_tokens: totals.prompt_tokens,
        completion_tokens: totals.completion_tokens,
        total_tokens: totals.total_tokens,
        cost_usd: totals.cost_usd,
        // Tools measure how long the run took, not each of its evaluations.
        execution_time_ms: None,
        error_message: evaluation.error_message.clone(),
        created_at: run.started_at,
        started_at: Some(run.started_at),
        completed_at: run.completed_at(),
        updated_at: now,
    }
}

/// What else was measured in an evaluation, where the file says so.
pub(super) fn metrics(evaluation: &ImportedEvaluation) -> Option<Json> {
    evaluation.metrics.clone().map(|metrics| Value::Object(metrics).into())
}

/// The row of a result.
pub(super) fn result_row(
    result: ImportedResult,
    id: TestResultId,
    evaluation_id: EvaluationId,
    created_at: Timestamp,
    now: Timestamp,
) -> NewTestResult {
    let mut metadata = result.metadata;
    add_tokens(&mut metadata, &result.tokens);
    NewTestResult {
        id,
        evaluation_id,
        external_id: Some(result.external_id),
        position: Some(result.position),
        test_case_name: result.test_case_name,
        case_hash: result.case_hash,
        repetition: result.repetition,
        input_data: Value::Object(result.input_data).into(),
        rendered_prompt: result.rendered_prompt,
        expected_output: result.expected_output,
        actual_output: result.actual_output,
        score: result.score,
        outcome: result.outcome,
        passed: result.outcome == TestOutcome::Passed,
        reason: result.reason,
        latency_ms: result.latency_ms,
        token_count: result.tokens.total,
        cost_usd: result.cost_usd,
        named_scores: Value::Object(result.named_scores).into(),
        metadata: Value::Object(metadata).into(),
        error_message: result.error_message,
        created_at,
        updated_at: now,
    }
}

/// Only the total has a column.
fn add_tokens(metadata: &mut Map<String, Value>, tokens: &ImportedTokens) {
    for (name, count) in [
        (PROMPT_TOKENS, tokens.prompt),
        (COMPLETION_TOKENS, tokens.completion),
        ("cached_tokens", tokens.cached),
        ("reasoning_tokens", tokens.reasoning),
        ("grading_tokens", tokens.grading),
    ] {
        if let Some(count) = count {
            metadata.insert(name.to_owned(), count.into());
        }
    }
}

impl From<&ImportedResult> for Figures {
    /// A tool that counts no tokens may tell some in its metadata.
    fn from(result: &ImportedResult) -> Self {
        let told = |count: Option<i32>, name| count.or_else(|| told_tokens(&result.metadata, name));
        Self {
            outcome: result.outcome,
            score: result.score,
            latency_ms: result.latency_ms,
            tokens: result.tokens.total,
            prompt_tokens: told(result.tokens.prompt, PROMPT_TOKENS),
            completion_tokens: told(result.tokens.completion, COMPLETION_TOKENS),
            cost_usd: result.cost_usd,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn tokens_without_a_column_are_in_the_metadata() {
        let tokens = ImportedTokens {
            total: Some(9),
            prompt: Some(5),
            completion: Some(4),
            cached: None,
            reasoning: Some(2),
            grading: Some(7),
        };
        let result = ImportedResult { tokens, ..ImportedResult::example() };
        let now = Timestamp::now();
        let row = result_row(result, TestResultId::generate(), EvaluationId::generate(), now, now);
        assert_eq!(row.token_count, Some(9));
        let metadata: Value = serde_json::from_str(row.metadata.as_str()).unwrap();
        let expected = json!({"prompt_tokens": 5, "completion_tokens": 4, "reasoning_tokens": 2, "grading_tokens": 7});
        assert_eq!(metadata, expected);
    }
}
