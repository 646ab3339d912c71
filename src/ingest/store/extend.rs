//! Bringing a run up to date that was there and to which something was added.

use std::collections::HashSet;

use diesel::result::QueryResult;

use super::attempt::{Known, Target};
use crate::db::evaluations::{EvaluationProgress, EvaluationTotals};
use crate::db::runs::RunExtension;
use crate::db::{DbConnection, evaluations, runs, test_results};
use crate::domain::{RunId, RunSource, Timestamp};
use crate::ingest::rows::metrics;
use crate::ingest::totals::Totals;
use crate::ingest::{ImportedEvaluation, ImportedRun, ScoreSum};

/// Names of test cases that are remembered. When more are added, all cases are looked at.
const NAMES: usize = 10_000;

/// The names of the test cases of which there are new results.
#[derive(Default)]
pub(super) struct CaseNames {
    names: HashSet<String>,
    are_too_many: bool,
}

impl CaseNames {
    /// Adds a name.
    pub fn insert(&mut self, name: &str) {
        if self.are_too_many || self.names.contains(name) {
            return;
        }
        if self.names.len() < NAMES {
            self.names.insert(name.to_owned());
        } else {
            (self.names, self.are_too_many) = (HashSet::new(), true);
        }
    }

    /// All of them, unless they were too many.
    fn all(&self) -> Option<&HashSet<String>> {
        Some(&self.names).filter(|_| !self.are_too_many)
    }
}

/// What was added to a run.
#[derive(Clone, Copy)]
pub(super) struct Additions<'a> {
    /// To which of its evaluations.
    pub targets: &'a [Target],
    /// The test cases of the results.
    pub cases: &'a CaseNames,
}

/// Brings the run and those of its evaluations that changed up to date.
pub(super) async fn extend_run(
    connection: &mut DbConnection,
    run: &ImportedRun,
    id: RunId,
    known: &Known,
    additions: Additions<'_>,
    now: Timestamp,
) -> QueryResult<()> {
    let changed = run.evaluations.iter().zip(additions.targets).filter(|(_, target)| target.is_changed());
    for (evaluation, target) in changed {
        let Some(stored) = known.evaluations.get(&evaluation.external_id) else { continue };
        let totals = evaluations::totals_with(connection, stored.id, &stored.totals, &target.added).await?;
        let totals = EvaluationTotals::of(&totals, score_of_all(evaluation, &totals), now);
        let ending = Some(evaluation).filter(|_| target.ends);
        let extension = EvaluationProgress {
            metrics: metrics(evaluation),
            status: ending.map(|evaluation| evaluation.status),
            error_message: ending.and_then(|evaluation| evaluation.error_message.clone()),
            completed_at: run.completed_at(),
            ..EvaluationProgress::default()
        };
        evaluations::extend(connection, target.id, totals, extension).await?;
        // Logs of Inspect say themselves which repetition it is.
        if run.source == RunSource::Promptfoo && target.added.tests > 0 {
            test_results::count_repetitions(connection, target.id, additions.cases.all(), now).await?;
        }
    }
    // What is said of the run is of the one log that was read first, where a run has several.
    let is_one_of_several = run.source == RunSource::Inspect;
    let changes = RunExtension {
        status: known.new_status,
        declared: run.declared.clone().filter(|_| !is_one_of_several).map(Into::into),
        duration_ms: run.duration_ms.filter(|_| !is_one_of_several),
        completed_at: run.completed_at().max(known.completed_at),
        updated_at: now,
    };
    runs::extend(connection, id, changes).await
}

/// The sum of scores that the file states, unless there are results that it does not know of.
fn score_of_all(evaluation: &ImportedEvaluation, totals: &Totals) -> ScoreSum {
    match evaluation.score_sum {
        ScoreSum::Stated(_) if totals.tests != evaluation.totals.tests => ScoreSum::OfResults,
        stated => stated,
    }
}
