//! The pools, and the way from a request to a connection and back.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use bb8::{ErrorSink, ManageConnection, Pool, PooledConnection, RunError};
use diesel::ConnectionError;
use diesel::result::QueryResult;
use futures_util::future::BoxFuture;
use thiserror::Error;
use tokio::sync::{Notify, watch};
use tokio_util::task::TaskTracker;
use uuid::Uuid;

use super::changes::Changes;
use super::connection::DbConnection;
use super::error::DbError;
use super::outbox;
use super::plans::plans;
use super::postgres::{PostgresTarget, PostgresUrl, UrlError};
use super::sqlite::SqliteTarget;
use super::state::{PoolState, Waiting};
use super::statement_count::StatementCount;
use super::transaction::{Aborted, read_transaction, retried};
use crate::telemetry::{self, metrics};

pub use super::sqlite::LOCK_WAIT;

/// A connection that was idle for longer is asked whether it still works before it is used.
const TRUSTED_IDLE: Duration = Duration::from_secs(30);
/// How long that question may take.
const VALIDATION_TIMEOUT: Duration = Duration::from_secs(2);
/// How often the log repeats why no connection can be made.
const FAILURE_LOG_INTERVAL: Duration = Duration::from_secs(10);

/// The span of waiting for a connection.
const POOL_WAIT: &str = "wait for connection";

/// Where the data is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DatabaseLocation {
    /// An embedded database in this file.
    Sqlite(PathBuf),
    /// A PostgreSQL server at this URL.
    Postgres(String),
}

/// The size of the pools and the patience of those who wait.
#[derive(Debug, Clone)]
pub struct PoolSettings {
    /// Connections that are kept, in normal operation.
    pub base: u32,
    /// Connections beyond them at busy times.
    pub overflow: u32,
    /// How long a request waits for a connection.
    pub wait: Duration,
    /// How long a connection is used before it is replaced.
    pub lifetime: Duration,
    /// How long a statement may run. Kept by PostgreSQL; SQLite has no such limit.
    pub statement_timeout: Duration,
    /// How long a statement waits while somebody else writes. Kept by SQLite; PostgreSQL counts waiting as running.
    pub lock_wait: Duration,
    /// Whether what is changed over these connections is carried out by a cache of this process; otherwise those of others
    /// are told.
    pub carries_out: bool,
    /// Whether a commit ends when the disk has it, so that a power cut costs nothing. Kept by SQLite; of PostgreSQL it is
    /// the server's own setting.
    pub syncs_commits: bool,
}

/// Carries out what transactions have invalidated.
pub trait Invalidation: Send + Sync {
    /// Called right after a transaction was committed, and before whoever asked for it is told, with the tags of the
    /// outbox that it wrote; also when nobody knows whether it was committed.
    fn carry_out(&self, tags: Vec<String>) -> BoxFuture<'static, ()>;
}

/// The store: where statements get their connections.
#[derive(Clone)]
pub struct Database {
    read: RolePool,
    write: RolePool,
    target: Target,
    /// Under which name its changes stand in the outbox.
    instance: Uuid,
    invalidation: Option<Arc<dyn Invalidation>>,
}

/// What a transaction has invalidated.
#[derive(Clone)]
struct Claimed {
    instance: Uuid,
    tags: Arc<Mutex<Vec<String>>>,
}

impl Claimed {
    /// Called last in the transaction: what it has changed is in the outbox by then.
    async fn claim(&self, connection: &mut DbConnection) -> QueryResult<()> {
        let tags = outbox::claim(connection, self.instance).await?;
        *self.tags.lock().unwrap_or_else(PoisonError::into_inner) = tags;
        Ok(())
    }

    fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.tags.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// `work`, at whose end what it has invalidated is claimed.
fn claiming<T, R, W>(
    work: W,
    claimed: Option<Claimed>,
) -> impl for<'c> Fn(&'c mut DbConnection) -> BoxFuture<'c, Result<(T, Changes), Aborted<R>>> + Send + Sync + 'static
where
    T: Send + 'static,
    R: Send + 'static,
    W: for<'c> Fn(&'c mut DbConnection) -> BoxFuture<'c, Result<(T, Changes), Aborted<R>>> + Send + Sync + 'static,
{
    let work = Arc::new(work);
    move |connection| {
        let (work, claimed) = (Arc::clone(&work), claimed.clone());
        Box::pin(async move {
            let outcome = work(&mut *connection).await?;
            if let Some(claimed) = claimed {
                claimed.claim(connection).await?;
            }
            Ok(outcome)
        })
    }
}

#[derive(Clone)]
struct RolePool {
    pool: Pool<Manager>,
    base: u32,
    max: u32,
    /// By which name metrics know it.
    role: &'static str,
    waiting: Waiting,
    wait: Duration,
    connect_failure: watch::Receiver<String>,
    /// SQLite's statements cannot be stopped, so nobody who may leave early can hold the connection.
    detached: bool,
    /// The work that goes on though nobody may be waiting for it.
    tasks: TaskTracker,
}

impl Database {
    /// The pools for a database. Opens one connection directly, so that the cause is told when there can be none.
    ///
    /// # Errors
    /// When the location cannot be understood or reached.
    pub async fn open(location: &DatabaseLocation, settings: &PoolSettings) -> Result<Self, DbError> {
        let instance = Uuid::now_v7();
        match location {
            DatabaseLocation::Postgres(url) => {
                let mut target = postgres_target(url, settings.statement_timeout)?;
                if settings.carries_out {
                    target = target.of_instance(instance);
                }
                target.connect().await.map_err(unreachable_database)?;
                let target = Target::Postgres(Box::new(target));
                let pool = RolePool::new(target.clone(), "all", (settings.base, settings.overflow), settings);
                Ok(Self { read: pool.clone(), write: pool, target, instance, invalidation: None })
            }
            DatabaseLocation::Sqlite(path) => {
                let target = |read_only| SqliteTarget {
                    path: path.clone(),
                    read_only,
                    lock_wait: settings.lock_wait,
                    syncs_commits: settings.syncs_commits,
                };
                target(true).connect().await.map_err(unreachable_database)?;
                // One writer: SQLite allows no more at a time. Readers do not wait for it, nor it for them.
                let write = RolePool::new(Target::Sqlite(target(false)), "write", (1, 0), settings);
                let read = RolePool::new(Target::Sqlite(target(true)), "read", (settings.base, 0), settings);
                Ok(Self { read, write, target: Target::Sqlite(target(true)), instance, invalidation: None })
            }
        }
    }

    /// The same store, where whatever is changed from now on is told to `invalidation`.
    #[must_use]
    pub fn with_invalidation(self, invalidation: Arc<dyn Invalidation>) -> Self {
        Self { invalidation: Some(invalidation), ..self }
    }

    /// Wakes `changed` whenever something was changed in another way than by a server that carries it out. Never ends; on
    /// SQLite nobody tells.
    pub async fn listen(&self, changed: Arc<Notify>) {
        match &self.target {
            Target::Postgres(target) => target.as_ref().clone().listen(changed).await,
            Target::Sqlite(_) => std::future::pending().await,
        }
    }

    /// Under which name its changes stand in the outbox.
    #[must_use]
    pub fn instance(&self) -> Uuid {
        self.instance
    }

    /// Runs `work` on a connection for reading. When the caller stops waiting, PostgreSQL is told to stop the
    /// statement and the connection is closed; on SQLite the statement ends by itself and the connection comes back.
    ///
    /// # Errors
    /// When there is no connection or a statement fails.
    pub async fn read<T, W>(&self, count: &StatementCount, work: W) -> Result<T, DbError>
    where
        T: Send + 'static,
        W: for<'c> FnOnce(&'c mut DbConnection) -> BoxFuture<'c, QueryResult<T>> + Send + 'static,
    {
        if self.read.detached {
            self.read.run_detached(count, work, std::future::ready(())).await
        } else {
            self.read.run(count, work).await
        }
    }

    /// Runs `work` on a connection for writing. Once begun, it runs to its end even when the caller stops waiting.
    ///
    /// # Errors
    /// When there is no connection or a statement fails.
    pub async fn write<T, W>(&self, count: &StatementCount, work: W) -> Result<T, DbError>
    where
        T: Send + 'static,
        W: for<'c> FnOnce(&'c mut DbConnection) -> BoxFuture<'c, QueryResult<T>> + Send + 'static,
    {
        self.write.run_detached(count, work, std::future::ready(())).await
    }

    /// Runs `work`, which only reads, so that all its statements see the same state of the database.
    ///
    /// # Errors
    /// As [`Database::read`].
    pub async fn snapshot<T, W>(&self, count: &StatementCount, work: W) -> Result<T, DbError>
    where
        T: Send + 'static,
        W: for<'c> FnOnce(&'c mut DbConnection) -> BoxFuture<'c, QueryResult<T>> + Send + 'static,
    {
        self.read(count, |connection| Box::pin(read_transaction(connection, work))).await
    }

    /// Runs `work` in a transaction for writing, tries it again when it collided with another, and announces what it
    /// changed once that is committed. Once begun, it runs to its end even when the caller stops waiting.
    ///
    /// # Errors
    /// Outside, when there is no connection or a statement fails; inside, what `work` refused to go on for. Nothing is
    /// stored in either case, unless the connection was lost at the very end: then nobody knows.
    pub async fn transaction<T, R, W>(&self, count: &StatementCount, work: W) -> Result<Result<T, R>, DbError>
    where
        T: Send + 'static,
        R: Send + 'static,
        W: for<'c> Fn(&'c mut DbConnection) -> BoxFuture<'c, Result<(T, Changes), Aborted<R>>> + Send + Sync + 'static,
    {
        let claimed = Claimed { instance: self.instance, tags: Arc::default() };
        let invalidation = self.invalidation.clone();
        let work = claiming(work, invalidation.as_ref().map(|_| claimed.clone()));
        let carry_out = async move {
            let tags = claimed.take();
            if let Some(invalidation) = invalidation.filter(|_| !tags.is_empty()) {
                invalidation.carry_out(tags).await;
            }
        };
        let committed = self.write.run_detached(
            count,
            move |connection| {
                Box::pin(async move {
                    let ended = retried(connection, &work).await?;
                    Ok(ended.map(|(value, changes)| {
                        changes.announce();
                        value
                    }))
                })
            },
            carry_out,
        );
        committed.await
    }

    /// Waits until all writes that have begun are finished, for so long at most. Tells whether they are.
    pub async fn finish_writes(&self, limit: Duration) -> bool {
        self.write.tasks.close();
        tokio::time::timeout(limit, self.write.tasks.wait()).await.is_ok()
    }

    /// How the database would carry out statements, whose texts have no values in them; nothing on SQLite, where a test looks at
    /// every plan. Takes no connection from the pool.
    ///
    /// # Errors
    /// When there is no connection, or it is lost.
    pub async fn plans(&self, statements: Vec<Arc<str>>) -> Result<Vec<(Arc<str>, String)>, DbError> {
        let Target::Postgres(target) = &self.target else { return Ok(Vec::new()) };
        let mut connection = target.connect_plain().await.map_err(unreachable_database)?;
        Ok(plans(&mut connection, statements).await?)
    }

    /// The name of the database, as traces have it.
    #[must_use]
    pub fn system(&self) -> &'static str {
        match self.target {
            Target::Postgres(_) => "postgresql",
            Target::Sqlite(_) => "sqlite",
        }
    }

    /// The pools at this moment: one where both roles share it.
    #[must_use]
    pub fn pools(&self) -> Vec<PoolState> {
        match self.target {
            Target::Postgres(_) => vec![self.read.state()],
            Target::Sqlite(_) => vec![self.read.state(), self.write.state()],
        }
    }

    /// Connections for reading: how many are open, and how many of those nobody uses.
    #[must_use]
    pub fn read_connections(&self) -> (u32, u32) {
        let state = self.read.pool.state();
        (state.connections, state.idle_connections)
    }
}

pub(super) fn postgres_target(url: &str, statement_timeout: Duration) -> Result<PostgresTarget, DbError> {
    PostgresUrl::parse(url)
        .and_then(|url| PostgresTarget::new(url, statement_timeout))
        .map_err(|error: UrlError| DbError::Unreachable(error.to_string()))
}

fn unreachable_database(error: ConnectionError) -> DbError {
    DbError::Unreachable(error.to_string())
}

impl RolePool {
    fn new(target: Target, role: &'static str, (base, overflow): (u32, u32), settings: &PoolSettings) -> Self {
        let (failures, connect_failure) = watch::channel(String::new());
        let failures = ConnectFailures { last: failures, logged: Arc::default() };
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
            .build_unchecked(Manager { target });
        Self {
            pool,
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

    fn state(&self) -> PoolState {
        PoolState::of(self.role, &self.pool, &self.waiting, self.base, self.max)
    }

    async fn acquire(&self) -> Result<PooledConnection<'static, Manager>, DbError> {
        let (_waiting, begun) = (self.waiting.begin(), Instant::now());
        let acquired = self.wait_for_connection().await;
        match &acquired {
            Ok(_) => metrics::pool_waited(self.role, begun.elapsed()),
            Err(DbError::PoolTimeout(_)) => metrics::pool_timed_out(self.role),
            Err(_) => {}
        }
        acquired
    }

    async fn wait_for_connection(&self) -> Result<PooledConnection<'static, Manager>, DbError> {
        let mut failure = self.connect_failure.clone();
        failure.mark_unchanged();
        let get = self.pool.get_owned();
        tokio::pin!(get);
        loop {
            tokio::select! {
                connection = &mut get => return connection.map_err(|error| match error {
                    RunError::User(error) => DbError::Unreachable(error.to_string()),
                    RunError::TimedOut => DbError::PoolTimeout(self.wait),
                }),
                Ok(()) = failure.changed() => {
                    // As long as others hold connections, one of theirs will come back.
                    if self.pool.state().connections == 0 {
                        return Err(DbError::Unreachable(failure.borrow().clone()));
                    }
                }
            }
        }
    }

    async fn run<T, W>(&self, count: &StatementCount, work: W) -> Result<T, DbError>
    where
        W: for<'c> FnOnce(&'c mut DbConnection) -> BoxFuture<'c, QueryResult<T>>,
    {
        let connection = telemetry::within(telemetry::child(POOL_WAIT), self.acquire()).await?;
        run_on(connection, count, work).await
    }

    /// Whoever stops waiting for a connection has begun nothing. From then on the work belongs to a task of its own, as does
    /// what follows once the connection was given back.
    async fn run_detached<T, W>(
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

async fn run_on<T, W>(
    mut connection: PooledConnection<'static, Manager>,
    count: &StatementCount,
    work: W,
) -> Result<T, DbError>
where
    W: for<'c> FnOnce(&'c mut DbConnection) -> BoxFuture<'c, QueryResult<T>>,
{
    let statements = connection.sent_for(count);
    let _counted = CountOnDrop { before: statements.load(Ordering::Relaxed), statements, count };
    connection.usage().busy = true;
    let result = telemetry::with_statements(work(&mut connection)).await.map_err(DbError::from);
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

#[derive(Clone)]
enum Target {
    Postgres(Box<PostgresTarget>),
    Sqlite(SqliteTarget),
}

/// Makes, checks and discards the connections of one pool.
struct Manager {
    target: Target,
}

/// Why the pool has no connection to give.
#[derive(Debug, Error)]
enum NoConnection {
    /// None could be made.
    #[error(transparent)]
    Connect(ConnectionError),
    /// One that was idle does not work any more; the pool tries another.
    #[error("the connection was lost while it was idle")]
    Lost,
}

/// Passes on the last reason why a connection could not be made. bb8 calls it when it no longer counts the attempt:
/// those who try again upon hearing of it get an attempt of their own.
#[derive(Debug, Clone)]
struct ConnectFailures {
    last: watch::Sender<String>,
    logged: Arc<Mutex<Option<Instant>>>,
}

impl ConnectFailures {
    /// Under load, there are hundreds of attempts a second: the log has the first, new reasons, and one now and then.
    fn is_worth_a_line(&self, reason: &str) -> bool {
        let mut logged = self.logged.lock().unwrap_or_else(PoisonError::into_inner);
        let is_known = *self.last.borrow() == reason;
        let is_worth_it = !is_known || logged.is_none_or(|logged| logged.elapsed() >= FAILURE_LOG_INTERVAL);
        if is_worth_it {
            *logged = Some(Instant::now());
        }
        is_worth_it
    }
}

impl ErrorSink<NoConnection> for ConnectFailures {
    fn sink(&self, error: NoConnection) {
        if let NoConnection::Connect(error) = error {
            let reason = error.to_string();
            if self.is_worth_a_line(&reason) {
                tracing::warn!(error = reason, "no connection to the database could be made");
            }
            self.last.send_replace(reason);
        }
    }

    fn boxed_clone(&self) -> Box<dyn ErrorSink<NoConnection>> {
        Box::new(self.clone())
    }
}

impl ManageConnection for Manager {
    type Connection = DbConnection;
    type Error = NoConnection;

    async fn connect(&self) -> Result<DbConnection, NoConnection> {
        match &self.target {
            Target::Postgres(target) => target.connect().await.map(Box::new).map(DbConnection::Postgres),
            Target::Sqlite(target) => target.connect().await.map(DbConnection::Sqlite),
        }
        .map_err(NoConnection::Connect)
    }

    /// Called before each use. A connection that was used a moment ago is trusted.
    async fn is_valid(&self, connection: &mut DbConnection) -> Result<(), NoConnection> {
        if connection.is_closed() {
            return Err(NoConnection::Lost);
        }
        if let (DbConnection::Sqlite(connection), Target::Sqlite(target)) = (&mut *connection, &self.target)
            && !connection.leads_to(target).await
        {
            return Err(NoConnection::Lost);
        }
        if connection.usage().returned_at.elapsed() < TRUSTED_IDLE {
            return Ok(());
        }
        match tokio::time::timeout(VALIDATION_TIMEOUT, connection.batch_execute("SELECT 1")).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(NoConnection::Lost),
        }
    }

    /// Called at every return; bb8 does not say how long a connection was idle, so the time is noted here.
    fn has_broken(&self, connection: &mut DbConnection) -> bool {
        connection.usage().returned_at = Instant::now();
        connection.usage().busy || connection.usage().is_full() || connection.is_closed()
    }
}
