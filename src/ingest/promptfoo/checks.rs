//! Comparing what a file claims with the results that are in it.

use std::fmt::Write as _;

use serde_json::{Map, Value};

use super::columns::whole;
use super::file::{Metrics, Stats, TokenUsage};
use crate::ingest::totals::{Figures, Totals};
use crate::ingest::warnings::Warnings;
use crate::ingest::{ImportedEvaluation, ImportedResult, ScoreSum};

/// The counts that the file claims for the whole run.
pub(super) fn declared(stats: &Stats) -> Value {
    let mut counts = Map::new();
    for (name, count) in [("successes", stats.successes), ("failures", stats.failures), ("errors", stats.errors)] {
        if let Some(count) = count {
            counts.insert(name.to_owned(), whole(count));
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
            counts.insert(name.to_owned(), whole(count));
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
pub(super) fn score_sum(metrics: &Metrics, results: usize) -> ScoreSum {
    match metrics.score {
        Some(None) => ScoreSum::Unknown,
        Some(Some(sum)) if claimed_tests(metrics).is_none_or(|tests| tests == results as f64) => ScoreSum::Stated(sum),
        _ => ScoreSum::OfResults,
    }
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
pub(super) fn compare_run(stats: &Stats, evaluations: &[ImportedEvaluation], warnings: &mut Warnings) -> bool {
    let totals = totals(evaluations.iter().flat_map(|evaluation| &evaluation.results));
    let counts = [stats.successes, stats.failures, stats.errors];
    let found = f64::from(totals.tests);
    match sum_of(counts) {
        Some(declared) if declared != found => {
            warnings.add(difference(declared, found));
            return true;
        }
        Some(_) => {}
        None => return false,
    }
    let [passed, failed, errored] = counts.map(Option::unwrap_or_default);
    let mut differences = Differences::default();
    differences.count("passed", Some(passed), totals.passed.into());
    differences.count("failed", Some(failed), totals.failed.into());
    differences.count("errored", Some(errored), totals.errored.into());
    let tokens = stats.token_usage.as_ref().and_then(|tokens| tokens.total);
    differences.count("tokens", tokens, totals.tokens.unwrap_or(0));
    differences.warn("results.stats", warnings);
    false
}

fn difference(declared: f64, found: f64) -> String {
    let number = (declared - found).abs();
    let (noun, verb) = if number == 1.0 { ("result", "is") } else { ("results", "are") };
    let state = if declared > found { "missing" } else { "more than expected" };
    format!("{number} {noun} {verb} {state}: declared {declared}")
}

/// Warns when the totals of a column and of its results differ.
pub(super) fn compare_column(
    index: usize,
    metrics: &Metrics,
    evaluation: &ImportedEvaluation,
    warnings: &mut Warnings,
) {
    let totals = totals(&evaluation.results);
    let mut differences = Differences::default();
    differences.count("passed", metrics.test_pass_count, totals.passed.into());
    differences.count("failed", metrics.test_fail_count, totals.failed.into());
    differences.count("errored", metrics.test_error_count, totals.errored.into());
    differences.measure("score", metrics.score.flatten(), totals.score);
    differences.measure("cost", metrics.cost, totals.cost_usd.unwrap_or(0.0));
    // Latencies of the rows were rounded.
    let latency = metrics.total_latency_ms.filter(|latency| {
        (latency - totals.latency_ms.unwrap_or(0) as f64).abs() > f64::from(totals.timed) / 2.0 + 1.0
    });
    differences.count("latency in ms", latency, totals.latency_ms.unwrap_or(0));
    differences.warn(&format!("results.prompts[{index}]"), warnings);
}

fn totals<'a>(results: impl IntoIterator<Item = &'a ImportedResult>) -> Totals {
    Totals::of(results.into_iter().map(Figures::from))
}

/// What is declared and does not agree with what was found.
#[derive(Default)]
struct Differences {
    declared: String,
    found: String,
}

impl Differences {
    fn count(&mut self, name: &str, declared: Option<f64>, found: i64) {
        if declared.is_some_and(|declared| declared != found as f64) {
            self.add(name, declared.unwrap_or_default(), found as f64);
        }
    }

    fn measure(&mut self, name: &str, declared: Option<f64>, found: f64) {
        let Some(declared) = declared else { return };
        let tolerance = 1e-9 + 1e-6 * declared.abs().max(found.abs());
        if (declared - found).abs() > tolerance {
            self.add(name, declared, found);
        }
    }

    fn add(&mut self, name: &str, declared: f64, found: f64) {
        for (list, number) in [(&mut self.declared, declared), (&mut self.found, found)] {
            let comma = if list.is_empty() { "" } else { ", " };
            // Writing to a string cannot fail.
            let _ = write!(list, "{comma}{name} {number}");
        }
    }

    fn warn(self, place: &str, warnings: &mut Warnings) {
        if !self.declared.is_empty() {
            warnings.add(format!("{place} declares {}; the results have {}", self.declared, self.found));
        }
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
    fn missing_results_are_counted() {
        assert_eq!(difference(8.0, 6.0), "2 results are missing: declared 8");
        assert_eq!(difference(8.0, 7.0), "1 result is missing: declared 8");
        assert_eq!(difference(4.0, 6.0), "2 results are more than expected: declared 4");
    }

    #[test]
    fn differences_are_listed() {
        let mut warnings = Warnings::default();
        let mut differences = Differences::default();
        differences.count("passed", Some(3.0), 2);
        differences.count("failed", None, 2);
        differences.measure("score", Some(1.0), 1.0 + 1e-12);
        differences.measure("cost", Some(0.0002), 0.0001);
        differences.warn("here", &mut warnings);
        Differences::default().warn("nowhere", &mut warnings);
        assert_eq!(
            warnings.into_texts(),
            ["here declares passed 3, cost 0.0002; the results have passed 2, cost 0.0001"]
        );
    }
}
