//! Removing for good what was deleted.

use std::collections::{BTreeMap, HashSet};
use std::convert::Infallible;
use std::sync::Arc;

use diesel::prelude::*;
use diesel::result::QueryResult;
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use super::backend::on_backend;
use super::changes::Changes;
use super::connection::DbConnection;
use super::lists::any_id;
use super::raw::Raw;
use super::schema::{evaluations, prompts, test_results};
use super::types::sql;
use super::{Database, DbError, StatementCount, audit};
use crate::domain::{Deed, PromptId, Timestamp};

/// How many prompts are removed in one transaction: each may have many evaluations.
const PROMPTS_AT_A_TIME: i64 = 100;

/// Why a prompt is kept that was deleted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    /// A run that others are compared with, of this name, has an evaluation of it.
    Baseline(String),
    /// It is the first version of a lineage of which others stay.
    FirstVersion,
}

/// A prompt that is kept though it was deleted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// The prompt.
    pub id: PromptId,
    /// What people call it.
    pub title: String,
    /// The number of the version.
    pub version: i32,
    /// Why.
    pub reason: Reason,
}

/// How many rows were removed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Purged {
    /// Versions of prompts.
    pub prompts: u64,
    /// Their evaluations.
    pub evaluations: u64,
    /// The results of those.
    pub test_results: u64,
}

/// Removes the prompts that were deleted before this time, with their evaluations and the results of those, except for those
/// that something needs: `keep` is told which. A dry run removes nothing and counts what would be removed. Every hundred
/// prompts are a transaction of their own, so others write in between; each has an entry in the audit log.
///
/// # Errors
/// When there is no connection or a statement fails; what was removed before stays so.
pub async fn purge(
    database: &Database,
    deed: Deed,
    before: Timestamp,
    dry_run: bool,
    mut keep: impl FnMut(&Kept),
) -> Result<Purged, DbError> {
    let count = StatementCount::default();
    let (mut purged, deed) = (Purged::default(), Arc::new(deed));
    let (mut last, mut gone) = (Uuid::max(), Arc::new(HashSet::new()));
    loop {
        let (known, deed) = (Arc::clone(&gone), Arc::clone(&deed));
        let batch = database.transaction(&count, move |connection| {
            let (known, deed) = (Arc::clone(&known), Arc::clone(&deed));
            Box::pin(async move {
                let batch = Batch::run(connection, before, last, dry_run, &known).await?;
                let changed = if dry_run { Vec::new() } else { batch.removed.clone() };
                let changes = Changes { prompts: changed, ..Changes::default() };
                audit::record(connection, &deed, &changes).await?;
                Ok((batch, changes))
            })
        });
        let Ok::<Batch, Infallible>(batch) = batch.await?;
        batch.kept.iter().for_each(&mut keep);
        purged.prompts += batch.removed.len() as u64;
        purged.evaluations += batch.evaluations;
        purged.test_results += batch.test_results;
        Arc::make_mut(&mut gone).extend(batch.removed);
        match batch.last {
            Some(id) => last = id,
            None => return Ok(purged),
        }
    }
}

/// A deleted prompt.
#[derive(Debug, Queryable)]
struct Candidate {
    id: PromptId,
    title: String,
    version: i32,
}

/// What came of one transaction.
#[derive(Debug, Default)]
struct Batch {
    /// The last id that was looked at; none after the last prompt.
    last: Option<Uuid>,
    removed: Vec<PromptId>,
    kept: Vec<Kept>,
    evaluations: u64,
    test_results: u64,
}

impl Batch {
    /// Later versions have later ids, and come before the first version of their lineage.
    async fn run(
        connection: &mut DbConnection,
        before: Timestamp,
        last: Uuid,
        dry_run: bool,
        gone: &HashSet<PromptId>,
    ) -> QueryResult<Self> {
        let page = page(connection, before, last).await?;
        let Some(&lowest) = page.last() else { return Ok(Self::default()) };
        let mut batch = Self { last: Some(lowest), ..Self::default() };
        let candidates = lock(connection, page, before).await?;
        let ids: Vec<PromptId> = candidates.iter().map(|candidate| candidate.id).collect();
        let baselines = baselines(connection, ids).await?;
        let mut removable = BTreeMap::new();
        for candidate in candidates {
            match baselines.get(&candidate.id) {
                Some(run) => batch.keep(candidate, Reason::Baseline(run.clone())),
                None => drop(removable.insert(candidate.id, candidate)),
            }
        }
        for root in needed_roots(connection, &removable, gone).await? {
            if let Some(candidate) = removable.remove(&root) {
                batch.keep(candidate, Reason::FirstVersion);
            }
        }
        batch.removed = removable.into_keys().collect();
        batch.count(connection).await?;
        if !dry_run {
            remove(connection, &batch.removed).await?;
        }
        Ok(batch)
    }

    fn keep(&mut self, candidate: Candidate, reason: Reason) {
        let Candidate { id, title, version } = candidate;
        self.kept.push(Kept { id, title, version, reason });
    }

    async fn count(&mut self, connection: &mut DbConnection) -> QueryResult<()> {
        let of_prompts = || any_id(evaluations::prompt_id, self.removed.iter().copied());
        let statement = evaluations::table.filter(of_prompts()).count();
        let evaluations: i64 = on_backend!(connection, |inner| statement.get_result(inner).await)?;
        let statement = test_results::table.inner_join(evaluations::table).filter(of_prompts()).count();
        let test_results: i64 = on_backend!(connection, |inner| statement.get_result(inner).await)?;
        self.evaluations = u64::try_from(evaluations).unwrap_or_default();
        self.test_results = u64::try_from(test_results).unwrap_or_default();
        Ok(())
    }
}

/// The next ids of prompts that were deleted before this time, the greatest first.
async fn page(connection: &mut DbConnection, before: Timestamp, last: Uuid) -> QueryResult<Vec<Uuid>> {
    let statement: Raw<sql::Uuid> = Raw::new("SELECT id FROM prompts WHERE deleted_at IS NOT NULL AND id < ")
        .id(last)
        .sql(" AND deleted_at < ")
        .time(before)
        .sql(" ORDER BY id DESC LIMIT ")
        .number(PROMPTS_AT_A_TIME);
    on_backend!(connection, |inner| statement.load(inner).await)
}

/// Those of the prompts that nobody has restored meanwhile. On PostgreSQL nobody can until the end of the transaction, nor
/// add evaluations.
async fn lock(connection: &mut DbConnection, ids: Vec<Uuid>, before: Timestamp) -> QueryResult<Vec<Candidate>> {
    let statement = prompts::table
        .filter(any_id(prompts::id, ids))
        .filter(prompts::deleted_at.lt(before))
        .order(prompts::id)
        .select((prompts::id, prompts::title, prompts::version));
    match connection {
        DbConnection::Postgres(connection) => statement.for_update().load(connection.inner()).await,
        DbConnection::Sqlite(connection) => statement.load(connection.inner()).await,
    }
}

/// For each prompt with an evaluation in a run that others are compared with, the name of such a run. On PostgreSQL no run
/// of theirs becomes one until the end of the transaction.
async fn baselines(connection: &mut DbConnection, ids: Vec<PromptId>) -> QueryResult<BTreeMap<PromptId, String>> {
    let statement: Raw<(sql::Uuid, sql::Text, sql::Bool)> = Raw::new(
        "SELECT evaluations.prompt_id, runs.name, runs.is_baseline FROM evaluations \
         JOIN runs ON runs.id = evaluations.run_id WHERE ",
    )
    .any_id("evaluations.prompt_id", ids.into_iter().map(Uuid::from).collect())
    .dialects(" ORDER BY runs.id FOR SHARE OF runs", "");
    let rows: Vec<(PromptId, String, bool)> = on_backend!(connection, |inner| statement.load(inner).await)?;
    Ok(rows.into_iter().filter(|(_, _, is_baseline)| *is_baseline).map(|(id, name, _)| (id, name)).collect())
}

/// Those of the prompts that are the first version of others that stay.
async fn needed_roots(
    connection: &mut DbConnection,
    removable: &BTreeMap<PromptId, Candidate>,
    gone: &HashSet<PromptId>,
) -> QueryResult<HashSet<PromptId>> {
    let statement = prompts::table
        .filter(any_id(prompts::root_id, removable.keys().copied()))
        .select((prompts::id, prompts::root_id));
    let versions: Vec<(PromptId, PromptId)> = on_backend!(connection, |inner| statement.load(inner).await)?;
    let stays = |id: &PromptId| !removable.contains_key(id) && !gone.contains(id);
    Ok(versions.into_iter().filter(|(id, _)| stays(id)).map(|(_, root)| root).collect())
}

/// Versions that were made from one that is removed have no parent any more, as it was while that was deleted.
async fn remove(connection: &mut DbConnection, ids: &[PromptId]) -> QueryResult<()> {
    let children = prompts::table.filter(any_id(prompts::parent_id, ids.iter().copied()));
    let statement = diesel::update(children).set(prompts::parent_id.eq(None::<PromptId>));
    on_backend!(connection, |inner| statement.execute(inner).await)?;
    let statement = diesel::delete(prompts::table.filter(any_id(prompts::id, ids.iter().copied())));
    on_backend!(connection, |inner| statement.execute(inner).await).map(drop)
}
