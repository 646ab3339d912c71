//! Changing prompts.

use async_graphql::{Context, ID, Object, SimpleObject};

use super::{INPUT, items, perform};
use crate::db::columns::ColumnSet;
use crate::domain::PromptStatus;
use crate::graphql::connection::GraphNode as _;
use crate::graphql::error::ApiError;
use crate::graphql::inputs::{
    CreatePromptInput, CreatePromptVersionInput, UpdatePromptInput, UpsertPromptInput, prompt_ids,
};
use crate::graphql::selection;
use crate::graphql::types::{Prompt, int};
use crate::graphql::written::WrittenList;
use crate::writes::prompts::{
    BulkPrompts, CreatePrompt, CreatePromptVersion, DeletePrompts, RestorePrompts, UpdatePrompt, UpdatePromptStatuses,
    UpsertPrompts,
};
use crate::writes::{Refusal, Write};

/// The name of the argument with the ids of prompts.
const IDS: &str = "ids";

/// The prompt that was stored.
#[derive(SimpleObject)]
pub struct PromptPayload {
    /// The prompt as it is stored now.
    prompt: Prompt,
}

impl PromptPayload {
    /// The columns that are wanted of the prompt.
    pub fn columns(context: &Context<'_>) -> ColumnSet {
        selection::of_member(context, "prompt", Prompt::COLUMNS)
    }

    /// What a change returns that stores one prompt.
    pub async fn of<W>(context: &Context<'_>, write: Result<W, Refusal>) -> Result<Self, ApiError>
    where
        W: Write<Output = std::sync::Arc<crate::db::prompts::PromptRow>>,
    {
        let write = write.map_err(|refusal| ApiError::refused(INPUT, refusal))?;
        let row = perform(context, INPUT, write).await?;
        Ok(Self { prompt: Prompt::new(row) })
    }
}

/// The prompts that were stored, changed, deleted or restored.
#[derive(SimpleObject)]
pub struct BulkPromptPayload {
    /// How many were stored or changed: those that were as they should be already are not counted.
    affected: i32,
    /// All prompts that were named, each once and in their order, as they are stored now; deleted ones too.
    prompts: WrittenList<Prompt>,
}

impl BulkPromptPayload {
    /// The columns that are wanted of the prompts, if these are wanted at all.
    fn columns(context: &Context<'_>) -> Option<ColumnSet> {
        let wanted = selection::selects_any(context, &["prompts"]);
        wanted.then(|| selection::of_member(context, "prompts", Prompt::COLUMNS))
    }

    async fn of<W>(context: &Context<'_>, argument: &'static str, write: W) -> Result<Self, ApiError>
    where
        W: Write<Output = BulkPrompts>,
    {
        let BulkPrompts { affected, prompts } = perform(context, argument, write).await?;
        let affected = int(i64::try_from(affected).unwrap_or(i64::MAX), "BulkPromptPayload.affected")?;
        Ok(Self { affected, prompts: WrittenList(prompts.into_iter().map(Prompt::new).collect()) })
    }
}

/// The prompts that a list of ids means.
fn named(context: &Context<'_>, ids: Vec<ID>) -> Result<Vec<crate::domain::PromptId>, ApiError> {
    let ids = items(context, IDS, ids)?;
    prompt_ids(&ids).map_err(|refusal| ApiError::refused(IDS, refusal))
}

/// Changes of prompts.
#[derive(Default)]
pub struct PromptMutations;

#[Object]
impl PromptMutations {
    /// Stores a new prompt, the first version of its lineage. It belongs to the viewer.
    async fn create_prompt(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The prompt.")] input: CreatePromptInput,
    ) -> Result<PromptPayload, ApiError> {
        let write: Result<CreatePrompt, _> = input.read(PromptPayload::columns(context));
        PromptPayload::of(context, write).await
    }

    /// Changes a version of a prompt, and the name of its lineage. A change that makes no difference leaves `updatedAt` as it
    /// is. The text of a version that has evaluations cannot be changed: the code is `CONFLICT` then.
    async fn update_prompt(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "What becomes of it.")] input: UpdatePromptInput,
    ) -> Result<PromptPayload, ApiError> {
        let write: Result<UpdatePrompt, _> = input.read(PromptPayload::columns(context));
        PromptPayload::of(context, write).await
    }

    /// Stores the next version of a lineage. Its number follows that of the newest version, whichever it was made from, and it
    /// belongs to the owner of the lineage.
    async fn create_prompt_version(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The version.")] input: CreatePromptVersionInput,
    ) -> Result<PromptPayload, ApiError> {
        let write: Result<CreatePromptVersion, _> = input.read(PromptPayload::columns(context));
        PromptPayload::of(context, write).await
    }

    /// Stores many prompts, new ones and changed ones: all or, when something is wrong with one, none of them. At most
    /// `maxBulkItems`, in a request of at most `maxBulkBodyBytes` (see `serviceConfig`). An id that is repeated is refused, and
    /// so is one of a prompt that does not exist, was deleted, or belongs to somebody else.
    async fn upsert_prompts(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The prompts.")] input: Vec<UpsertPromptInput>,
    ) -> Result<BulkPromptPayload, ApiError> {
        let input = items(context, INPUT, input)?;
        let items = UpsertPromptInput::read_all(input).map_err(|refusal| ApiError::refused(INPUT, refusal))?;
        let write = UpsertPrompts { items, columns: BulkPromptPayload::columns(context) };
        BulkPromptPayload::of(context, INPUT, write).await
    }

    /// Sets where many prompts are in their lives: all or, when one of the ids names no prompt, none of them. At most
    /// `maxBulkItems` ids. One that is repeated counts once. Deleted prompts are as those that do not exist.
    async fn update_prompt_statuses(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The ids of the prompts.")] ids: Vec<ID>,
        #[graphql(desc = "Where they are in their lives from now on.")] status: PromptStatus,
    ) -> Result<BulkPromptPayload, ApiError> {
        let ids = named(context, ids)?;
        let write = UpdatePromptStatuses { ids, status, columns: BulkPromptPayload::columns(context) };
        BulkPromptPayload::of(context, IDS, write).await
    }

    /// Deletes many prompts: all or, when one of the ids names no prompt, none of them. At most `maxBulkItems` ids. One that is
    /// repeated counts once, and a prompt that is deleted already stays so: a request may be repeated. What is deleted is
    /// found with `includeDeleted`, and can be restored; its evaluations stay reachable.
    async fn delete_prompts(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The ids of the prompts.")] ids: Vec<ID>,
    ) -> Result<BulkPromptPayload, ApiError> {
        let write = DeletePrompts { ids: named(context, ids)?, columns: BulkPromptPayload::columns(context) };
        BulkPromptPayload::of(context, IDS, write).await
    }

    /// Restores many prompts that were deleted: all or, when one of the ids names no prompt, none of them. At most
    /// `maxBulkItems` ids. One that is repeated counts once, and a prompt that is not deleted stays as it is. A prompt whose
    /// name another has got meanwhile cannot be restored: the code is `CONFLICT` then.
    async fn restore_prompts(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The ids of the prompts.")] ids: Vec<ID>,
    ) -> Result<BulkPromptPayload, ApiError> {
        let write = RestorePrompts { ids: named(context, ids)?, columns: BulkPromptPayload::columns(context) };
        BulkPromptPayload::of(context, IDS, write).await
    }
}
