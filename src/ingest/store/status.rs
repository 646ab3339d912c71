//! Where a run is in its life after a file was added to it.

use std::collections::HashMap;

use crate::db::evaluations::EvaluationOfRun;
use crate::domain::{EvaluationStatus, RunSource};
use crate::ingest::ImportedRun;

/// What a run with these evaluations becomes with the file; `None` when it stays what it is.
pub(super) fn new_status_of_run(
    stored: EvaluationStatus,
    file: &ImportedRun,
    known: &HashMap<String, EvaluationOfRun>,
) -> Option<EvaluationStatus> {
    let status = match file.source {
        // A log is one of the several evaluations of a run.
        RunSource::Inspect => status_of_all(file, known),
        _ if stored.is_open() => file.status,
        // A file that was cut short says nothing new about a run that has ended.
        _ => stored,
    };
    (status != stored).then_some(status)
}

/// Running while one of the evaluations is, and failed when all of them are, in whatever order they were added.
fn status_of_all(file: &ImportedRun, known: &HashMap<String, EvaluationOfRun>) -> EvaluationStatus {
    let of_file = file.evaluations.iter().map(|evaluation| {
        let known = known.get(&evaluation.external_id).map(|known| known.status);
        known.filter(|&known| !known.is_open()).unwrap_or(evaluation.status)
    });
    let is_other = |id: &String| file.evaluations.iter().all(|evaluation| evaluation.external_id != *id);
    let others = known.iter().filter(|(id, _)| is_other(id)).map(|(_, known)| known.status);
    let all: Vec<_> = of_file.chain(others).collect();
    if all.iter().any(|&status| status.is_open()) {
        EvaluationStatus::Running
    } else if all.iter().all(|&status| status == EvaluationStatus::Failed) {
        EvaluationStatus::Failed
    } else {
        EvaluationStatus::Completed
    }
}
