//! What files of all tools become before they are stored.

use serde_json::{Map, Value};

use super::totals::Totals;
use crate::domain::{EvaluationStatus, PromptFormat, RunSource, ScoreSum, TestOutcome, Timestamp};

/// A run as a tool recorded it, in our words.
#[derive(Debug, Clone)]
pub struct ImportedRun {
    /// The tool.
    pub source: RunSource,
    /// Its version.
    pub source_version: Option<String>,
    /// What the tool calls the run. Together with the tool and the owner it identifies the run.
    pub external_id: String,
    /// What people call it.
    pub name: String,
    /// What it was about.
    pub description: Option<String>,
    /// Tags by name.
    pub tags: Map<String, Value>,
    /// The tool's configuration without its secrets.
    pub config: Value,
    /// What else is known.
    pub metadata: Map<String, Value>,
    /// Where it is in its life.
    pub status: EvaluationStatus,
    /// The counts that the tool claims; `None` where the file says nothing about the whole run.
    pub declared: Option<Value>,
    /// Commit, branch and the like.
    pub git: Option<Value>,
    /// When it began: also the time at which everything in it is said to have been created.
    pub started_at: Timestamp,
    /// How long it took.
    pub duration_ms: Option<i64>,
    /// The prompts, each once.
    pub prompts: Vec<ImportedPrompt>,
    /// What was run on them, in order.
    pub evaluations: Vec<ImportedEvaluation>,
    /// What the user should know about the file.
    pub warnings: Vec<String>,
    /// Whether the file has nothing but results of a run and of evaluations that have to be there already.
    pub is_batch: bool,
}

/// A prompt that a run used.
#[derive(Debug, Clone)]
pub struct ImportedPrompt {
    /// The name of its lineage.
    pub name: String,
    /// What people call it.
    pub title: String,
    /// How the content is to be read.
    pub format: PromptFormat,
    /// The text.
    pub content: String,
    /// The system message.
    pub system_message: Option<String>,
    /// The hash of format, content and system message.
    pub content_hash: String,
    /// What else is known.
    pub metadata: Map<String, Value>,
}

/// One prompt with one provider and model over a set of test cases.
#[derive(Debug, Clone)]
pub struct ImportedEvaluation {
    /// The prompt, as an index into [`ImportedRun::prompts`].
    pub prompt: usize,
    /// Its place in the run; `None` for the next that is free.
    pub position: Option<i32>,
    /// What the tool calls it. It identifies the evaluation within its run.
    pub external_id: String,
    /// The set of test cases, as the tool calls it.
    pub test_suite_id: Option<String>,
    /// Where it is in its life.
    pub status: EvaluationStatus,
    /// Who runs the model.
    pub provider: Option<String>,
    /// The model.
    pub model: Option<String>,
    /// The provider as the tool identifies it.
    pub provider_id: Option<String>,
    /// What the tool shows for the provider.
    pub provider_label: Option<String>,
    /// The sum of the scores.
    pub score_sum: ScoreSum,
    /// What else was measured; `None` where the file says nothing about the whole evaluation.
    pub metrics: Option<Map<String, Value>>,
    /// Why it has failed.
    pub error_message: Option<String>,
    /// The sums over its results in the file.
    pub totals: Totals,
}

/// The outcome of one test case.
#[derive(Debug, Clone)]
pub struct ImportedResult {
    /// What the tool calls it; unique within its evaluation.
    pub external_id: String,
    /// The place of the test in its suite.
    pub position: i32,
    /// The name of the test case.
    pub test_case_name: String,
    /// The hash of its variables; `None` without variables.
    pub case_hash: Option<String>,
    /// Counted from 0 among the results of the evaluation with the same name and hash.
    pub repetition: i32,
    /// The variables.
    pub input_data: Map<String, Value>,
    /// The prompt as it was sent.
    pub rendered_prompt: Option<String>,
    /// What was hoped for.
    pub expected_output: Option<String>,
    /// What came.
    pub actual_output: Option<String>,
    /// Any finite number.
    pub score: f64,
    /// What became of the case.
    pub outcome: TestOutcome,
    /// The grader's words.
    pub reason: Option<String>,
    /// How long the answer took.
    pub latency_ms: Option<i32>,
    /// The tokens that were used.
    pub tokens: ImportedTokens,
    /// What the answer cost.
    pub cost_usd: Option<f64>,
    /// Scores by metric.
    pub named_scores: Map<String, Value>,
    /// What else is known.
    pub metadata: Map<String, Value>,
    /// Why there was no answer.
    pub error_message: Option<String>,
}

/// The tokens of one result; `None` where the tool did not say.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ImportedTokens {
    /// Of prompt and answer.
    pub total: Option<i32>,
    /// Of the prompt.
    pub prompt: Option<i32>,
    /// Of the answer.
    pub completion: Option<i32>,
    /// Of an answer that came from a cache; they are in no other number but the total.
    pub cached: Option<i32>,
    /// Of the answer's reasoning.
    pub reasoning: Option<i32>,
    /// That the graders used; they are not in the total.
    pub grading: Option<i32>,
}

#[cfg(test)]
impl ImportedResult {
    /// A result that passed.
    pub(super) fn example() -> Self {
        Self {
            external_id: "result".to_owned(),
            position: 0,
            test_case_name: "case".to_owned(),
            case_hash: None,
            repetition: 0,
            input_data: Map::new(),
            rendered_prompt: None,
            expected_output: None,
            actual_output: None,
            score: 1.0,
            outcome: TestOutcome::Passed,
            reason: None,
            latency_ms: None,
            tokens: ImportedTokens::default(),
            cost_usd: None,
            named_scores: Map::new(),
            metadata: Map::new(),
            error_message: None,
        }
    }
}
