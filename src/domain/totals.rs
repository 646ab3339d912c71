//! The totals that an evaluation keeps of its results.

use serde_json::{Map, Value};

use super::TestOutcome;

/// Where the tokens that have no column are kept in a result's metadata.
pub(crate) const PROMPT_TOKENS: &str = "prompt_tokens";
pub(crate) const COMPLETION_TOKENS: &str = "completion_tokens";

/// The tokens that metadata tell under a name. Comparing totals reads them in the same way (`db::totals`).
pub(crate) fn told_tokens(metadata: &Map<String, Value>, name: &str) -> Option<i32> {
    let count = metadata.get(name)?.as_i64()?;
    i32::try_from(count).ok().filter(|&count| count >= 0)
}

/// What is known of the sum of an evaluation's scores.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum ScoreSum {
    /// The tool says nothing that could be used: it is the sum over the results.
    OfResults,
    /// The tool says so.
    Stated(f64),
    /// The tool says that there is none, because a score was no number.
    Unknown,
}

/// The largest cost that is added up: see `db::totals`.
pub(crate) const LARGEST_COST: f64 = 1e290;

/// What counts of one result.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Figures {
    pub outcome: TestOutcome,
    pub score: f64,
    pub latency_ms: Option<i32>,
    pub tokens: Option<i32>,
    pub prompt_tokens: Option<i32>,
    pub completion_tokens: Option<i32>,
    pub cost_usd: Option<f64>,
}

/// Sums over the results of one evaluation. A sum of nothing is `None`.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Totals {
    /// Results in all.
    pub tests: i32,
    /// Results that passed.
    pub passed: i32,
    /// Results that failed.
    pub failed: i32,
    /// Results without an answer to judge.
    pub errored: i32,
    /// Results with a latency.
    pub timed: i32,
    /// The sum of the scores.
    pub score: f64,
    /// The sum of the latencies.
    pub latency_ms: Option<i64>,
    /// Tokens of prompts and answers.
    pub tokens: Option<i64>,
    /// Tokens of the prompts.
    pub prompt_tokens: Option<i64>,
    /// Tokens of the answers.
    pub completion_tokens: Option<i64>,
    /// What the answers cost.
    pub cost_usd: Option<f64>,
}

impl Totals {
    /// Adds a result.
    pub(crate) fn add(&mut self, result: Figures) {
        self.tests = self.tests.saturating_add(1);
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
        add_cost(&mut self.cost_usd, result.cost_usd);
    }

    /// The sums over these results and the others.
    pub(crate) fn plus(mut self, other: &Self) -> Self {
        self.tests += other.tests;
        self.passed += other.passed;
        self.failed += other.failed;
        self.errored += other.errored;
        self.timed += other.timed;
        self.score += other.score;
        add_count(&mut self.latency_ms, other.latency_ms);
        add_count(&mut self.tokens, other.tokens);
        add_count(&mut self.prompt_tokens, other.prompt_tokens);
        add_count(&mut self.completion_tokens, other.completion_tokens);
        add_cost(&mut self.cost_usd, other.cost_usd);
        self
    }

    /// The sum of the scores; `None` when it is unknown or no finite number.
    pub(crate) fn score_sum(&self, stated: ScoreSum) -> Option<f64> {
        match stated {
            ScoreSum::OfResults => Some(self.score).filter(|sum| sum.is_finite()),
            ScoreSum::Stated(sum) => Some(sum).filter(|sum| sum.is_finite()),
            ScoreSum::Unknown => None,
        }
    }

    /// The score of the whole: the mean over the results that were not skipped, `None` for none.
    pub(crate) fn overall_score(&self, stated: ScoreSum) -> Option<f64> {
        let scored = self.passed + self.failed + self.errored;
        (scored > 0).then_some(self.score_sum(stated)?).map(|sum| sum / f64::from(scored))
    }

    /// The cost; `None` when nothing had one, or one is too large to be added up.
    pub(crate) fn cost(&self) -> Option<f64> {
        self.cost_usd.filter(|cost| cost.is_finite())
    }
}

fn add_count(sum: &mut Option<i64>, value: Option<impl Into<i64>>) {
    if let Some(value) = value {
        *sum = Some(sum.unwrap_or(0).saturating_add(value.into()));
    }
}

/// What is too large to be added up makes the sum unknown, as it does where the database adds up the costs of results
/// (`db::totals`).
fn add_cost(sum: &mut Option<f64>, value: Option<f64>) {
    if let Some(value) = value {
        let value = if value.abs() > LARGEST_COST { f64::INFINITY } else { value };
        *sum = Some(sum.unwrap_or(0.0) + value);
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

    fn totals<const N: usize>(results: [Figures; N]) -> Totals {
        let mut totals = Totals::default();
        results.into_iter().for_each(|result| totals.add(result));
        totals
    }

    #[test]
    fn sums_count_what_is_there() {
        let totals = totals([
            figures(TestOutcome::Passed, 5.0, Some(3)),
            figures(TestOutcome::Errored, 0.0, None),
            figures(TestOutcome::Skipped, 0.0, Some(4)),
        ]);
        assert_eq!((totals.tests, totals.passed, totals.failed, totals.errored, totals.timed), (3, 1, 0, 1, 2));
        assert_eq!((totals.latency_ms, totals.tokens, totals.cost()), (Some(7), None, Some(1.5)));
        assert_eq!(totals.overall_score(ScoreSum::OfResults), Some(2.5));
        let twice = totals.plus(&totals);
        assert_eq!((twice.tests, twice.latency_ms, twice.tokens, twice.cost()), (6, Some(14), None, Some(3.0)));
    }

    #[test]
    fn an_unknown_score_stays_unknown() {
        let totals = totals([figures(TestOutcome::Passed, 5.0, None)]);
        assert_eq!(totals.overall_score(ScoreSum::OfResults), Some(5.0));
        assert_eq!(totals.overall_score(ScoreSum::Stated(4.0)), Some(4.0));
        assert_eq!(totals.overall_score(ScoreSum::Unknown), None);
        assert_eq!(Totals::default().overall_score(ScoreSum::OfResults), None);
        let mut infinite = totals;
        (0..2).for_each(|_| infinite.add(figures(TestOutcome::Passed, f64::MAX, None)));
        assert_eq!(infinite.score_sum(ScoreSum::OfResults), None);
    }
}
