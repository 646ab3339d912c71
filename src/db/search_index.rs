//! PostgreSQL's index of words, where many prompts are stored at once.
//!
//! New words wait in a list before they are put into the index, and whoever makes the list too long puts all of it in (`fastupdate`,
//! <https://www.postgresql.org/docs/current/gin.html#GIN-FAST-UPDATE>). A transaction that stores many prompts does that again
//! and again, which is a third of its time. It may have a longer list here, which goes into the index right after the commit.
//! Searches look at the list, too.

use diesel::result::QueryResult;

use super::connection::DbConnection;

/// So many prompts are many: the list that everybody may make has room for the words of about half of them.
const MANY: usize = 2_000;

/// Whether a transaction that changes so many prompts has their words wait.
#[must_use]
pub const fn has_words_wait(prompts: usize) -> bool {
    prompts >= MANY
}

/// Gives the list more room until the end of the transaction, if it changes many prompts.
///
/// # Errors
/// When the statement fails.
pub async fn make_room(connection: &mut DbConnection, prompts: usize) -> QueryResult<()> {
    match connection {
        // For 10,000 prompts of two kilobytes.
        DbConnection::Postgres(_) if has_words_wait(prompts) => {
            connection.batch_execute("SET LOCAL gin_pending_list_limit = '64MB'").await
        }
        DbConnection::Postgres(_) | DbConnection::Sqlite(_) => Ok(()),
    }
}

/// Puts the words that wait into the index. Who comes meanwhile does not wait for it.
///
/// # Errors
/// When the statement fails, as it does for a user who does not own the index: then PostgreSQL does it when it cleans up next.
pub(super) async fn put_in_words(connection: &mut DbConnection) -> QueryResult<()> {
    match connection {
        DbConnection::Postgres(_) => {
            connection.batch_execute("SELECT gin_clean_pending_list('prompts_search_words')").await
        }
        DbConnection::Sqlite(_) => Ok(()),
    }
}
