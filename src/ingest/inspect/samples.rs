//! Samples as test results.

use std::collections::HashMap;

use serde::Deserialize as _;
use serde_json::{Map, Value, json};

use super::log::{Frame, Message, Output, Sample, Usage};
use super::scores::{Graded, Headline, graded, is_passed};
use crate::domain::TestOutcome;
use crate::ingest::json::{NAME_LIMIT, case_hash, cut, fit_id, text_form};
use crate::ingest::members::Members;
use crate::ingest::numbers::{amount, count, index};
use crate::ingest::problem::Problem;
use crate::ingest::redact::{redact_members, redacted_form};
use crate::ingest::warnings::Warnings;
use crate::ingest::{ImportedResult, ImportedTokens};

/// What is needed to understand a sample.
pub(super) struct Reader {
    pub headline: Headline,
    model: Option<String>,
    /// The places of the samples in their data set.
    positions: HashMap<String, i32>,
}

impl Reader {
    /// A reader of the samples of this log.
    pub fn new(frame: &Frame) -> Result<Self, Problem> {
        let eval = frame.eval.as_ref();
        let ids = eval.and_then(|eval| eval.dataset.as_ref()?.sample_ids.as_ref());
        let mut positions = HashMap::new();
        for (position, id) in ids.into_iter().flatten().enumerate() {
            let position = index(position as f64, || "eval.dataset.sample_ids".to_owned())?;
            positions.entry(text_form(id).unwrap_or_default()).or_insert(position);
        }
        Ok(Self { headline: headline(frame), model: eval.and_then(|eval| eval.model.clone()), positions })
    }

    /// The place of a sample in its data set, where the log says so.
    pub fn position(&self, sample: &Sample) -> Option<i32> {
        self.positions.get(&sample_id(sample)?).copied()
    }

    /// How many samples the data set has, as far as the log says.
    pub fn known_positions(&self) -> i32 {
        self.positions.values().max().map_or(0, |last| last.saturating_add(1))
    }

    /// The result of the sample with this number in the log, at this position in the data set.
    pub fn result(
        &self,
        sample: Sample,
        number: usize,
        position: i32,
        warnings: &mut Warnings,
    ) -> Result<ImportedResult, Problem> {
        let place = |name: &str| format!("samples[{number}].{name}");
        let id =
            sample_id(&sample).ok_or_else(|| Problem::new(place("id"), "it is missing; expected a text or number"))?;
        let epoch = epoch(&sample, || place("epoch"))?;
        let scores = scores_of(&sample, &self.headline);
        let graded = graded(&scores, &self.headline);
        let outcome = outcome(&sample, &graded);
        if outcome == TestOutcome::Skipped {
            warnings.add_at("a sample has no score, it counts as skipped", || place("scores"));
        }
        let latency = sample.working_time.or(sample.total_time).or_else(|| sample.output.as_ref()?.time);
        let usage = self.usage(&sample, || place("model_usage"))?;
        let vars = variables(&sample);
        Ok(ImportedResult {
            external_id: fit_id(format!("{id}:{epoch}")),
            position,
            test_case_name: cut(&id, NAME_LIMIT),
            case_hash: case_hash(&vars),
            repetition: epoch - 1,
            rendered_prompt: rendered_prompt(&sample),
            expected_output: sample.target.as_ref().and_then(expected_output),
            actual_output: sample.output.as_ref().and_then(|output| actual_output(output, &sample)),
            score: graded.score.unwrap_or(0.0),
            outcome,
            reason: graded.reason.as_ref().and_then(redacted_form),
            latency_ms: count(latency.map(|seconds| seconds * 1_000.0), warnings, || place("total_time"))?,
            tokens: self.tokens(&usage, &sample, warnings, |name| place(&format!("model_usage.{name}")))?,
            cost_usd: amount(usage.total_cost, warnings, || place("model_usage.total_cost")),
            error_message: sample.error.as_ref().and_then(|error| redacted_form(error.message.as_ref()?)),
            named_scores: graded.named,
            metadata: metadata(sample, graded.assertions, graded.answer),
            input_data: vars,
        })
    }

    /// What the model that was evaluated used; of several models whose names are others, all together.
    fn usage(&self, sample: &Sample, place: impl Fn() -> String) -> Result<Usage, Problem> {
        let Some(by_model) = &sample.model_usage else { return Ok(Usage::default()) };
        let own = self.model.as_ref().and_then(|model| by_model.get(model));
        let parts: Vec<_> = own.map_or_else(|| by_model.values().collect(), |own| vec![own]);
        let mut sum = Usage::default();
        for part in parts {
            let part = Usage::deserialize(part).map_err(|error| Problem::new(place(), error.to_string()))?;
            for (sum, part) in [
                (&mut sum.input_tokens, part.input_tokens),
                (&mut sum.output_tokens, part.output_tokens),
                (&mut sum.total_tokens, part.total_tokens),
                (&mut sum.input_tokens_cache_read, part.input_tokens_cache_read),
                (&mut sum.reasoning_tokens, part.reasoning_tokens),
                (&mut sum.total_cost, part.total_cost),
            ] {
                *sum = part.map(|part| sum.unwrap_or(0.0) + part).or(*sum);
            }
        }
        // Costs that are too large to be added up are unknown.
        sum.total_cost = sum.total_cost.filter(|cost| cost.is_finite());
        Ok(sum)
    }

    fn tokens(
        &self,
        usage: &Usage,
        sample: &Sample,
        warnings: &mut Warnings,
        place: impl Fn(&str) -> String,
    ) -> Result<ImportedTokens, Problem> {
        let mut tokens = |value, name: &str| count(value, warnings, || place(name));
        let grading = sample.role_usage.as_ref().and_then(|roles| roles.get("grader")?["total_tokens"].as_f64());
        Ok(ImportedTokens {
            total: tokens(usage.total_tokens, "total_tokens")?,
            prompt: tokens(usage.input_tokens, "input_tokens")?,
            completion: tokens(usage.output_tokens, "output_tokens")?,
            cached: tokens(usage.input_tokens_cache_read, "input_tokens_cache_read")?,
            reasoning: tokens(usage.reasoning_tokens, "reasoning_tokens")?,
            grading: tokens(grading, "grader")?,
        })
    }
}

/// The score that Inspect shows first, or else the first scorer's.
fn headline(frame: &Frame) -> Headline {
    let results = frame.results.as_ref();
    let named = results.and_then(|results| results.headline.clone());
    let first = results.and_then(|results| results.scores.as_ref()?.first());
    let configured = frame.eval.as_ref().and_then(|eval| eval.scorers.as_ref()?.first()?.name.clone());
    let scorer = named.as_ref().and_then(|headline| headline.scorer.clone());
    let member = named.and_then(|headline| headline.score);
    Headline {
        scorer: scorer.or_else(|| first.and_then(|first| first.scorer.clone())).or(configured),
        member: member.or_else(|| first.and_then(|first| first.name.clone())),
    }
}

fn sample_id(sample: &Sample) -> Option<String> {
    sample.id.as_ref().and_then(text_form).filter(|id| !id.trim().is_empty())
}

/// Counted from 1.
fn epoch(sample: &Sample, place: impl Fn() -> String) -> Result<i32, Problem> {
    let epoch = index(sample.epoch.unwrap_or(1.0), &place)?;
    if epoch == 0 { Err(Problem::new(place(), "found 0, expected a number from 1 on")) } else { Ok(epoch) }
}

fn scores_of(sample: &Sample, headline: &Headline) -> Map<String, Value> {
    let single = || {
        let score = sample.score.clone().filter(Value::is_object)?;
        Some(Map::from_iter([(headline.scorer.clone().unwrap_or_else(|| "score".to_owned()), score)]))
    };
    sample.scores.clone().or_else(single).unwrap_or_default()
}

fn outcome(sample: &Sample, graded: &Graded) -> TestOutcome {
    match graded.score {
        _ if sample.error.is_some() => TestOutcome::Errored,
        Some(score) if is_passed(score) => TestOutcome::Passed,
        Some(_) => TestOutcome::Failed,
        None => TestOutcome::Skipped,
    }
}

/// What the sample is made of.
fn variables(sample: &Sample) -> Map<String, Value> {
    let mut vars = Members::default();
    for (name, value) in [("input", &sample.input), ("target", &sample.target), ("choices", &sample.choices)] {
        vars.add(name, value.as_ref().map(|value| resolved(value, sample)).unwrap_or_default());
    }
    vars.into_map()
}

/// Long texts of a sample are kept beside it, and named in their place.
fn resolved(value: &Value, sample: &Sample) -> Value {
    let attachment = |text: &str| {
        let name = text.strip_prefix("attachment://")?;
        sample.attachments.as_ref()?.get(name).cloned()
    };
    value.as_str().and_then(attachment).unwrap_or_else(|| value.clone())
}

fn expected_output(target: &Value) -> Option<String> {
    match target.as_array().map(Vec::as_slice) {
        Some([]) => None,
        Some([one]) => text_form(one),
        _ => text_form(target),
    }
}

/// What was sent before the first answer: the text of a single message, or all of them as JSON.
fn rendered_prompt(sample: &Sample) -> Option<String> {
    let messages = sample.messages.as_ref()?;
    let sent: Vec<_> = messages.iter().take_while(|message| message.role.as_deref() != Some("assistant")).collect();
    match sent.as_slice() {
        [] => None,
        [one] => text_of(one, sample),
        several => {
            let message = |message: &&Message| json!({"role": message.role, "content": text_of(message, sample)});
            text_form(&Value::Array(several.iter().map(message).collect()))
        }
    }
}

/// The text of a message, or its content as JSON where that is more than text.
fn text_of(message: &Message, sample: &Sample) -> Option<String> {
    let content = resolved(message.content.as_ref()?, sample);
    let parts = content.as_array().map(Vec::as_slice).unwrap_or_default();
    let texts: Option<Vec<_>> = parts.iter().map(|part| part["text"].as_str()).collect();
    match texts {
        Some(texts) if !texts.is_empty() => Some(texts.join("\n")),
        _ => text_form(&content),
    }
}

fn actual_output(output: &Output, sample: &Sample) -> Option<String> {
    let completion = output.completion.as_ref().map(|completion| resolved(completion, sample));
    let completion = completion.as_ref().and_then(text_form).filter(|text| !text.is_empty());
    completion.or_else(|| text_of(output.choices.as_ref()?.first()?.message.as_ref()?, sample))
}

fn metadata(sample: Sample, assertions: Vec<Value>, answer: Option<Value>) -> Map<String, Value> {
    let mut own = sample.metadata.unwrap_or_default();
    redact_members(&mut own);
    let mut metadata = Members(own);
    metadata.add("assertion_results", assertions);
    let mut kept = Members::default();
    kept.add("uuid", sample.uuid);
    kept.add("answer", answer);
    kept.add("limit", sample.limit);
    let first = sample.output.and_then(|output| output.choices?.into_iter().next());
    kept.add("stop_reason", first.and_then(|choice| choice.stop_reason));
    kept.add("total_time", sample.total_time);
    metadata.add("inspect", kept.into_map());
    metadata.into_map()
}
