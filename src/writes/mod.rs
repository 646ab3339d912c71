//! What changes the store: the rules that hold between rows, whoever asks, and one file for each change.
//!
//! A change is described completely before a transaction begins, because it may have to be made more than once: the
//! transaction may collide with another (see [`Database::transaction`]).

pub mod api_tokens;
mod change;
mod checks;
pub mod evaluations;
pub mod prompts;
mod refusal;
pub mod runs;
mod state;
pub mod templates;

use std::sync::Arc;

pub use change::Change;
pub use checks::{Checks, MAX_TAGS};
pub use refusal::{Fault, Refusal, RefusalKind};

use self::state::{state_name, wrong_state};
use crate::db::audit;
use crate::db::changes::Changes;
use crate::db::transaction::Aborted;
use crate::db::{Database, DbConnection, DbError, StatementCount};
use crate::domain::{Deed, Principal};

/// What came of a change, and which objects it has changed.
pub type Outcome<T> = Result<(T, Changes), Aborted<Refusal>>;

/// A change of the store.
pub trait Write: Send + Sync + 'static {
    /// What those who asked for it are told.
    type Output: Send + 'static;

    /// Makes the change in the transaction of `connection`, on behalf of `principal`.
    ///
    /// # Errors
    /// When a statement fails, or when a rule forbids the change.
    fn run(
        &self,
        connection: &mut DbConnection,
        principal: &Principal,
    ) -> impl Future<Output = Outcome<Self::Output>> + Send;
}

/// Makes a change in a transaction of its own, all of it or nothing, with its entry in the audit log. Once begun, it is made
/// even when the caller stops waiting.
///
/// # Errors
/// Outside, those of [`Database::transaction`]; inside, why the change was refused.
pub async fn perform<W: Write>(
    database: &Database,
    count: &StatementCount,
    deed: Deed,
    write: W,
) -> Result<Result<W::Output, Refusal>, DbError> {
    let (write, deed) = (Arc::new(write), Arc::new(deed));
    let performed = database.transaction(count, move |connection| {
        let (write, deed) = (Arc::clone(&write), Arc::clone(&deed));
        Box::pin(async move {
            let (output, changes) = write.run(connection, &deed.principal).await?;
            audit::record(connection, &deed, &changes).await?;
            Ok((output, changes))
        })
    });
    performed.await
}
