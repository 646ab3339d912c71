//! Making the next version of a lineage.

use std::sync::Arc;

use diesel::result::Error as DieselError;

use super::{PromptChanges, find_for_change, read_back};
use crate::db::changes::Changes;
use crate::db::columns::ColumnSet;
use crate::db::error::violated_constraint;
use crate::db::prompts::{self, NewPrompt, PromptRow, StoredPrompt};
use crate::db::transaction::{Aborted, write_transaction};
use crate::db::{DbConnection, insert};
use crate::domain::{Principal, PromptId, Timestamp};
use crate::writes::{Outcome, Refusal, RefusalKind, Write};

/// How often the next number is asked for.
const ATTEMPTS: usize = 5;
/// What keeps the numbers of a lineage, and of a name, unique.
const NUMBER_INDEXES: [&str; 2] = ["prompts_root_id_version_key", "prompts_user_name_version"];

/// Stores a version made from another: what does not change is as it was there. It belongs to the owner of the lineage and
/// comes after the newest version, whichever it was made from.
#[derive(Debug, Clone)]
pub struct CreatePromptVersion {
    /// The version that it is made from.
    pub parent_id: PromptId,
    /// What changes.
    pub changes: PromptChanges,
    /// The columns that are wanted of the stored row.
    pub columns: ColumnSet,
}

impl Write for CreatePromptVersion {
    type Output = Arc<PromptRow>;

    async fn run(&self, connection: &mut DbConnection, principal: &Principal) -> Outcome<Arc<PromptRow>> {
        let parent = Arc::new(find_for_change(connection, principal, self.parent_id, ".parentId").await?);
        if let Some(fault) = self.changes.content_fault(&parent, "") {
            return Err(Refusal::of(RefusalKind::Invalid, fault).into());
        }
        let id = self.insert(connection, &parent).await?;
        let row = read_back(connection, principal, id, self.columns).await?;
        Ok((row, Changes { prompts: vec![id], ..Changes::default() }))
    }
}

impl CreatePromptVersion {
    /// Everybody who makes a version locks the lineage first, but for imports: one that has just used the number is found
    /// out by the index, and then the number after that is the next.
    async fn insert(
        &self,
        connection: &mut DbConnection,
        parent: &Arc<StoredPrompt>,
    ) -> Result<PromptId, Aborted<Refusal>> {
        let mut attempt = 1;
        loop {
            let (parent, changes) = (Arc::clone(parent), self.changes.clone());
            let inserted: Result<PromptId, DieselError> = write_transaction(connection, move |connection| {
                Box::pin(async move {
                    let row = next_version(connection, &parent, &changes).await?;
                    let id = row.id;
                    insert::prompts(connection, vec![row]).await?;
                    Ok(id)
                })
            })
            .await;
            match inserted {
                Ok(id) => return Ok(id),
                Err(error) if attempt < ATTEMPTS && is_used(&error) => attempt += 1,
                Err(error) => return Err(error.into()),
            }
        }
    }
}

fn is_used(error: &DieselError) -> bool {
    violated_constraint(error).is_some_and(|constraint| NUMBER_INDEXES.contains(&constraint))
}

async fn next_version(
    connection: &mut DbConnection,
    parent: &StoredPrompt,
    changes: &PromptChanges,
) -> Result<NewPrompt, DieselError> {
    let newest = prompts::newest_version(connection, parent.root_id).await?;
    // In the order of their times, which may be those of another clock.
    let now = Timestamp::now().max(newest.created_at);
    let texts = changes.applied_to(parent, now);
    Ok(NewPrompt {
        id: PromptId::generate(),
        user_id: parent.user_id.clone(),
        name: parent.name.clone(),
        title: texts.title,
        description: texts.description,
        content: texts.content,
        content_hash: texts.content_hash,
        format: parent.format,
        system_message: texts.system_message,
        tags: texts.tags,
        metadata: texts.metadata,
        version: newest.version.saturating_add(1),
        parent_id: Some(parent.id),
        root_id: parent.root_id,
        // What was changed by hand was not made from the template.
        template_id: None,
        status: texts.status,
        created_at: now,
        updated_at: now,
    })
}
