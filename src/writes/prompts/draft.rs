//! A prompt that is not stored yet.

use crate::db::prompts::NewPrompt;
use crate::db::types::Json;
use crate::domain::{PromptFormat, PromptId, PromptStatus, TemplateId, Timestamp, content_hash};

/// What is said of a prompt that is to be stored as the first version of its lineage.
#[derive(Debug, Clone)]
#[allow(missing_docs, reason = "the fields are those of `PromptRow`")]
pub struct PromptDraft {
    pub name: Option<String>,
    pub format: PromptFormat,
    pub title: String,
    pub description: Option<String>,
    pub content: String,
    pub system_message: Option<String>,
    pub tags: Json,
    pub metadata: Json,
    pub template_id: Option<TemplateId>,
    pub status: PromptStatus,
}

impl PromptDraft {
    /// A draft with this text, and nothing else said of it.
    #[must_use]
    pub fn text(title: String, content: String) -> Self {
        Self {
            name: None,
            format: PromptFormat::Text,
            title,
            description: None,
            content,
            system_message: None,
            tags: Json::empty_array(),
            metadata: Json::empty_object(),
            template_id: None,
            status: PromptStatus::Draft,
        }
    }

    /// The row of the first version.
    pub(in crate::writes) fn first_version(&self, user_id: &str) -> NewPrompt {
        let (id, now) = (PromptId::generate(), Timestamp::now());
        NewPrompt {
            id,
            user_id: user_id.to_owned(),
            name: self.name.clone(),
            title: self.title.clone(),
            description: self.description.clone(),
            content: self.content.clone(),
            content_hash: content_hash(self.format, &self.content, self.system_message.as_deref()),
            format: self.format,
            system_message: self.system_message.clone(),
            tags: self.tags.clone(),
            metadata: self.metadata.clone(),
            version: 1,
            parent_id: None,
            root_id: id,
            template_id: self.template_id,
            status: self.status,
            created_at: now,
            updated_at: now,
        }
    }
}
