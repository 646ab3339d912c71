//! A whole file as a run.

use serde_json::{Map, Value};

use super::checks::{compare_column, compare_run, declared, grading_tokens, score_sum};
use super::columns::{answerer, metrics, prompt, whole};
use super::file::{Column, OutputFile, Stats};
use super::labels::prompt_paths;
use super::metadata::Members;
use super::numbers::{Problem, count, index};
use super::provider::configured;
use super::results::{PlacedRow, by_column, results};
use crate::domain::{EvaluationStatus, RunSource, Timestamp};
use crate::ingest::json::cut;
use crate::ingest::redact::{redact_config, redact_members};
use crate::ingest::warnings::Warnings;
use crate::ingest::{ImportedEvaluation, ImportedPrompt, ImportedRun};

/// The longest name of a run.
const NAME_LIMIT: usize = 255;

/// Tests whose JSON is longer are not kept with the configuration: each result has its own test.
const TESTS_LIMIT: usize = 256 * 1024;

/// The run that the file is about. A file without an id gets `fallback_id`.
pub(super) fn run(file: OutputFile, fallback_id: impl FnOnce() -> String) -> Result<ImportedRun, Problem> {
    let mut warnings = Warnings::default();
    let started_at = started_at(&file)?;
    let metadata = run_metadata(&file);
    let OutputFile { eval_id, results: summary, config, blob_assets, metadata: origin, .. } = file;
    let external_id = eval_id.filter(|id| !id.trim().is_empty()).unwrap_or_else(fallback_id);
    let config = config.unwrap_or_default();
    let stats = summary.stats.unwrap_or_default();
    let rows = by_column(summary.results, summary.prompts.len())?;
    let mut columns = Columns::new(&external_id, &config);
    for (column, rows) in summary.prompts.into_iter().zip(rows) {
        columns.add(column, rows, &mut warnings)?;
    }
    let Columns { prompts, evaluations, claims, .. } = columns;
    if !compare_run(&stats, &evaluations, &mut warnings) {
        for (index, (metrics, evaluation)) in claims.iter().zip(&evaluations).enumerate() {
            compare_column(index, metrics, evaluation, &mut warnings);
        }
    }
    if blob_assets.is_some_and(|assets| !matches!(assets.get(), "[]" | "{}")) {
        warnings.add("the file contains images or other binary data (`blobAssets`): they are not imported");
    }
    warn_of_shared_names(&prompts, &mut warnings);
    let config = Configuration::new(config, &mut warnings);
    Ok(ImportedRun {
        source: RunSource::Promptfoo,
        source_version: origin.and_then(|origin| origin.get("promptfooVersion")?.as_str().map(str::to_owned)),
        name: config.description.as_deref().map_or_else(|| external_id.clone(), run_name),
        external_id,
        description: config.description,
        tags: config.tags,
        metadata: config.metadata.into_iter().chain(metadata).collect(),
        config: config.redacted,
        status: EvaluationStatus::Completed,
        declared: declared(&stats),
        started_at,
        duration_ms: count(stats.duration_ms, &mut warnings, || "results.stats.durationMs".to_owned())?,
        prompts,
        evaluations,
        warnings: warnings.into_texts(),
    })
}

fn started_at(file: &OutputFile) -> Result<Timestamp, Problem> {
    let text = file.results.timestamp.as_deref();
    let Some(text) = text.or_else(|| file.metadata.as_ref()?.get("evaluationCreatedAt")?.as_str()) else {
        return Err(Problem::new(
            "results.timestamp",
            "it is missing; expected a time such as 2026-11-23T06:13:02.603Z",
        ));
    };
    Timestamp::parse(text).map_err(|error| {
        let problem =
            format!("«{text}» cannot be read ({error}); expected an RFC 3339 time such as 2026-11-23T06:13:02.603Z");
        Problem::new("results.timestamp", problem)
    })
}

/// The first line of a description.
fn run_name(description: &str) -> String {
    cut(description.lines().next().unwrap_or_default().trim(), NAME_LIMIT)
}

/// What is known about the making of the file.
fn run_metadata(file: &OutputFile) -> Map<String, Value> {
    let mut kept = Members(file.metadata.clone().unwrap_or_default());
    kept.0.remove("promptfooVersion");
    kept.add("shareableUrl", file.shareable_url.clone());
    kept.add("repeat", file.runtime_options.as_ref().and_then(|options| options.get("repeat").cloned()));
    if let Some(Stats { token_usage, generation_duration_ms, evaluation_duration_ms, .. }) = &file.results.stats {
        kept.add("generationDurationMs", generation_duration_ms.clone());
        kept.add("evaluationDurationMs", evaluation_duration_ms.clone());
        kept.add("grading_tokens", token_usage.as_ref().and_then(grading_tokens).map(whole));
    }
    kept.add("trace_ids", trace_ids(file.traces.as_deref().unwrap_or_default()));
    let mut metadata = kept.into_map();
    redact_members(&mut metadata);
    metadata
}

fn trace_ids(traces: &[Value]) -> Vec<Value> {
    traces.iter().map(|trace| trace["traceId"].clone()).filter(Value::is_string).collect()
}

/// Collects columns as evaluations, and their prompts.
struct Columns<'a> {
    external_id: &'a str,
    config: &'a Value,
    paths: Vec<String>,
    prompts: Vec<ImportedPrompt>,
    evaluations: Vec<ImportedEvaluation>,
    /// What the file claims for each evaluation.
    claims: Vec<super::file::Metrics>,
}

impl<'a> Columns<'a> {
    fn new(external_id: &'a str, config: &'a Value) -> Self {
        let paths = prompt_paths(config);
        Self { external_id, config, paths, prompts: Vec::new(), evaluations: Vec::new(), claims: Vec::new() }
    }

    fn add(&mut self, mut column: Column, rows: Vec<PlacedRow>, warnings: &mut Warnings) -> Result<(), Problem> {
        let position = self.evaluations.len();
        let prompt = prompt(&mut column, &self.paths);
        let name = column.provider.as_deref();
        let row_provider = rows.first().and_then(|placed| placed.row.provider.as_ref());
        let answerer = answerer(name, row_provider, self.config);
        let provider_config = name.and_then(|name| configured(self.config, name).config);
        let claims = column.metrics.unwrap_or_default();
        let results = results(rows, position, warnings)?;
        let prompt = self.index_of(prompt);
        self.evaluations.push(ImportedEvaluation {
            prompt,
            position: index(position as f64, || "results.prompts".to_owned())?,
            external_id: format!("{}#{position}", self.external_id),
            status: EvaluationStatus::Completed,
            provider: answerer.provider,
            model: answerer.model,
            provider_id: answerer.id,
            provider_label: answerer.label,
            score_sum: score_sum(&claims, results.len()),
            metrics: metrics(&claims, provider_config),
            results,
        });
        self.claims.push(claims);
        Ok(())
    }

    /// The place of the prompt among those that came before: there is a column for each prompt *and* provider.
    fn index_of(&mut self, prompt: ImportedPrompt) -> usize {
        let is_same = |known: &ImportedPrompt| known.name == prompt.name && known.content_hash == prompt.content_hash;
        self.prompts.iter().position(is_same).unwrap_or_else(|| {
            self.prompts.push(prompt);
            self.prompts.len() - 1
        })
    }
}

fn warn_of_shared_names(prompts: &[ImportedPrompt], warnings: &mut Warnings) {
    for (index, prompt) in prompts.iter().enumerate() {
        if prompts[..index].iter().any(|earlier| earlier.name == prompt.name) {
            warnings.add(format!(
                "several prompts have the name «{}»: they are stored as versions of one prompt; give them labels of \
                 their own to keep them apart",
                prompt.name
            ));
        }
    }
}

/// The configuration, without its secrets, and what is read from it.
struct Configuration {
    description: Option<String>,
    tags: Map<String, Value>,
    metadata: Map<String, Value>,
    redacted: Value,
}

impl Configuration {
    fn new(mut config: Value, warnings: &mut Warnings) -> Self {
        redact_config(&mut config);
        if config.is_null() {
            config = Value::Object(Map::new());
        }
        let object = |name: &str| config[name].as_object().cloned().unwrap_or_default();
        let (tags, metadata) = (object("tags"), object("metadata"));
        let description = config["description"].as_str().map(str::trim).filter(|text| !text.is_empty());
        let description = description.map(str::to_owned);
        drop_large_tests(&mut config, warnings);
        Self { description, tags, metadata, redacted: config }
    }
}

fn drop_large_tests(config: &mut Value, warnings: &mut Warnings) {
    let length = config["tests"].to_string().len();
    if length > TESTS_LIMIT
        && let Some(config) = config.as_object_mut()
    {
        config.remove("tests");
        warnings.add(format!("the tests in the configuration ({length} bytes) are not kept with it"));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn mapped(file: Value) -> Result<ImportedRun, Problem> {
        run(serde_json::from_value(file).unwrap(), || "fallback".to_owned())
    }

    fn file(more: Value) -> Value {
        let mut file = json!({
            "evalId": "e", "results": {"timestamp": "2026-11-23T06:13:02Z", "prompts": [], "results": []}});
        file.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap());
        file
    }

    #[test]
    fn the_configuration_names_and_tags_the_run() {
        let run = mapped(file(json!({
            "config": {"description": "First line\nsecond", "tags": {"team": "a", "apiKey": "k"},
                "metadata": {"commit": "c", "platform": "p"}, "env": {"A": "b"}},
            "metadata": {"promptfooVersion": "1.2.3", "platform": "linux"},
            "runtimeOptions": {"repeat": 2}, "shareableUrl": "https://a:b@host", "traces": [{"traceId": "t"}, {}],
            "blobAssets": [{"data": "x"}],
        })))
        .unwrap();
        assert_eq!((run.name.as_str(), run.external_id.as_str()), ("First line", "e"));
        assert_eq!(run.description.as_deref(), Some("First line\nsecond"));
        assert_eq!(run.source_version.as_deref(), Some("1.2.3"));
        assert_eq!(Value::Object(run.tags), json!({"team": "a", "apiKey": "[redacted]"}));
        assert_eq!(run.config["env"], json!({"A": "[redacted]"}));
        assert_eq!(
            Value::Object(run.metadata),
            json!({"commit": "c", "platform": "linux", "repeat": 2, "shareableUrl": "https://a:[redacted]@host",
                "trace_ids": ["t"]})
        );
        assert_eq!(run.warnings.len(), 1);
    }

    #[test]
    fn a_bare_file_is_a_run_too() {
        let run = mapped(file(json!({"evalId": null, "blobAssets": []}))).unwrap();
        assert_eq!((run.name.as_str(), run.external_id.as_str()), ("fallback", "fallback"));
        assert_eq!((run.config, run.declared, run.duration_ms), (json!({}), json!({}), None));
        assert_eq!(run.warnings, Vec::<String>::new());
    }

    #[test]
    fn large_tests_are_left_out() {
        let run = mapped(file(json!({"config": {"tests": ["x".repeat(TESTS_LIMIT)], "prompts": []}}))).unwrap();
        assert_eq!(run.config, json!({"prompts": []}));
        assert_eq!(run.warnings, ["the tests in the configuration (262148 bytes) are not kept with it"]);
    }

    #[test]
    fn a_time_that_cannot_be_read_is_an_error() {
        let results = |timestamp| json!({"results": {"timestamp": timestamp, "prompts": [], "results": []}});
        let error = mapped(file(results(Some("yesterday")))).unwrap_err();
        assert_eq!(error.place, "results.timestamp");
        assert!(error.problem.starts_with("«yesterday» cannot be read"), "{}", error.problem);
        assert!(mapped(file(results(None))).unwrap_err().problem.starts_with("it is missing"));
    }

    #[test]
    fn columns_of_one_prompt_share_it() {
        let column = |raw: &str, provider: &str| json!({"raw": raw, "label": "p", "provider": provider});
        let run = mapped(file(json!({"results": {
            "timestamp": "2026-11-23T06:13:02Z", "results": [],
            "prompts": [column("one", "echo"), column("two", "echo"), column("one", "openai:x")],
        }})))
        .unwrap();
        let prompts: Vec<_> = run.evaluations.iter().map(|evaluation| evaluation.prompt).collect();
        assert_eq!((prompts, run.prompts.len()), (vec![0, 1, 0], 2));
        assert_eq!(run.evaluations[2].external_id, "e#2");
        assert!(run.warnings[0].starts_with("several prompts have the name «p»"));
    }
}
