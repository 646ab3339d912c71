//! Storing many rows.
//!
//! PostgreSQL takes a statement with many rows, as many as its limit of 65,535 parameters allows. SQLite takes one row
//! at a time through a prepared statement, all of a chunk in one go on the connection's thread.

use diesel::result::QueryResult;
use diesel_async::RunQueryDsl as _;

use super::connection::DbConnection;
use super::evaluations::NewEvaluation;
use super::prompts::NewPrompt;
use super::runs::NewRun;
use super::schema::{evaluations, prompt_templates, prompts, runs, test_results};
use super::templates::NewTemplate;
use super::test_results::NewTestResult;

/// Rows per statement on PostgreSQL: the widest table has 30 columns.
const ROWS_PER_STATEMENT: usize = 1_000;

macro_rules! insert_functions {
    ($($(#[$doc:meta])* $name:ident, $table:ident, $row:ty;)*) => {$(
        $(#[$doc])*
        ///
        /// # Errors
        /// When a row breaks a rule of the table. Use it in a transaction: earlier rows are stored then.
        pub async fn $name(connection: &mut DbConnection, rows: Vec<$row>) -> QueryResult<()> {
            match connection {
                DbConnection::Postgres(connection) => {
                    for chunk in rows.chunks(ROWS_PER_STATEMENT) {
                        diesel::insert_into($table::table).values(chunk).execute(connection.inner()).await?;
                    }
                    Ok(())
                }
                DbConnection::Sqlite(connection) => {
                    connection
                        .inner()
                        .spawn_blocking(move |connection| {
                            for row in rows {
                                let insert = diesel::insert_into($table::table).values(row);
                                diesel::RunQueryDsl::execute(insert, connection)?;
                            }
                            Ok(())
                        })
                        .await
                }
            }
        }
    )*};
}

insert_functions! {
    /// Stores templates.
    templates, prompt_templates, NewTemplate;
    /// Stores prompt versions; a version comes after its parent and its root.
    prompts, prompts, NewPrompt;
    /// Stores runs.
    runs, runs, NewRun;
    /// Stores evaluations.
    evaluations, evaluations, NewEvaluation;
    /// Stores test results.
    test_results, test_results, NewTestResult;
}
