//! Changes of prompts.

mod bulk;
mod changes;
mod create;
mod deletion;
mod draft;
mod names;
mod statuses;
mod update;
mod upsert;
mod version;

use std::sync::Arc;

use diesel::result::Error as DieselError;

pub use bulk::BulkPrompts;
pub use changes::PromptChanges;
pub use create::CreatePrompt;
pub use deletion::{DeletePrompts, RestorePrompts};
pub use draft::PromptDraft;
pub use statuses::UpdatePromptStatuses;
pub use update::UpdatePrompt;
pub use upsert::{UpsertItem, UpsertPrompts};
pub use version::CreatePromptVersion;

use super::{Fault, Refusal, RefusalKind};
use crate::db::DbConnection;
use crate::db::columns::ColumnSet;
use crate::db::entity::Entity as _;
use crate::db::prompts::{PromptRow, Prompts, StoredPrompt, lock_lineages, stored};
use crate::db::transaction::Aborted;
use crate::domain::{Principal, PromptId};

/// The prompt as it is stored now. It was written in the same transaction.
pub(super) async fn read_back(
    connection: &mut DbConnection,
    principal: &Principal,
    id: PromptId,
    columns: ColumnSet,
) -> Result<Arc<PromptRow>, Aborted<Refusal>> {
    let rows = Prompts::by_ids(connection, principal, vec![id.into()], columns).await?;
    Ok(rows.into_iter().next().ok_or(DieselError::NotFound)?)
}

/// The prompt with all that is stored of it, whose lineage nobody else changes until the end of the transaction.
async fn find_for_change(
    connection: &mut DbConnection,
    principal: &Principal,
    id: PromptId,
    place: &str,
) -> Result<StoredPrompt, Aborted<Refusal>> {
    lock_lineages(connection, principal, vec![id.into()]).await?;
    let rows = stored(connection, principal, vec![id.into()]).await?;
    let missing = || Refusal::of(RefusalKind::NotFound, not_found(place)).into();
    rows.into_iter().next().ok_or_else(missing)
}

/// What says of an id that it leads nowhere, whatever the reason.
fn not_found(place: impl Into<String>) -> Fault {
    Fault::new(place, "there is no such prompt")
}
