//! Comparing what a file claims with the results that are in it.

use serde_json::{Map, Value};

use super::file::{AssertionTokens, Column, Metrics, Stats, TokenUsage};
use crate::ingest::ScoreSum;
use crate::ingest::differences::{Differences, number_differs};
use crate::ingest::numbers::without_fraction;
use crate::ingest::totals::Totals;
use crate::ingest::warnings::Warnings;

/// The counts that the file claims for the whole run.
pub(super) fn declared(stats: &Stats) -> Value {
    let mut counts = Map::new();
    for (name, count) in [("successes", stats.successes), ("failures", stats.failures), ("errors", stats.errors)] {
        if let Some(count) = count {
            counts.insert(name.to_owned(), without_fraction(count));
        }
    }
    let tokens = stats.token_usage.as_ref();
    for (name, count) in [
        ("total_tokens", tokens.and_then(|tokens| tokens.total)),
        ("prompt_tokens", tokens.and_then(|tokens| tokens.prompt)),
        ("completion_tokens", tokens.and_then(|tokens| tokens.completion)),
        ("cached_tokens", tokens.and_then(|tokens| tokens.cached)),
        ("grading_tokens", tokens.and_then(grading_tokens)),
    ] {
        if let Some(count) = count {
            counts.insert(name.to_owned(), without_fraction(count));
        }
    }
    Value::Object(counts)
}

/// The tokens that graders used.
pub(super) fn grading_tokens(tokens: &TokenUsage) -> Option<f64> {
    tokens.assertions.as_ref()?.total
}

/// The sum of a column's scores as far as the file's word can be taken: a sum over other results than those that are
/// there would make a wrong mean.
pub(super) fn score_sum(metrics: &Metrics, results: i32) -> ScoreSum {
    match metrics.score {
        Some(None) => ScoreSum::Unknown,
        Some(Some(sum)) if claimed_tests(metrics).is_none_or(|tests| tests == f64::from(results)) => {
            ScoreSum::Stated(sum)
        }
        _ => ScoreSum::OfResults,
    }
}

/// Adds up what the columns claim, for a file that says nothing about the whole run.
pub(super) fn add_claims(stats: &mut Stats, columns: &[Column]) {
    let claims = || columns.iter().filter_map(|column| column.metrics.as_ref());
    let sum = |count: fn(&Metrics) -> Option<f64>| claims().filter_map(count).reduce(|sum, count| sum + count);
    let tokens = |count: fn(&TokenUsage) -> Option<f64>| {
        claims().filter_map(|metrics| count(metrics.token_usage.as_ref()?)).reduce(|sum, count| sum + count)
    };
    stats.successes = sum(|metrics| metrics.test_pass_count);
    stats.failures = sum(|metrics| metrics.test_fail_count);
    stats.errors = sum(|metrics| metrics.test_error_count);
    stats.token_usage = Some(TokenUsage {
        total: tokens(|tokens| tokens.total),
        prompt: tokens(|tokens| tokens.prompt),
        completion: tokens(|tokens| tokens.completion),
        cached: tokens(|tokens| tokens.cached),
        assertions: Some(AssertionTokens { total: tokens(grading_tokens) }),
        completion_details: None,
    });
}

fn claimed_tests(metrics: &Metrics) -> Option<f64> {
    sum_of([metrics.test_pass_count, metrics.test_fail_count, metrics.test_error_count])
}

/// The sum of those that are there; `None` when none is.
fn sum_of(counts: [Option<f64>; 3]) -> Option<f64> {
    counts.into_iter().flatten().reduce(|sum, count| sum + count)
}

/// Warns when the counts of the whole file and of its results differ. Returns whether results are missing or too many:
/// then nothing else can be expected to agree.
pub(super) fn compare_run<'a>(
    stats: &Stats,
    columns: impl IntoIterator<Item = &'a Totals>,
    warnings: &mut Warnings,
) -> bool {
    let totals = columns.into_iter().fold(Totals::default(), |sum, column| sum.plus(column));
    let counts = [stats.successes, stats.failures, stats.errors];
    let found = f64::from(totals.tests);
    match sum_of(counts) {
        Some(declared) if declared != found => {
            warnings.add(number_differs(declared, found));
            return true;
        }
        Some(_) => {}
        None => return false,
    }
    let mut differences = Differences::default();
    let counts = counts.map(|count| count.or(Some(0.0)));
    compare_outcomes(&mut differences, counts, stats.errors.is_some(), &totals);
    let tokens = stats.token_usage.as_ref().and_then(|tokens| tokens.total);
    differences.count("tokens", tokens, totals.tokens.unwrap_or(0));
    differences.warn("results.stats", warnings);
    false
}

/// Warns when the totals of a column and of its results differ.
pub(super) fn compare_column(index: usize, metrics: &Metrics, totals: &Totals, warnings: &mut Warnings) {
    let mut differences = Differences::default();
    let counts = [metrics.test_pass_count, metrics.test_fail_count, metrics.test_error_count];
    compare_outcomes(&mut differences, counts, metrics.test_error_count.is_some(), totals);
    differences.measure("score", metrics.score.flatten(), totals.score);
    differences.measure("cost", metrics.cost, totals.cost_usd.unwrap_or(0.0));
    // Latencies of the rows were rounded.
    let latency = metrics.total_latency_ms.filter(|latency| {
        (latency - totals.latency_ms.unwrap_or(0) as f64).abs() > f64::from(totals.timed) / 2.0 + 1.0
    });
    differences.count("latency in ms", latency, totals.latency_ms.unwrap_or(0));
    differences.warn(&format!("results.prompts[{index}]"), warnings);
}

/// Where errors are not counted by themselves, as in format 2, they are among the failures.
fn compare_outcomes(differences: &mut Differences, declared: [Option<f64>; 3], tells_errors: bool, found: &Totals) {
    let [passed, failed, errored] = declared;
    differences.count("passed", passed, found.passed.into());
    if tells_errors {
        differences.count("failed", failed, found.failed.into());
        differences.count("errored", errored, found.errored.into());
    } else {
        differences.count("failed or errored", failed, (found.failed + found.errored).into());
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn metrics(value: Value) -> Metrics {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn the_score_is_taken_where_it_is_about_the_same_results() {
        let counts = json!({"score": 1.5, "testPassCount": 1, "testFailCount": 1});
        assert_eq!(score_sum(&metrics(counts.clone()), 2), ScoreSum::Stated(1.5));
        assert_eq!(score_sum(&metrics(counts), 1), ScoreSum::OfResults);
        assert_eq!(score_sum(&metrics(json!({"score": null, "testPassCount": 4})), 3), ScoreSum::Unknown);
        assert_eq!(score_sum(&metrics(json!({"score": 2})), 3), ScoreSum::Stated(2.0));
        assert_eq!(score_sum(&metrics(json!({})), 3), ScoreSum::OfResults);
    }

    #[test]
    fn latencies_agree_as_far_as_they_were_rounded() {
        let totals = Totals { tests: 2, timed: 2, latency_ms: Some(100), ..Totals::default() };
        let compared = |latency: f64| {
            let mut warnings = Warnings::default();
            compare_column(1, &metrics(json!({"totalLatencyMs": latency})), &totals, &mut warnings);
            warnings.into_texts()
        };
        for latency in [98.0, 100.0, 102.0] {
            assert_eq!(compared(latency), Vec::<String>::new(), "{latency}");
        }
        assert_eq!(
            compared(102.5),
            ["results.prompts[1] declares latency in ms 102.5; the results have latency in ms 100"]
        );
    }

    #[test]
    fn errors_are_failures_where_they_are_not_told_apart() {
        let totals = Totals { tests: 6, passed: 3, failed: 2, errored: 1, ..Totals::default() };
        let compared = |stats: Value| {
            let mut warnings = Warnings::default();
            compare_run(&serde_json::from_value(stats).unwrap(), [&totals], &mut warnings);
            warnings.into_texts()
        };
        assert_eq!(compared(json!({"successes": 3, "failures": 3})), Vec::<String>::new());
        assert_eq!(compared(json!({"successes": 3, "failures": 2, "errors": 1})), Vec::<String>::new());
        assert_eq!(
            compared(json!({"successes": 3, "failures": 3, "errors": 0})),
            ["results.stats declares failed 3, errored 0; the results have failed 2, errored 1"]
        );
        assert_eq!(
            compared(json!({"successes": 2, "failures": 4})),
            ["results.stats declares passed 2, failed or errored 4; the results have passed 3, failed or errored 3"]
        );
    }
}
