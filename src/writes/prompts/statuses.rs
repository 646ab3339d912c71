//! Setting where many prompts are in their lives.

use super::BulkPrompts;
use super::bulk::{find_named, read_back_all, time_of_change};
use crate::db::changes::Changes;
use crate::db::columns::ColumnSet;
use crate::db::{DbConnection, prompts};
use crate::domain::{Principal, PromptId, PromptStatus};
use crate::writes::{Outcome, Write};

/// Sets the status of prompts that are not deleted.
#[derive(Debug, Clone)]
pub struct UpdatePromptStatuses {
    /// The prompts. One that is named twice is changed once.
    pub ids: Vec<PromptId>,
    /// The status.
    pub status: PromptStatus,
    /// The columns that are wanted of the rows; none when the rows are not wanted.
    pub columns: Option<ColumnSet>,
}

impl Write for UpdatePromptStatuses {
    type Output = BulkPrompts;

    async fn run(&self, connection: &mut DbConnection, principal: &Principal) -> Outcome<BulkPrompts> {
        let named = find_named(connection, principal, &self.ids, |row| row.deleted_at.is_none()).await?;
        let others: Vec<_> = named.rows.iter().filter(|row| row.status != self.status).collect();
        let changed: Vec<_> = others.iter().map(|row| row.id).collect();
        if !changed.is_empty() {
            prompts::set_status(connection, &changed, self.status, time_of_change(others)).await?;
        }
        let prompts = read_back_all(connection, principal, &self.ids, self.columns).await?;
        let output = BulkPrompts { affected: changed.len(), prompts };
        Ok((output, Changes { prompts: changed, ..Changes::default() }))
    }
}
