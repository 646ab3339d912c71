//! Ending a run.

use std::sync::Arc;

use super::{changed, lock};
use crate::db::columns::ColumnSet;
use crate::db::runs::RunExtension;
use crate::db::runs::RunRow;
use crate::db::{DbConnection, evaluations, runs};
use crate::domain::{EvaluationStatus, Principal, RunId, Timestamp};
use crate::writes::{Fault, Outcome, Refusal, RefusalKind, Write, wrong_state};

/// Says that a run has ended, whose evaluations all have. It has failed when all of them have.
#[derive(Debug, Clone, Copy)]
pub struct FinishRun {
    /// The run.
    pub id: RunId,
    /// The wide columns that are wanted of the row.
    pub columns: ColumnSet,
}

impl Write for FinishRun {
    type Output = Arc<RunRow>;

    async fn run(&self, connection: &mut DbConnection, principal: &Principal) -> Outcome<Arc<RunRow>> {
        let run = lock(connection, principal, self.id).await?;
        if !run.status.is_open() {
            let allowed = [EvaluationStatus::Pending, EvaluationStatus::Running];
            return Err(wrong_state("", "run", run.status, "finished", &allowed).into());
        }
        let evaluations = evaluations::lock_of_run(connection, self.id).await?;
        let open = evaluations.iter().filter(|evaluation| evaluation.status.is_open()).count();
        if open > 0 {
            let problem =
                format!("{open} of the run's evaluations have not ended: complete them, or give them up, first");
            return Err(Refusal::of(RefusalKind::Conflict, Fault::new("", problem)).into());
        }
        let has_failed = |status| status == EvaluationStatus::Failed;
        let all_failed = evaluations.iter().all(|evaluation| has_failed(evaluation.status));
        let status =
            if !evaluations.is_empty() && all_failed { EvaluationStatus::Failed } else { EvaluationStatus::Completed };
        let now = Timestamp::now();
        let changes = RunExtension {
            status: Some(status),
            declared: None,
            duration_ms: run.started_at.map(|began| (now.micros() - began.micros()).max(0) / 1_000),
            completed_at: Some(now),
            updated_at: now,
        };
        runs::extend(connection, self.id, changes).await?;
        changed(connection, principal, self.id, self.columns).await
    }
}
