//! Bringing a run up to date that was there and to which something was added.

use diesel::result::QueryResult;

use super::attempt::{Known, Target};
use crate::db::evaluations::EvaluationExtension;
use crate::db::runs::RunExtension;
use crate::db::test_results::CountedResult;
use crate::db::{DbConnection, evaluations, runs, test_results};
use crate::domain::{EvaluationId, RunId, RunSource, Timestamp};
use crate::ingest::rows::{metrics, totals_of_evaluation};
use crate::ingest::totals::{Figures, Totals};
use crate::ingest::{ImportedEvaluation, ImportedRun, ScoreSum};

/// Results that are added up at a time: few, because each may have large metadata.
const PAGE: usize = 100;

/// Brings the run and those of its evaluations that changed up to date.
pub(super) async fn extend_run(
    connection: &mut DbConnection,
    run: &ImportedRun,
    id: RunId,
    known: &Known,
    targets: &[Target],
    now: Timestamp,
) -> QueryResult<()> {
    for (evaluation, target) in run.evaluations.iter().zip(targets).filter(|(_, target)| target.is_changed()) {
        let totals = stored_totals(connection, target.id).await?;
        let totals = totals_of_evaluation(&totals, score_of_all(evaluation, &totals), now);
        let ending = Some(evaluation).filter(|_| target.ends);
        let extension = EvaluationExtension {
            metrics: metrics(evaluation),
            status: ending.map(|evaluation| evaluation.status),
            error_message: ending.and_then(|evaluation| evaluation.error_message.clone()),
            completed_at: run.completed_at(),
        };
        evaluations::extend(connection, target.id, totals, extension).await?;
        // Logs of Inspect say themselves which repetition it is.
        if run.source == RunSource::Promptfoo {
            test_results::count_repetitions(connection, target.id, now).await?;
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

/// The totals over what is stored of an evaluation.
async fn stored_totals(connection: &mut DbConnection, id: EvaluationId) -> QueryResult<Totals> {
    let mut totals = Totals::default();
    let mut last = None;
    loop {
        let page = test_results::counted(connection, id, last.take(), PAGE as i64).await?;
        page.iter().for_each(|result| totals.add(Figures::from(result)));
        last = page.last().map(CountedResult::position);
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
