//! Results that are to be recorded.

use serde_json::{Map, Value};

use crate::db::test_results::{NewTestResult, ResultContent};
use crate::db::types::Json;
use crate::domain::totals::{COMPLETION_TOKENS, Figures, PROMPT_TOKENS, told_tokens};
use crate::domain::{EvaluationId, TestOutcome, TestResultId, Timestamp, canonical, case_hash, same_json, sha256_hex};

impl ResultContent {
    /// The hash that tells the case from others of its name; `None` without variables.
    pub(super) fn case_hash(&self) -> Option<String> {
        match read(&self.input_data) {
            Value::Object(variables) => case_hash(&variables),
            Value::Null => None,
            other => Some(sha256_hex(canonical(&other).as_bytes())),
        }
    }

    /// What counts of it in the totals of its evaluation. The score of a case that was left out says nothing.
    pub(super) fn figures(&self) -> Figures {
        let metadata: Map<String, Value> = serde_json::from_str(self.metadata.as_str()).unwrap_or_default();
        Figures {
            outcome: self.outcome,
            score: if self.outcome == TestOutcome::Skipped { 0.0 } else { self.score },
            latency_ms: self.latency_ms,
            tokens: self.token_count,
            prompt_tokens: told_tokens(&metadata, PROMPT_TOKENS),
            completion_tokens: told_tokens(&metadata, COMPLETION_TOKENS),
            cost_usd: self.cost_usd,
        }
    }

    /// Its row.
    pub(super) fn row(
        &self,
        evaluation_id: EvaluationId,
        case_hash: Option<String>,
        repetition: i32,
        now: Timestamp,
    ) -> NewTestResult {
        NewTestResult {
            id: TestResultId::generate(),
            evaluation_id,
            external_id: self.external_id.clone(),
            position: None,
            test_case_name: self.test_case_name.clone(),
            case_hash,
            repetition,
            input_data: self.input_data.clone(),
            rendered_prompt: None,
            expected_output: self.expected_output.clone(),
            actual_output: self.actual_output.clone(),
            score: self.score,
            outcome: self.outcome,
            passed: self.outcome == TestOutcome::Passed,
            reason: self.reason.clone(),
            latency_ms: self.latency_ms,
            token_count: self.token_count,
            cost_usd: self.cost_usd,
            named_scores: self.named_scores.clone(),
            metadata: self.metadata.clone(),
            error_message: self.error_message.clone(),
            created_at: now,
            updated_at: now,
        }
    }

    /// Whether it says the same as another of the same external id.
    pub(super) fn is_same_as(&self, other: &Self) -> bool {
        let same = |one: &Json, other: &Json| one == other || same_json(&read(one), &read(other));
        self.test_case_name == other.test_case_name
            && self.expected_output == other.expected_output
            && self.actual_output == other.actual_output
            && self.score == other.score
            && self.outcome == other.outcome
            && self.reason == other.reason
            && self.latency_ms == other.latency_ms
            && self.token_count == other.token_count
            && self.cost_usd == other.cost_usd
            && self.error_message == other.error_message
            && same(&self.input_data, &other.input_data)
            && same(&self.named_scores, &other.named_scores)
            && same(&self.metadata, &other.metadata)
    }
}

fn read(json: &Json) -> Value {
    serde_json::from_str(json.as_str()).unwrap_or_default()
}
