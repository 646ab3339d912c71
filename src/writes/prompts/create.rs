//! Beginning a lineage.

use std::sync::Arc;

use super::{PromptDraft, read_back};
use crate::db::changes::Changes;
use crate::db::columns::ColumnSet;
use crate::db::prompts::PromptRow;
use crate::db::{DbConnection, insert};
use crate::domain::Principal;
use crate::writes::prompts::names::{claim_name, name_is_taken};
use crate::writes::{Outcome, Write};

/// Stores the first version of a prompt, which belongs to the principal.
#[derive(Debug, Clone)]
pub struct CreatePrompt {
    /// The prompt.
    pub draft: PromptDraft,
    /// The columns that are wanted of the stored row.
    pub columns: ColumnSet,
}

impl Write for CreatePrompt {
    type Output = Arc<PromptRow>;

    async fn run(&self, connection: &mut DbConnection, principal: &Principal) -> Outcome<Arc<PromptRow>> {
        if let Some(name) = &self.draft.name {
            claim_name(connection, &principal.user_id, name, None).await?;
        }
        let row = self.draft.first_version(&principal.user_id);
        let id = row.id;
        insert::prompts(connection, vec![row]).await.map_err(name_is_taken)?;
        let row = read_back(connection, principal, id, self.columns).await?;
        Ok((row, Changes { prompts: vec![id], ..Changes::default() }))
    }
}
