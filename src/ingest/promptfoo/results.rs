//! Rows of a file as test results.

use serde_json::{Map, Value};

use super::assertions::expected_output;
use super::cases::case_name;
use super::file::{Row, TokenUsage};
use super::metadata::result_metadata;
use super::outcome::outcome;
use crate::domain::TestOutcome;
use crate::ingest::json::{case_hash, fit_id, text_form};
use crate::ingest::numbers::{amount, count};
use crate::ingest::problem::Problem;
use crate::ingest::redact::redacted_form;
use crate::ingest::warnings::Warnings;
use crate::ingest::{ImportedResult, ImportedTokens};

/// Where a row is in its file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RowPlace {
    /// Counted from 0 in `results.results`.
    Element(usize),
    /// Counted from 1 in a file of one result a line.
    Line(usize),
    /// Counted from 0 in a list of nothing but results.
    Item(usize),
}

impl RowPlace {
    /// The place of a member of the row.
    pub fn member(self, name: &str) -> String {
        match self {
            Self::Element(index) => format!("results.results[{index}].{name}"),
            Self::Line(line) => format!("line {line}: {name}"),
            Self::Item(index) => format!("[{index}].{name}"),
        }
    }
}

/// The column that a row names, which is not the number of its evaluation where a file lacks columns.
pub(super) fn column(row: &Row) -> usize {
    row.prompt_idx.map_or(0, |column| column as usize)
}

/// The result of a row at this place in the file, without its repetition; `position` and `column` are the test and the
/// evaluation.
pub(super) fn result(
    row: Row,
    place: RowPlace,
    (column, position): (usize, i32),
    warnings: &mut Warnings,
) -> Result<ImportedResult, Problem> {
    Mapper { place, warnings }.result(row, position, column)
}

/// Maps one row.
struct Mapper<'a> {
    place: RowPlace,
    warnings: &'a mut Warnings,
}

impl Mapper<'_> {
    /// The result, without its repetition.
    fn result(&mut self, mut row: Row, position: i32, column: usize) -> Result<ImportedResult, Problem> {
        let outcome = self.outcome(&row)?;
        let vars = take_vars(&mut row);
        let case = row.test_case.as_ref();
        let descriptions = [case.and_then(|case| case.description.as_ref()), row.description.as_ref()];
        let assertions = case.and_then(|case| case.assert.as_deref()).unwrap_or_default();
        Ok(ImportedResult {
            external_id: external_id(row.id.take(), position, column),
            position,
            test_case_name: case_name(descriptions, &vars, position),
            case_hash: case_hash(&vars),
            repetition: 0,
            rendered_prompt: row.prompt.as_mut().and_then(|prompt| prompt.raw.take()),
            expected_output: expected_output(assertions, &vars).as_ref().and_then(text_form),
            actual_output: row.response.as_ref().and_then(|response| text_form(response.output.as_ref()?)),
            score: self.score(&row),
            outcome,
            reason: reason(&row, outcome),
            latency_ms: self.count(row.latency_ms, "latencyMs")?,
            tokens: self.tokens(&row)?,
            cost_usd: self.cost(&row),
            named_scores: numbers_of(row.named_scores.take()),
            error_message: error_message(&row, outcome),
            metadata: result_metadata(&mut row),
            input_data: vars,
        })
    }

    fn outcome(&self, row: &Row) -> Result<TestOutcome, Problem> {
        outcome(row).ok_or_else(|| {
            let problem = "it is missing; expected true or false, or else a `failureReason` of 0, 1 or 2";
            Problem::new(self.place.member("success"), problem)
        })
    }

    fn score(&mut self, row: &Row) -> f64 {
        row.score.unwrap_or_else(|| {
            self.warnings.add_at("a result has no score, 0 was stored", || self.place.member("score"));
            0.0
        })
    }

    fn count(&mut self, value: Option<f64>, member: &str) -> Result<Option<i32>, Problem> {
        let place = self.place;
        count(value, self.warnings, || place.member(member))
    }

    fn cost(&mut self, row: &Row) -> Option<f64> {
        let place = self.place;
        let cost = row.cost.or_else(|| row.response.as_ref()?.cost);
        amount(cost, self.warnings, || place.member("cost"))
    }

    fn tokens(&mut self, row: &Row) -> Result<ImportedTokens, Problem> {
        let of_answer = row.response.as_ref().and_then(|response| response.token_usage.as_ref());
        let usage = of_answer.or(row.token_usage.as_ref()).cloned().unwrap_or_default();
        Ok(ImportedTokens {
            total: self.count(total(&usage), "tokenUsage.total")?,
            prompt: self.count(usage.prompt, "tokenUsage.prompt")?,
            completion: self.count(usage.completion, "tokenUsage.completion")?,
            cached: self.count(usage.cached, "tokenUsage.cached")?,
            reasoning: self.count(
                usage.completion_details.and_then(|details| details.reasoning),
                "tokenUsage.completionDetails.reasoning",
            )?,
            grading: self.count(grading_tokens(row), "tokenUsage.assertions.total")?,
        })
    }
}

/// Rows of older versions have no id.
fn external_id(id: Option<String>, position: i32, column: usize) -> String {
    id.filter(|id| !id.trim().is_empty()).map_or_else(|| format!("{position}:{column}"), fit_id)
}

fn total(usage: &TokenUsage) -> Option<f64> {
    usage.total.or_else(|| Some(usage.prompt? + usage.completion?))
}

/// The answer's own count of these is always 0.
fn grading_tokens(row: &Row) -> Option<f64> {
    let of_row = row.token_usage.as_ref().and_then(|usage| usage.assertions.as_ref()?.total);
    of_row.or_else(|| row.grading_result.as_ref()?.tokens_used.as_ref()?.total)
}

fn take_vars(row: &mut Row) -> Map<String, Value> {
    row.vars.take().or_else(|| row.test_case.as_mut()?.vars.take()).unwrap_or_default()
}

/// The grader's words; where there are none, those of the failure.
fn reason(row: &Row, outcome: TestOutcome) -> Option<String> {
    let graded = row.grading_result.as_ref().and_then(|grading| redacted_form(grading.reason.as_ref()?));
    graded.or_else(|| (outcome == TestOutcome::Failed).then(|| redacted_form(row.error.as_ref()?)).flatten())
}

fn error_message(row: &Row, outcome: TestOutcome) -> Option<String> {
    if outcome != TestOutcome::Errored {
        return None;
    }
    let error = row.error.as_ref().or_else(|| row.response.as_ref()?.error.as_ref())?;
    redacted_form(error)
}

/// The members that are numbers: null stands for a score that was none.
fn numbers_of(scores: Option<Map<String, Value>>) -> Map<String, Value> {
    scores.unwrap_or_default().into_iter().filter(|(_, score)| score.is_number()).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// The results of a file with two columns, and the warnings.
    fn mapped(rows: Value) -> Result<(Vec<Vec<ImportedResult>>, Vec<String>), String> {
        let prompts = json!([{"raw": "a", "label": "one"}, {"raw": "b", "label": "two"}]);
        let timestamp = "2026-11-23T06:13:02Z";
        let file = json!({"results": {"version": 3, "timestamp": timestamp, "prompts": prompts, "results": rows}});
        let file = crate::ingest::promptfoo::read(file.to_string().as_bytes()).map_err(|error| error.to_string())?;
        Ok((file.results, file.run.warnings))
    }

    fn row(test: i32, prompt: i32, more: Value) -> Value {
        let mut row = json!({"testIdx": test, "promptIdx": prompt, "success": true, "score": 1});
        row.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap());
        row
    }

    #[test]
    fn rows_are_put_in_the_order_of_the_tests() {
        let vars = json!({"vars": {"x": 1}});
        let rows =
            json!([row(2, 0, vars.clone()), row(0, 1, json!({})), row(0, 0, vars.clone()), row(1, 0, json!({}))]);
        let (results, warnings) = mapped(rows).unwrap();
        let told: Vec<_> = results
            .iter()
            .flatten()
            .map(|result| (result.external_id.as_str(), result.test_case_name.as_str(), result.repetition))
            .collect();
        assert_eq!(told, [("0:0", "x=1", 0), ("1:0", "test 1", 0), ("2:0", "x=1", 1), ("0:1", "test 0", 0)]);
        assert_eq!(warnings, Vec::<String>::new());
    }

    #[test]
    fn odd_values_are_stored_with_a_warning() {
        let rows = json!([
            row(0, 0, json!({"score": null, "latencyMs": -5, "namedScores": {"a": null, "b": 2}})),
            row(1, 0, json!({"score": -2, "latencyMs": 1.6, "id": "one"})),
            row(2, 0, json!({"score": 5, "id": "one"})),
        ]);
        let (results, warnings) = mapped(rows).unwrap();
        let told: Vec<_> = results[0].iter().map(|result| (result.score, result.latency_ms)).collect();
        assert_eq!(told, [(0.0, None), (-2.0, Some(2))]);
        assert_eq!(results[0][0].named_scores, json!({"b": 2}).as_object().cloned().unwrap());
        assert_eq!(
            warnings,
            [
                "a result has no score, 0 was stored: results.results[0].score",
                "a negative number was left out: results.results[0].latencyMs",
                "a result repeats the id of another and was left out: results.results[2].id",
            ]
        );
    }

    #[test]
    fn what_cannot_be_stored_is_an_error_that_names_the_place() {
        for (rows, place) in [
            (json!([row(0, 2, json!({}))]), "results.results[0].promptIdx"),
            (json!([row(0, 0, json!({})), {"success": true}]), "results.results[1].promptIdx"),
            (json!([row(0, 0, json!({"testIdx": 0.5}))]), "results.results[0].testIdx"),
            (json!([row(0, 0, json!({"latencyMs": 3e12}))]), "results.results[0].latencyMs"),
            (json!([row(0, 0, json!({"success": null}))]), "results.results[0].success"),
        ] {
            let message = mapped(rows).unwrap_err();
            assert!(message.contains(&format!(": {place}: ")), "{message}");
        }
    }

    #[test]
    fn errors_have_a_message_and_failures_a_reason() {
        let rows = json!([
            row(0, 0, json!({"success": false, "failureReason": 2, "error": "no answer: Bearer abcdef123456"})),
            row(1, 0, json!({"success": false, "failureReason": 2, "response": {"error": {"code": 400}}})),
            row(2, 0, json!({"success": false, "failureReason": 1, "error": "e", "gradingResult": {"reason": "r"}})),
            row(3, 0, json!({"success": false, "failureReason": 1, "error": "e"})),
        ]);
        let (results, _) = mapped(rows).unwrap();
        let told: Vec<_> =
            results[0].iter().map(|result| (result.error_message.as_deref(), result.reason.as_deref())).collect();
        assert_eq!(
            told,
            [
                (Some("no answer: Bearer [redacted]"), None),
                (Some(r#"{"code":400}"#), None),
                (None, Some("r")),
                (None, Some("e"))
            ]
        );
    }

    #[test]
    fn errors_and_reasons_are_stored_without_their_secrets() {
        let rows = json!([
            row(0, 0, json!({"success": false, "failureReason": 1, "error": "Bearer abcdef123456 was refused"})),
            row(
                1,
                0,
                json!({"success": false, "failureReason": 1, "gradingResult": {"reason": "asked https://me:pw@host"}})
            ),
            row(2, 0, json!({"success": false, "failureReason": 2, "error": "exit 1: ask --api-key=hunter2"})),
            row(3, 0, json!({"success": false, "failureReason": 2, "error": {"config": {"password": 1234}}})),
        ]);
        let (results, _) = mapped(rows).unwrap();
        let told: Vec<_> = results[0]
            .iter()
            .map(|result| result.reason.as_deref().or(result.error_message.as_deref()).unwrap_or_default())
            .collect();
        let expected = [
            "Bearer [redacted] was refused",
            "asked https://me:[redacted]@host",
            "exit 1: ask --api-key=[redacted]",
            r#"{"config":{"password":"[redacted]"}}"#,
        ];
        assert_eq!(told, expected);
    }

    #[test]
    fn variables_and_outputs_stay_as_they_are() {
        let prose = "password: ordinary words";
        let rows = json!([row(
            0,
            0,
            json!({"vars": {"password": prose}, "response": {"output": prose},
            "prompt": {"raw": prose}})
        )]);
        let (results, _) = mapped(rows).unwrap();
        let result = &results[0][0];
        assert_eq!(result.input_data["password"], prose);
        assert_eq!((result.actual_output.as_deref(), result.rendered_prompt.as_deref()), (Some(prose), Some(prose)));
    }

    #[test]
    fn variables_are_those_of_the_row_or_else_of_its_test() {
        let rows = json!([
            row(0, 0, json!({"testCase": {"vars": {"x": 1}}})),
            row(1, 0, json!({"testCase": {"vars": {"x": 1}}, "vars": {"x": 2}})),
        ]);
        let (results, _) = mapped(rows).unwrap();
        let values: Vec<_> = results[0].iter().map(|result| &result.input_data["x"]).collect();
        assert_eq!(values, [&json!(1), &json!(2)]);
    }

    #[test]
    fn rows_without_an_index_are_counted_by_column() {
        let without = |prompt: i32| json!({"promptIdx": prompt, "success": true, "score": 1});
        let (results, _) = mapped(json!([without(0), without(1), without(0)])).unwrap();
        let ids: Vec<_> = results.iter().flatten().map(|result| result.external_id.as_str()).collect();
        assert_eq!(ids, ["0:0", "1:0", "0:1"]);
    }

    #[test]
    fn the_cost_of_the_answer_stands_in_for_that_of_the_row() {
        let rows = json!([
            row(0, 0, json!({"response": {"cost": 0.5}})),
            row(1, 0, json!({"cost": 0.25, "response": {"cost": 0.5}})),
            row(2, 0, json!({"response": {"output": "free"}})),
        ]);
        let (results, _) = mapped(rows).unwrap();
        let costs: Vec<_> = results[0].iter().map(|result| result.cost_usd).collect();
        assert_eq!(costs, [Some(0.5), Some(0.25), None]);
    }

    #[test]
    fn tokens_of_the_answer_go_before_those_of_the_row() {
        let rows = json!([
            row(
                0,
                0,
                json!({"tokenUsage": {"total": 9, "assertions": {"total": 120}},
                "response": {"output": {"b": 1, "a": 2}, "tokenUsage": {"prompt": 3, "completion": 4, "cached": 0,
                    "completionDetails": {"reasoning": 1}, "assertions": {"total": 0}}}})
            ),
            row(1, 0, json!({"gradingResult": {"tokensUsed": {"total": 7}}})),
        ]);
        let (results, _) = mapped(rows).unwrap();
        let [answered, silent] = &results[0][..] else { panic!("two results") };
        let expected = ImportedTokens {
            total: Some(7),
            prompt: Some(3),
            completion: Some(4),
            cached: Some(0),
            reasoning: Some(1),
            grading: Some(120),
        };
        assert_eq!(answered.tokens, expected);
        assert_eq!(answered.actual_output.as_deref(), Some(r#"{"a":2,"b":1}"#));
        assert_eq!(silent.tokens, ImportedTokens { grading: Some(7), ..ImportedTokens::default() });
    }
}
