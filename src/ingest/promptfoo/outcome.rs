//! What became of a test.

use super::file::Row;
use crate::domain::TestOutcome;

/// `failureReason` of an error.
const ERROR: f64 = 2.0;

/// The outcome as promptfoo itself counts it: what did not succeed is an error when the reason is 2 and failed
/// otherwise. `success` goes first because a person may have changed it, which leaves the reason as it was. The
/// presence of `error` says nothing: it repeats the grader's reason where an assertion failed.
///
/// Rows without a reason are errors when they have an error and were not graded. `None` when the row says neither.
pub(super) fn outcome(row: &Row) -> Option<TestOutcome> {
    let graded = row.grading_result.as_ref();
    match (row.success.or_else(|| graded?.pass), row.failure_reason) {
        (Some(true), _) => Some(TestOutcome::Passed),
        (_, Some(ERROR)) => Some(TestOutcome::Errored),
        (Some(false), None) if row.error.is_some() && graded.is_none() => Some(TestOutcome::Errored),
        (Some(false), _) | (None, Some(1.0)) => Some(TestOutcome::Failed),
        (None, Some(0.0)) => Some(TestOutcome::Passed),
        (None, _) => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_reason_tells_errors_from_failures() {
        for (row, expected) in [
            (json!({"success": true, "failureReason": 0}), Some(TestOutcome::Passed)),
            (json!({"success": false, "failureReason": 1, "error": "grader's reason"}), Some(TestOutcome::Failed)),
            (
                json!({"success": false, "failureReason": 2, "error": "x", "gradingResult": null}),
                Some(TestOutcome::Errored),
            ),
            (json!({"success": false, "failureReason": 2}), Some(TestOutcome::Errored)),
            (json!({"success": true, "failureReason": 1}), Some(TestOutcome::Passed)),
            (json!({"success": false, "failureReason": 0}), Some(TestOutcome::Failed)),
            (json!({"success": false, "error": "x"}), Some(TestOutcome::Errored)),
            (json!({"success": false, "error": "x", "gradingResult": {"pass": false}}), Some(TestOutcome::Failed)),
            (json!({"gradingResult": {"pass": true}}), Some(TestOutcome::Passed)),
            (json!({"failureReason": 2}), Some(TestOutcome::Errored)),
            (json!({"failureReason": 0}), Some(TestOutcome::Passed)),
            (json!({}), None),
        ] {
            let parsed: Row = serde_json::from_value(row.clone()).unwrap();
            assert_eq!(outcome(&parsed), expected, "{row}");
        }
    }
}
