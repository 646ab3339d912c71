//! The record of a run, which `promptfoo share` sends before the results: what a document says about the run and its
//! prompts, without a single result.

use std::rc::Rc;

use serde::de::{Error as _, MapAccess};
use serde_json::Value;

use super::checks::add_claims;
use super::config::ConfigReader;
use super::document::{columns, traces};
use super::file::Frame;
use super::survey::Survey;
use super::{EXPECTED_FILE, external_id, mapping, replacement_warning};
use crate::domain::Timestamp;
use crate::ingest::ImportError;
use crate::ingest::places::Places;
use crate::ingest::prepared::{Prepared, RowSink, Rows};
use crate::ingest::source::{Each, Meter, Object, ObjectReader, Skipped, Source, StopReason};

/// Reads and checks a file.
pub(super) fn prepare(source: Source, run_id: Option<&str>) -> Result<Prepared, ImportError> {
    let text = source.text(false);
    let meter = text.meter();
    let mut reader = RecordReader { meter: Rc::clone(&meter), frame: Frame::default() };
    source.parse(text, Object::new(&mut reader), EXPECTED_FILE)?;
    let mut frame = Frame { results_follow: true, ..reader.frame };
    add_claims(&mut frame.stats, &frame.columns);
    let of_file = |problem| StopReason::Problem(problem).into_error(&source, None);
    let id = external_id(("id", frame.eval_id.as_deref()), run_id, || source.sha256())?.map_err(of_file)?;
    let survey = Survey::of_document(source.progress().clone());
    let (mut run, places) = mapping::run(frame, survey, id).map_err(of_file)?;
    run.warnings.extend(replacement_warning(meter.replaced()));
    Ok(Prepared { run, places, source, rows: Box::new(NoRows) })
}

struct RecordReader {
    meter: Rc<Meter>,
    frame: Frame,
}

impl<'de> ObjectReader<'de> for RecordReader {
    fn member<A: MapAccess<'de>>(&mut self, name: &str, map: &mut A) -> Result<(), A::Error> {
        let Self { meter, frame } = self;
        meter.begin_value();
        match name {
            "id" => frame.eval_id = map.next_value()?,
            "createdAt" => frame.timestamp = Some(time(map.next_value()?).map_err(A::Error::custom)?),
            "author" => {
                let author: Option<Value> = map.next_value()?;
                frame.metadata.extend(author.map(|author| (name.to_owned(), author)));
            }
            "config" => map.next_value_seed(Object::nullable(&mut ConfigReader { meter, frame }))?,
            "prompts" => map.next_value_seed(columns(meter, &mut frame.columns))?,
            "results" => map.next_value_seed(Each::new(|_: Skipped| {
                Err("there are results in the record of a run; expected them in a list of their own".to_owned())
            }))?,
            "durationMs" => frame.stats.duration_ms = map.next_value()?,
            "generationDurationMs" => frame.stats.generation_duration_ms = map.next_value()?,
            "evaluationDurationMs" => frame.stats.evaluation_duration_ms = map.next_value()?,
            "runtimeOptions" => frame.runtime_options = map.next_value::<Option<_>>()?.unwrap_or_default(),
            "traces" => map.next_value_seed(traces(meter, &mut frame.trace_ids))?,
            _ => meter.pass_over(map)?,
        }
        self.meter.begin_value();
        Ok(())
    }

    fn end(&self) -> Option<&'static str> {
        self.frame.timestamp.is_none().then_some("missing field `createdAt`")
    }
}

/// The text of a time in milliseconds since the beginning of 1970.
fn time(millis: i64) -> Result<String, String> {
    let time = millis.checked_mul(1_000).and_then(Timestamp::from_micros);
    let out_of_range = || format!("`createdAt` is {millis}; expected milliseconds of a time before the year 10000");
    time.map(|time| time.to_string()).ok_or_else(out_of_range)
}

/// The results of a record.
struct NoRows;

impl Rows for NoRows {
    fn read(&self, _: &Source, _: &Places, _: &mut RowSink<'_>) -> Result<usize, ImportError> {
        Ok(0)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::domain::EvaluationStatus;
    use crate::ingest::promptfoo::read;

    fn record(more: Value) -> String {
        let column = |counts: [u32; 3]| {
            let [passed, failed, errored] = counts;
            json!({"raw": "Say {{x}}", "label": "p", "provider": "echo", "metrics": {"score": 2.5,
                "testPassCount": passed, "testFailCount": failed, "testErrorCount": errored,
                "tokenUsage": {"total": 10, "assertions": {"total": 1}}}})
        };
        let mut record = json!({"id": "e", "createdAt": 1_795_412_992_005_u64, "author": "a@b", "results": [],
            "prompts": [column([2, 1, 0]), column([0, 1, 2])], "durationMs": 1500,
            "config": {"description": "d"}, "traces": [{"traceId": "t"}]});
        record.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap());
        record.to_string()
    }

    #[test]
    fn a_record_is_a_run_whose_results_are_still_to_come() {
        let file = read(record(json!({})).as_bytes()).unwrap();
        let run = &file.run;
        assert_eq!((run.external_id.as_str(), run.name.as_str()), ("e", "d"));
        assert_eq!(run.started_at.to_string(), "2026-11-23T05:49:52.005000Z");
        assert_eq!((run.status, run.duration_ms, run.completed_at()), (EvaluationStatus::Running, Some(1500), None));
        let declared = json!({"successes": 2, "failures": 2, "errors": 2, "total_tokens": 20, "grading_tokens": 2});
        assert_eq!(run.declared, Some(declared));
        assert_eq!(
            Value::Object(run.metadata.clone()),
            json!({"author": "a@b", "grading_tokens": 2, "trace_ids": ["t"]})
        );
        assert_eq!((run.evaluations.len(), run.prompts.len(), file.results.concat().len()), (2, 1, 0));
        assert!(run.evaluations.iter().all(|evaluation| evaluation.status == EvaluationStatus::Running));
        assert_eq!(run.warnings, Vec::<String>::new());
    }

    #[test]
    fn what_is_wrong_with_a_record_is_told() {
        for (more, message) in [
            (json!({"createdAt": "noon"}), "invalid type: string \"noon\"; expected i64"),
            (json!({"createdAt": i64::MAX}), "`createdAt` is 9223372036854775807; expected milliseconds"),
            (json!({"results": [{}]}), "there are results in the record of a run; expected them in a list"),
            (json!({"durationMs": 1e300}), "results.stats.durationMs: "),
        ] {
            let error = read(record(more).as_bytes()).unwrap_err().to_string();
            assert!(error.contains(message), "{message}: {error}");
        }
    }
}
