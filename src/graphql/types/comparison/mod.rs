//! Two evaluations compared.

mod cases;
mod cursor;

use std::sync::Arc;

use async_graphql::{Context, Object};
use futures_util::future::try_join;
use uuid::Uuid;

use self::cases::TestCaseComparisonConnection;
use super::{Evaluation, int};
use crate::db::comparison::EvaluationPair;
use crate::db::evaluations::EvaluationRow;
use crate::domain::TestCaseChange;
use crate::graphql::connection::GraphNode as _;
use crate::graphql::error::ApiError;
use crate::graphql::scope::loaders;
use crate::graphql::selection;
use crate::loaders::RowKey;

/// One evaluation, the candidate, held against another, the baseline.
pub struct EvaluationComparison {
    baseline: Arc<EvaluationRow>,
    candidate: Arc<EvaluationRow>,
}

impl EvaluationComparison {
    /// The comparison, unless one of the evaluations does not exist or belongs to somebody else.
    pub async fn load(context: &Context<'_>, baseline: Uuid, candidate: Uuid) -> Result<Option<Self>, ApiError> {
        let row = |id, field| {
            let columns = selection::of_member(context, field, Evaluation::COLUMNS);
            loaders(context).evaluation_by_id.load(RowKey { id, columns })
        };
        let rows = try_join(row(baseline, "baseline"), row(candidate, "candidate")).await?;
        let (Some(baseline), Some(candidate)) = rows else { return Ok(None) };
        Ok(Some(Self { baseline, candidate }))
    }

    fn pair(&self) -> EvaluationPair {
        EvaluationPair { baseline: self.baseline.id, candidate: self.candidate.id }
    }

    /// How many cases have a change that `wanted` tells. All such questions share one statement.
    async fn count(
        &self,
        context: &Context<'_>,
        field: &str,
        wanted: impl Fn(TestCaseChange) -> bool,
    ) -> Result<i32, ApiError> {
        let counts = loaders(context).comparison_counts.load(self.pair()).await?;
        int(counts.total(wanted), field)
    }
}

/// One evaluation, the candidate, held against another, the baseline, test case by test case.
///
/// Results with the same name and the same variables are repetitions of one case: its outcome is the one that most of
/// them have, failed when two outcomes share the lead, and the first of them stands for it. Cases are the same when they
/// have the same name and variables; of those left over, when they have the same name and no other left over in their
/// evaluation has it; then, when they have the same variables, likewise. What was skipped counts as absent.
#[Object]
impl EvaluationComparison {
    /// The evaluation that was before.
    async fn baseline(&self) -> Evaluation {
        Evaluation::new(Arc::clone(&self.baseline))
    }

    /// The evaluation that is to be judged.
    async fn candidate(&self) -> Evaluation {
        Evaluation::new(Arc::clone(&self.candidate))
    }

    /// The candidate's overall score less the baseline's; null when one of them has none, or no number is that large.
    async fn score_delta(&self) -> Option<f64> {
        difference(self.baseline.overall_score, self.candidate.overall_score)
    }

    /// Test cases that are in both.
    async fn matched(&self, context: &Context<'_>) -> Result<i32, ApiError> {
        let in_both = |change| !matches!(change, TestCaseChange::Added | TestCaseChange::Removed);
        self.count(context, "EvaluationComparison.matched", in_both).await
    }

    /// Test cases that failed in the baseline and passed in the candidate.
    async fn fixed(&self, context: &Context<'_>) -> Result<i32, ApiError> {
        self.count(context, "EvaluationComparison.fixed", |change| change == TestCaseChange::Fixed).await
    }

    /// Test cases that passed in the baseline and failed in the candidate.
    async fn regressed(&self, context: &Context<'_>) -> Result<i32, ApiError> {
        self.count(context, "EvaluationComparison.regressed", |change| change == TestCaseChange::Regressed).await
    }

    /// Test cases that passed in both.
    async fn unchanged_pass(&self, context: &Context<'_>) -> Result<i32, ApiError> {
        self.count(context, "EvaluationComparison.unchangedPass", |change| change == TestCaseChange::UnchangedPass)
            .await
    }

    /// Test cases that failed in both.
    async fn unchanged_fail(&self, context: &Context<'_>) -> Result<i32, ApiError> {
        self.count(context, "EvaluationComparison.unchangedFail", |change| change == TestCaseChange::UnchangedFail)
            .await
    }

    /// Test cases that are in both and errored in one of them at least. They are neither fixed nor regressed.
    async fn errored(&self, context: &Context<'_>) -> Result<i32, ApiError> {
        self.count(context, "EvaluationComparison.errored", |change| change == TestCaseChange::Errored).await
    }

    /// Test cases that only the candidate has.
    async fn added(&self, context: &Context<'_>) -> Result<i32, ApiError> {
        self.count(context, "EvaluationComparison.added", |change| change == TestCaseChange::Added).await
    }

    /// Test cases that only the baseline has.
    async fn removed(&self, context: &Context<'_>) -> Result<i32, ApiError> {
        self.count(context, "EvaluationComparison.removed", |change| change == TestCaseChange::Removed).await
    }

    /// The test cases, in the order of the baseline's tests; those that only the candidate has follow in the order of its
    /// tests. Tests without a place in their suite come after those with one, in the order in which they were recorded.
    async fn cases(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Only those with one of these changes: all by default. An empty list matches nothing.")]
        change: Option<Vec<TestCaseChange>>,
        #[graphql(
            desc = "So many objects from the beginning of the list, or after `after`. Without it, a page of the usual size."
        )]
        first: Option<i32>,
        #[graphql(desc = "The cursor of the object that the page follows.")] after: Option<String>,
    ) -> Result<TestCaseComparisonConnection, ApiError> {
        TestCaseComparisonConnection::load(context, self.pair(), change, first, after).await
    }
}

/// From `baseline` to `candidate`; none when one of them is missing, or they are too far apart for a number.
fn difference(baseline: Option<f64>, candidate: Option<f64>) -> Option<f64> {
    Some(candidate? - baseline?).filter(|difference| difference.is_finite())
}

#[cfg(test)]
mod tests {
    use super::difference;

    #[test]
    fn a_difference_needs_both_numbers_and_is_one() {
        assert_eq!(difference(Some(0.25), Some(1.0)), Some(0.75));
        assert_eq!((difference(None, Some(1.0)), difference(Some(1.0), None)), (None, None));
        assert_eq!(difference(Some(f64::MIN), Some(f64::MAX)), None);
    }
}
