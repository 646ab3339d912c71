//! What has changed, for the caches: the outbox that triggers fill, and what the servers agree on about the cache they
//! share. `crate::cache` tells how they are used.
//!
//! Times are compared by the database's clock, so that those of the servers may differ.

use std::time::Duration;

use diesel::prelude::*;
use diesel::result::QueryResult;
use diesel::sql_types::{BigInt, Bool, Nullable};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use super::backend::on_backend;
use super::connection::DbConnection;
use super::raw::Raw;
use super::schema::cache_outbox;
use super::types::sql;

/// The tag on which everything depends.
pub const EVERYTHING: &str = "*";

/// How many rows one statement removes.
const REMOVED_AT_ONCE: usize = 500;

/// A tag that a transaction has invalidated.
#[derive(Debug, Clone, PartialEq, Eq, Queryable)]
pub struct OutboxRow {
    /// Its number. Of two transactions at the same time, the one with the lower numbers may be seen later.
    pub id: i64,
    /// What cached entries depend on that has changed.
    pub tag: String,
    /// The server that changed it and carries that out; none when it was changed in another way.
    pub origin: Option<Uuid>,
}

/// What the servers agreed on about the cache that they share.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CacheState {
    /// What its keys begin with; none while nobody may use it.
    pub namespace: Option<Uuid>,
    /// How long that has been so.
    pub age: Duration,
    /// Whether some server cannot reach it.
    pub refused: bool,
    /// Whether nobody has used it for so long that rows of the outbox may have been removed without being carried out.
    pub abandoned: bool,
}

/// The tags that the transaction of this connection has invalidated so far. On SQLite they are claimed for `instance`; on
/// PostgreSQL the connection has said whose it is.
///
/// # Errors
/// When the statement fails.
pub async fn claim(connection: &mut DbConnection, instance: Uuid) -> QueryResult<Vec<String>> {
    match connection {
        DbConnection::Postgres(connection) => {
            let statement: Raw<diesel::sql_types::Text> =
                Raw::new("SELECT tag FROM cache_outbox WHERE xact = pg_current_xact_id_if_assigned()::text::bigint");
            statement.load(connection.inner()).await
        }
        DbConnection::Sqlite(connection) => {
            let statement: Raw<diesel::sql_types::Text> =
                Raw::new("UPDATE cache_outbox SET origin = ").id(instance).sql(" WHERE origin IS NULL RETURNING tag");
            statement.load(connection.inner()).await
        }
    }
}

/// The rows of the outbox, the oldest first, so many at most.
///
/// # Errors
/// When the statement fails.
pub async fn rows(connection: &mut DbConnection, limit: i64) -> QueryResult<Vec<OutboxRow>> {
    let statement = cache_outbox::table
        .select((cache_outbox::id, cache_outbox::tag, cache_outbox::origin))
        .order(cache_outbox::id)
        .limit(limit);
    on_backend!(connection, |inner| statement.load(inner).await)
}

/// Removes these rows.
///
/// # Errors
/// When a statement fails.
pub async fn remove(connection: &mut DbConnection, ids: &[i64]) -> QueryResult<()> {
    for ids in ids.chunks(REMOVED_AT_ONCE) {
        let statement = diesel::delete(cache_outbox::table.filter(cache_outbox::id.eq_any(ids.to_vec())));
        on_backend!(connection, |inner| statement.execute(inner).await)?;
    }
    Ok(())
}

/// Removes rows that were written an hour ago: whoever follows the outbox has read them long since.
///
/// # Errors
/// When the statement fails.
pub async fn trim(connection: &mut DbConnection) -> QueryResult<()> {
    let statement: Raw<()> = Raw::new("DELETE FROM cache_outbox WHERE created_at < ")
        .dialects("now() - interval '1 hour'", "CAST(unixepoch('subsec') * 1000000 AS INTEGER) - 3600000000");
    on_backend!(connection, |inner| statement.execute(inner).await).map(drop)
}

/// How many rows the outbox has.
///
/// # Errors
/// When the statement fails.
pub async fn length(connection: &mut DbConnection) -> QueryResult<i64> {
    let statement = cache_outbox::table.count();
    on_backend!(connection, |inner| statement.get_result(inner).await)
}

/// Tells all servers to forget everything.
///
/// # Errors
/// When a statement fails.
pub async fn clear(connection: &mut DbConnection) -> QueryResult<()> {
    refuse(connection).await?;
    let statement = diesel::insert_into(cache_outbox::table).values(cache_outbox::tag.eq(EVERYTHING));
    on_backend!(connection, |inner| statement.execute(inner).await).map(drop)
}

/// What the servers agreed on.
///
/// # Errors
/// When the statement fails.
pub async fn state(connection: &mut DbConnection) -> QueryResult<CacheState> {
    let statement: Raw<(Nullable<sql::Uuid>, BigInt, Bool, Bool)> = Raw::new("SELECT namespace, ").dialects(
        "CAST(extract(epoch FROM clock_timestamp() - changed_at) * 1000000 AS bigint), \
         coalesce(refused_until > clock_timestamp(), FALSE), renewed_at < clock_timestamp() - interval '30 seconds'",
        "CAST(unixepoch('subsec') * 1000000 AS INTEGER) - changed_at, \
         coalesce(refused_until > CAST(unixepoch('subsec') * 1000000 AS INTEGER), FALSE), \
         renewed_at < CAST(unixepoch('subsec') * 1000000 AS INTEGER) - 30000000",
    );
    let statement = statement.sql(" FROM cache_state WHERE id = 1");
    let (namespace, age, refused, abandoned): (Option<Uuid>, i64, bool, bool) =
        on_backend!(connection, |inner| statement.get_result(inner).await)?;
    // A clock that was set back makes nothing older than it is.
    let age = Duration::from_micros(u64::try_from(age).unwrap_or(0));
    Ok(CacheState { namespace, age, refused, abandoned })
}

/// Sets a namespace, if there is none and nobody refuses.
///
/// # Errors
/// When the statement fails.
pub async fn propose(connection: &mut DbConnection, namespace: Uuid) -> QueryResult<()> {
    let statement: Raw<()> = Raw::new("UPDATE cache_state SET namespace = ").id(namespace).dialects(
        ", changed_at = clock_timestamp(), renewed_at = clock_timestamp() \
         WHERE id = 1 AND namespace IS NULL AND coalesce(refused_until <= clock_timestamp(), TRUE)",
        ", changed_at = CAST(unixepoch('subsec') * 1000000 AS INTEGER), \
         renewed_at = CAST(unixepoch('subsec') * 1000000 AS INTEGER) \
         WHERE id = 1 AND namespace IS NULL \
         AND coalesce(refused_until <= CAST(unixepoch('subsec') * 1000000 AS INTEGER), TRUE)",
    );
    on_backend!(connection, |inner| statement.execute(inner).await).map(drop)
}

/// Takes the namespace away, and keeps others from setting one for three seconds.
///
/// # Errors
/// When the statement fails.
pub async fn refuse(connection: &mut DbConnection) -> QueryResult<()> {
    let statement: Raw<()> =
        Raw::new("UPDATE cache_state SET changed_at = CASE WHEN namespace IS NULL THEN changed_at ELSE ")
            .dialects(
                "clock_timestamp() END, namespace = NULL, refused_until = clock_timestamp() + interval '3 seconds'",
                "CAST(unixepoch('subsec') * 1000000 AS INTEGER) END, namespace = NULL, \
             refused_until = CAST(unixepoch('subsec') * 1000000 AS INTEGER) + 3000000",
            )
            .sql(" WHERE id = 1");
    on_backend!(connection, |inner| statement.execute(inner).await).map(drop)
}

/// Notes that somebody uses the shared cache.
///
/// # Errors
/// When the statement fails.
pub async fn renew(connection: &mut DbConnection) -> QueryResult<()> {
    let statement: Raw<()> = Raw::new("UPDATE cache_state SET renewed_at = ")
        .dialects("clock_timestamp()", "CAST(unixepoch('subsec') * 1000000 AS INTEGER)")
        .sql(" WHERE id = 1");
    on_backend!(connection, |inner| statement.execute(inner).await).map(drop)
}
