//! The test cases of a comparison, in pages.

use std::sync::Arc;

use async_graphql::{Context, Object, SimpleObject};

use super::super::{TestResult, int};
use super::cursor::CaseList;
use super::difference;
use crate::db::comparison::{CasePosition, CaseRange, CaseResult, CaseSlice, ComparedCase, EvaluationPair};
use crate::domain::{TestCaseChange, TestOutcome};
use crate::graphql::connection::{GraphNode as _, PageInfo};
use crate::graphql::error::ApiError;
use crate::graphql::pagination::{PageLimits, length};
use crate::graphql::scope::loaders;
use crate::graphql::selection;
use crate::loaders::ComparedCasesKey;

/// One page of the test cases of a comparison.
pub struct TestCaseComparisonConnection {
    pair: EvaluationPair,
    changes: Option<Vec<TestCaseChange>>,
    after: Option<CasePosition>,
    cases: Vec<Arc<ComparedCase>>,
    /// Whether the list goes on where the page was cut.
    more: bool,
}

impl TestCaseComparisonConnection {
    /// Reads the page that the arguments describe.
    pub async fn load(
        context: &Context<'_>,
        pair: EvaluationPair,
        changes: Option<Vec<TestCaseChange>>,
        first: Option<i32>,
        after: Option<String>,
    ) -> Result<Self, ApiError> {
        let limits = *context.data_unchecked::<PageLimits>();
        let size = first.map_or(Ok(limits.default), |first| length("first", first, limits.maximum))?;
        let after = after.map(|cursor| CaseList(pair).read_cursor("after", &cursor)).transpose()?;
        let mut page = Self { pair, changes, after, cases: Vec::new(), more: false };
        if selection::selects_any(context, &["nodes", "edges", "pageInfo"]) {
            let size = size as usize;
            let range = after.map_or(CaseRange::All, CaseRange::After);
            // One more, which tells whether there are others beyond.
            let found = page.slice(context, range, size + 1).await?;
            page.more = found.len() > size;
            page.cases = found.iter().take(size).cloned().collect();
        }
        Ok(page)
    }

    async fn slice(
        &self,
        context: &Context<'_>,
        range: CaseRange,
        limit: usize,
    ) -> Result<Arc<Vec<Arc<ComparedCase>>>, ApiError> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let slice = CaseSlice { changes: self.changes.clone(), range, limit };
        Ok(loaders(context).compared_cases.load(ComparedCasesKey { pair: self.pair, slice }).await?)
    }

    /// Whether there is a case before the page. Looked up only when the answer is asked for.
    async fn has_previous(&self, context: &Context<'_>) -> Result<bool, ApiError> {
        let after = self.after.filter(|_| selection::selects_any(context, &["hasPreviousPage"]));
        let Some(position) = after else { return Ok(false) };
        Ok(!self.slice(context, CaseRange::UpTo(position), 1).await?.is_empty())
    }

    fn cursor(&self, case: &ComparedCase) -> String {
        CaseList(self.pair).cursor(case.position)
    }
}

/// One page of the test cases of a comparison, and how to get to the others.
#[Object]
impl TestCaseComparisonConnection {
    /// The test cases of the page, each with its cursor.
    async fn edges(&self) -> Vec<TestCaseComparisonEdge> {
        let edge = |case: &Arc<_>| TestCaseComparisonEdge {
            cursor: self.cursor(case),
            node: TestCaseComparison(Arc::clone(case)),
        };
        self.cases.iter().map(edge).collect()
    }

    /// The test cases of the page.
    async fn nodes(&self) -> Vec<TestCaseComparison> {
        self.cases.iter().cloned().map(TestCaseComparison).collect()
    }

    /// Where the page stands in the list.
    async fn page_info(&self, context: &Context<'_>) -> Result<PageInfo, ApiError> {
        Ok(PageInfo {
            has_next_page: self.more,
            has_previous_page: self.has_previous(context).await?,
            start_cursor: self.cases.first().map(|case| self.cursor(case)),
            end_cursor: self.cases.last().map(|case| self.cursor(case)),
        })
    }

    /// How many test cases the whole list has. Counted only when it is asked for; null when the count fails.
    async fn total_count(&self, context: &Context<'_>) -> Option<Result<i32, ApiError>> {
        let is_wanted = |change| self.changes.as_ref().is_none_or(|changes| changes.contains(&change));
        let counts = loaders(context).comparison_counts.load(self.pair).await;
        Some(counts.map_err(ApiError::from).and_then(|counts| int(counts.total(is_wanted), "totalCount")))
    }
}

/// A test case of a comparison and its place there.
#[derive(SimpleObject)]
pub struct TestCaseComparisonEdge {
    /// The test case's place in the list: what `after` takes. Opaque, and bound to the two evaluations.
    cursor: String,
    /// The test case.
    node: TestCaseComparison,
}

/// One test case in two evaluations.
pub struct TestCaseComparison(Arc<ComparedCase>);

/// One test case in two evaluations. Where it is repeated, the first repetition that was not skipped stands for it.
#[Object]
impl TestCaseComparison {
    /// The name of the test case: the candidate's, where the baseline knows it by another.
    async fn test_case_name(&self) -> &str {
        &self.0.name
    }

    /// What became of it.
    async fn change(&self) -> TestCaseChange {
        self.0.change
    }

    /// Its result in the baseline, the first of its repetitions; null when it is not there or was skipped.
    async fn baseline(&self, context: &Context<'_>) -> Option<Result<TestResult, ApiError>> {
        shown(context, self.0.baseline).await
    }

    /// Its result in the candidate, the first of its repetitions; null when it is not there or was skipped.
    async fn candidate(&self, context: &Context<'_>) -> Option<Result<TestResult, ApiError>> {
        shown(context, self.0.candidate).await
    }

    /// What most of its repetitions in the baseline have come to: FAILED when two outcomes share the lead, and null when
    /// it is not there or was skipped. Where it is repeated, `baseline` may have another outcome.
    async fn baseline_outcome(&self) -> Option<TestOutcome> {
        self.0.baseline.map(|result| result.outcome)
    }

    /// What most of its repetitions in the candidate have come to: FAILED when two outcomes share the lead, and null when
    /// it is not there or was skipped. Where it is repeated, `candidate` may have another outcome.
    async fn candidate_outcome(&self) -> Option<TestOutcome> {
        self.0.candidate.map(|result| result.outcome)
    }

    /// The score of `candidate` less that of `baseline`; null when one of them is null, or no number is
    /// that large.
    async fn score_delta(&self) -> Option<f64> {
        difference(self.0.baseline.map(|result| result.score), self.0.candidate.map(|result| result.score))
    }

    /// The latency of `candidate` less that of `baseline`, in milliseconds; null when one of them is null or has none.
    async fn latency_delta_ms(&self) -> Option<i32> {
        self.0.candidate?.latency_ms?.checked_sub(self.0.baseline?.latency_ms?)
    }
}

async fn shown(context: &Context<'_>, result: Option<CaseResult>) -> Option<Result<TestResult, ApiError>> {
    let columns = selection::of_object(context, TestResult::COLUMNS);
    TestResult::load(context, result?.id.into(), columns).await.transpose()
}
