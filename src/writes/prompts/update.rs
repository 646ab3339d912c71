//! Changing a version.

use std::sync::Arc;

use serde_json::Value;

use super::changes::{evaluated, is_changed};
use super::names::{claim_name, name_is_taken};
use super::{PromptChanges, find_for_change, read_back};
use crate::db::changes::Changes;
use crate::db::columns::ColumnSet;
use crate::db::prompts::{self, PromptRow, PromptTexts, StoredPrompt};
use crate::db::transaction::Aborted;
use crate::db::{DbConnection, evaluations};
use crate::domain::{Principal, PromptId, Timestamp};
use crate::writes::{Change, Fault, Outcome, Refusal, RefusalKind, Write};

/// Changes a version, and the name of its lineage.
#[derive(Debug, Clone)]
pub struct UpdatePrompt {
    /// The version.
    pub id: PromptId,
    /// When it was last changed, as far as the one who changes it knows.
    pub expected_updated_at: Option<Timestamp>,
    /// What becomes of the name, which all versions have.
    pub name: Change<Option<String>>,
    /// What becomes of the version.
    pub changes: PromptChanges,
    /// The columns that are wanted of the stored row.
    pub columns: ColumnSet,
}

impl Write for UpdatePrompt {
    type Output = Arc<PromptRow>;

    async fn run(&self, connection: &mut DbConnection, principal: &Principal) -> Outcome<Arc<PromptRow>> {
        let row = find_for_change(connection, principal, self.id, ".id").await?;
        self.check(&row)?;
        let texts = self.changes.applied_to(&row, Timestamp::now());
        let mut changes = Changes::default();
        if texts.content_hash != row.content_hash {
            self.check_evaluations(connection, &row, &texts).await?;
        }
        if let Some(name) = self.name.to().filter(|&name| *name != row.name) {
            changes.prompts = rename(connection, &row, name.as_deref(), texts.updated_at).await?;
        }
        if is_changed(&row, &texts) {
            prompts::replace_texts(connection, vec![texts]).await?;
            changes.prompts = if changes.prompts.is_empty() { vec![row.id] } else { changes.prompts };
        }
        let row = read_back(connection, principal, self.id, self.columns).await?;
        Ok((row, changes))
    }
}

impl UpdatePrompt {
    fn check(&self, row: &StoredPrompt) -> Result<(), Refusal> {
        if self.expected_updated_at.is_some_and(|expected| expected != row.updated_at) {
            let current = row.updated_at.to_string();
            let problem = format!("the prompt was changed at {current}: read it again, and decide again");
            let fault = Fault { current: Some(Value::from(current)), ..Fault::new(".expectedUpdatedAt", problem) };
            return Err(Refusal::of(RefusalKind::Conflict, fault));
        }
        match self.changes.content_fault(row, "") {
            Some(fault) => Err(Refusal::of(RefusalKind::Invalid, fault)),
            None => Ok(()),
        }
    }

    async fn check_evaluations(
        &self,
        connection: &mut DbConnection,
        row: &StoredPrompt,
        texts: &PromptTexts,
    ) -> Result<(), Aborted<Refusal>> {
        prompts::lock_against_evaluations(connection, vec![row.id]).await?;
        if evaluations::evaluated_prompts(connection, vec![row.id]).await?.is_empty() {
            return Ok(());
        }
        Err(Refusal::of(RefusalKind::Conflict, evaluated(row, texts, "")).into())
    }
}

/// Gives all versions of the lineage the name, and returns them.
async fn rename(
    connection: &mut DbConnection,
    row: &StoredPrompt,
    name: Option<&str>,
    now: Timestamp,
) -> Result<Vec<PromptId>, Aborted<Refusal>> {
    if let Some(name) = name {
        claim_name(connection, &row.user_id, name, Some(row.root_id)).await?;
    }
    prompts::rename_lineage(connection, row.root_id, name, now).await.map_err(name_is_taken)
}
