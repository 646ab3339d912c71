//! One pool of connections, and the work that is done on them.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bb8::{Pool, PooledConnection, RunError};
use diesel::result::QueryResult;
use futures_util::future::BoxFuture;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio_util::task::TaskTracker;

use super::PoolSettings;
use super::manager::{ConnectFailure, ConnectFailures, Manager, Target};
use crate::db::connection::DbConnection;
use crate::db::error::DbError;
use crate::db::state::{PoolState, Waiting};
use crate::db::statement_count::StatementCount;
use crate::telemetry::{self, metrics};

/// The span of waiting for a connection.
const POOL_WAIT: &str = "wait for connection";

/// One pool: all connections, or those for reading or writing.
#[derive(Clone)]
pub struct RolePool {
    pool: Pool<Manager>,
    /// As many places as there may be connections. The pool itself gives a connection that comes back to whoever asks first,
    /// and so to those who ask again and again before those who wait; here everybody has his turn.
    turns: Arc<Semaphore>,
    base: u32,
    max: u32,
    /// By which name metrics know it.
    role: &'static str,
    waiting: Waiting,
    wait: Duration,
    connect_failure: watch::Receiver<Option<ConnectFailure>>,
    /// SQLite's statements cannot be stopped, so nobody who may leave early can hold the connection.
    pub detached: bool,
    /// The work that goes on though nobody may be waiting for it.
    pub tasks: TaskTracker,
}

/// A connection, and the turn of who has it.
struct Lease {
    // Given back before the turn ends.
    connection: PooledConnection<'static, Manager>,
    _turn: OwnedSemaphorePermit,
}

impl RolePool {
    /// So many connections that are kept, and so many beyond them.
    pub fn new(target: Target, role: &'static str, (base, overflow): (u32, u32), settings: &PoolSettings) -> Self {
        let (failures, connect_failure) = watch::channel(None);
        let failures = ConnectFailures::told_to(failures);
        let detached = matches!(target, Target::Sqlite(_));
        let max = base.saturating_add(overflow);
        let pool = Pool::builder()
            .max_size(max)
            .min_idle(base)
            .connection_timeout(settings.wait)
            .max_lifetime(settings.lifetime)
            // Those who wait learn of a failed attempt at once (see `acquire`), and the next request tries again: with
            // retries inside the pool both would wait for its growing pauses.
            .retry_connection(false)
            .error_sink(Box::new(failures))
            .build_unchecked(Manager::of(target));
        Self {
            pool,
            turns: Arc::new(Semaphore::new(max as usize)),
            base,
            max,
            role,
            waiting: Waiting::default(),
            wait: settings.wait,
            connect_failure,
            detached,
            tasks: TaskTracker::new(),
        }
    }

    /// The pool at this moment.
    pub fn state(&self) -> PoolState {
        PoolState::of(self.role, &self.pool, &self.waiting, self.base, self.max)
    }

    async fn acquire(&self) -> Result<Lease, DbError> {
        let (_waiting, begun) = (self.waiting.begin(), Instant::now());
        let acquired = self.wait_for_connection().await;
        match &acquired {
            Ok(_) => metrics::pool_waited(self.role, begun.elapsed()),
            Err(DbError::PoolTimeout(_)) => metrics::pool_timed_out(self.role),
            Err(_) => {}
        }
        acquired
    }

    async fn wait_for_connection(&self) -> Result<Lease, DbError> {
        let asked = Instant::now();
        let mut failures = self.connect_failure.clone();
        failures.mark_unchanged();
        let wait = async {
            loop {
                tokio::select! {
                    biased;
                    lease = self.lease() => return lease,
                    failure = self.failure(&mut failures) => {
                        if failure.begun >= asked {
                            return Err(DbError::Unreachable(failure.reason));
                        }
                        // An attempt from before tells nothing of now. The pool makes another for those who ask again.
                    }
                }
            }
        };
        tokio::time::timeout(self.wait, wait).await.unwrap_or(Err(DbError::PoolTimeout(self.wait)))
    }

    /// The next attempt that fails while there is no connection: as long as others hold some, one of theirs will come back.
    async fn failure(&self, failures: &mut watch::Receiver<Option<ConnectFailure>>) -> ConnectFailure {
        while failures.changed().await.is_ok() {
            let failure = failures.borrow_and_update().clone();
            if let Some(failure) = failure
                && self.pool.state().connections == 0
            {
                return failure;
            }
        }
        // Nobody makes attempts any more.
        std::future::pending().await
    }

    async fn lease(&self) -> Result<Lease, DbError> {
        let timed_out = || DbError::PoolTimeout(self.wait);
        let turn = Arc::clone(&self.turns).acquire_owned().await.map_err(|_closed| timed_out())?;
        let connection = self.pool.get_owned().await.map_err(|error| match error {
            RunError::User(error) => DbError::Unreachable(error.to_string()),
            RunError::TimedOut => timed_out(),
        })?;
        Ok(Lease { connection, _turn: turn })
    }

    /// Runs `work`, which ends when nobody waits for it any more.
    pub async fn run<T, W>(&self, count: &StatementCount, work: W) -> Result<T, DbError>
    where
        W: for<'c> FnOnce(&'c mut DbConnection) -> BoxFuture<'c, QueryResult<T>>,
    {
        let connection = telemetry::within(telemetry::child(POOL_WAIT), self.acquire()).await?;
        run_on(connection, count, work).await
    }

    /// Whoever stops waiting for a connection has begun nothing. From then on the work belongs to a task of its own, as does
    /// what follows once the connection was given back.
    pub async fn run_detached<T, W>(
        &self,
        count: &StatementCount,
        work: W,
        then: impl Future<Output = ()> + Send + 'static,
    ) -> Result<T, DbError>
    where
        T: Send + 'static,
        W: for<'c> FnOnce(&'c mut DbConnection) -> BoxFuture<'c, QueryResult<T>> + Send + 'static,
    {
        let connection = telemetry::within(telemetry::child(POOL_WAIT), self.acquire()).await?;
        let count = count.clone();
        let task = self.tasks.spawn(telemetry::at(telemetry::place(), async move {
            let result = run_on(connection, &count, work).await;
            then.await;
            result
        }));
        task.await.unwrap_or_else(|error| Err(DbError::Interrupted(error.to_string())))
    }
}

async fn run_on<T, W>(mut lease: Lease, count: &StatementCount, work: W) -> Result<T, DbError>
where
    W: for<'c> FnOnce(&'c mut DbConnection) -> BoxFuture<'c, QueryResult<T>>,
{
    let connection = &mut *lease.connection;
    let statements = connection.sent_for(count);
    let _counted = CountOnDrop { before: statements.load(Ordering::Relaxed), statements, count };
    connection.usage().busy = true;
    let result = telemetry::with_statements(work(connection)).await.map_err(DbError::from);
    // A lost connection is not given to the next request, even where its socket has not been found closed yet; nor one
    // to a file that does not work, for a new one may lead to a file that was put in its place.
    connection.usage().busy = matches!(result, Err(DbError::ConnectionLost(_) | DbError::Storage(_)));
    result
}

/// Adds what was sent over a connection to the count, even where nobody waited for the end.
struct CountOnDrop<'a> {
    statements: Arc<AtomicU64>,
    before: u64,
    count: &'a StatementCount,
}

impl Drop for CountOnDrop<'_> {
    fn drop(&mut self) {
        self.count.add(self.statements.load(Ordering::Relaxed) - self.before);
    }
}
