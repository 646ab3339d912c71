//! The pools, and the way from a request to a connection and back.

mod claimed;
mod manager;
mod role;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use diesel::ConnectionError;
use diesel::result::QueryResult;
use futures_util::future::BoxFuture;
use tokio::sync::Notify;
use uuid::Uuid;

use self::claimed::{Claimed, claiming};
use self::manager::Target;
use self::role::RolePool;
use super::changes::Changes;
use super::connection::DbConnection;
use super::error::DbError;
use super::plans::plans;
use super::postgres::{PostgresTarget, PostgresUrl, UrlError};
use super::search_index;
use super::sqlite::SqliteTarget;
use super::state::PoolState;
use super::statement_count::StatementCount;
use super::transaction::{Aborted, read_transaction, retried};
use crate::telemetry;

pub use super::sqlite::LOCK_WAIT;

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
        let claimed = Claimed::by(self.instance);
        let invalidation = self.invalidation.clone();
        let work = claiming(work, invalidation.as_ref().map(|_| claimed.clone()));
        let words_wait = Arc::new(AtomicBool::new(false));
        let (database, have_words_waited) = (self.clone(), Arc::clone(&words_wait));
        let carry_out = async move {
            let tags = claimed.take();
            if let Some(invalidation) = invalidation.filter(|_| !tags.is_empty()) {
                invalidation.carry_out(tags).await;
            }
            if have_words_waited.load(Ordering::Relaxed) {
                database.put_in_words();
            }
        };
        let committed = self.write.run_detached(
            count,
            move |connection| {
                Box::pin(async move {
                    let ended = retried(connection, &work).await?;
                    Ok(ended.map(|(value, changes)| {
                        changes.announce();
                        words_wait.store(search_index::has_words_wait(changes.prompts.len()), Ordering::Relaxed);
                        value
                    }))
                })
            },
            carry_out,
        );
        committed.await
    }

    /// Has the words that wait put into the index of PostgreSQL. Nobody waits for it.
    fn put_in_words(self) {
        if matches!(self.target, Target::Sqlite(_)) {
            return;
        }
        let work = async move {
            let count = StatementCount::default();
            if let Err(error) = self.write(&count, |connection| Box::pin(search_index::put_in_words(connection))).await
            {
                tracing::info!(%error, "the words of many new prompts wait until PostgreSQL puts them into the index");
            }
        };
        tokio::spawn(telemetry::within(telemetry::beside("evalgraph index words"), work));
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
        let state = self.read.state();
        (state.open, state.idle)
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
