//! What a file says besides its results, as a run.

use serde_json::{Map, Value};

use super::checks::{compare_column, compare_run, declared, grading_tokens, score_sum};
use super::columns::{answerer, metrics, prompt};
use super::config::Configuration;
use super::file::{Column, Frame, Stats};
use super::labels::prompt_paths;
use super::provider::configured;
use super::survey::{ColumnFacts, Survey};
use crate::domain::{EvaluationStatus, RunSource, Timestamp};
use crate::ingest::json::{NAME_LIMIT, cut};
use crate::ingest::members::Members;
use crate::ingest::numbers::{count, index, without_fraction};
use crate::ingest::places::Places;
use crate::ingest::problem::Problem;
use crate::ingest::redact::redact_members;
use crate::ingest::warnings::Warnings;
use crate::ingest::{ImportedEvaluation, ImportedPrompt, ImportedRun};

/// The run of a document, which has `external_id`, and the places of its rows.
pub(super) fn run(frame: Frame, mut survey: Survey, external_id: String) -> Result<(ImportedRun, Places), Problem> {
    let started_at = started_at(&frame)?;
    survey.fit_columns(frame.columns.len())?;
    let Survey { places, columns: facts, mut warnings, .. } = survey;
    let metadata = run_metadata(&frame);
    let Frame { columns, stats, config, tests, has_blobs, results_follow, metadata: origin, .. } = frame;
    if !results_follow && !compare_run(&stats, facts.iter().map(|facts| &facts.totals), &mut warnings) {
        for (index, (column, facts)) in columns.iter().zip(&facts).enumerate() {
            if let Some(metrics) = &column.metrics {
                compare_column(index, metrics, &facts.totals, &mut warnings);
            }
        }
    }
    let original = Value::Object(config.clone());
    let mut mapped = Columns::new(&external_id, &original, prompt_paths(&original));
    for (position, (column, facts)) in columns.into_iter().zip(facts).enumerate() {
        mapped.add(position, column, facts)?;
    }
    let Columns { prompts, mut evaluations, .. } = mapped;
    let status = if results_follow { EvaluationStatus::Running } else { EvaluationStatus::Completed };
    evaluations.iter_mut().for_each(|evaluation| evaluation.status = status);
    if has_blobs {
        warnings.add("the file contains images or other binary data (`blobAssets`): they are not imported");
    }
    warn_of_shared_names(&prompts, &mut warnings);
    let config = Configuration::new(config, tests, &mut warnings);
    let run = ImportedRun {
        source: RunSource::Promptfoo,
        source_version: origin.get("promptfooVersion").and_then(Value::as_str).map(str::to_owned),
        name: config.description.as_deref().map_or_else(|| cut(&external_id, NAME_LIMIT), run_name),
        external_id,
        description: config.description,
        tags: config.tags,
        metadata: config.metadata.into_iter().chain(metadata).collect(),
        config: config.redacted,
        git: None,
        status,
        declared: Some(declared(&stats)),
        started_at,
        duration_ms: count(stats.duration_ms, &mut warnings, || "results.stats.durationMs".to_owned())?,
        prompts,
        evaluations,
        warnings: warnings.into_texts(),
        is_batch: false,
    };
    Ok((run, places.arrange()))
}

fn started_at(frame: &Frame) -> Result<Timestamp, Problem> {
    let text = frame.timestamp.as_deref();
    let Some(text) = text.or_else(|| frame.metadata.get("evaluationCreatedAt")?.as_str()) else {
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
fn run_metadata(frame: &Frame) -> Map<String, Value> {
    let mut kept = Members(frame.metadata.clone());
    kept.0.remove("promptfooVersion");
    kept.add("shareableUrl", frame.shareable_url.clone());
    kept.add("repeat", frame.runtime_options.get("repeat").cloned());
    let Stats { token_usage, generation_duration_ms, evaluation_duration_ms, .. } = &frame.stats;
    kept.add("generationDurationMs", generation_duration_ms.clone());
    kept.add("evaluationDurationMs", evaluation_duration_ms.clone());
    kept.add("grading_tokens", token_usage.as_ref().and_then(grading_tokens).map(without_fraction));
    kept.add("trace_ids", frame.trace_ids.clone());
    let mut metadata = kept.into_map();
    redact_members(&mut metadata);
    metadata
}

/// Collects columns as evaluations, and their prompts.
pub(super) struct Columns<'a> {
    external_id: &'a str,
    config: &'a Value,
    paths: Vec<String>,
    pub prompts: Vec<ImportedPrompt>,
    pub evaluations: Vec<ImportedEvaluation>,
}

impl<'a> Columns<'a> {
    /// None as yet, of the run with this id and configuration; `paths` are those of the configured prompts.
    pub fn new(external_id: &'a str, config: &'a Value, paths: Vec<String>) -> Self {
        Self { external_id, config, paths, prompts: Vec::new(), evaluations: Vec::new() }
    }

    /// Adds the column at this place of the file.
    pub fn add(&mut self, position: usize, mut column: Column, facts: ColumnFacts) -> Result<(), Problem> {
        let prompt = prompt(&mut column, &self.paths);
        let name = column.provider.as_deref();
        let answerer = answerer(name, facts.provider.as_ref(), self.config);
        let provider_config = name.and_then(|name| configured(self.config, name).config);
        let claims = column.metrics.unwrap_or_default();
        let prompt = self.index_of(prompt);
        self.evaluations.push(ImportedEvaluation {
            prompt,
            position: Some(index(position as f64, || "results.prompts".to_owned())?),
            external_id: format!("{}#{position}", self.external_id),
            test_suite_id: None,
            status: EvaluationStatus::Completed,
            provider: answerer.provider,
            model: answerer.model,
            provider_id: answerer.id,
            provider_label: answerer.label,
            score_sum: score_sum(&claims, facts.totals.tests),
            metrics: Some(metrics(&claims, provider_config)),
            error_message: None,
            totals: facts.totals,
        });
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

/// Prompts of one name are versions of one prompt, which may not be what was meant.
pub(super) fn warn_of_shared_names(prompts: &[ImportedPrompt], warnings: &mut Warnings) {
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn mapped(file: &Value) -> Result<ImportedRun, String> {
        match crate::ingest::promptfoo::read(file.to_string().as_bytes()) {
            Ok(file) => Ok(file.run),
            Err(error) => Err(error.to_string()),
        }
    }

    fn file(more: Value) -> Value {
        let results = json!({"version": 3, "timestamp": "2026-11-23T06:13:02Z", "prompts": [], "results": []});
        let mut file = json!({"evalId": "e", "results": results});
        file.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap());
        file
    }

    #[test]
    fn the_ids_of_the_first_traces_are_kept() {
        let traces: Vec<_> = (0..=10_000).map(|number| json!({"traceId": number.to_string()})).collect();
        let run = mapped(&file(json!({"traces": traces}))).unwrap();
        let ids = run.metadata["trace_ids"].as_array().unwrap();
        assert_eq!((ids.len(), ids.last()), (10_000, Some(&json!("9999"))));
    }

    #[test]
    fn the_configuration_names_and_tags_the_run() {
        let run = mapped(&file(json!({
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
        let file = file(json!({"evalId": null, "blobAssets": []}));
        let run = mapped(&file).unwrap();
        let hash = crate::domain::sha256_hex(file.to_string().as_bytes());
        assert_eq!((&run.name, &run.external_id), (&hash, &hash));
        assert_eq!((run.config, run.declared, run.duration_ms), (json!({}), Some(json!({})), None));
        assert_eq!(run.warnings, Vec::<String>::new());
    }

    #[test]
    fn the_metadata_can_tell_when_the_run_began() {
        let results = json!({"version": 3, "prompts": [], "results": []});
        let metadata = json!({"evaluationCreatedAt": "2026-11-23T06:13:02Z"});
        let run = mapped(&json!({"results": results, "metadata": metadata})).unwrap();
        assert_eq!(Some(run.started_at), Timestamp::parse("2026-11-23T06:13:02Z").ok());
    }

    #[test]
    fn a_time_that_cannot_be_read_is_an_error() {
        let results =
            |timestamp| json!({"results": {"version": 3, "timestamp": timestamp, "prompts": [], "results": []}});
        let error = mapped(&file(results(Some("yesterday")))).unwrap_err();
        assert!(error.contains("results.timestamp: «yesterday» cannot be read"), "{error}");
        let error = mapped(&file(results(None))).unwrap_err();
        assert!(error.contains("results.timestamp: it is missing"), "{error}");
    }

    #[test]
    fn equal_texts_with_names_of_their_own_are_prompts_of_their_own() {
        let column = |label: &str| json!({"raw": "same", "label": label, "provider": "echo"});
        let run = mapped(&file(json!({"results": {
            "version": 3, "timestamp": "2026-11-23T06:13:02Z", "results": [], "prompts": [column("p"), column("q")],
        }})))
        .unwrap();
        let names: Vec<_> = run.prompts.iter().map(|prompt| prompt.name.as_str()).collect();
        assert_eq!((names, run.evaluations[1].prompt), (vec!["p", "q"], 1));
    }

    #[test]
    fn columns_of_one_prompt_share_it() {
        let column = |raw: &str, provider: &str| json!({"raw": raw, "label": "p", "provider": provider});
        let run = mapped(&file(json!({"results": {
            "version": 3, "timestamp": "2026-11-23T06:13:02Z", "results": [],
            "prompts": [column("one", "echo"), column("two", "echo"), column("one", "openai:x")],
        }})))
        .unwrap();
        let prompts: Vec<_> = run.evaluations.iter().map(|evaluation| evaluation.prompt).collect();
        assert_eq!((prompts, run.prompts.len()), (vec![0, 1, 0], 2));
        assert_eq!(run.evaluations[2].external_id, "e#2");
        assert!(run.warnings[0].starts_with("several prompts have the name «p»"));
    }
}
