//! What has no column of its own and is kept beside the others.
//!
//! What is to get a column or table of its own has its name here already (`cached`, `assertion_results`); what only
//! promptfoo knows is under `promptfoo`, where promptfoo has it.

use serde_json::{Map, Value, json};

use super::assertions::assertion_results;
use super::file::{GradingResult, Response, Row, TestCase};
use crate::ingest::json::text_form;
use crate::ingest::members::Members;
use crate::ingest::redact::redact_members;

/// The metadata of a result. Takes it out of the row.
pub(super) fn result_metadata(row: &mut Row) -> Map<String, Value> {
    let mut metadata = Members(own_metadata(row));
    let response = row.response.as_ref();
    metadata.add("output_is_json", response.and_then(output_is_json));
    metadata.add("cached", response.and_then(|response| response.cached));
    metadata.add("is_refusal", response.and_then(|response| response.is_refusal));
    metadata.add("trace_id", row.trace_id.take());
    let components = row.grading_result.as_ref().and_then(|grading| grading.component_results.as_deref());
    metadata.add("assertion_results", assertion_results(components.unwrap_or_default()));
    metadata.add("annotations", annotations(row.grading_result.as_ref()));
    let is_graded = components.is_some_and(|components| !components.is_empty());
    metadata.add("promptfoo", tool_metadata(row, is_graded));
    metadata.into_map()
}

/// What the user said about the test, without what promptfoo needs for itself.
fn own_metadata(row: &mut Row) -> Map<String, Value> {
    let mut metadata = row.test_case.as_mut().and_then(|case| case.metadata.take()).unwrap_or_default();
    metadata.extend(row.metadata.take().unwrap_or_default());
    metadata.retain(|name, _| !name.starts_with("_promptfoo"));
    redact_members(&mut metadata);
    metadata
}

/// True for an output that is no text, nothing for others.
fn output_is_json(response: &Response) -> Option<bool> {
    match response.output {
        None | Some(Value::Null | Value::String(_)) => None,
        Some(_) => Some(true),
    }
}

/// A comment is a person's verdict on the result.
fn annotations(grading: Option<&GradingResult>) -> Vec<Value> {
    let comment =
        grading.and_then(|grading| text_form(grading.comment.as_ref()?)).filter(|comment| !comment.is_empty());
    comment.map(|comment| json!({"author": "promptfoo", "comment": comment})).into_iter().collect()
}

fn tool_metadata(row: &mut Row, is_graded: bool) -> Map<String, Value> {
    let mut kept = Members::default();
    let response = row.response.as_mut();
    let (finish_reason, response_cost) =
        response.map(|response| (response.finish_reason.take(), response.incurred_cost.take())).unwrap_or_default();
    kept.add("finishReason", finish_reason);
    kept.add("incurredCost", row.incurred_cost.take().or(response_cost));
    kept.add("evaluationId", row.evaluation_id.take());
    let mut prompt = Members::default();
    prompt.add_config("config", row.prompt.as_mut().and_then(|prompt| prompt.config.take()));
    kept.add("prompt", prompt.into_map());
    kept.add("testCase", row.test_case.as_mut().map(|case| case_metadata(case, is_graded)));
    kept.into_map()
}

fn case_metadata(case: &mut TestCase, is_graded: bool) -> Map<String, Value> {
    let mut kept = Members::default();
    kept.add_config("options", case.options.take());
    kept.add("threshold", case.threshold.take());
    // Graded assertions are among the results, with what became of them.
    if !is_graded {
        kept.add_config("assert", case.assert.take().map(Value::Array));
    }
    kept.into_map()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn metadata(row: Value) -> Value {
        Value::Object(result_metadata(&mut serde_json::from_value(row).unwrap()))
    }

    #[test]
    fn everything_without_a_column_is_kept() {
        let row = json!({
            "metadata": {"suite": "s", "_promptfooFileMetadata": {}, "headers": {"cookie": "c"}},
            "testCase": {"metadata": {"suite": "other", "level": 1}, "options": {"apiKey": "k"}, "threshold": 0.5,
                "assert": [{"type": "equals"}]},
            "response": {"output": {"a": 1}, "cached": true, "isRefusal": false, "finishReason": "stop"},
            "gradingResult": {"comment": "well done", "componentResults": [{"pass": true, "assertion": {"type": "x"}}]},
            "incurredCost": 0, "traceId": "t", "evaluationId": "e", "prompt": {"config": {"provider": "p"}},
        });
        assert_eq!(
            metadata(row),
            json!({
                "suite": "s", "level": 1, "headers": {"cookie": "[redacted]"},
                "output_is_json": true, "cached": true, "is_refusal": false, "trace_id": "t",
                "assertion_results": [{"ordinal": 0, "type": "x", "passed": true}],
                "annotations": [{"author": "promptfoo", "comment": "well done"}],
                "promptfoo": {
                    "finishReason": "stop", "incurredCost": 0, "evaluationId": "e",
                    "prompt": {"config": {"provider": "p"}},
                    "testCase": {"options": {"apiKey": "[redacted]"}, "threshold": 0.5},
                },
            })
        );
    }

    #[test]
    fn assertions_are_kept_where_none_was_graded() {
        let row = json!({"testCase": {"assert": [{"type": "equals"}]}, "gradingResult": null});
        assert_eq!(metadata(row), json!({"promptfoo": {"testCase": {"assert": [{"type": "equals"}]}}}));
        assert_eq!(metadata(json!({"testCase": {"options": {}, "metadata": {}}})), json!({}));
    }
}
