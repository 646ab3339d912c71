//! The totals that an evaluation keeps of its results.

use super::{ImportedResult, ScoreSum};
use crate::domain::TestOutcome;

/// What counts of one result.
#[derive(Debug, Clone, Copy)]
pub(super) struct Figures {
    pub outcome: TestOutcome,
    pub score: f64,
    pub latency_ms: Option<i32>,
    pub tokens: Option<i32>,
    pub prompt_tokens: Option<i32>,
    pub completion_tokens: Option<i32>,
    pub cost_usd: Option<f64>,
}

impl From<&ImportedResult> for Figures {
    fn from(result: &ImportedResult) -> Self {
        Self {
            outcome: result.outcome,
            score: result.score,
            latency_ms: result.latency_ms,
            tokens: result.tokens.total,
            prompt_tokens: result.tokens.prompt,
            completion_tokens: result.tokens.completion,
            cost_usd: result.cost_usd,
        }
    }
}

/// Sums over the results of one evaluation. A sum of nothing is `None`.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Totals {
    pub tests: i32,
    pub passed: i32,
    pub failed: i32,
    pub errored: i32,
    pub timed: i32,
    pub score: f64,
    pub latency_ms: Option<i64>,
    pub tokens: Option<i64>,
    pub prompt_tokens: Option<i64>,
    pub completion_tokens: Option<i64>,
    pub cost_usd: Option<f64>,
}

impl Totals {
    /// The sums over these results.
    pub fn of(results: impl IntoIterator<Item = Figures>) -> Self {
        let mut totals = Self::default();
        for result in results {
            totals.add(result);
        }
        totals
    }

    fn add(&mut self, result: Figures) {
        self.tests += 1;
        match result.outcome {
            TestOutcome::Passed => self.passed += 1,
            TestOutcome::Failed => self.failed += 1,
            TestOutcome::Errored => self.errored += 1,
            TestOutcome::Skipped => {}
        }
        self.timed += i32::from(result.latency_ms.is_some());
        self.score += result.score;
        add_count(&mut self.latency_ms, result.latency_ms);
        add_count(&mut self.tokens, result.tokens);
        add_count(&mut self.prompt_tokens, result.prompt_tokens);
        add_count(&mut self.completion_tokens, result.completion_tokens);
        if let Some(cost) = result.cost_usd {
            self.cost_usd = Some(self.cost_usd.unwrap_or(0.0) + cost);
        }
    }

    /// The sum of the scores; `None` when it is unknown or no finite number.
    pub fn score_sum(&self, stated: ScoreSum) -> Option<f64> {
        match stated {
            ScoreSum::OfResults => Some(self.score).filter(|sum| sum.is_finite()),
            ScoreSum::Stated(sum) => Some(sum).filter(|sum| sum.is_finite()),
            ScoreSum::Unknown => None,
        }
    }

    /// The score of the whole: the mean over the results, `None` for none.
    pub fn overall_score(&self, stated: ScoreSum) -> Option<f64> {
        (self.tests > 0).then_some(self.score_sum(stated)?).map(|sum| sum / f64::from(self.tests))
    }

    /// The cost; `None` when nothing had one, or the sum is no finite number.
    pub fn cost(&self) -> Option<f64> {
        self.cost_usd.filter(|cost| cost.is_finite())
    }
}

fn add_count(sum: &mut Option<i64>, value: Option<i32>) {
    if let Some(value) = value {
        *sum = Some(sum.unwrap_or(0) + i64::from(value));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figures(outcome: TestOutcome, score: f64, latency_ms: Option<i32>) -> Figures {
        Figures {
            outcome,
            score,
            latency_ms,
            tokens: None,
            prompt_tokens: None,
            completion_tokens: None,
            cost_usd: Some(0.5),
        }
    }

    #[test]
    fn sums_count_what_is_there() {
        let totals = Totals::of([
            figures(TestOutcome::Passed, 5.0, Some(3)),
            figures(TestOutcome::Errored, 0.0, None),
            figures(TestOutcome::Skipped, 0.0, Some(4)),
        ]);
        assert_eq!((totals.tests, totals.passed, totals.failed, totals.errored, totals.timed), (3, 1, 0, 1, 2));
        assert_eq!((totals.latency_ms, totals.tokens, totals.cost()), (Some(7), None, Some(1.5)));
    }

    #[test]
    fn an_unknown_score_stays_unknown() {
        let totals = Totals::of([figures(TestOutcome::Passed, 5.0, None)]);
        assert_eq!(totals.overall_score(ScoreSum::OfResults), Some(5.0));
        assert_eq!(totals.overall_score(ScoreSum::Stated(4.0)), Some(4.0));
        assert_eq!(totals.overall_score(ScoreSum::Unknown), None);
        assert_eq!(Totals::default().overall_score(ScoreSum::OfResults), None);
        let infinite = Totals::of([f64::MAX, f64::MAX].map(|score| figures(TestOutcome::Passed, score, None)));
        assert_eq!(infinite.score_sum(ScoreSum::OfResults), None);
    }
}
