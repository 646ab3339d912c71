//! Logs of Inspect, as JSON.
//!
//! A log is one task with one model: one evaluation. Several logs of one `inspect eval` share a run.

mod checks;
mod document;
mod log;
mod mapping;
mod samples;
mod scores;
mod survey;

use std::sync::Arc;

use self::document::{FirstPass, read_frame, read_samples};
use self::log::Sample;
use self::samples::Reader;
use super::ImportError;
use super::places::Places;
use super::prepared::{ImportedFile, Prepared, RowSink, Rows, SecondReading};
use super::problem::Problem;
use super::source::Source;

/// What every log is.
const EXPECTED_FILE: &str = "one JSON document as Inspect writes it with `--log-format json`";

/// Reads a whole log from memory, without a database. What it takes is in proportion to the log.
///
/// # Errors
/// When it is no log of Inspect, or not a sound one.
pub fn read(bytes: &[u8]) -> Result<ImportedFile, ImportError> {
    ImportedFile::collect(prepare(Source::bytes(bytes))?)
}

/// Reads and checks a log.
pub(super) fn prepare(source: Source) -> Result<Prepared, ImportError> {
    source.check_begin(b"{", EXPECTED_FILE)?;
    let FirstPass { frame, survey, replaced } = read_frame(&source)?;
    let of_file = |Problem { place, problem }| {
        let file = source.name().to_owned();
        ImportError::Value { file, line: None, place, problem }
    };
    let reader = Arc::new(Reader::new(&frame).map_err(of_file)?);
    let mut survey = survey;
    read_samples(&source, &mut |sample: Sample| Ok(survey.take(sample, &reader)?))?;
    let (mut run, places) = mapping::run(frame, survey, &reader).map_err(of_file)?;
    if replaced > 0 {
        run.warnings.push(format!("characters that cannot be stored were replaced by U+FFFD: {replaced}"));
    }
    Ok(Prepared { run, places, source, rows: Box::new(Samples { reader }) })
}

/// The samples of a log.
struct Samples {
    reader: Arc<Reader>,
}

impl Rows for Samples {
    fn read(&self, source: &Source, places: &Places, sink: &mut RowSink<'_>) -> Result<usize, ImportError> {
        let mut reading = SecondReading::new(places, sink);
        read_samples(source, &mut |sample: Sample| {
            reading.take(|number, place, warnings| self.reader.result(sample, number, place.position, warnings))
        })?;
        Ok(reading.rows)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::domain::{EvaluationStatus, TestOutcome};

    fn log(more: Value) -> Value {
        let mut log = json!({
            "version": 2, "status": "success", "plan": {"steps": []},
            "eval": {"run_id": "r", "eval_id": "e", "task": "suite/task", "model": "openai/m",
                "created": "2026-11-23T06:07:12+00:00", "dataset": {"sample_ids": [2, "a"]}},
            "samples": [],
        });
        log.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap());
        log
    }

    fn imported(more: Value) -> ImportedFile {
        read(log(more).to_string().as_bytes()).unwrap()
    }

    fn error(json: &str) -> String {
        read(json.as_bytes()).unwrap_err().to_string()
    }

    #[test]
    fn what_is_no_log_is_refused() {
        for (json, begin) in [
            ("", "input:1:1: the file is empty; expected one JSON document as Inspect writes it"),
            ("PK\u{3}\u{4}…", "input: this is a zip archive; if it is a log of Inspect (`.eval`), convert it with"),
            ("{\"version\": 3}", "input: logs of version 3 are not known to this release, which reads 1 and 2"),
            ("{\"version\": 2}", "input:1:14: this is no log of Inspect: it has no `eval`; expected"),
            ("{\"evalId\": 2}", "input: this looks like a file of promptfoo: use `evalgraph import promptfoo`"),
            ("{\"promptIdx\": 2}", "input: this looks like a file of promptfoo: use `evalgraph import promptfoo`"),
            ("{\"eval\": {}, \"samples\": [", "input:1:25: the file ends in the middle of a value"),
            ("{\"eval\": {}}", "input: eval.run_id: it is missing; expected a text"),
        ] {
            assert!(error(json).starts_with(begin), "{begin}: {}", error(json));
        }
        for (more, place) in [
            (json!({"samples": [{}]}), "samples[0].id: it is missing"),
            (json!({"samples": [{"id": 1, "epoch": 0}]}), "samples[0].epoch: found 0, expected"),
            (json!({"samples": [{"id": 1, "total_time": 1e9}]}), "samples[0].total_time: 1000000000000 is too large"),
            (json!({"samples": [{"id": 1, "model_usage": {"openai/m": 1}}]}), "samples[0].model_usage: invalid type"),
            (json!({"stats": {"started_at": "noon"}}), "eval.created: «noon» cannot be read"),
        ] {
            let message = error(&log(more).to_string());
            assert!(message.contains(place), "{place}: {message}");
        }
    }

    #[test]
    fn samples_are_results() {
        let file = imported(json!({"samples": [
            {"id": "other", "epoch": 1, "input": "i", "score": {"value": 0.5}},
            {"id": "a", "epoch": 2, "input": "attachment://h", "attachments": {"h": "long"}, "target": ["x", "y"],
                "choices": ["p", "q"], "scores": {"s": {"value": "C"}}, "working_time": 0.25, "total_time": 9,
                "model_usage": {"openai/m": {"total_tokens": 7, "total_cost": -1}, "grader": {"total_tokens": 99}},
                "role_usage": {"grader": {"total_tokens": 99}}, "metadata": {"headers": {"Authorization": "k"}},
                "messages": [{"role": "system", "content": "s"}, {"role": "user", "content": [{"type": "text", "text": "u"}]},
                    {"role": "assistant", "content": "no"}],
                "output": {"completion": "", "choices": [{"message": {"content": [{"text": "out"}]}, "stop_reason": "stop"}]}},
            {"id": "a", "epoch": 1, "error": {"message": "boom", "traceback": "/home/me"}, "scores": {"s": {"value": "C"}}},
            {"id": "a", "epoch": 1},
            {"id": 2},
        ]}));
        let results = &file.results[0];
        let told: Vec<_> = results
            .iter()
            .map(|result| (result.test_case_name.as_str(), result.repetition, result.position, result.outcome))
            .collect();
        let expected = [
            ("2", 0, 0, TestOutcome::Skipped),
            ("a", 1, 1, TestOutcome::Passed),
            ("a", 0, 1, TestOutcome::Errored),
            ("other", 0, 2, TestOutcome::Failed),
        ];
        assert_eq!(told, expected);
        let answered = &results[1];
        assert_eq!(answered.external_id, "a:2");
        assert_eq!(
            Value::Object(answered.input_data.clone()),
            json!({"input": "long", "target": ["x", "y"], "choices": ["p", "q"]})
        );
        assert_eq!(answered.expected_output.as_deref(), Some(r#"["x","y"]"#));
        assert_eq!(answered.actual_output.as_deref(), Some("out"));
        assert_eq!(
            answered.rendered_prompt.as_deref(),
            Some(r#"[{"content":"s","role":"system"},{"content":"u","role":"user"}]"#)
        );
        assert_eq!((answered.latency_ms, answered.cost_usd), (Some(250), None));
        assert_eq!((answered.tokens.total, answered.tokens.grading), (Some(7), Some(99)));
        assert_eq!(answered.metadata["headers"], json!({"Authorization": "[redacted]"}));
        assert_eq!(answered.metadata["inspect"], json!({"stop_reason": "stop", "total_time": 9.0}));
        assert_eq!((results[2].error_message.as_deref(), results[2].case_hash.as_deref()), (Some("boom"), None));
        assert_eq!(
            file.run.warnings,
            [
                "a negative number was left out: samples[1].model_usage.total_cost",
                "a sample has no score, it counts as skipped: samples[3].scores and 1 more",
                "a sample repeats the id and the epoch of another and was left out: samples[3].id",
            ]
        );
    }

    #[test]
    fn samples_that_the_data_set_does_not_name_come_after_it() {
        let sample = |id: &str, epoch: i32| json!({"id": id, "epoch": epoch, "scores": {"s": {"value": "C"}}});
        let samples = [sample("y", 1), sample("z", 1), sample("z", 2), sample("y", 2), sample("a", 1)];
        let file = imported(json!({"samples": samples}));
        let told: Vec<_> =
            file.results[0].iter().map(|result| (result.external_id.as_str(), result.position)).collect();
        assert_eq!(told, [("a:1", 1), ("y:1", 2), ("y:2", 2), ("z:1", 3), ("z:2", 3)]);
    }

    #[test]
    fn the_plan_gives_the_prompt() {
        let step = |solver: &str, template: &str| json!({"solver": solver, "params": {"template": template}});
        let steps = json!([step("inspect_ai/system_message", "Be brief."), step("prompt_template", "Q: {prompt}")]);
        let prompt = &imported(json!({"plan": {"steps": steps}})).run.prompts[0];
        assert_eq!((prompt.name.as_str(), prompt.content.as_str()), ("suite/task", "Q: {prompt}"));
        assert_eq!(prompt.system_message.as_deref(), Some("Be brief."));
        let run = imported(json!({"plan": null, "status": "odd"})).run;
        assert_eq!((run.prompts[0].content.as_str(), &run.prompts[0].system_message), ("{prompt}", &None));
        assert!(run.warnings[0].starts_with("the status «odd» is not known"), "{:?}", run.warnings);
    }

    #[test]
    fn totals_are_compared() {
        let sample = |value: f64| json!({"id": value, "scores": {"s": {"value": value}}, "model_usage": {"openai/m": {"total_tokens": 5}}});
        let scores = json!([{"name": "s", "scorer": "s", "metrics": {"mean": {"value": 0.5}}}]);
        let log = |total: i32, tokens: i32| {
            imported(json!({
                "results": {"total_samples": total, "scores": scores},
                "stats": {"model_usage": {"openai/m": {"total_tokens": tokens}}}, "samples": [sample(0.0), sample(1.0)],
            }))
        };
        assert_eq!(log(2, 10).run.warnings, Vec::<String>::new());
        assert_eq!(log(3, 10).run.warnings, ["1 result is missing: declared 3"]);
        assert_eq!(log(2, 11).run.warnings, ["results declares tokens 11; the results have tokens 10"]);
        let other = imported(json!({"results": {"total_samples": 1, "scores": scores}, "samples": [sample(1.0)]}));
        assert_eq!(other.run.warnings, ["results declares mean score 0.5; the results have mean score 1"]);
    }

    #[test]
    fn means_are_compared_where_they_are_of_all_samples() {
        let scores = json!([{"name": "s", "scorer": "s", "metrics": {"mean": {"value": 0.5}}}]);
        let warnings = |reducer: &str, error: Value| {
            let eval = json!({"run_id": "r", "task": "t", "created": "2026-11-23T06:07:12Z",
                "config": {"epochs_reducer": [reducer]}});
            let sample = json!({"id": 1, "scores": {"s": {"value": 1}}, "error": error});
            let results = json!({"total_samples": 1, "scores": scores});
            imported(json!({"eval": eval, "results": results, "samples": [sample]})).run.warnings
        };
        assert_eq!(warnings("mean", Value::Null).len(), 1);
        assert_eq!(warnings("max", Value::Null), Vec::<String>::new());
        assert_eq!(warnings("mean", json!({"message": "boom"})), Vec::<String>::new());
    }

    #[test]
    fn the_headline_says_which_member_of_a_score_counts() {
        let score = |results: Value| {
            let sample = json!({"id": 1, "scores": {"model": {"value": {"style": 3, "tone": 1}}}});
            imported(json!({"results": results, "samples": [sample]})).results[0][0].score
        };
        let scores = json!([{"name": "style", "scorer": "model"}]);
        assert_eq!(score(json!({"scores": scores})), 3.0);
        assert_eq!(score(json!({"scores": scores, "headline": {"scorer": "model", "score": "tone"}})), 1.0);
        assert_eq!(score(json!({})), 2.0);
    }

    #[test]
    fn the_name_that_a_task_is_shown_with_is_that_of_the_run() {
        let eval =
            json!({"run_id": "r", "task": "t", "task_display_name": "A task", "created": "2026-11-23T06:07:12Z"});
        let run = imported(json!({"eval": eval})).run;
        let prompt = &run.prompts[0];
        assert_eq!((run.name.as_str(), prompt.title.as_str(), prompt.name.as_str()), ("A task", "A task", "t"));
    }

    #[test]
    fn a_log_without_samples_is_a_run_without_results() {
        let mut log = log(json!({"status": "cancelled"}));
        log.as_object_mut().unwrap().remove("samples");
        let run = read(log.to_string().as_bytes()).unwrap().run;
        assert!(run.warnings[0].starts_with("the log has no samples"), "{:?}", run.warnings);
        assert_eq!(run.evaluations[0].error_message.as_deref(), Some("it was cancelled"));
    }

    #[test]
    fn the_run_and_its_evaluation_have_the_status_of_the_log() {
        for (status, expected) in [
            ("success", EvaluationStatus::Completed),
            ("started", EvaluationStatus::Running),
            ("cancelled", EvaluationStatus::Failed),
            ("error", EvaluationStatus::Failed),
        ] {
            let run = imported(json!({"status": status})).run;
            assert_eq!((run.status, run.evaluations[0].status), (expected, expected), "{status}");
        }
    }

    #[test]
    fn an_evaluation_without_an_id_is_told_from_others() {
        let id = |more: Value| {
            let mut eval = json!({"run_id": "r", "task": "t", "task_id": "i", "model": "openai/m",
                "created": "2026-11-23T06:07:12Z"});
            eval.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap());
            imported(json!({"eval": eval})).run.evaluations[0].external_id.clone()
        };
        let derived = id(json!({}));
        assert_eq!(derived.len(), 64);
        assert_eq!(id(json!({"eval_id": " "})), derived);
        assert_eq!(id(json!({"eval_id": "e"})), "e");
        for other in [json!({"model": "openai/n"}), json!({"created": "2026-11-23T07:07:12Z"}), json!({"task": "u"})] {
            assert_ne!(id(other), derived);
        }
    }

    #[test]
    fn odd_task_names_give_names_and_titles() {
        let prompt = |task: &str| {
            let eval = json!({"run_id": "r", "task": task, "created": "2026-11-23T06:07:12Z"});
            imported(json!({"eval": eval})).run.prompts.remove(0)
        };
        let fallback = prompt("/");
        assert!(fallback.name.starts_with("prompt-") && fallback.title == fallback.name, "{fallback:?}");
        let long = "t".repeat(255);
        assert_ne!(prompt(&format!("{long}1")).name, prompt(&format!("{long}2")).name);
    }

    #[test]
    fn a_cost_that_is_too_large_is_unknown() {
        let usage = json!({"a": {"total_cost": 1e308}, "b": {"total_cost": 1e308}});
        let file = imported(json!({"samples": [{"id": 1, "model_usage": usage}]}));
        assert_eq!(file.results[0][0].cost_usd, None);
    }

    #[test]
    fn what_is_too_long_for_the_configuration_is_left_out() {
        let eval = json!({"run_id": "r", "task": "t", "created": "2026-11-23T06:07:12Z",
            "task_args": {"few": 1}, "model_args": {"text": "x".repeat(256 * 1024)}});
        let run = imported(json!({"eval": eval})).run;
        assert_eq!((&run.config["task_args"], &run.config["model_args"]), (&json!({"few": 1}), &Value::Null));
        assert_eq!(run.warnings, ["`model_args` of the log (262155 bytes) is not kept with its configuration"]);
    }

    #[test]
    fn secrets_of_a_log_are_not_kept() {
        let run = imported(json!({"eval": {
            "run_id": "r", "task": "t", "created": "2026-11-23T06:07:12Z", "model": "https://me:hidden-9@host/m",
            "tags": ["https://me:hidden-10@host"], "model_args": {"api_key": "hidden-1"}, "metadata": {"headers": {"cookie": "hidden-2"}, "password": "hidden-6", "api_key": "hidden-7"},
            "revision": {"origin": "https://me:hidden-3@host/x.git", "commit": "c"}, "task_args": {"password": "hidden-4"},
        }, "status": "error", "error": {"message": "asked https://me:hidden-5@host"},
            "stats": {"model_usage": {"https://me:hidden-8@host/m": {"total_tokens": 1}}}}));
        let run = format!("{:?}", run.run);
        assert!(!run.contains("hidden-") && run.contains("\"commit\""), "{run}");
    }
}
