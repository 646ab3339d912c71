//! The best prompts and the best models: one statement for each set of arguments.

use std::sync::Arc;

use futures_util::future::join_all;

use super::Store;
use super::group::by_group;
use crate::db::columns::ColumnSet;
use crate::db::leaderboards::{ModelQuestion, RankedModel, RankedPrompt, best_models, best_prompts};
use crate::loaders::loader::{Batch, LoadError};

/// A list of the best prompts.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PromptLeaderboardKey {
    /// At least so many scored evaluations, and at most so many prompts.
    pub bounds: (i64, i64),
    /// The columns on demand that are needed of the prompts.
    pub columns: ColumnSet,
}

/// Lists of the best prompts.
pub struct PromptLeaderboard(pub(in crate::loaders) Arc<Store>);

impl Batch for PromptLeaderboard {
    type Key = PromptLeaderboardKey;
    type Value = Arc<Vec<RankedPrompt>>;

    fn name(&self) -> &'static str {
        "promptLeaderboard"
    }

    async fn load(&self, keys: &[Self::Key]) -> Vec<Result<Self::Value, LoadError>> {
        by_group(
            self.name(),
            keys,
            |key| &key.bounds,
            async |&(min_evaluations, limit), members| {
                let columns = members.iter().map(|key| key.columns).collect();
                let best = self.0.read(move |connection, principal| {
                    let principal = principal.clone();
                    Box::pin(async move { best_prompts(connection, &principal, min_evaluations, limit, columns).await })
                });
                let best = Arc::new(best.await?);
                Ok(vec![best; members.len()])
            },
        )
        .await
    }
}

/// Lists of the best models.
pub struct ModelLeaderboard(pub(in crate::loaders) Arc<Store>);

impl Batch for ModelLeaderboard {
    type Key = ModelQuestion;
    type Value = Arc<Vec<RankedModel>>;

    fn name(&self) -> &'static str {
        "modelLeaderboard"
    }

    async fn load(&self, keys: &[ModelQuestion]) -> Vec<Result<Self::Value, LoadError>> {
        join_all(keys.iter().map(async |&question| {
            let best = self.0.read(move |connection, principal| {
                let principal = principal.clone();
                Box::pin(async move { best_models(connection, &principal, question).await })
            });
            Ok(Arc::new(best.await?))
        }))
        .await
    }
}
