//! Points of a trend.

use async_graphql::Object;

use super::int;
use crate::db::trends::TrendPoint;
use crate::domain::Timestamp;
use crate::graphql::error::ApiError;

/// A point of a trend.
pub struct ScorePoint(pub TrendPoint);

/// A point of a trend: what the evaluations come to that are completed and were created in one hour, day, week or month.
#[Object]
impl ScorePoint {
    /// When that time begins, in UTC.
    async fn at(&self) -> Timestamp {
        self.0.at
    }

    /// The mean overall score of those evaluations that have one; null when none has.
    async fn average_score(&self) -> Option<f64> {
        self.0.sums.average_score
    }

    /// Passed results among those that passed, failed or errored, from 0 to 1; null when there are none.
    async fn pass_rate(&self) -> Option<f64> {
        self.0.sums.pass_rate()
    }

    /// The evaluations, with a score or without: one at least.
    async fn evaluation_count(&self) -> Result<i32, ApiError> {
        int(self.0.sums.evaluation_count, "ScorePoint.evaluationCount")
    }
}
