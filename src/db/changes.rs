//! What a committed transaction has changed.

use crate::domain::{PromptId, TemplateId};

/// The objects that a transaction has made, changed or deleted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changes {
    /// Prompt versions.
    pub prompts: Vec<PromptId>,
    /// Templates.
    pub templates: Vec<TemplateId>,
}

impl Changes {
    /// Tells everybody who wants to know. Called once for each transaction, right after it was committed and in the task
    /// that committed it: whoever asked for the change may have left.
    pub(super) fn announce(&self) {
        let (prompts, templates) = (self.prompts.len(), self.templates.len());
        tracing::debug!(prompts, templates, "a change was committed");
    }
}
