//! The parts of a result file that are read, as promptfoo names them.
//!
//! Next to everything may be missing or null, and what is not listed here is passed over. Texts that people write into
//! a configuration are read as any JSON value: an unquoted YAML description may be a number.

use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

use crate::domain::sha256_hex;

/// Everything that a document says but its results.
#[derive(Debug, Default)]
pub(super) struct Frame {
    pub eval_id: Option<String>,
    pub version: Option<f64>,
    pub timestamp: Option<String>,
    pub columns: Vec<Column>,
    /// The rows of the table of format 2.
    pub table: Vec<TableRow>,
    pub stats: Stats,
    /// Without `tests`.
    pub config: Map<String, Value>,
    pub tests: ConfiguredTests,
    pub shareable_url: Option<Value>,
    pub metadata: Map<String, Value>,
    pub runtime_options: Map<String, Value>,
    pub trace_ids: Vec<String>,
    pub has_blobs: bool,
    /// Whether the results come in files of their own.
    pub results_follow: bool,
}

/// The tests that the configuration contains.
#[derive(Debug, Default)]
pub(super) enum ConfiguredTests {
    /// None.
    #[default]
    None,
    /// As they are.
    Kept(Value),
    /// More than are kept: so many bytes.
    TooLong(u64),
}

/// A trace of a run, as far as it is of interest.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Trace {
    pub trace_id: Option<Value>,
}

/// One test of format 2 with all columns.
#[derive(Debug, Deserialize)]
pub(super) struct TableRow {
    pub description: Option<Value>,
    pub outputs: Option<Vec<TableCell>>,
    pub test: Option<TestCase>,
}

/// One result in the table of format 2, as far as it tells which row of the results it is.
#[derive(Debug, Deserialize)]
pub(super) struct TableCell {
    #[serde(default, deserialize_with = "text_hash")]
    pub prompt: Option<String>,
}

/// What the file claims about the whole run.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Stats {
    pub successes: Option<f64>,
    pub failures: Option<f64>,
    pub errors: Option<f64>,
    pub token_usage: Option<TokenUsage>,
    pub duration_ms: Option<f64>,
    pub generation_duration_ms: Option<Value>,
    pub evaluation_duration_ms: Option<Value>,
}

/// One prompt with one provider.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Column {
    pub raw: String,
    pub label: Option<Value>,
    pub id: Option<Value>,
    pub display: Option<Value>,
    pub config: Option<Value>,
    pub function: Option<Value>,
    pub provider: Option<String>,
    pub metrics: Option<Metrics>,
    /// Whether `raw` is the label, because the file does not contain the template.
    #[serde(skip)]
    pub content_is_label: bool,
}

/// What the file claims about one column.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Metrics {
    /// Absent, null (a score was no number) or the sum.
    #[serde(default, deserialize_with = "present")]
    pub score: Option<Option<f64>>,
    pub test_pass_count: Option<f64>,
    pub test_fail_count: Option<f64>,
    pub test_error_count: Option<f64>,
    pub assert_pass_count: Option<Value>,
    pub assert_fail_count: Option<Value>,
    pub total_latency_ms: Option<f64>,
    pub token_usage: Option<TokenUsage>,
    pub named_scores: Option<Map<String, Value>>,
    pub named_scores_count: Option<Map<String, Value>>,
    pub named_score_weights: Option<Map<String, Value>>,
    pub cost: Option<f64>,
    pub incurred_cost: Option<Value>,
    pub redteam: Option<Value>,
}

/// Tokens by kind.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct TokenUsage {
    pub total: Option<f64>,
    pub prompt: Option<f64>,
    pub completion: Option<f64>,
    pub cached: Option<f64>,
    pub completion_details: Option<CompletionDetails>,
    pub assertions: Option<AssertionTokens>,
}

/// Tokens of an answer by kind.
#[derive(Debug, Clone, Default, Deserialize)]
pub(super) struct CompletionDetails {
    pub reasoning: Option<f64>,
}

/// The tokens that graders used.
#[derive(Debug, Clone, Default, Deserialize)]
pub(super) struct AssertionTokens {
    pub total: Option<f64>,
}

/// The result of one test with one column.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Row {
    pub id: Option<String>,
    /// The run, where results are sent by themselves.
    pub eval_id: Option<String>,
    pub test_idx: Option<f64>,
    pub prompt_idx: Option<f64>,
    pub test_case: Option<TestCase>,
    pub description: Option<Value>,
    pub vars: Option<Map<String, Value>>,
    pub prompt: Option<RenderedPrompt>,
    /// An object; in older files the id alone.
    pub provider: Option<Value>,
    pub success: Option<bool>,
    pub failure_reason: Option<f64>,
    pub score: Option<f64>,
    pub error: Option<Value>,
    pub grading_result: Option<GradingResult>,
    pub named_scores: Option<Map<String, Value>>,
    pub response: Option<Response>,
    pub token_usage: Option<TokenUsage>,
    pub cost: Option<f64>,
    pub incurred_cost: Option<Value>,
    pub latency_ms: Option<f64>,
    pub metadata: Option<Map<String, Value>>,
    pub trace_id: Option<Value>,
    pub evaluation_id: Option<Value>,
}

/// The test as it was configured.
#[derive(Debug, Clone, Default, Deserialize)]
pub(super) struct TestCase {
    pub description: Option<Value>,
    pub vars: Option<Map<String, Value>>,
    pub assert: Option<Vec<Value>>,
    pub options: Option<Value>,
    pub threshold: Option<Value>,
    pub metadata: Option<Map<String, Value>>,
}

/// The prompt as it was sent.
#[derive(Debug, Deserialize)]
pub(super) struct RenderedPrompt {
    pub raw: Option<String>,
    pub label: Option<Value>,
    pub config: Option<Value>,
}

/// What the assertions said.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct GradingResult {
    pub pass: Option<bool>,
    pub reason: Option<Value>,
    pub comment: Option<Value>,
    pub tokens_used: Option<AssertionTokens>,
    pub component_results: Option<Vec<Value>>,
}

/// What the provider answered.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Response {
    pub output: Option<Value>,
    pub error: Option<Value>,
    pub cached: Option<bool>,
    pub is_refusal: Option<bool>,
    pub finish_reason: Option<Value>,
    pub token_usage: Option<TokenUsage>,
    pub cost: Option<f64>,
    pub incurred_cost: Option<Value>,
}

/// Tells null from absent: `Some` around what is there.
fn present<'de, D, T>(deserializer: D) -> Result<Option<Option<T>>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    Option::deserialize(deserializer).map(Some)
}

/// Keeps no more of a text than tells it from others.
fn text_hash<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let text: Option<Value> = Option::deserialize(deserializer)?;
    Ok(text.as_ref().and_then(Value::as_str).map(|text| sha256_hex(text.as_bytes())))
}
