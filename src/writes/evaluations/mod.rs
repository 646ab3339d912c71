//! Changes of evaluations and their results.
//!
//! An evaluation is pending until it is started or results come, running until it is completed, and given up at any time
//! before that. Nothing leads back.

mod create;
mod create_with_prompt;
mod finish;
mod record;
mod results;
mod start;

use std::sync::Arc;

use diesel::result::Error as DieselError;

pub use create::CreateEvaluation;
pub use create_with_prompt::CreatePromptWithEvaluation;
pub use finish::{CompleteEvaluation, FailEvaluation};
pub use record::{RecordTestResults, Recorded};
pub use start::StartEvaluation;

use super::{Fault, Outcome, Refusal, RefusalKind, wrong_state};
use crate::db::changes::Changes;
use crate::db::columns::ColumnSet;
use crate::db::entity::Entity as _;
use crate::db::evaluations::{self, EvaluationProgress, EvaluationRow, EvaluationState, Evaluations};
use crate::db::transaction::Aborted;
use crate::db::{DbConnection, totals as totals_of_prompts};
use crate::domain::{EvaluationId, EvaluationStatus, Principal, PromptId, Timestamp};

/// An evaluation that is to be changed.
#[derive(Debug, Clone, Copy)]
pub struct EvaluationChange {
    /// The evaluation.
    pub id: EvaluationId,
    /// Where in the argument its id stands.
    pub place: &'static str,
    /// The wide columns that are wanted of the row when it is changed.
    pub columns: ColumnSet,
}

impl EvaluationChange {
    /// Locks the evaluation, which must be in one of the states `allowed` for what is to be done to it.
    async fn lock(
        &self,
        connection: &mut DbConnection,
        principal: &Principal,
        allowed: &[EvaluationStatus],
        deed: &str,
    ) -> Result<EvaluationState, Aborted<Refusal>> {
        let state = evaluations::lock(connection, principal, self.id).await?;
        let state = state.ok_or_else(|| {
            Refusal::of(RefusalKind::NotFound, Fault::new(self.place, "there is no evaluation with this id"))
        })?;
        if allowed.contains(&state.status) {
            Ok(state)
        } else {
            Err(wrong_state(self.place, "evaluation", state.status, deed, allowed).into())
        }
    }

    /// Stores what has become of the evaluation, with all that depends on it.
    async fn advance(
        &self,
        connection: &mut DbConnection,
        principal: &Principal,
        prompt_id: PromptId,
        progress: EvaluationProgress,
        overall_score: Option<f64>,
        now: Timestamp,
    ) -> Outcome<Arc<EvaluationRow>> {
        evaluations::advance(connection, self.id, progress, overall_score, now).await?;
        finished(connection, principal, (self.id, prompt_id), self.columns).await
    }
}

/// The evaluation as it is stored now, after the totals of its prompt were brought up to date.
async fn finished(
    connection: &mut DbConnection,
    principal: &Principal,
    (id, prompt_id): (EvaluationId, PromptId),
    columns: ColumnSet,
) -> Outcome<Arc<EvaluationRow>> {
    totals_of_prompts::refresh(connection, [prompt_id]).await?;
    let row = read_back(connection, principal, id, columns).await?;
    Ok((row, Changes { evaluations: vec![id], ..Changes::default() }))
}

async fn read_back(
    connection: &mut DbConnection,
    principal: &Principal,
    id: EvaluationId,
    columns: ColumnSet,
) -> Result<Arc<EvaluationRow>, DieselError> {
    let rows = Evaluations::by_ids(connection, principal, vec![id.into()], columns).await?;
    rows.into_iter().next().ok_or(DieselError::NotFound)
}
