//! What an evaluation keeps of its results.

use diesel::prelude::*;
use diesel::result::QueryResult;
use diesel::sqlite::Sqlite;

use crate::db::connection::DbConnection;
use crate::db::schema::evaluations;
use crate::db::test_results;
use crate::domain::totals::LARGEST_COST;
use crate::domain::{EvaluationId, ScoreSum, Timestamp, Totals};

/// The totals of an evaluation over its results.
#[derive(Debug, Clone, Copy, Queryable, Selectable, AsChangeset)]
#[diesel(table_name = evaluations, treat_none_as_null = true)]
#[allow(missing_docs, reason = "the fields are those of `NewEvaluation`")]
pub struct EvaluationTotals {
    pub overall_score: Option<f64>,
    pub score_sum: Option<f64>,
    pub total_tests: i32,
    pub passed_tests: i32,
    pub failed_tests: i32,
    pub errored_tests: i32,
    pub timed_tests: i32,
    pub total_latency_ms: Option<i64>,
    pub prompt_tokens: Option<i64>,
    pub completion_tokens: Option<i64>,
    pub total_tokens: Option<i64>,
    pub cost_usd: Option<f64>,
    pub updated_at: Timestamp,
}

/// The columns of [`EvaluationTotals`]: they are the same on both databases.
pub(super) type Columns = <EvaluationTotals as Selectable<Sqlite>>::SelectExpression;

impl EvaluationTotals {
    /// What an evaluation keeps of results that come to this.
    pub fn of(totals: &Totals, score: ScoreSum, now: Timestamp) -> Self {
        Self {
            overall_score: totals.overall_score(score),
            score_sum: totals.score_sum(score),
            total_tests: totals.tests,
            passed_tests: totals.passed,
            failed_tests: totals.failed,
            errored_tests: totals.errored,
            timed_tests: totals.timed,
            total_latency_ms: totals.latency_ms,
            prompt_tokens: totals.prompt_tokens,
            completion_tokens: totals.completion_tokens,
            total_tokens: totals.tokens,
            cost_usd: totals.cost(),
            updated_at: now,
        }
    }

    /// The mean score of the results that were not skipped; `None` for none, and when the sum is not known.
    pub fn mean_score(&self) -> Option<f64> {
        Totals::from(self).overall_score(ScoreSum::OfResults)
    }

    pub(super) fn columns() -> Columns {
        <Self as Selectable<Sqlite>>::construct_selection()
    }
}

impl From<&EvaluationTotals> for Totals {
    /// What an evaluation keeps. A sum of scores that is not known stays so whatever is added.
    fn from(stored: &EvaluationTotals) -> Self {
        // What a tool says of results that are still to come is no sum over those that are there.
        let score = if stored.total_tests == 0 { 0.0 } else { stored.score_sum.unwrap_or(f64::NAN) };
        Self {
            tests: stored.total_tests,
            passed: stored.passed_tests,
            failed: stored.failed_tests,
            errored: stored.errored_tests,
            timed: stored.timed_tests,
            score,
            latency_ms: stored.total_latency_ms,
            tokens: stored.total_tokens,
            prompt_tokens: stored.prompt_tokens,
            completion_tokens: stored.completion_tokens,
            cost_usd: stored.cost_usd,
        }
    }
}

/// What the results of an evaluation come to: those of which it keeps totals, and others that are added. Its results are not
/// read again, for it may grow by a few at a time.
///
/// # Errors
/// When the statement fails.
pub async fn totals_with(
    connection: &mut DbConnection,
    id: EvaluationId,
    stored: &EvaluationTotals,
    added: &Totals,
) -> QueryResult<Totals> {
    let mut totals = Totals::from(stored);
    // That its results have no cost that is known may be because one is too large to be added up.
    if totals.tests > 0
        && totals.cost_usd.is_none()
        && added.cost_usd.is_some()
        && test_results::has_cost_above(connection, id, LARGEST_COST).await?
    {
        totals.cost_usd = Some(f64::INFINITY);
    }
    Ok(totals.plus(added))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keeps(totals: &Totals) -> EvaluationTotals {
        EvaluationTotals::of(totals, ScoreSum::OfResults, Timestamp::now())
    }

    fn one(score: f64) -> Totals {
        Totals { tests: 1, failed: 1, score, tokens: Some(3), ..Totals::default() }
    }

    fn and_one(stored: &EvaluationTotals, score: f64) -> EvaluationTotals {
        keeps(&Totals::from(stored).plus(&one(score)))
    }

    #[test]
    fn sums_go_on_from_what_is_kept() {
        let second = and_one(&keeps(&one(0.5)), 1.0);
        assert_eq!((second.total_tests, second.failed_tests, second.score_sum), (2, 2, Some(1.5)));
        assert_eq!((second.total_tokens, second.total_latency_ms, second.cost_usd), (Some(6), None, None));
        assert_eq!(second.mean_score(), Some(0.75));
        assert_eq!(keeps(&Totals::default()).mean_score(), None);
    }

    #[test]
    fn a_sum_that_is_not_known_stays_so() {
        let larger = and_one(&keeps(&one(f64::MAX)), f64::MAX);
        assert_eq!((larger.score_sum, larger.mean_score()), (None, None));
        assert_eq!(and_one(&larger, 1.0).score_sum, None);
    }
}
