//! What can go wrong between a statement and its answer.

use std::time::Duration;

use diesel::result::{DatabaseErrorKind, Error as DieselError};
use thiserror::Error;

/// A failure of the store.
#[derive(Debug, Error)]
pub enum DbError {
    /// No connection can be made.
    #[error("the database cannot be reached: {0}")]
    Unreachable(String),
    /// All connections stayed in use for as long as a request may wait for one.
    #[error("no database connection became free within {0:?}")]
    PoolTimeout(Duration),
    /// The database stopped the statement because it ran for too long.
    #[error("the statement ran into the database's time limit")]
    StatementTimeout,
    /// Other work was in the way; the same transaction may succeed when it is run again.
    #[error("the transaction collided with another: {0}")]
    Contention(DieselError),
    /// The connection was lost before the answer came.
    #[error("the connection to the database was lost: {0}")]
    ConnectionLost(DieselError),
    /// The storage under the database does not work: full, broken, or not to be written to.
    #[error("the storage of the database does not work: {0}")]
    Storage(DieselError),
    /// The database refused the statement.
    #[error(transparent)]
    Statement(DieselError),
    /// The work on the connection panicked or was stopped with the runtime.
    #[error("the work on a database connection ended early: {0}")]
    Interrupted(String),
}

impl DbError {
    /// Whether a statement took, or waited for a lock, longer than the settings of the pool let it.
    #[must_use]
    pub fn is_time_limit(&self) -> bool {
        match self {
            Self::StatementTimeout => true,
            Self::Contention(error) => is_sqlite_busy(&error.to_string()),
            _ => false,
        }
    }
}

impl From<DieselError> for DbError {
    /// Tells the cases apart. Diesel has no SQLSTATE, and no kind for several of them: PostgreSQL's are known by the
    /// messages of the server (connections ask for English), SQLite's by those of its library.
    fn from(error: DieselError) -> Self {
        let DieselError::DatabaseError(kind, information) = &error else {
            return Self::Statement(error);
        };
        let message = information.message();
        match kind {
            _ if is_contention(&error) => Self::Contention(error),
            DatabaseErrorKind::ClosedConnection | DatabaseErrorKind::UnableToSendCommand => Self::ConnectionLost(error),
            _ if message == "canceling statement due to statement timeout" => Self::StatementTimeout,
            _ if is_storage(message) => Self::Storage(error),
            _ if is_shutdown(message) => Self::ConnectionLost(error),
            _ => Self::Statement(error),
        }
    }
}

/// Whether other work was in the way, so that the same transaction may succeed when it is run again: a serialization
/// failure, a deadlock, or a SQLite file in which somebody else writes.
pub(super) fn is_contention(error: &DieselError) -> bool {
    let DieselError::DatabaseError(kind, information) = error else { return false };
    let message = information.message();
    matches!(kind, DatabaseErrorKind::SerializationFailure) || message == "deadlock detected" || is_sqlite_busy(message)
}

/// The name of the constraint or unique index that a row would break, where PostgreSQL says so.
#[must_use]
pub fn violated_constraint(error: &DieselError) -> Option<&str> {
    match error {
        DieselError::DatabaseError(DatabaseErrorKind::UniqueViolation, information) => information.constraint_name(),
        _ => None,
    }
}

fn is_sqlite_busy(message: &str) -> bool {
    message.starts_with("database is locked") || message.starts_with("database table is locked")
}

/// SQLite's words for `SQLITE_CORRUPT`, `NOTADB`, `IOERR`, `FULL`, `CANTOPEN` and `READONLY`; then PostgreSQL's for a full
/// disk and for a server that has become a replica.
fn is_storage(message: &str) -> bool {
    const SQLITE: [&str; 8] = [
        "database disk image is malformed",
        "malformed database schema",
        "fts5: corrupt",
        "file is not a database",
        "disk I/O error",
        "database or disk is full",
        "unable to open database file",
        "attempt to write a readonly database",
    ];
    SQLITE.iter().any(|words| message.starts_with(words))
        || message.ends_with(": No space left on device")
        || message.ends_with(" in a read-only transaction")
}

fn is_shutdown(message: &str) -> bool {
    message.starts_with("terminating connection due to ") || message == "the database system is shutting down"
}
