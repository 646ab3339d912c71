//! Marking runs that others are compared with.

use std::sync::Arc;

use super::{changed, lock};
use crate::db::columns::ColumnSet;
use crate::db::runs::RunRow;
use crate::db::{DbConnection, runs};
use crate::domain::{Principal, RunId, Timestamp};
use crate::writes::{Outcome, Write};

/// Says whether others are compared with a run.
#[derive(Debug, Clone, Copy)]
pub struct SetRunBaseline {
    /// The run.
    pub id: RunId,
    /// Whether others are compared with it.
    pub is_baseline: bool,
    /// The wide columns that are wanted of the row.
    pub columns: ColumnSet,
}

impl Write for SetRunBaseline {
    type Output = Arc<RunRow>;

    async fn run(&self, connection: &mut DbConnection, principal: &Principal) -> Outcome<Arc<RunRow>> {
        lock(connection, principal, self.id).await?;
        runs::set_baseline(connection, self.id, self.is_baseline, Timestamp::now()).await?;
        changed(connection, principal, self.id, self.columns).await
    }
}
