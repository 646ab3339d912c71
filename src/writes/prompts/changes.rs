//! What becomes of a version.

use crate::db::prompts::{PromptTexts, StoredPrompt};
use crate::db::types::Json;
use crate::domain::{PromptStatus, Timestamp, check_content, content_hash};
use crate::writes::{Change, Fault};

/// What becomes of the values of a version.
#[derive(Debug, Clone, Default)]
#[allow(missing_docs, reason = "the fields are those of `PromptRow`")]
pub struct PromptChanges {
    pub title: Change<String>,
    pub description: Change<Option<String>>,
    pub content: Change<String>,
    pub system_message: Change<Option<String>>,
    pub tags: Change<Json>,
    pub metadata: Change<Json>,
    pub status: Change<PromptStatus>,
}

impl PromptChanges {
    /// The version as it will be.
    pub(super) fn applied_to(&self, row: &StoredPrompt, now: Timestamp) -> PromptTexts {
        let mut texts = PromptTexts::of(row);
        self.title.apply(&mut texts.title);
        self.description.apply(&mut texts.description);
        self.content.apply(&mut texts.content);
        self.system_message.apply(&mut texts.system_message);
        self.tags.apply(&mut texts.tags);
        self.metadata.apply(&mut texts.metadata);
        self.status.apply(&mut texts.status);
        texts.content_hash = content_hash(row.format, &texts.content, texts.system_message.as_deref());
        // Later than before whatever the clock says: whoever expects the old time must notice.
        texts.updated_at = now.max(row.updated_at.next());
        texts
    }

    /// What is wrong with the new content, the format of the stored version being what it is.
    pub(super) fn content_fault(&self, row: &StoredPrompt, item: &str) -> Option<Fault> {
        let content = self.content.to()?;
        let problem = check_content(row.format, content).err()?;
        Some(Fault::new(format!("{item}.content"), problem.to_string()))
    }
}

/// Whether a version will be something else than it is.
pub(super) fn is_changed(row: &StoredPrompt, texts: &PromptTexts) -> bool {
    let old = PromptTexts::of(row);
    (&old.title, &old.description, &old.content_hash, old.status)
        != (&texts.title, &texts.description, &texts.content_hash, texts.status)
        || old.tags.differs_from(&texts.tags)
        || old.metadata.differs_from(&texts.metadata)
}

/// What says that a version which has evaluations keeps its text.
pub(super) fn evaluated(row: &StoredPrompt, texts: &PromptTexts, item: &str) -> Fault {
    let field = if row.content == texts.content { "systemMessage" } else { "content" };
    let problem = "cannot be changed, because this version has evaluations of the text as it is: make a new version with \
                   createPromptVersion";
    Fault::new(format!("{item}.{field}"), problem)
}
