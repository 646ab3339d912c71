//! Two evaluations compared, test case by test case.
//!
//! Results with equal name and equal hash of the variables are repetitions of one case. Of those that were not skipped,
//! the case has the outcome that most have, and is failed when two outcomes share the lead; the first stands for all.
//!
//! Cases of the two evaluations are the same when they have the same name and hash; of those left over, when they have
//! the same name, which nothing else left over in either evaluation has; of those still left over, when they have the same
//! hash, likewise. Cases of one name that both have no hash are the same; cases of different names are not, for having
//! none. Cases whose repetitions were all skipped take part in that, so that nothing else is taken for them, and count as
//! absent afterwards.

mod statements;

use std::collections::HashMap;

use diesel::prelude::*;
use diesel::result::QueryResult;
use diesel_async::RunQueryDsl as _;

pub use statements::{Cases, ChangeCounts};

use super::backend::on_backend;
use super::connection::DbConnection;
use crate::domain::{EvaluationId, Principal, TestCaseChange, TestOutcome, TestResultId};

/// Two evaluations, of which the second is held against the first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct EvaluationPair {
    /// What was before.
    pub baseline: EvaluationId,
    /// What is to be judged.
    pub candidate: EvaluationId,
}

/// A case's place among those of a comparison: in the order of the baseline's tests, and then of those that only the
/// candidate has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Queryable)]
pub struct CasePosition {
    /// 1 for a case that only the candidate has, else 0.
    pub candidate_only: i32,
    /// The place of the test in its suite; after all others when it has none.
    pub place: i64,
    /// The result that stands for the case, in the baseline if it is there: later ones have greater ids.
    pub result: TestResultId,
}

/// Which part of the cases is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CaseRange {
    /// From the beginning.
    All,
    /// Those later than this.
    After(CasePosition),
    /// Those up to this and with it.
    UpTo(CasePosition),
}

/// Which cases of a comparison are wanted.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct CaseSlice {
    /// Only those with one of these changes.
    pub changes: Option<Vec<TestCaseChange>>,
    /// Where they are.
    pub range: CaseRange,
    /// At most so many, counted from the beginning of the range.
    pub limit: i64,
}

/// One test case in both evaluations.
#[derive(Debug, Clone, PartialEq, Queryable)]
pub struct ComparedCase {
    /// Its name: the candidate's, where the baseline has another.
    pub name: String,
    /// What became of it.
    pub change: TestCaseChange,
    /// In the baseline; none when it is not there.
    pub baseline: Option<CaseResult>,
    /// In the candidate; none when it is not there.
    pub candidate: Option<CaseResult>,
    /// Its place among the others.
    pub position: CasePosition,
}

/// One test case in one evaluation.
#[derive(Debug, Clone, Copy, PartialEq, Queryable)]
pub struct CaseResult {
    /// The result that stands for it.
    pub id: TestResultId,
    /// What most of its repetitions have come to.
    pub outcome: TestOutcome,
    /// The score of the result.
    pub score: f64,
    /// The latency of the result.
    pub latency_ms: Option<i32>,
}

/// How many cases of a comparison have which change.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ComparisonCounts(HashMap<TestCaseChange, i64>);

impl ComparisonCounts {
    /// Those with this change.
    #[must_use]
    pub fn of(&self, change: TestCaseChange) -> i64 {
        self.0.get(&change).copied().unwrap_or(0)
    }

    /// Those with any of the changes that `wanted` tells.
    pub fn total(&self, wanted: impl Fn(TestCaseChange) -> bool) -> i64 {
        self.0.iter().filter(|(change, _)| wanted(**change)).map(|(_, count)| count).sum()
    }
}

/// Counts the cases of a comparison. What the principal may not see has no cases.
///
/// # Errors
/// When the statement fails.
pub async fn counts(
    connection: &mut DbConnection,
    principal: &Principal,
    pair: EvaluationPair,
) -> QueryResult<ComparisonCounts> {
    let statement = ChangeCounts::new(principal, pair);
    let counts: Vec<(TestCaseChange, i64)> = on_backend!(connection, |inner| statement.load(inner).await)?;
    Ok(ComparisonCounts(counts.into_iter().collect()))
}

/// The cases of a slice, in their order. What the principal may not see has no cases.
///
/// # Errors
/// When the statement fails.
pub async fn cases(
    connection: &mut DbConnection,
    principal: &Principal,
    pair: EvaluationPair,
    slice: CaseSlice,
) -> QueryResult<Vec<ComparedCase>> {
    let statement = Cases::new(principal, pair, slice);
    on_backend!(connection, |inner| statement.load(inner).await)
}
