//! Figures about everything.

use std::sync::Arc;

use async_graphql::Object;

use super::int;
use crate::db::statistics::StatisticsRow;
use crate::domain::Timestamp;
use crate::graphql::error::ApiError;

/// Figures about everything that the viewer may see. Deleted prompts and their evaluations do not count.
pub struct Statistics(pub Arc<StatisticsRow>);

/// Figures about everything that the viewer may see. Deleted prompts and their evaluations do not count.
#[Object]
impl Statistics {
    /// Prompt versions.
    async fn prompt_count(&self) -> Result<i32, ApiError> {
        int(self.0.prompt_count, "Statistics.promptCount")
    }

    /// Prompt versions in use.
    async fn active_prompt_count(&self) -> Result<i32, ApiError> {
        int(self.0.active_prompt_count, "Statistics.activePromptCount")
    }

    /// Runs.
    async fn run_count(&self) -> Result<i32, ApiError> {
        int(self.0.run_count, "Statistics.runCount")
    }

    /// Evaluations.
    async fn evaluation_count(&self) -> Result<i32, ApiError> {
        int(self.0.evaluation_count, "Statistics.evaluationCount")
    }

    /// Test results.
    async fn test_result_count(&self) -> Result<i32, ApiError> {
        int(self.0.test_result_count, "Statistics.testResultCount")
    }

    /// The mean overall score of the completed evaluations that have one; null when there are none.
    async fn average_score(&self) -> Option<f64> {
        self.0.average_score
    }

    /// Passed results among those that passed, failed or errored, from 0 to 1; null when there are none.
    async fn pass_rate(&self) -> Option<f64> {
        self.0.pass_rate
    }

    /// When these figures were computed.
    async fn computed_at(&self) -> Timestamp {
        self.0.computed_at
    }
}
