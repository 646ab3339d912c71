//! Deleting many prompts, so that they can be restored, and restoring them.

use std::collections::HashMap;

use super::BulkPrompts;
use super::bulk::{Named, find_named, read_back_all, refuse, time_of_change};
use super::names::name_is_taken;
use crate::db::changes::Changes;
use crate::db::columns::ColumnSet;
use crate::db::prompts::MarkedPrompt;
use crate::db::transaction::Aborted;
use crate::db::{DbConnection, prompts};
use crate::domain::{Principal, PromptId};
use crate::writes::{Fault, Outcome, Refusal, RefusalKind, Write};

/// Deletes prompts. Those that are deleted already stay as they are, so that a request may be repeated.
#[derive(Debug, Clone)]
pub struct DeletePrompts {
    /// The prompts. One that is named twice is deleted once.
    pub ids: Vec<PromptId>,
    /// The columns that are wanted of the rows; none when the rows are not wanted.
    pub columns: Option<ColumnSet>,
}

impl Write for DeletePrompts {
    type Output = BulkPrompts;

    async fn run(&self, connection: &mut DbConnection, principal: &Principal) -> Outcome<BulkPrompts> {
        let named = find_named(connection, principal, &self.ids, |_| true).await?;
        let live: Vec<_> = named.rows.iter().filter(|row| row.deleted_at.is_none()).collect();
        let changed: Vec<_> = live.iter().map(|row| row.id).collect();
        if !changed.is_empty() {
            let now = time_of_change(live);
            prompts::set_deleted(connection, &changed, Some(now), now).await?;
        }
        let prompts = read_back_all(connection, principal, &self.ids, self.columns).await?;
        let output = BulkPrompts { affected: changed.len(), prompts };
        Ok((output, Changes { prompts: changed, ..Changes::default() }))
    }
}

/// Restores prompts that were deleted. Those that are not deleted stay as they are.
#[derive(Debug, Clone)]
pub struct RestorePrompts {
    /// The prompts. One that is named twice is restored once.
    pub ids: Vec<PromptId>,
    /// The columns that are wanted of the rows; none when the rows are not wanted.
    pub columns: Option<ColumnSet>,
}

impl Write for RestorePrompts {
    type Output = BulkPrompts;

    async fn run(&self, connection: &mut DbConnection, principal: &Principal) -> Outcome<BulkPrompts> {
        let named = find_named(connection, principal, &self.ids, |_| true).await?;
        let deleted: Vec<_> = named.rows.iter().filter(|row| row.deleted_at.is_some()).collect();
        let changed: Vec<_> = deleted.iter().map(|row| row.id).collect();
        if !changed.is_empty() {
            claim_names(connection, &named, &deleted).await?;
            let now = time_of_change(deleted);
            prompts::set_deleted(connection, &changed, None, now).await.map_err(name_is_taken)?;
        }
        let prompts = read_back_all(connection, principal, &self.ids, self.columns).await?;
        let output = BulkPrompts { affected: changed.len(), prompts };
        Ok((output, Changes { prompts: changed, ..Changes::default() }))
    }
}

/// Whose name it is: the owner, and the name.
type OwnedName<'a> = (&'a str, &'a str);

fn owned_name(row: &MarkedPrompt) -> Option<OwnedName<'_>> {
    Some((&row.user_id, row.name.as_deref()?))
}

/// Makes sure that the lineages of the deleted prompts can have their names back. A lineage of which everything was deleted
/// had given its name up.
async fn claim_names(
    connection: &mut DbConnection,
    named: &Named,
    deleted: &[&MarkedPrompt],
) -> Result<(), Aborted<Refusal>> {
    let wanted: Vec<OwnedName<'_>> = deleted.iter().filter_map(|row| owned_name(row)).collect();
    if wanted.is_empty() {
        return Ok(());
    }
    prompts::lock_names(connection, wanted.iter().copied()).await?;
    let mut users: Vec<_> = wanted.iter().map(|(user, _)| (*user).to_owned()).collect();
    users.sort_unstable();
    users.dedup();
    let names = wanted.iter().map(|(_, name)| (*name).to_owned()).collect();
    let takers = prompts::live_names(connection, users, names).await?;
    let mut takers: HashMap<OwnedName<'_>, PromptId> =
        takers.iter().filter_map(|(user, name, root)| Some(((user.as_str(), name.as_deref()?), *root))).collect();
    let mut faults = Vec::new();
    for row in deleted {
        let Some(name) = owned_name(row) else { continue };
        // The first of two lineages that are restored with one name has it.
        if *takers.entry(name).or_insert(row.root_id) != row.root_id {
            let place = named.places.get(&row.id).copied().unwrap_or_default();
            let problem =
                format!("its name, «{}», is that of another prompt of the same owner now: rename that one", name.1);
            faults.push(Fault::new(format!("[{place}]"), problem));
        }
    }
    Ok(refuse(RefusalKind::Conflict, faults)?)
}
