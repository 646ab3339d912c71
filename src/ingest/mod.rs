//! Importing the result files of other tools.
//!
//! A format is a module that turns a file into an [`ImportedRun`]; storing one is the same for all of them and can be
//! repeated: what is there already stays as it is, and only what is missing is written.

mod error;
mod json;
mod promptfoo;
mod redact;
mod report;
mod rows;
mod store;
mod totals;
mod versions;
mod warnings;

use std::path::Path;

use serde_json::{Map, Value};

use crate::db::Database;
use crate::domain::{EvaluationStatus, PromptFormat, RunSource, TestOutcome, Timestamp};

pub use error::ImportError;
pub use report::ImportReport;
pub use store::store;

/// The kinds of files that can be imported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// A JSON file that `promptfoo eval -o output.json` wrote.
    Promptfoo,
}

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
    /// The counts that the tool claims.
    pub declared: Value,
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
    /// Its place in the run, which identifies it there.
    pub position: i32,
    /// What the tool calls it.
    pub external_id: String,
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
    /// What else was measured.
    pub metrics: Map<String, Value>,
    /// The results, in the order of the test cases.
    pub results: Vec<ImportedResult>,
}

/// What is known of the sum of an evaluation's scores.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum ScoreSum {
    /// The tool says nothing that could be used: it is the sum over the results.
    OfResults,
    /// The tool says so.
    Stated(f64),
    /// The tool says that there is none, because a score was no number.
    Unknown,
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

/// Reads the file at `path` and stores, for the user, what of it is not stored yet: all of it or, after an error,
/// nothing.
///
/// # Errors
/// When the file cannot be read or understood, or the database fails.
pub async fn import_file(
    database: &Database,
    format: Format,
    path: &Path,
    user_id: &str,
) -> Result<ImportReport, ImportError> {
    let file = path.to_owned();
    // Parsing takes long enough to hold up others on an asynchronous thread.
    let run = match tokio::task::spawn_blocking(move || read_file(format, &file)).await {
        Ok(run) => run?,
        Err(cause) => return Err(ImportError::Interrupted { file: path.to_owned(), cause: cause.to_string() }),
    };
    store(database, run, user_id).await.map_err(|cause| ImportError::Store { file: path.to_owned(), cause })
}

fn read_file(format: Format, path: &Path) -> Result<ImportedRun, ImportError> {
    let bytes = std::fs::read(path).map_err(|cause| ImportError::Read { file: path.to_owned(), cause })?;
    match format {
        Format::Promptfoo => promptfoo::parse(path, bytes),
    }
}
