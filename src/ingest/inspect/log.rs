//! The parts of a log that are read, as Inspect names them. What is not listed here is passed over.

use serde::Deserialize;
use serde_json::{Map, Value};

/// Everything that a log says but its samples.
#[derive(Debug, Default)]
pub(super) struct Frame {
    pub version: Option<f64>,
    pub status: Option<String>,
    pub eval: Option<Eval>,
    pub plan: Plan,
    pub results: Option<Results>,
    pub stats: Stats,
    pub error: Option<LogError>,
    pub tags: Option<Vec<Value>>,
    pub metadata: Option<Map<String, Value>>,
    /// Whether there was a list of samples.
    pub has_samples: bool,
}

/// What was evaluated.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Eval {
    pub run_id: Option<String>,
    pub eval_id: Option<String>,
    pub created: Option<String>,
    pub task: Option<String>,
    pub task_id: Option<String>,
    pub task_version: Option<Value>,
    pub task_display_name: Option<String>,
    pub task_args: Option<Value>,
    pub solver: Option<Value>,
    pub dataset: Option<Dataset>,
    pub model: Option<String>,
    pub model_args: Option<Value>,
    pub model_generate_config: Option<Value>,
    pub config: Option<Value>,
    pub revision: Option<Value>,
    pub packages: Option<Map<String, Value>>,
    pub tags: Option<Vec<Value>>,
    pub metadata: Option<Map<String, Value>>,
    pub scorers: Option<Vec<Scorer>>,
}

/// Where the samples came from.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Dataset {
    pub name: Option<String>,
    pub sample_ids: Option<Vec<Value>>,
}

/// A scorer that was used.
#[derive(Debug, Deserialize)]
pub(super) struct Scorer {
    pub name: Option<String>,
}

/// How samples were answered.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Plan {
    pub steps: Option<Vec<Step>>,
    pub config: Option<Value>,
}

/// One of the solvers.
#[derive(Debug, Deserialize)]
pub(super) struct Step {
    pub solver: Option<String>,
    pub params: Option<Value>,
}

/// What the log claims about the samples.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Results {
    pub total_samples: Option<f64>,
    pub completed_samples: Option<f64>,
    pub scores: Option<Vec<Aggregate>>,
    pub headline: Option<Headline>,
}

/// What a scorer's scores come to.
#[derive(Debug, Deserialize)]
pub(super) struct Aggregate {
    pub name: Option<String>,
    pub scorer: Option<String>,
    pub metrics: Option<Map<String, Value>>,
    pub scored_samples: Option<f64>,
    pub unscored_samples: Option<f64>,
}

/// Which score is that of the whole.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Headline {
    pub scorer: Option<String>,
    pub score: Option<String>,
}

/// When it ran and what it took.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Stats {
    pub started_at: Option<String>,
    pub completed_at: Option<String>,
    pub model_usage: Option<Map<String, Value>>,
}

/// Why it ended early.
#[derive(Debug, Deserialize)]
pub(super) struct LogError {
    pub message: Option<Value>,
}

/// One answer to one sample of the data set.
#[derive(Debug, Deserialize)]
pub(super) struct Sample {
    pub id: Option<Value>,
    pub epoch: Option<f64>,
    pub input: Option<Value>,
    pub choices: Option<Value>,
    pub target: Option<Value>,
    pub messages: Option<Vec<Message>>,
    pub output: Option<Output>,
    pub scores: Option<Map<String, Value>>,
    /// In logs of version 1.
    pub score: Option<Value>,
    pub metadata: Option<Map<String, Value>>,
    pub model_usage: Option<Map<String, Value>>,
    pub role_usage: Option<Map<String, Value>>,
    pub total_time: Option<f64>,
    pub working_time: Option<f64>,
    pub uuid: Option<Value>,
    pub error: Option<LogError>,
    pub limit: Option<Value>,
    pub attachments: Option<Map<String, Value>>,
}

/// A part of a conversation.
#[derive(Debug, Deserialize)]
pub(super) struct Message {
    pub role: Option<String>,
    pub content: Option<Value>,
}

/// What the model answered.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Output {
    pub choices: Option<Vec<Choice>>,
    pub completion: Option<Value>,
    pub time: Option<f64>,
}

/// One of several answers.
#[derive(Debug, Deserialize)]
pub(super) struct Choice {
    pub message: Option<Message>,
    pub stop_reason: Option<Value>,
}

/// Tokens and cost.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Usage {
    pub input_tokens: Option<f64>,
    pub output_tokens: Option<f64>,
    pub total_tokens: Option<f64>,
    pub input_tokens_cache_read: Option<f64>,
    pub reasoning_tokens: Option<f64>,
    pub total_cost: Option<f64>,
}
