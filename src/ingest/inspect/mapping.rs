//! What a log says besides its samples, as a run of one evaluation.

use serde_json::{Map, Value, json};

use super::checks::compare;
use super::log::{Aggregate, Eval, Frame, Plan};
use super::samples::Reader;
use super::survey::Survey;
use crate::domain::{EvaluationStatus, PromptFormat, RunSource, Timestamp, content_hash, sha256_hex};
use crate::ingest::json::{NAME_LIMIT, cut, fit_id, fit_name, text_form};
use crate::ingest::members::Members;
use crate::ingest::numbers::without_fraction;
use crate::ingest::places::Places;
use crate::ingest::problem::Problem;
use crate::ingest::redact::{redact_config, redact_members, redact_text, redacted_form};
use crate::ingest::warnings::Warnings;
use crate::ingest::{ImportedEvaluation, ImportedPrompt, ImportedRun, ScoreSum};

/// Members of the configuration whose JSON is longer are not kept.
const CONFIG_LIMIT: usize = 256 * 1024;
/// Solvers that make the prompt out of the sample's input, and their template.
const PROMPT_SOLVERS: [&str; 3] = ["prompt_template", "user_message", "chain_of_thought"];
/// The solver that puts a message before it.
const SYSTEM_SOLVER: &str = "system_message";
/// What stands for the sample's input in a template; without a template, it is all that is sent.
const INPUT: &str = "{prompt}";

/// The run of a log, and the places of its samples.
pub(super) fn run(mut frame: Frame, mut survey: Survey, reader: &Reader) -> Result<(ImportedRun, Places), Problem> {
    compare(&frame, reader, &mut survey);
    let Survey { places, totals, mut warnings, .. } = survey;
    if !frame.has_samples {
        warnings.add("the log has no samples (`--no-log-samples`, or only its header): there are no results");
    }
    let eval = frame.eval.take().unwrap_or_default();
    let required = |value: &Option<String>, name: &str| {
        let text = value.as_ref().filter(|text| !text.trim().is_empty()).cloned();
        text.ok_or_else(|| Problem::new(format!("eval.{name}"), "it is missing; expected a text"))
    };
    let external_id = fit_id(required(&eval.run_id, "run_id")?);
    let task = required(&eval.task, "task")?;
    let started_at = time(frame.stats.started_at.as_ref().or(eval.created.as_ref()), "eval.created")?;
    let started_at = started_at.ok_or_else(|| {
        Problem::new("eval.created", "it is missing; expected a time such as 2026-11-23T06:07:12+00:00")
    })?;
    let completed_at = time(frame.stats.completed_at.as_ref(), "stats.completed_at")?;
    let (status, error_message) = status(&frame, &mut warnings);
    let prompt = prompt(&task, &eval, &frame.plan);
    let (provider, model) = provider_and_model(eval.model.as_deref());
    let evaluation = ImportedEvaluation {
        prompt: 0,
        position: None,
        external_id: fit_id(given(&eval.eval_id).map_or_else(|| derived_id(&eval, &task), str::to_owned)),
        test_suite_id: Some(cut(&suite(&task, eval.task_version.as_ref()), NAME_LIMIT)),
        status,
        provider,
        model,
        provider_id: eval.model.as_deref().map(redact_text),
        provider_label: eval.model.as_deref().map(|model| cut(&redact_text(model), NAME_LIMIT)),
        score_sum: ScoreSum::OfResults,
        metrics: Some(metrics(&frame)),
        error_message,
        totals,
    };
    let metadata = run_metadata(&eval, frame.metadata.take());
    let run = ImportedRun {
        source: RunSource::Inspect,
        source_version: eval
            .packages
            .as_ref()
            .and_then(|packages| packages.get("inspect_ai")?.as_str().map(str::to_owned)),
        external_id,
        name: cut(given(&eval.task_display_name).unwrap_or(&task), NAME_LIMIT),
        description: None,
        tags: tags(frame.tags.as_ref().or(eval.tags.as_ref())),
        metadata,
        config: config(&eval, &frame.plan, &mut warnings),
        git: eval.revision.clone().filter(Value::is_object).map(|mut revision| {
            redact_config(&mut revision);
            revision
        }),
        status,
        declared: Some(declared(&frame)),
        started_at,
        duration_ms: completed_at.map(|end| (end.micros() - started_at.micros()) / 1_000).filter(|&time| time >= 0),
        prompts: vec![prompt],
        evaluations: vec![evaluation],
        warnings: warnings.into_texts(),
        is_batch: false,
    };
    Ok((run, places.arrange()))
}

fn given(text: &Option<String>) -> Option<&str> {
    text.as_deref().filter(|text| !text.trim().is_empty())
}

/// What stands for the id of an evaluation that has none: the same for the same log, and another for each model and
/// each retry.
fn derived_id(eval: &Eval, task: &str) -> String {
    let parts =
        [&eval.run_id, &eval.task_id, &eval.created, &eval.model].map(|part| part.as_deref().unwrap_or_default());
    sha256_hex(json!([task, parts]).to_string().as_bytes())
}

fn time(text: Option<&String>, place: &str) -> Result<Option<Timestamp>, Problem> {
    let Some(text) = text.filter(|text| !text.trim().is_empty()) else { return Ok(None) };
    let time = Timestamp::parse(text).map_err(|error| {
        let problem =
            format!("«{text}» cannot be read ({error}); expected an RFC 3339 time such as 2026-11-23T06:07:12+00:00");
        Problem::new(place, problem)
    });
    time.map(Some)
}

/// Where the evaluation is in its life, and why it has failed if it has.
fn status(frame: &Frame, warnings: &mut Warnings) -> (EvaluationStatus, Option<String>) {
    let error = frame.error.as_ref().and_then(|error| redacted_form(error.message.as_ref()?));
    match frame.status.as_deref() {
        Some("success") => (EvaluationStatus::Completed, None),
        Some("started") => (EvaluationStatus::Running, None),
        Some("cancelled") => (EvaluationStatus::Failed, error.or_else(|| Some("it was cancelled".to_owned()))),
        Some("error") => (EvaluationStatus::Failed, error),
        other => {
            let found = other.unwrap_or("none");
            warnings.add(format!("the status «{found}» is not known: the run is stored as completed"));
            (EvaluationStatus::Completed, error)
        }
    }
}

/// The prompt of a task: the templates of its solvers.
fn prompt(task: &str, eval: &Eval, plan: &Plan) -> ImportedPrompt {
    let content = template(plan, &PROMPT_SOLVERS).unwrap_or_else(|| INPUT.to_owned());
    let system_message = template(plan, &[SYSTEM_SOLVER]);
    let content_hash = content_hash(PromptFormat::Text, &content, system_message.as_deref());
    let mut kept = Members::default();
    kept.add("task_version", eval.task_version.clone());
    let mut metadata = Members::default();
    metadata.add("inspect", kept.into_map());
    // A name that ends in `/` would be that of a folder.
    let name = fit_name(task.trim().trim_end_matches('/').trim_end());
    let name = if name.is_empty() { format!("prompt-{}", &content_hash[..8]) } else { name };
    ImportedPrompt {
        title: cut(given(&eval.task_display_name).unwrap_or(&name), NAME_LIMIT),
        name,
        format: PromptFormat::Text,
        content,
        system_message,
        content_hash,
        metadata: metadata.into_map(),
    }
}

fn template(plan: &Plan, solvers: &[&str]) -> Option<String> {
    let is_one = |name: &str| solvers.contains(&name.rsplit('/').next().unwrap_or(name));
    let step = plan.steps.iter().flatten().find(|step| step.solver.as_deref().is_some_and(is_one))?;
    step.params.as_ref()?["template"].as_str().map(str::to_owned)
}

fn suite(task: &str, version: Option<&Value>) -> String {
    version.and_then(text_form).map_or_else(|| task.to_owned(), |version| format!("{task}@{version}"))
}

/// `provider/model`, where the model may contain slashes. Secrets go first: half an address does not look like one.
fn provider_and_model(id: Option<&str>) -> (Option<String>, Option<String>) {
    let Some(id) = id.map(str::trim).filter(|id| !id.is_empty()).map(redact_text) else { return (None, None) };
    let (provider, model) = id.split_once('/').unwrap_or((&id, &id));
    let short = |text: &str| Some(cut(text, NAME_LIMIT));
    (short(provider), short(model))
}

fn metrics(frame: &Frame) -> Map<String, Value> {
    let aggregate = |score: &Aggregate| {
        let mut kept = Members::default();
        kept.add("name", score.name.clone());
        kept.add("scorer", score.scorer.clone());
        kept.add("scored_samples", score.scored_samples.map(without_fraction));
        kept.add("unscored_samples", score.unscored_samples.map(without_fraction));
        let metrics = score.metrics.iter().flatten();
        kept.add(
            "metrics",
            metrics.map(|(name, metric)| (name.clone(), metric["value"].clone())).collect::<Map<_, _>>(),
        );
        Value::Object(kept.into_map())
    };
    let scores = frame.results.iter().flat_map(|results| results.scores.iter().flatten());
    let mut kept = Members::default();
    kept.add("scores", scores.map(aggregate).collect::<Vec<_>>());
    kept.add("declared", declared(frame));
    let mut usage = frame.stats.model_usage.clone().unwrap_or_default();
    // The keys are models, which can be addresses.
    redact_members(&mut usage);
    kept.add("model_usage", usage);
    let mut metrics = Members::default();
    metrics.add("inspect", kept.into_map());
    metrics.into_map()
}

fn declared(frame: &Frame) -> Value {
    let results = frame.results.as_ref();
    let mut declared = Members::default();
    let counts = [
        ("total_samples", results.and_then(|results| results.total_samples)),
        ("completed_samples", results.and_then(|results| results.completed_samples)),
    ];
    for (name, count) in counts {
        declared.add(name, count.map(without_fraction));
    }
    Value::Object(declared.into_map())
}

/// A list of words as names without a meaning of their own.
fn tags(tags: Option<&Vec<Value>>) -> Map<String, Value> {
    let mut tags: Map<_, _> = tags.into_iter().flatten().filter_map(text_form).map(|tag| (tag, json!(true))).collect();
    redact_members(&mut tags);
    tags
}

fn run_metadata(eval: &Eval, of_log: Option<Map<String, Value>>) -> Map<String, Value> {
    // Users give it as options (`--metadata password=…`), like the configuration.
    let mut of_user = Value::Object(of_log.or_else(|| eval.metadata.clone()).unwrap_or_default());
    redact_config(&mut of_user);
    let of_user = if let Value::Object(members) = of_user { members } else { Map::new() };
    let mut metadata = Members(of_user);
    let mut kept = Members::default();
    kept.add("task_version", eval.task_version.clone());
    kept.add("task_id", eval.task_id.clone());
    kept.add("packages", eval.packages.clone().unwrap_or_default());
    kept.add("dataset", eval.dataset.as_ref().and_then(|dataset| dataset.name.clone()));
    metadata.add("inspect", kept.into_map());
    let mut metadata = metadata.into_map();
    redact_members(&mut metadata);
    metadata
}

/// How the task, the model and the evaluation were configured, without secrets.
fn config(eval: &Eval, plan: &Plan, warnings: &mut Warnings) -> Value {
    let steps = plan.steps.iter().flatten().map(|step| json!({"solver": step.solver, "params": step.params}));
    let members = [
        ("config", eval.config.clone()),
        ("task_args", eval.task_args.clone()),
        ("model_args", eval.model_args.clone()),
        ("model_generate_config", eval.model_generate_config.clone()),
        ("solver", eval.solver.clone()),
        ("plan", Some(json!({"steps": steps.collect::<Vec<_>>(), "config": plan.config}))),
    ];
    let mut config = Members::default();
    for (name, value) in members {
        let length = value.as_ref().map_or(0, |value| value.to_string().len());
        if length > CONFIG_LIMIT {
            warnings.add(format!("`{name}` of the log ({length} bytes) is not kept with its configuration"));
        } else {
            config.add_config(name, value);
        }
    }
    Value::Object(config.into_map())
}
