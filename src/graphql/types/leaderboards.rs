//! Places in the lists of the best.

use std::sync::Arc;

use async_graphql::{Context, Object};

use super::{Prompt, int};
use crate::db::leaderboards::{ModelQuestion, RankedModel, RankedPrompt};
use crate::db::prompts::PromptRow;
use crate::graphql::connection::GraphNode as _;
use crate::graphql::error::ApiError;
use crate::graphql::scope::loaders;
use crate::graphql::selection;
use crate::loaders::PromptLeaderboardKey;

/// A prompt in the list of the best.
pub struct PromptRanking {
    prompt: Arc<PromptRow>,
    average_score: f64,
    evaluation_count: i64,
}

impl PromptRanking {
    /// The best prompts, at most so many, among those with so many scored evaluations.
    pub async fn load(context: &Context<'_>, min_evaluations: i64, limit: i64) -> Result<Vec<Self>, ApiError> {
        let columns = selection::of_member(context, "prompt", Prompt::COLUMNS);
        let key = PromptLeaderboardKey { bounds: (min_evaluations, limit), columns };
        let best = loaders(context).prompt_leaderboard.load(key).await?;
        Ok(best.iter().cloned().map(Self::from).collect())
    }
}

impl From<RankedPrompt> for PromptRanking {
    fn from(ranked: RankedPrompt) -> Self {
        let RankedPrompt { prompt, average_score, evaluation_count } = ranked;
        Self { prompt, average_score, evaluation_count }
    }
}

/// A prompt in the list of the best.
#[Object]
impl PromptRanking {
    /// The prompt version.
    async fn prompt(&self) -> Prompt {
        Prompt::new(Arc::clone(&self.prompt))
    }

    /// The mean overall score of the version's completed evaluations that have one.
    async fn average_score(&self) -> f64 {
        self.average_score
    }

    /// How many evaluations that mean is of.
    async fn evaluation_count(&self) -> Result<i32, ApiError> {
        int(self.evaluation_count, "PromptRanking.evaluationCount")
    }
}

/// A model in the list of the best.
pub struct ModelRanking(RankedModel);

impl ModelRanking {
    /// The best models.
    pub async fn load(context: &Context<'_>, question: ModelQuestion) -> Result<Vec<Self>, ApiError> {
        let best = loaders(context).model_leaderboard.load(question).await?;
        Ok(best.iter().cloned().map(Self).collect())
    }
}

/// A model in the list of the best, with what its completed evaluations come to.
#[Object]
impl ModelRanking {
    /// Who runs the model.
    async fn provider(&self) -> &str {
        &self.0.provider
    }

    /// The model, as the provider names it.
    async fn model(&self) -> &str {
        &self.0.model
    }

    /// The completed evaluations with the model, with a score or without.
    async fn evaluation_count(&self) -> Result<i32, ApiError> {
        int(self.0.sums.evaluation_count, "ModelRanking.evaluationCount")
    }

    /// The mean overall score of those that have one; null when none has.
    async fn average_score(&self) -> Option<f64> {
        self.0.sums.average_score
    }

    /// Passed results among those that passed, failed or errored, from 0 to 1; null when there are none.
    async fn pass_rate(&self) -> Option<f64> {
        self.0.sums.pass_rate()
    }

    /// The mean time that an answer took, in milliseconds, over the results of which it is known; null when it is known
    /// of none.
    async fn average_latency_ms(&self) -> Option<f64> {
        self.0.average_latency_ms()
    }

    /// What the evaluations cost together, in US dollars; null when that is known of none.
    async fn total_cost_usd(&self) -> Option<f64> {
        self.0.cost_usd
    }
}
