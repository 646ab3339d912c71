//! Transactions: those that write, those that read one consistent state, and savepoints within them.
//!
//! Whoever drops a future of these before its end leaves a busy connection, which the pool closes; the database then rolls
//! back. Work that must not end early goes through [`Database::transaction`](super::Database::transaction).

mod retry;

use diesel::result::{Error as DieselError, QueryResult};
use futures_util::future::BoxFuture;

use super::connection::DbConnection;

pub(super) use retry::retried;

/// Why the work in a transaction ended without anything being stored.
#[derive(Debug)]
pub enum Aborted<R> {
    /// A statement failed.
    Statement(DieselError),
    /// The work itself found that nothing is to be stored.
    Refused(R),
}

impl<R> From<DieselError> for Aborted<R> {
    fn from(error: DieselError) -> Self {
        Self::Statement(error)
    }
}

/// How a transaction or a savepoint begins and ends.
struct Bounds {
    begin: String,
    commit: String,
    rollback: String,
}

impl Bounds {
    fn transaction(begin: &str) -> Self {
        Self { begin: begin.to_owned(), commit: "COMMIT".to_owned(), rollback: "ROLLBACK".to_owned() }
    }

    fn savepoint(depth: u32) -> Self {
        Self {
            begin: format!("SAVEPOINT nested_{depth}"),
            commit: format!("RELEASE SAVEPOINT nested_{depth}"),
            // A savepoint that was rolled back to is still there.
            rollback: format!("ROLLBACK TO SAVEPOINT nested_{depth}; RELEASE SAVEPOINT nested_{depth}"),
        }
    }
}

/// Runs `work` in a transaction for writing: committed when it succeeds, rolled back when it fails. Within a transaction it
/// is a savepoint, so that a failure takes back the inner work alone.
///
/// SQLite takes its write lock at the beginning, so that nothing read in between can have changed when it writes.
///
/// # Errors
/// Those of `work`, or of the commit.
pub async fn write_transaction<T, E, W>(connection: &mut DbConnection, work: W) -> Result<T, E>
where
    E: From<DieselError>,
    W: for<'c> FnOnce(&'c mut DbConnection) -> BoxFuture<'c, Result<T, E>>,
{
    let begin = match connection {
        DbConnection::Postgres(_) => "BEGIN",
        DbConnection::Sqlite(_) => "BEGIN IMMEDIATE",
    };
    bounded(connection, begin, work).await
}

/// Runs `work`, which only reads, in a transaction in which all statements see the same state of the database.
///
/// # Errors
/// Those of `work`, which is refused to write.
pub async fn read_transaction<T, E, W>(connection: &mut DbConnection, work: W) -> Result<T, E>
where
    E: From<DieselError>,
    W: for<'c> FnOnce(&'c mut DbConnection) -> BoxFuture<'c, Result<T, E>>,
{
    let begin = match connection {
        DbConnection::Postgres(_) => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
        // Connections for reading refuse to write by themselves.
        DbConnection::Sqlite(_) => "BEGIN",
    };
    bounded(connection, begin, work).await
}

async fn bounded<T, E, W>(connection: &mut DbConnection, begin: &str, work: W) -> Result<T, E>
where
    E: From<DieselError>,
    W: for<'c> FnOnce(&'c mut DbConnection) -> BoxFuture<'c, Result<T, E>>,
{
    let depth = connection.usage().transactions;
    let bounds = if depth == 0 { Bounds::transaction(begin) } else { Bounds::savepoint(depth) };
    connection.batch_execute(&bounds.begin).await?;
    connection.usage().transactions = depth + 1;
    let result = work(connection).await;
    connection.usage().transactions = depth;
    match result {
        Ok(value) => {
            if let Err(error) = connection.batch_execute(&bounds.commit).await {
                // PostgreSQL has ended the transaction, SQLite may not have.
                roll_back(connection, &bounds).await;
                return Err(error.into());
            }
            Ok(value)
        }
        Err(error) => {
            roll_back(connection, &bounds).await;
            Err(error)
        }
    }
}

/// When this fails as well the connection is lost, and the transaction with it.
async fn roll_back(connection: &mut DbConnection, bounds: &Bounds) {
    let rolled_back: QueryResult<()> = connection.batch_execute(&bounds.rollback).await;
    if let Err(error) = rolled_back {
        tracing::debug!(%error, "a transaction could not be rolled back");
    }
}
