//! What changes of many prompts have in common.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use uuid::Uuid;

use super::not_found;
use crate::db::columns::ColumnSet;
use crate::db::prompts::{MarkedPrompt, PromptRow, lock_lineages, marked, owned_by_ids};
use crate::db::transaction::Aborted;
use crate::db::{DbConnection, search_index};
use crate::domain::{Principal, PromptId, Timestamp};
use crate::writes::{Fault, Refusal, RefusalKind};

/// What came of a change of many prompts.
#[derive(Debug, Clone, Default)]
pub struct BulkPrompts {
    /// How many were stored or changed: those that were already as they should be are not counted.
    pub affected: usize,
    /// All that were named, each once and in the order in which they were; none where nobody wants to see them.
    pub prompts: Vec<Arc<PromptRow>>,
}

/// Prompts that are named by their ids.
pub(super) struct Named {
    /// The rows, in the order of the ids and each once.
    pub rows: Vec<MarkedPrompt>,
    /// Where in the list of ids each was named first.
    pub places: HashMap<PromptId, usize>,
}

/// The prompts with these ids, deleted or not, whose lineages nobody else changes until the end of the transaction.
/// `is_there` tells which of them may be named; all ids that name no such prompt are told.
pub(super) async fn find_named(
    connection: &mut DbConnection,
    principal: &Principal,
    ids: &[PromptId],
    is_there: impl Fn(&MarkedPrompt) -> bool,
) -> Result<Named, Aborted<Refusal>> {
    let uuids: Vec<Uuid> = distinct(ids).into_iter().map(Uuid::from).collect();
    search_index::make_room(connection, uuids.len()).await?;
    lock_lineages(connection, principal, uuids.clone()).await?;
    let rows = marked(connection, principal, uuids).await?;
    let mut found: HashMap<_, _> = rows.into_iter().filter(is_there).map(|row| (row.id, row)).collect();
    let (mut named, mut faults) = (Named { rows: Vec::new(), places: HashMap::new() }, Vec::new());
    for (place, &id) in ids.iter().enumerate() {
        if named.places.contains_key(&id) {
            continue;
        }
        match found.remove(&id) {
            Some(row) => {
                named.rows.push(row);
                named.places.insert(id, place);
            }
            None => faults.push(not_found(format!("[{place}]"))),
        }
    }
    refuse(RefusalKind::NotFound, faults)?;
    Ok(named)
}

/// Nothing, where there are no faults.
pub(super) fn refuse(kind: RefusalKind, faults: Vec<Fault>) -> Result<(), Refusal> {
    if faults.is_empty() { Ok(()) } else { Err(Refusal { kind, faults }) }
}

/// The ids, each once.
fn distinct(ids: &[PromptId]) -> Vec<PromptId> {
    let mut known = HashSet::new();
    ids.iter().copied().filter(|id| known.insert(*id)).collect()
}

/// A time at which these rows are changed: later than all of their last changes, whatever the clock says.
pub(super) fn time_of_change<'a>(rows: impl IntoIterator<Item = &'a MarkedPrompt>) -> Timestamp {
    rows.into_iter().map(|row| row.updated_at.next()).fold(Timestamp::now(), Timestamp::max)
}

/// The prompts with these ids as they are stored now, deleted or not, each once and in the order of the ids; none when no
/// columns are wanted.
pub(super) async fn read_back_all(
    connection: &mut DbConnection,
    principal: &Principal,
    ids: &[PromptId],
    columns: Option<ColumnSet>,
) -> Result<Vec<Arc<PromptRow>>, Aborted<Refusal>> {
    let Some(columns) = columns else { return Ok(Vec::new()) };
    let ids = distinct(ids);
    let uuids = ids.iter().map(|&id| id.into()).collect();
    let rows = owned_by_ids(connection, principal, uuids, columns).await?;
    let mut rows: HashMap<_, _> = rows.into_iter().map(|row| (row.id, row)).collect();
    Ok(ids.iter().filter_map(|id| rows.remove(id)).collect())
}
