//! Storing a file: in one transaction, and only what is missing.

mod attempt;
mod chunks;
mod complete;
mod extend;
mod status;

use std::sync::{Arc, Mutex, PoisonError};

use diesel::result::{DatabaseErrorKind, Error as DieselError};

use self::attempt::{Attempt, Failure};
use super::error::ImportError;
use super::prepared::Prepared;
use super::report::ImportReport;
use crate::db::transaction::write_transaction;
use crate::db::{Database, DbError, StatementCount};

/// How often a transaction is tried: another import of the same file or prompt may get in between.
const ATTEMPTS: usize = 5;

/// Stores, for the user, what of the file is not stored yet: all of it or, after an error, nothing. A dry run does the
/// same and takes it back.
pub(super) async fn store(
    database: &Database,
    prepared: Prepared,
    user_id: &str,
    dry_run: bool,
) -> Result<ImportReport, ImportError> {
    let prepared = Arc::new(prepared);
    prepared.source.progress().begin_storing();
    let mut attempt = 1;
    loop {
        match store_once(database, &prepared, user_id, dry_run).await {
            Err(ImportError::Store { cause, .. }) if attempt < ATTEMPTS && is_collision(&cause) => attempt += 1,
            result => return result,
        }
    }
}

/// What ends a transaction without a failure of the database.
type Ending = Arc<Mutex<Option<Result<ImportReport, ImportError>>>>;

async fn store_once(
    database: &Database,
    prepared: &Arc<Prepared>,
    user_id: &str,
    dry_run: bool,
) -> Result<ImportReport, ImportError> {
    let (ending, count) = (Ending::default(), StatementCount::default());
    let (prepared_here, user_id, ending_here) = (Arc::clone(prepared), user_id.to_owned(), Arc::clone(&ending));
    let stored = database.write(&count, move |connection| {
        Box::pin(write_transaction(connection, move |connection| {
            Box::pin(async move {
                let roll_back = |with| {
                    *ending_here.lock().unwrap_or_else(PoisonError::into_inner) = Some(with);
                    Err(DieselError::RollbackTransaction)
                };
                match Attempt::new(prepared_here, user_id, dry_run).run(connection).await {
                    Ok(report) if dry_run => roll_back(Ok(report)),
                    Ok(report) => Ok(report),
                    Err(Failure::File(error)) => roll_back(Err(*error)),
                    Err(Failure::Statement(error)) => Err(error),
                }
            })
        }))
    });
    match stored.await {
        Ok(report) => Ok(report),
        Err(cause) => {
            let ending = ending.lock().unwrap_or_else(PoisonError::into_inner).take();
            ending.unwrap_or_else(|| Err(ImportError::Store { file: prepared.source.name().to_owned(), cause }))
        }
    }
}

/// Whether another transaction was in the way: the next attempt sees what it wrote. One that has been waited for as long
/// as may be still is in the way.
fn is_collision(error: &DbError) -> bool {
    let is_collision = matches!(
        error,
        DbError::Contention(_) | DbError::Statement(DieselError::DatabaseError(DatabaseErrorKind::UniqueViolation, _))
    );
    is_collision && !error.is_time_limit()
}
