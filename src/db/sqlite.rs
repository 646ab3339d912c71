//! Connections to the embedded database.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use diesel::connection::SimpleConnection as _;
use diesel::{Connection as _, ConnectionError};
use diesel_async::AsyncConnection as _;
use diesel_async::sync_connection_wrapper::{SpawnBlocking, SyncConnectionWrapper};
use futures_util::future::BoxFuture;
use futures_util::{FutureExt as _, TryFutureExt as _};

use super::connection::{Usage, count_statements};

/// How long a statement waits for another process's lock on the file.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// Runs a connection's statements on tokio's threads for blocking work.
///
/// diesel-async's own spawner waits, in `drop`, for a statement whose future was dropped: it blocks a worker thread,
/// and panics on a runtime that has only one. With this one the statement runs on by itself.
pub struct Detached;

impl SpawnBlocking for Detached {
    fn spawn_blocking<'a, R>(
        &mut self,
        task: impl FnOnce() -> R + Send + 'static,
    ) -> BoxFuture<'a, Result<R, Box<dyn Error + Send + Sync + 'static>>>
    where
        R: Send + 'static,
    {
        tokio::task::spawn_blocking(task).map_err(Into::into).boxed()
    }

    fn get_runtime() -> Self {
        Self
    }
}

type Inner = SyncConnectionWrapper<diesel::SqliteConnection, Detached>;

/// A connection to a SQLite file.
pub struct SqliteConnection {
    inner: Inner,
    usage: Usage,
}

impl SqliteConnection {
    pub(super) fn inner(&mut self) -> &mut Inner {
        &mut self.inner
    }

    pub(super) fn usage(&mut self) -> &mut Usage {
        &mut self.usage
    }
}

/// Which file, and how it is opened.
#[derive(Debug, Clone)]
pub(super) struct SqliteTarget {
    pub path: PathBuf,
    pub read_only: bool,
}

impl SqliteTarget {
    pub async fn connect(&self) -> Result<SqliteConnection, ConnectionError> {
        let target = self.clone();
        let connection = match tokio::task::spawn_blocking(move || target.open()).await {
            Ok(connection) => connection?,
            // The runtime is ending: nobody waits for the connection, and its absence is no failure.
            Err(error) if error.is_cancelled() => std::future::pending().await,
            Err(error) => return Err(ConnectionError::BadConnection(error.to_string())),
        };
        let statements = Arc::new(AtomicU64::new(0));
        let mut inner = Inner::with_runtime(connection, Detached);
        inner.set_instrumentation(count_statements(Arc::clone(&statements)));
        Ok(SqliteConnection { inner, usage: Usage::new(statements) })
    }

    fn open(&self) -> Result<diesel::SqliteConnection, ConnectionError> {
        let mut connection = open(&self.path)?;
        if self.read_only {
            connection.batch_execute("PRAGMA query_only = ON").map_err(ConnectionError::CouldntSetupConfiguration)?;
        }
        Ok(connection)
    }
}

/// Opens the file, creating it when it is missing, and sets what every connection needs.
fn open(path: &Path) -> Result<diesel::SqliteConnection, ConnectionError> {
    let mut connection = open_as_it_is(path)?;
    // With a write-ahead log and NORMAL, what was acknowledged survives the death of the process; a power cut may
    // cost the last transactions, never the integrity of the file.
    connection
        .batch_execute(
            "PRAGMA journal_mode = WAL;
             PRAGMA synchronous = NORMAL;
             PRAGMA foreign_keys = ON;
             PRAGMA temp_store = MEMORY;
             PRAGMA cache_size = -16384;
             PRAGMA mmap_size = 268435456;",
        )
        .map_err(ConnectionError::CouldntSetupConfiguration)?;
    Ok(connection)
}

/// Opens the file, creating it when it is missing, and changes nothing about it: it may be somebody else's.
pub(super) fn open_as_it_is(path: &Path) -> Result<diesel::SqliteConnection, ConnectionError> {
    let path = path.to_str().ok_or_else(|| ConnectionError::BadConnection("the path is not valid UTF-8".to_owned()))?;
    let mut connection = diesel::SqliteConnection::establish(path)?;
    connection
        .batch_execute(&format!("PRAGMA busy_timeout = {}", BUSY_TIMEOUT.as_millis()))
        .map_err(ConnectionError::CouldntSetupConfiguration)?;
    Ok(connection)
}
