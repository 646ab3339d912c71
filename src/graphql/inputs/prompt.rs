//! What is said of prompts that are to be stored.

use std::collections::HashMap;

use async_graphql::{ID, InputObject, MaybeUndefined};

use super::values::{id, object, optional, required};
use crate::db::columns::ColumnSet;
use crate::db::types::Json;
use crate::domain::{PromptFormat, PromptId, PromptStatus, Timestamp};
use crate::graphql::global_id::NodeType;
use crate::graphql::scalars::JsonScalar;
use crate::writes::prompts::{CreatePrompt, CreatePromptVersion, PromptChanges, PromptDraft, UpdatePrompt, UpsertItem};
use crate::writes::{Change, Checks, Refusal};

/// A prompt that is to be stored as the first version of its lineage.
#[derive(InputObject)]
pub struct CreatePromptInput {
    /// The stable name of the lineage; `/` makes folders. 1 to 255 characters; no other prompt of the owner may have it.
    /// Without one, the prompt is known by its id alone.
    name: Option<String>,
    /// How the content is to be read.
    #[graphql(default_with = "Some(PromptFormat::Text)")]
    format: Option<PromptFormat>,
    /// What people call the prompt: 1 to 255 characters.
    title: String,
    /// What the prompt is for.
    description: Option<String>,
    /// The text or, in the format CHAT, a JSON array of messages, each an object with `role` and `content`.
    content: String,
    /// The system message, for models that take one beside the content.
    system_message: Option<String>,
    /// Words to find the prompt by: at most 100, of 1 to 255 characters. One that is repeated is stored once.
    tags: Option<Vec<String>>,
    /// Whatever else is to be known about the prompt: a JSON object.
    metadata: Option<JsonScalar>,
    /// Where the prompt is in its life.
    #[graphql(default_with = "Some(PromptStatus::Draft)")]
    status: Option<PromptStatus>,
}

impl CreatePromptInput {
    /// The change that is meant, of which `columns` are wanted in return.
    ///
    /// # Errors
    /// With all that is wrong.
    pub fn read(self, columns: ColumnSet) -> Result<CreatePrompt, Refusal> {
        let mut checks = Checks::default();
        let format = self.format.unwrap_or(PromptFormat::Text);
        if let Some(name) = &self.name {
            checks.name("name", name);
        }
        checks.short_text("title", &self.title);
        checks.content("content", format, &self.content);
        let tags = checks.tags("tags", self.tags.unwrap_or_default());
        let metadata = object(&mut checks, "metadata", self.metadata);
        checks.finish()?;
        let draft = PromptDraft {
            name: self.name,
            format,
            description: self.description,
            system_message: self.system_message,
            tags,
            metadata,
            status: self.status.unwrap_or(PromptStatus::Draft),
            ..PromptDraft::text(self.title, self.content)
        };
        Ok(CreatePrompt { draft, columns })
    }
}

/// What becomes of a prompt version. A field that is left out stays as it is; null clears what may be null.
#[derive(InputObject)]
pub struct UpdatePromptInput {
    /// The version.
    id: ID,
    /// When the version was last changed, as far as the client knows. The change is refused with the code `CONFLICT`, and the
    /// stored time in `extensions.current`, where somebody else has changed it since.
    expected_updated_at: Option<Timestamp>,
    /// The stable name of the lineage, which all its versions have. 1 to 255 characters; no other prompt of the owner may
    /// have it.
    name: MaybeUndefined<String>,
    /// What people call the prompt: 1 to 255 characters.
    title: MaybeUndefined<String>,
    /// What the prompt is for.
    description: MaybeUndefined<String>,
    /// The text, of the same format. It cannot be changed any more once the version has evaluations.
    content: MaybeUndefined<String>,
    /// The system message. It cannot be changed any more once the version has evaluations.
    system_message: MaybeUndefined<String>,
    /// Words to find the prompt by: at most 100, of 1 to 255 characters. One that is repeated is stored once.
    tags: MaybeUndefined<Vec<String>>,
    /// Whatever else is to be known about the prompt: a JSON object, which takes the place of the stored one.
    metadata: MaybeUndefined<JsonScalar>,
    /// Where the prompt is in its life.
    status: MaybeUndefined<PromptStatus>,
}

impl UpdatePromptInput {
    /// The change that is meant, of which `columns` are wanted in return.
    ///
    /// # Errors
    /// With all that is wrong.
    pub fn read(self, columns: ColumnSet) -> Result<UpdatePrompt, Refusal> {
        let mut checks = Checks::default();
        let prompt = id(&mut checks, "id", NodeType::Prompt, &self.id);
        let name = optional(self.name);
        if let Some(Some(name)) = name.to() {
            checks.name("name", name);
        }
        let changes = Texts {
            title: self.title,
            description: self.description,
            content: self.content,
            system_message: self.system_message,
            tags: self.tags,
            metadata: self.metadata,
            status: self.status,
        };
        let changes = changes.read(&mut checks);
        checks.finish()?;
        Ok(UpdatePrompt { id: prompt, expected_updated_at: self.expected_updated_at, name, changes, columns })
    }
}

/// A version that is to be made from another. A field that is left out is as it is there; null clears what may be null.
#[derive(InputObject)]
pub struct CreatePromptVersionInput {
    /// The version that it is made from.
    parent_id: ID,
    /// What people call the prompt: 1 to 255 characters.
    title: MaybeUndefined<String>,
    /// What the prompt is for.
    description: MaybeUndefined<String>,
    /// The text, of the same format.
    content: MaybeUndefined<String>,
    /// The system message.
    system_message: MaybeUndefined<String>,
    /// Words to find the prompt by: at most 100, of 1 to 255 characters. One that is repeated is stored once.
    tags: MaybeUndefined<Vec<String>>,
    /// Whatever else is to be known about the prompt: a JSON object.
    metadata: MaybeUndefined<JsonScalar>,
    /// Where the prompt is in its life.
    status: MaybeUndefined<PromptStatus>,
}

impl CreatePromptVersionInput {
    /// The change that is meant, of which `columns` are wanted in return.
    ///
    /// # Errors
    /// With all that is wrong.
    pub fn read(self, columns: ColumnSet) -> Result<CreatePromptVersion, Refusal> {
        let mut checks = Checks::default();
        let parent_id = id(&mut checks, "parentId", NodeType::Prompt, &self.parent_id);
        let changes = Texts {
            title: self.title,
            description: self.description,
            content: self.content,
            system_message: self.system_message,
            tags: self.tags,
            metadata: self.metadata,
            status: self.status,
        };
        let changes = changes.read(&mut checks);
        checks.finish()?;
        Ok(CreatePromptVersion { parent_id, changes, columns })
    }
}

/// A prompt that is to be stored: with an id a version that is there and changes, without one the first version of a new
/// prompt in the format TEXT. Of a version that is there, a field that is left out stays as it is; null clears what may be
/// null.
#[derive(InputObject)]
pub struct UpsertPromptInput {
    /// The version that changes. No other item may have the same.
    id: Option<ID>,
    /// What people call the prompt: 1 to 255 characters.
    title: String,
    /// What the prompt is for.
    description: MaybeUndefined<String>,
    /// The text. That of a version which has evaluations cannot be changed any more.
    content: String,
    /// The system message. That of a version which has evaluations cannot be changed any more.
    system_message: MaybeUndefined<String>,
    /// Words to find the prompt by: at most 100, of 1 to 255 characters. One that is repeated is stored once.
    tags: MaybeUndefined<Vec<String>>,
    /// Whatever else is to be known about the prompt: a JSON object, which takes the place of a stored one.
    metadata: MaybeUndefined<JsonScalar>,
    /// Where the prompt is in its life. That of a new one is DRAFT where it is left out.
    status: MaybeUndefined<PromptStatus>,
}

impl UpsertPromptInput {
    /// The changes that are meant.
    ///
    /// # Errors
    /// With all that is wrong.
    pub fn read_all(inputs: Vec<Self>) -> Result<Vec<UpsertItem>, Refusal> {
        let (mut checks, mut places, mut items) = (Checks::default(), HashMap::new(), Vec::with_capacity(inputs.len()));
        for (index, input) in inputs.into_iter().enumerate() {
            checks.item(index);
            items.push(input.read(&mut checks, index, &mut places));
        }
        checks.finish()?;
        Ok(items)
    }

    fn read(mut self, checks: &mut Checks, index: usize, places: &mut HashMap<PromptId, usize>) -> UpsertItem {
        let known = self.id.take().map(|given| id::<PromptId>(checks, "id", NodeType::Prompt, &given));
        match known {
            Some(known) => {
                let first = *places.entry(known).or_insert(index);
                if first != index && known.0 != uuid::Uuid::nil() {
                    checks.fault("id", format_args!("is the same as that of [{first}]"));
                }
                UpsertItem::Known(known, self.changes().read(checks))
            }
            None => UpsertItem::New(self.draft(checks)),
        }
    }

    fn changes(self) -> Texts {
        Texts {
            title: MaybeUndefined::Value(self.title),
            description: self.description,
            content: MaybeUndefined::Value(self.content),
            system_message: self.system_message,
            tags: self.tags,
            metadata: self.metadata,
            status: self.status,
        }
    }

    /// Of something new, null and nothing are the same.
    fn draft(self, checks: &mut Checks) -> PromptDraft {
        checks.short_text("title", &self.title);
        checks.content("content", PromptFormat::Text, &self.content);
        PromptDraft {
            description: self.description.take(),
            system_message: self.system_message.take(),
            tags: checks.tags("tags", self.tags.take().unwrap_or_default()),
            metadata: object(checks, "metadata", self.metadata.take()),
            status: self.status.take().unwrap_or(PromptStatus::Draft),
            ..PromptDraft::text(self.title, self.content)
        }
    }
}

/// The values of a version as inputs have them.
struct Texts {
    title: MaybeUndefined<String>,
    description: MaybeUndefined<String>,
    content: MaybeUndefined<String>,
    system_message: MaybeUndefined<String>,
    tags: MaybeUndefined<Vec<String>>,
    metadata: MaybeUndefined<JsonScalar>,
    status: MaybeUndefined<PromptStatus>,
}

impl Texts {
    /// What becomes of a version. Whether the content is one is found out when its format is known.
    fn read(self, checks: &mut Checks) -> PromptChanges {
        let title = required(checks, "title", self.title);
        if let Some(title) = title.to() {
            checks.short_text("title", title);
        }
        let content = required(checks, "content", self.content);
        if let Some(content) = content.to() {
            checks.content("content", PromptFormat::Text, content);
        }
        let tags = match required(checks, "tags", self.tags) {
            Change::Keep => Change::Keep,
            Change::To(tags) => Change::To(checks.tags("tags", tags)),
        };
        let metadata = match required(checks, "metadata", self.metadata) {
            Change::Keep => Change::Keep,
            Change::To(JsonScalar(json)) => Change::To(checked_object(checks, json)),
        };
        PromptChanges {
            title,
            description: optional(self.description),
            content,
            system_message: optional(self.system_message),
            tags,
            metadata,
            status: required(checks, "status", self.status),
        }
    }
}

fn checked_object(checks: &mut Checks, json: Json) -> Json {
    checks.object("metadata", &json);
    json
}
