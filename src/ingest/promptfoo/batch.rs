//! A list of results, as `promptfoo share` sends them after the record of their run, some at a time. They say to which
//! run and prompt they belong, and nothing else about either: both have to be there.

use serde_json::{Map, Value};

use super::file::{AssertionTokens, CompletionDetails, Row, TokenUsage};
use super::results::{RowPlace, column, result};
use super::survey::{ColumnFacts, Survey};
use super::{EXPECTED_FILE, external_id, replacement_warning};
use crate::domain::{EvaluationStatus, RunSource, Timestamp};
use crate::ingest::places::Places;
use crate::ingest::prepared::{Prepared, RowSink, Rows, SecondReading};
use crate::ingest::problem::Problem;
use crate::ingest::source::{Each, Source, Stop, StopReason};
use crate::ingest::{ImportError, ImportedEvaluation, ImportedRun, ScoreSum};

/// Reads and checks a file.
pub(super) fn prepare(source: Source, run_id: Option<&str>) -> Result<Prepared, ImportError> {
    let mut survey = Survey::of_document(source.progress().clone());
    let mut run_of_rows: Option<String> = None;
    let replaced = read_rows(&source, &mut |mut row, place| {
        let run = run_of_row(&mut row, place)?;
        if *run_of_rows.get_or_insert_with(|| run.clone()) != run {
            return Err(Problem::new(place.member("evalId"), "the results are of several runs; expected one").into());
        }
        if row.test_idx.is_none() {
            // Counting would begin anew in each list.
            let problem = "it is missing; expected the number of the test";
            return Err(Problem::new(place.member("testIdx"), problem).into());
        }
        let at = survey.place(&row, place)?;
        Ok(survey.add(row, place, at)?)
    })?;
    let of_file = |problem| StopReason::Problem(problem).into_error(&source, None);
    let Some(own) = run_of_rows else {
        return Err(of_file(Problem::new("[0]", "there is no result in the list; expected at least one")));
    };
    let id = external_id(("[0].evalId", Some(own.as_str())), run_id, || source.sha256())?.map_err(of_file)?;
    let (mut run, places) = run(survey, id);
    run.warnings.extend(replacement_warning(replaced));
    Ok(Prepared { run, places, source, rows: Box::new(BatchRows) })
}

fn run_of_row(row: &mut Row, place: RowPlace) -> Result<String, Problem> {
    let run = row.eval_id.take().filter(|id| !id.trim().is_empty());
    run.ok_or_else(|| Problem::new(place.member("evalId"), "it is missing; expected the id of the run"))
}

fn run(survey: Survey, external_id: String) -> (ImportedRun, Places) {
    let Survey { mut places, columns, warnings, .. } = survey;
    let mut evaluations = Vec::new();
    let mut numbers = Vec::new();
    for (column, facts) in columns.into_iter().enumerate() {
        numbers.push(evaluations.len());
        if facts.totals.tests > 0 {
            evaluations.push(evaluation(column, facts, &external_id));
        }
    }
    places.renumber(&numbers);
    let run = ImportedRun {
        source: RunSource::Promptfoo,
        source_version: None,
        name: external_id.clone(),
        external_id,
        description: None,
        tags: Map::new(),
        config: Value::Null,
        metadata: Map::new(),
        status: EvaluationStatus::Running,
        declared: None,
        git: None,
        started_at: Timestamp::now(),
        duration_ms: None,
        prompts: Vec::new(),
        evaluations,
        warnings: warnings.into_texts(),
        is_batch: true,
    };
    (run, places.arrange())
}

fn evaluation(column: usize, facts: ColumnFacts, run: &str) -> ImportedEvaluation {
    ImportedEvaluation {
        prompt: 0,
        position: i32::try_from(column).ok(),
        external_id: format!("{run}#{column}"),
        test_suite_id: None,
        status: EvaluationStatus::Running,
        provider: None,
        model: None,
        provider_id: None,
        provider_label: None,
        score_sum: ScoreSum::OfResults,
        metrics: None,
        error_message: None,
        totals: facts.totals,
    }
}

/// Reads the list and says how many characters were replaced.
fn read_rows(
    source: &Source,
    take: &mut dyn FnMut(Row, RowPlace) -> Result<(), StopReason>,
) -> Result<usize, ImportError> {
    let text = source.text(false);
    let meter = text.meter();
    let mut stop = Stop::default();
    let mut number = 0;
    let rows = Each::new(|mut row: Row| {
        meter.begin_value();
        number += 1;
        add_tokens(&mut row);
        take(row, RowPlace::Item(number - 1)).map_err(|reason| stop.at(reason))
    });
    let parsed = source.parse(text, rows, EXPECTED_FILE);
    stop.or(source, parsed)?;
    Ok(meter.replaced())
}

/// Adds the count of tokens that a result has in a file and that is not sent: zeros, but for what the answer counts
/// itself, and the tokens of the grader.
fn add_tokens(row: &mut Row) {
    let of_grader = row.grading_result.as_ref().and_then(|grading| grading.tokens_used.as_ref()?.total);
    let assertions = AssertionTokens { total: of_grader.or(Some(0.0)) };
    row.token_usage.get_or_insert(TokenUsage {
        total: Some(0.0),
        prompt: Some(0.0),
        completion: Some(0.0),
        cached: Some(0.0),
        completion_details: Some(CompletionDetails { reasoning: Some(0.0) }),
        assertions: Some(assertions),
    });
}

/// The results of a list.
struct BatchRows;

impl Rows for BatchRows {
    fn read(&self, source: &Source, places: &Places, sink: &mut RowSink<'_>) -> Result<usize, ImportError> {
        let mut reading = SecondReading::new(places, sink);
        read_rows(source, &mut |row, at| {
            reading.take(|_, place, warnings| {
                let column = column(&row);
                result(row, at, (column, place.position), warnings)
            })
        })?;
        Ok(reading.rows)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::ingest::promptfoo::read;

    fn row(column: i32, more: Value) -> Value {
        let mut row = json!({"id": format!("r{column}"), "evalId": "e", "promptIdx": column, "testIdx": 3,
            "success": true, "score": 1, "error": null, "testCase": {"vars": {"x": 1}}});
        row.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap());
        row
    }

    #[test]
    fn a_list_has_results_of_a_run_that_is_known() {
        let file = read(json!([row(2, json!({})), row(0, json!({}))]).to_string().as_bytes()).unwrap();
        assert!(file.run.is_batch);
        assert_eq!(file.run.external_id, "e");
        let evaluations: Vec<_> = file
            .run
            .evaluations
            .iter()
            .map(|evaluation| (evaluation.position, evaluation.external_id.as_str()))
            .collect();
        assert_eq!(evaluations, [(Some(0), "e#0"), (Some(2), "e#2")]);
        let results: Vec<_> = file
            .results
            .iter()
            .flatten()
            .map(|result| (result.external_id.as_str(), result.position, result.test_case_name.as_str()))
            .collect();
        assert_eq!(results, [("r0", 3, "x=1"), ("r2", 3, "x=1")]);
    }

    #[test]
    fn what_is_wrong_with_a_list_is_told_with_its_place() {
        for (list, message) in [
            (json!([]), "input: [0]: there is no result in the list"),
            (json!([1]), "input:1:3: invalid type: integer `1`; expected an object"),
            (
                json!([row(0, json!({"evalId": null}))]),
                "input:1: [0].evalId: it is missing; expected the id of the run",
            ),
            (
                json!([row(0, json!({})), row(1, json!({"evalId": "f"}))]),
                "input:1: [1].evalId: the results are of several",
            ),
            (json!([row(0, json!({})), row(-1, json!({}))]), "input:1: [1].promptIdx: found -1, expected"),
            (json!([row(0, json!({"testIdx": null}))]), "input:1: [0].testIdx: it is missing; expected the number"),
        ] {
            let error = read(list.to_string().as_bytes()).unwrap_err().to_string();
            assert!(error.starts_with(message), "{message}: {error}");
        }
        let error = read(b"[{\"evalId\": ").unwrap_err().to_string();
        assert!(error.starts_with("input:1:12: the file ends in the middle of a value"), "{error}");
    }
}
