//! Bringing a run up to date that was there and to which something was added.

use diesel::result::QueryResult;

use super::attempt::Target;
use crate::db::evaluations::EvaluationExtension;
use crate::db::runs::RunExtension;
use crate::db::{DbConnection, evaluations, runs, test_results};
use crate::domain::{EvaluationId, EvaluationStatus, RunId, RunSource, Timestamp};
use crate::ingest::rows::{metrics, totals_of_evaluation};
use crate::ingest::totals::{Figures, Totals};
use crate::ingest::{ImportedEvaluation, ImportedRun, ScoreSum};

/// Results that are added up at a time.
const PAGE: usize = 2_000;

/// Brings the run and those of its evaluations that changed up to date.
pub(super) async fn extend_run(
    connection: &mut DbConnection,
    run: &ImportedRun,
    id: RunId,
    targets: &[Target],
    is_changed: impl Fn(&Target) -> bool,
    now: Timestamp,
) -> QueryResult<()> {
    // A file that was cut short says nothing new about a run that has ended.
    let (stored_status, stored_end) = runs::state(connection, id).await?;
    let is_whole = run.status != EvaluationStatus::Running;
    let status = (is_whole && stored_status == EvaluationStatus::Running).then_some(run.status);
    for (evaluation, target) in run.evaluations.iter().zip(targets).filter(|(_, target)| is_changed(target)) {
        let totals = stored_totals(connection, target.id).await?;
        let totals = totals_of_evaluation(&totals, score_of_all(evaluation, &totals), now);
        let extension = EvaluationExtension { metrics: metrics(evaluation), status, completed_at: run.completed_at() };
        evaluations::extend(connection, target.id, totals, extension).await?;
    }
    // What is said of the run is of the one log that was read first, where a run has several.
    let is_one_of_several = run.source == RunSource::Inspect;
    let changes = RunExtension {
        status,
        declared: run.declared.clone().filter(|_| !is_one_of_several).map(Into::into),
        duration_ms: run.duration_ms.filter(|_| !is_one_of_several),
        completed_at: run.completed_at().max(stored_end),
        updated_at: now,
    };
    runs::extend(connection, id, changes).await
}

/// The totals over what is stored of an evaluation.
async fn stored_totals(connection: &mut DbConnection, id: EvaluationId) -> QueryResult<Totals> {
    let mut totals = Totals::default();
    let mut last = None;
    loop {
        let page = test_results::counted(connection, id, last, PAGE as i64).await?;
        page.iter().for_each(|result| totals.add(Figures::from(result)));
        last = page.last().map(|result| result.id);
        if page.len() < PAGE {
            return Ok(totals);
        }
    }
}

/// The sum of scores that the file states, unless there are results that it does not know of.
fn score_of_all(evaluation: &ImportedEvaluation, totals: &Totals) -> ScoreSum {
    match evaluation.score_sum {
        ScoreSum::Stated(_) if totals.tests != evaluation.totals.tests => ScoreSum::OfResults,
        stated => stated,
    }
}
