//! Beginning an evaluation.

use std::sync::Arc;

use super::EvaluationChange;
use crate::db::DbConnection;
use crate::db::evaluations::{EvaluationProgress, EvaluationRow};
use crate::domain::{EvaluationStatus, Principal, Timestamp};
use crate::writes::{Outcome, Write};

/// Says that a pending evaluation has begun.
#[derive(Debug, Clone)]
pub struct StartEvaluation(pub EvaluationChange);

impl Write for StartEvaluation {
    type Output = Arc<EvaluationRow>;

    async fn run(&self, connection: &mut DbConnection, principal: &Principal) -> Outcome<Arc<EvaluationRow>> {
        let state = self.0.lock(connection, principal, &[EvaluationStatus::Pending], "started").await?;
        let now = Timestamp::now();
        let progress = EvaluationProgress {
            status: Some(EvaluationStatus::Running),
            started_at: Some(state.started_at.unwrap_or(now)),
            ..EvaluationProgress::default()
        };
        self.0.advance(connection, principal, state.prompt_id, progress, None, now).await
    }
}
