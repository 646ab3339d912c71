//! Storing many prompts at once, new ones and changed ones.

use std::collections::{HashMap, HashSet};

use uuid::Uuid;

use super::bulk::{read_back_all, refuse};
use super::changes::{evaluated, is_changed};
use super::{BulkPrompts, PromptChanges, PromptDraft, not_found};
use crate::db::changes::Changes;
use crate::db::columns::ColumnSet;
use crate::db::prompts::{self, PromptTexts, StoredPrompt};
use crate::db::transaction::Aborted;
use crate::db::{DbConnection, evaluations, insert, search_index};
use crate::domain::{Principal, PromptId, Timestamp};
use crate::writes::{Fault, Outcome, Refusal, RefusalKind, Write};

/// How many items are looked at, and stored, at a time: what the database has of them is in memory meanwhile.
const ITEMS_AT_A_TIME: usize = 1_000;

/// Stores prompts, all or none of them.
#[derive(Debug, Clone)]
pub struct UpsertPrompts {
    /// The prompts; no two items change the same.
    pub items: Vec<UpsertItem>,
    /// The columns that are wanted of the rows; none when the rows are not wanted.
    pub columns: Option<ColumnSet>,
}

/// One of the prompts.
#[derive(Debug, Clone)]
pub enum UpsertItem {
    /// One that is stored as the first version of its lineage, without a name.
    New(PromptDraft),
    /// One that is there and changes.
    Known(PromptId, PromptChanges),
}

impl Write for UpsertPrompts {
    type Output = BulkPrompts;

    async fn run(&self, connection: &mut DbConnection, principal: &Principal) -> Outcome<BulkPrompts> {
        search_index::make_room(connection, self.items.len()).await?;
        let mut work = Work::new(self);
        let known: Vec<_> = work.known.iter().map(|&(id, _, _)| Uuid::from(id)).collect();
        if !known.is_empty() {
            prompts::lock_lineages(connection, principal, known).await?;
        }
        for chunk in std::mem::take(&mut work.known).chunks(ITEMS_AT_A_TIME) {
            work.change(connection, principal, chunk).await?;
        }
        work.refuse()?;
        for chunk in std::mem::take(&mut work.new).chunks(ITEMS_AT_A_TIME) {
            work.insert(connection, principal, chunk).await?;
        }
        let ids: Vec<_> = work.ids.into_iter().flatten().collect();
        let prompts = read_back_all(connection, principal, &ids, self.columns).await?;
        let output = BulkPrompts { affected: work.changed.len(), prompts };
        Ok((output, Changes { prompts: work.changed, ..Changes::default() }))
    }
}

/// What is done, and what is left to do.
struct Work<'a> {
    /// The items that are there, in the order of their ids, each with its place.
    known: Vec<(PromptId, usize, &'a PromptChanges)>,
    new: Vec<(usize, &'a PromptDraft)>,
    /// By the places of the items.
    ids: Vec<Option<PromptId>>,
    changed: Vec<PromptId>,
    missing: Faults,
    invalid: Faults,
    conflicts: Faults,
}

/// What is wrong with items, each with the place of the item.
type Faults = Vec<(usize, Fault)>;

/// A version that will be another.
struct Changed<'a> {
    place: usize,
    row: &'a StoredPrompt,
    texts: PromptTexts,
}

impl<'a> Work<'a> {
    fn new(upsert: &'a UpsertPrompts) -> Self {
        let (mut known, mut new) = (Vec::new(), Vec::new());
        for (place, item) in upsert.items.iter().enumerate() {
            match item {
                UpsertItem::New(draft) => new.push((place, draft)),
                UpsertItem::Known(id, changes) => known.push((*id, place, changes)),
            }
        }
        known.sort_unstable_by_key(|&(id, _, _)| id);
        let ids = vec![None; upsert.items.len()];
        let faults = || Vec::new();
        Self { known, new, ids, changed: Vec::new(), missing: faults(), invalid: faults(), conflicts: faults() }
    }

    async fn change(
        &mut self,
        connection: &mut DbConnection,
        principal: &Principal,
        items: &[(PromptId, usize, &PromptChanges)],
    ) -> Result<(), Aborted<Refusal>> {
        let ids = items.iter().map(|&(id, _, _)| id.into()).collect();
        let rows = prompts::stored(connection, principal, ids).await?;
        let rows: HashMap<_, _> = rows.into_iter().map(|row| (row.id, row)).collect();
        let now = Timestamp::now();
        let changed: Vec<_> =
            items.iter().filter_map(|&(id, place, changes)| self.changed(&rows, id, place, changes, now)).collect();
        self.check_evaluations(connection, &changed).await?;
        // Nothing is written any more once something is wrong: only what else is wrong is of interest then.
        if !changed.is_empty() && self.is_well() {
            self.changed.extend(changed.iter().map(|changed| changed.row.id));
            prompts::replace_texts(connection, changed.into_iter().map(|changed| changed.texts).collect()).await?;
        }
        Ok(())
    }

    /// What becomes of an item, if it is there, may become that, and is not that already.
    fn changed<'r>(
        &mut self,
        rows: &'r HashMap<PromptId, StoredPrompt>,
        id: PromptId,
        place: usize,
        changes: &PromptChanges,
        now: Timestamp,
    ) -> Option<Changed<'r>> {
        let Some(row) = rows.get(&id) else {
            self.missing.push((place, not_found(format!("[{place}].id"))));
            return None;
        };
        if let Some(slot) = self.ids.get_mut(place) {
            *slot = Some(id);
        }
        if let Some(fault) = changes.content_fault(row, &format!("[{place}]")) {
            self.invalid.push((place, fault));
            return None;
        }
        let texts = changes.applied_to(row, now);
        is_changed(row, &texts).then_some(Changed { place, row, texts })
    }

    /// Notes those whose text would change though they have evaluations.
    async fn check_evaluations(
        &mut self,
        connection: &mut DbConnection,
        changed: &[Changed<'_>],
    ) -> Result<(), Aborted<Refusal>> {
        let rewritten = changed.iter().filter(|changed| changed.texts.content_hash != changed.row.content_hash);
        let ids: Vec<_> = rewritten.clone().map(|changed| changed.row.id).collect();
        if ids.is_empty() {
            return Ok(());
        }
        prompts::lock_against_evaluations(connection, ids.clone()).await?;
        let with_evaluations = evaluations::evaluated_prompts(connection, ids).await?;
        let with_evaluations: HashSet<_> = with_evaluations.into_iter().collect();
        let refused = rewritten.filter(|changed| with_evaluations.contains(&changed.row.id));
        let fault = |it: &Changed<'_>| (it.place, evaluated(it.row, &it.texts, &format!("[{}]", it.place)));
        self.conflicts.extend(refused.map(fault));
        Ok(())
    }

    fn is_well(&self) -> bool {
        self.missing.is_empty() && self.invalid.is_empty() && self.conflicts.is_empty()
    }

    /// Refuses with all faults of the kind that comes first, in the order of the items.
    fn refuse(&mut self) -> Result<(), Refusal> {
        for (kind, faults) in [
            (RefusalKind::Invalid, &mut self.invalid),
            (RefusalKind::NotFound, &mut self.missing),
            (RefusalKind::Conflict, &mut self.conflicts),
        ] {
            faults.sort_by_key(|&(place, _)| place);
            refuse(kind, std::mem::take(faults).into_iter().map(|(_, fault)| fault).collect())?;
        }
        Ok(())
    }

    async fn insert(
        &mut self,
        connection: &mut DbConnection,
        principal: &Principal,
        items: &[(usize, &PromptDraft)],
    ) -> Result<(), Aborted<Refusal>> {
        let mut rows = Vec::with_capacity(items.len());
        for (place, draft) in items {
            let row = draft.first_version(&principal.user_id);
            if let Some(slot) = self.ids.get_mut(*place) {
                *slot = Some(row.id);
            }
            self.changed.push(row.id);
            rows.push(row);
        }
        Ok(insert::prompts(connection, rows).await?)
    }
}
