//! What operators are told of the store.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bb8::{ManageConnection, Pool};
use diesel::QueryResult;
use diesel::sql_types::Text;
use diesel_async::RunQueryDsl;

use super::backend::on_backend;
use super::connection::DbConnection;
use super::raw::Raw;

/// A pool at this moment, and since it was opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PoolState {
    /// What it is for: `all`, or `read` and `write` where each has its own.
    pub role: &'static str,
    /// Connections that are kept in normal operation.
    pub base: u32,
    /// The most there may be.
    pub max: u32,
    /// Those that are open.
    pub open: u32,
    /// Those of them that nobody uses.
    pub idle: u32,
    /// How many wait for one.
    pub waiting: u64,
    /// How many got one, at once or after a wait.
    pub given: u64,
    /// How many had to wait for theirs.
    pub waited: u64,
    /// How many waited in vain.
    pub timed_out: u64,
    /// How long all of them have waited.
    pub wait_time: Duration,
    /// Connections that were made.
    pub made: u64,
    /// Connections that were closed because they could not be used any more.
    pub closed_broken: u64,
    /// Connections that were closed because of their age.
    pub closed_old: u64,
}

impl PoolState {
    pub(super) fn of<M: ManageConnection>(
        role: &'static str,
        pool: &Pool<M>,
        waiting: &Waiting,
        base: u32,
        max: u32,
    ) -> Self {
        let state = pool.state();
        let counts = &state.statistics;
        Self {
            role,
            base,
            max,
            open: state.connections,
            idle: state.idle_connections,
            waiting: waiting.count(),
            given: counts.get_direct + counts.get_waited,
            waited: counts.get_waited,
            timed_out: counts.get_timed_out,
            wait_time: counts.get_wait_time,
            made: counts.connections_created,
            closed_broken: counts.connections_closed_broken + counts.connections_closed_invalid,
            closed_old: counts.connections_closed_max_lifetime + counts.connections_closed_idle_timeout,
        }
    }

    /// Those that somebody uses.
    #[must_use]
    pub fn in_use(&self) -> u32 {
        self.open.saturating_sub(self.idle)
    }

    /// Those beyond what is kept in normal operation.
    #[must_use]
    pub fn overflow(&self) -> u32 {
        self.open.saturating_sub(self.base)
    }
}

/// How many wait for a connection. bb8 counts those who leave as waiting for ever.
#[derive(Debug, Clone, Default)]
pub(super) struct Waiting(Arc<AtomicU64>);

/// Somebody who waits, until it is dropped.
pub(super) struct Waiter<'a>(&'a AtomicU64);

impl Waiting {
    pub fn begin(&self) -> Waiter<'_> {
        self.0.fetch_add(1, Ordering::Relaxed);
        Waiter(&self.0)
    }

    fn count(&self) -> u64 {
        AtomicU64::load(&self.0, Ordering::Relaxed)
    }
}

impl Drop for Waiter<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The release of the database, in its own words.
///
/// # Errors
/// When the statement fails.
pub async fn version(connection: &mut DbConnection) -> QueryResult<String> {
    let statement: Raw<Text> = Raw::new("SELECT ").dialects("current_setting('server_version')", "sqlite_version()");
    on_backend!(connection, |inner| RunQueryDsl::get_result(statement, inner).await)
}
