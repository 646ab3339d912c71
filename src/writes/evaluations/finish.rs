//! Ending an evaluation.

use std::sync::Arc;

use super::EvaluationChange;
use crate::db::DbConnection;
use crate::db::evaluations::{EvaluationProgress, EvaluationRow};
use crate::db::types::Json;
use crate::domain::{EvaluationStatus, FiniteFloat, Principal, Timestamp};
use crate::writes::{Outcome, Write};

/// Says that all results of a running evaluation are there.
#[derive(Debug, Clone)]
pub struct CompleteEvaluation {
    /// The evaluation.
    pub evaluation: EvaluationChange,
    /// Its score; without one, the mean over its results.
    pub overall_score: Option<FiniteFloat>,
    /// What replaces its metrics, if something does.
    pub metrics: Option<Json>,
    /// How long it took.
    pub execution_time_ms: Option<i32>,
}

impl Write for CompleteEvaluation {
    type Output = Arc<EvaluationRow>;

    async fn run(&self, connection: &mut DbConnection, principal: &Principal) -> Outcome<Arc<EvaluationRow>> {
        let state = self.evaluation.lock(connection, principal, &[EvaluationStatus::Running], "completed").await?;
        let now = Timestamp::now();
        let score = self.overall_score.map(FiniteFloat::get).or_else(|| state.totals.mean_score());
        let progress = EvaluationProgress {
            status: Some(EvaluationStatus::Completed),
            metrics: self.metrics.clone(),
            execution_time_ms: self.execution_time_ms,
            completed_at: Some(now),
            ..EvaluationProgress::default()
        };
        self.evaluation.advance(connection, principal, state.prompt_id, progress, score, now).await
    }
}

/// Gives an evaluation up that has not ended. What was recorded of it stays.
#[derive(Debug, Clone)]
pub struct FailEvaluation {
    /// The evaluation.
    pub evaluation: EvaluationChange,
    /// Why.
    pub error_message: String,
}

impl Write for FailEvaluation {
    type Output = Arc<EvaluationRow>;

    async fn run(&self, connection: &mut DbConnection, principal: &Principal) -> Outcome<Arc<EvaluationRow>> {
        let open = [EvaluationStatus::Pending, EvaluationStatus::Running];
        let state = self.evaluation.lock(connection, principal, &open, "given up").await?;
        let now = Timestamp::now();
        let progress = EvaluationProgress {
            status: Some(EvaluationStatus::Failed),
            error_message: Some(self.error_message.clone()),
            completed_at: Some(now),
            ..EvaluationProgress::default()
        };
        self.evaluation.advance(connection, principal, state.prompt_id, progress, None, now).await
    }
}
