//! The names of lineages: unique among what an owner has that is not deleted.

use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::result::QueryResult;
use diesel::sql_types::{Array, BigInt};
use diesel_async::RunQueryDsl;
use sha2::{Digest as _, Sha256};

use crate::db::backend::on_backend;
use crate::db::connection::DbConnection;
use crate::db::lists::any_text;
use crate::db::schema::prompts;
use crate::domain::PromptId;

/// Keeps everybody else who calls this from going on with one of these names until the end of the transaction: each is the
/// owner and what a lineage of theirs is called. A unique index alone would not do, because two lineages of one name may
/// have no version in common that is not deleted.
///
/// # Errors
/// When the statement fails.
pub async fn lock_names<'a>(
    connection: &mut DbConnection,
    names: impl IntoIterator<Item = (&'a str, &'a str)>,
) -> QueryResult<()> {
    let mut keys: Vec<_> = names.into_iter().map(|(user_id, name)| lock_key(user_id, name)).collect();
    // Whoever locks several does so in the same order.
    keys.sort_unstable();
    keys.dedup();
    match connection {
        DbConnection::Postgres(connection) if !keys.is_empty() => {
            LockKeys(keys).execute(connection.inner()).await.map(drop)
        }
        // SQLite has one writer at a time.
        _ => Ok(()),
    }
}

fn lock_key(user_id: &str, name: &str) -> i64 {
    let mut hash = Sha256::new();
    hash.update((user_id.len() as u64).to_le_bytes());
    hash.update(user_id);
    hash.update(name);
    let [a, b, c, d, e, f, g, h, ..] = <[u8; 32]>::from(hash.finalize());
    i64::from_le_bytes([a, b, c, d, e, f, g, h])
}

struct LockKeys(Vec<i64>);

impl QueryFragment<Pg> for LockKeys {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql("SELECT pg_advisory_xact_lock(key) FROM unnest(");
        out.push_bind_param::<Array<BigInt>, _>(&self.0)?;
        out.push_sql("::bigint[]) AS key");
        Ok(())
    }
}

impl QueryId for LockKeys {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

/// The lineages of these owners that have one of these names and a version that is not deleted: owner, name and first
/// version of each such version.
///
/// # Errors
/// When the statement fails.
pub async fn live_names(
    connection: &mut DbConnection,
    user_ids: Vec<String>,
    names: Vec<String>,
) -> QueryResult<Vec<(String, Option<String>, PromptId)>> {
    let statement = prompts::table
        .filter(any_text(prompts::user_id, user_ids))
        .filter(any_text(prompts::name, names))
        .filter(prompts::deleted_at.is_null())
        .select((prompts::user_id, prompts::name, prompts::root_id));
    on_backend!(connection, |inner| statement.load(inner).await)
}
