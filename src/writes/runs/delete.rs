//! Removing runs.

use super::lock;
use crate::db::changes::Changes;
use crate::db::{DbConnection, evaluations, runs, totals};
use crate::domain::{Principal, RunId};
use crate::writes::{Outcome, Write};

/// Removes a run with its evaluations and their results, for good.
#[derive(Debug, Clone, Copy)]
pub struct DeleteRun {
    /// The run.
    pub id: RunId,
}

/// What was removed with a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeletedRun {
    /// How many evaluations.
    pub evaluations: usize,
    /// How many results.
    pub test_results: i64,
}

impl Write for DeleteRun {
    type Output = DeletedRun;

    async fn run(&self, connection: &mut DbConnection, principal: &Principal) -> Outcome<DeletedRun> {
        lock(connection, principal, self.id).await?;
        // Whoever records results has the evaluation locked.
        let of_run = evaluations::lock_of_run(connection, self.id).await?;
        let prompts = evaluations::prompts_of_run(connection, self.id).await?;
        let test_results = runs::count_results(connection, self.id).await?;
        runs::delete(connection, self.id).await?;
        totals::refresh(connection, prompts).await?;
        let changes = Changes {
            runs: vec![self.id],
            evaluations: of_run.iter().map(|evaluation| evaluation.id).collect(),
            ..Changes::default()
        };
        Ok((DeletedRun { evaluations: of_run.len(), test_results }, changes))
    }
}
