//! Transactions.

use diesel::result::QueryResult;
use futures_util::future::BoxFuture;

use super::connection::DbConnection;

/// Runs `work` in a transaction for writing: committed when it succeeds, rolled back when it fails.
///
/// SQLite takes its write lock at the beginning, so that nothing read in between can have changed when it writes.
/// Whoever drops the future before its end leaves a busy connection, which the pool closes; the database then rolls
/// back.
///
/// # Errors
/// Those of `work`, or of the commit.
pub async fn write_transaction<T, W>(connection: &mut DbConnection, work: W) -> QueryResult<T>
where
    W: for<'c> FnOnce(&'c mut DbConnection) -> BoxFuture<'c, QueryResult<T>>,
{
    let begin = match connection {
        DbConnection::Postgres(_) => "BEGIN",
        DbConnection::Sqlite(_) => "BEGIN IMMEDIATE",
    };
    connection.batch_execute(begin).await?;
    match work(connection).await {
        Ok(value) => {
            if let Err(error) = connection.batch_execute("COMMIT").await {
                // PostgreSQL has ended the transaction, SQLite may not have.
                let _ = connection.batch_execute("ROLLBACK").await;
                return Err(error);
            }
            Ok(value)
        }
        Err(error) => {
            // When this fails as well the connection is lost, and the transaction with it.
            let _ = connection.batch_execute("ROLLBACK").await;
            Err(error)
        }
    }
}
