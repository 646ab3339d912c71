//! What a committed transaction has changed.

use crate::domain::{EvaluationId, PromptId, RunId, TemplateId};

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
}

impl Changes {
    /// Tells everybody who wants to know. Called once for each transaction, right after it was committed and in the task
    /// that committed it: whoever asked for the change may have left.
    pub(super) fn announce(&self) {
        tracing::debug!(
            prompts = self.prompts.len(),
            templates = self.templates.len(),
            runs = self.runs.len(),
            evaluations = self.evaluations.len(),
            "a change was committed"
        );
    }
}
