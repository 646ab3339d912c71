//! Courses of scores.

use std::collections::HashMap;
use std::sync::Arc;

use uuid::Uuid;

use super::Store;
use super::group::by_group;
use crate::db::trends::{TrendPoint, TrendQuestion, of_prompts};
use crate::loaders::loader::{Batch, LoadError};

/// The course of one prompt's scores.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TrendKey {
    /// The prompt's id.
    pub prompt: Uuid,
    /// Which buckets.
    pub question: TrendQuestion,
}

/// Courses of prompts' scores: one statement for each set of arguments, whatever the number of prompts.
pub struct ScoreTrends(pub(in crate::loaders) Arc<Store>);

impl Batch for ScoreTrends {
    type Key = TrendKey;
    type Value = Arc<Vec<TrendPoint>>;

    fn name(&self) -> &'static str {
        "scoreTrendByPrompt"
    }

    async fn load(&self, keys: &[TrendKey]) -> Vec<Result<Self::Value, LoadError>> {
        by_group(
            self.name(),
            keys,
            |key| &key.question,
            async |&question, members| {
                let prompts = members.iter().map(|key| key.prompt).collect();
                let points = self.0.read(move |connection, principal| {
                    let principal = principal.clone();
                    Box::pin(async move { of_prompts(connection, &principal, prompts, question).await })
                });
                let mut courses: HashMap<Uuid, Vec<TrendPoint>> = HashMap::new();
                for (prompt, point) in points.await? {
                    courses.entry(prompt).or_default().push(point);
                }
                Ok(members.iter().map(|key| Arc::new(courses.remove(&key.prompt).unwrap_or_default())).collect())
            },
        )
        .await
    }
}
