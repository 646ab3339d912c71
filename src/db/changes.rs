//! What a committed transaction has changed.

use uuid::Uuid;

use crate::domain::{ApiTokenId, EvaluationId, ObjectKind, PromptId, RunId, TemplateId};

/// The objects that a transaction has made, changed or deleted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changes {
    /// Prompt versions.
    pub prompts: Vec<PromptId>,
    /// Templates.
    pub templates: Vec<TemplateId>,
    /// Runs.
    pub runs: Vec<RunId>,
    /// Evaluations, also those to which results were added.
    pub evaluations: Vec<EvaluationId>,
    /// API tokens.
    pub api_tokens: Vec<ApiTokenId>,
}

impl Changes {
    /// Each of the objects, as often as it stands here.
    pub(super) fn objects(&self) -> impl Iterator<Item = (ObjectKind, Uuid)> {
        let prompts = self.prompts.iter().map(|&id| (ObjectKind::Prompt, id.into()));
        let templates = self.templates.iter().map(|&id| (ObjectKind::Template, id.into()));
        let runs = self.runs.iter().map(|&id| (ObjectKind::Run, id.into()));
        let evaluations = self.evaluations.iter().map(|&id| (ObjectKind::Evaluation, id.into()));
        let api_tokens = self.api_tokens.iter().map(|&id| (ObjectKind::ApiToken, id.into()));
        prompts.chain(templates).chain(runs).chain(evaluations).chain(api_tokens)
    }

    /// Tells everybody who wants to know. Called once for each transaction, right after it was committed and in the task
    /// that committed it: whoever asked for the change may have left.
    pub(super) fn announce(&self) {
        tracing::debug!(
            prompts = self.prompts.len(),
            templates = self.templates.len(),
            runs = self.runs.len(),
            evaluations = self.evaluations.len(),
            api_tokens = self.api_tokens.len(),
            "a change was committed"
        );
    }
}
