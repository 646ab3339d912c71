//! Changes of runs that are recorded through the API.

mod baseline;
mod delete;
mod finish;
mod start;

use std::sync::Arc;

use diesel::result::Error as DieselError;

pub use baseline::SetRunBaseline;
pub use delete::{DeleteRun, DeletedRun};
pub use finish::FinishRun;
pub use start::StartRun;

use super::{Fault, Outcome, Refusal, RefusalKind};
use crate::db::DbConnection;
use crate::db::changes::Changes;
use crate::db::columns::ColumnSet;
use crate::db::entity::Entity as _;
use crate::db::runs::{self, RunRow, RunToChange, Runs};
use crate::db::transaction::Aborted;
use crate::domain::{Principal, RunId};

/// Locks a run, which must be the principal's to change.
async fn lock(
    connection: &mut DbConnection,
    principal: &Principal,
    id: RunId,
) -> Result<RunToChange, Aborted<Refusal>> {
    let run = runs::lock_visible(connection, principal, id).await?;
    Ok(run.ok_or_else(|| Refusal::of(RefusalKind::NotFound, Fault::new("", "there is no run with this id")))?)
}

/// The run as it is stored now.
async fn read_back(
    connection: &mut DbConnection,
    principal: &Principal,
    id: RunId,
    columns: ColumnSet,
) -> Result<Arc<RunRow>, DieselError> {
    let rows = Runs::by_ids(connection, principal, vec![id.into()], columns).await?;
    rows.into_iter().next().ok_or(DieselError::NotFound)
}

/// The run as it is stored now, after it was changed.
async fn changed(
    connection: &mut DbConnection,
    principal: &Principal,
    id: RunId,
    columns: ColumnSet,
) -> Outcome<Arc<RunRow>> {
    let row = read_back(connection, principal, id, columns).await?;
    Ok((row, Changes { runs: vec![id], ..Changes::default() }))
}
