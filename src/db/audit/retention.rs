//! Forgetting what is older than it has to be.

use std::time::Duration;

use diesel::prelude::*;
use diesel::result::QueryResult;
use diesel::sql_types::Bool;
use diesel_async::RunQueryDsl;
use tokio::task::JoinHandle;

use crate::db::backend::on_backend;
use crate::db::connection::DbConnection;
use crate::db::lists::any_id;
use crate::db::raw::Raw;
use crate::db::schema::audit_log;
use crate::db::transaction::write_transaction;
use crate::db::{Database, DbError, StatementCount};
use crate::domain::{AuditEntryId, Timestamp};

/// How often somebody looks for old entries.
const INTERVAL: Duration = Duration::from_hours(1);
/// Others write between two removals.
const PAUSE: Duration = Duration::from_millis(100);
/// How many entries are removed in one transaction at most.
const ENTRIES_AT_A_TIME: i64 = 500;
/// How many objects they may tell of, but for an entry that tells of more by itself.
const OBJECTS_AT_A_TIME: i64 = 10_000;
/// On PostgreSQL only one instance removes entries at a time.
const ADVISORY_LOCK: i64 = 0x6576_616c_6175_6469;

/// The task that removes old entries; it ends with this.
pub struct Retention(JoinHandle<()>);

impl Drop for Retention {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Retention {
    /// Removes entries that are older than `age`, now and as long as this lives.
    #[must_use]
    pub fn start(database: Database, age: Duration) -> Self {
        Self(tokio::spawn(async move {
            loop {
                match remove_older(&database, age).await {
                    Ok(0) => {}
                    Ok(removed) => tracing::info!(removed, "old entries of the audit log were removed"),
                    Err(error) => tracing::warn!(%error, "old entries of the audit log could not be removed"),
                }
                tokio::time::sleep(INTERVAL).await;
            }
        }))
    }
}

/// Removes all entries that are older, some at a time, unless another instance does.
async fn remove_older(database: &Database, age: Duration) -> Result<usize, DbError> {
    let age = i64::try_from(age.as_millis()).unwrap_or(i64::MAX);
    let before = Timestamp::now().plus_millis(age.saturating_neg());
    let mut removed = 0;
    loop {
        let count = StatementCount::default();
        // Where there is nothing to do, nobody who writes is kept waiting.
        let is_idle = database
            .read(&count, move |connection| Box::pin(async move { Ok(oldest(connection, before).await?.is_empty()) }));
        if is_idle.await? {
            return Ok(removed);
        }
        let batch = database.write(&count, move |connection| {
            Box::pin(write_transaction(connection, move |connection| Box::pin(remove_some(connection, before))))
        });
        match batch.await? {
            0 => return Ok(removed),
            batch => removed += batch,
        }
        tokio::time::sleep(PAUSE).await;
    }
}

async fn remove_some(connection: &mut DbConnection, before: Timestamp) -> QueryResult<usize> {
    if !is_alone(connection).await? {
        return Ok(0);
    }
    let ids = bounded(&oldest(connection, before).await?);
    if ids.is_empty() {
        return Ok(0);
    }
    let statement = diesel::delete(audit_log::table.filter(any_id(audit_log::id, ids)));
    on_backend!(connection, |inner| statement.execute(inner).await)
}

/// The first entries from before this time, with the number of objects that each tells of.
async fn oldest(connection: &mut DbConnection, before: Timestamp) -> QueryResult<Vec<(AuditEntryId, i64)>> {
    let statement = audit_log::table
        .filter(audit_log::created_at.lt(before))
        .order((audit_log::created_at, audit_log::id))
        .select((audit_log::id, audit_log::object_count))
        .limit(ENTRIES_AT_A_TIME);
    on_backend!(connection, |inner| statement.load(inner).await)
}

/// Whether nobody else removes entries until the end of the transaction. SQLite has one writer at a time.
async fn is_alone(connection: &mut DbConnection) -> QueryResult<bool> {
    let DbConnection::Postgres(connection) = connection else { return Ok(true) };
    let statement: Raw<Bool> = Raw::new("SELECT pg_try_advisory_xact_lock(").number(ADVISORY_LOCK).sql(")");
    statement.get_result(connection.inner()).await
}

/// So many of the first entries that they do not tell of too many objects; one at least.
fn bounded(oldest: &[(AuditEntryId, i64)]) -> Vec<AuditEntryId> {
    let mut objects = 0_i64;
    let fits = |&&(_, count): &&(AuditEntryId, i64)| {
        let is_first = objects == 0;
        objects = objects.saturating_add(count);
        is_first || objects <= OBJECTS_AT_A_TIME
    };
    oldest.iter().take_while(fits).map(|&(id, _)| id).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_are_bounded_by_what_they_tell_of() {
        let taken = |counts: &[i64]| {
            let entries: Vec<_> = counts.iter().map(|&count| (AuditEntryId::generate(), count)).collect();
            bounded(&entries).len()
        };
        assert_eq!(taken(&[]), 0);
        assert_eq!(taken(&[1, 9_999, 1]), 2);
        assert_eq!(taken(&[50_000, 1]), 1);
        assert_eq!(taken(&[1, i64::MAX]), 1);
    }
}
