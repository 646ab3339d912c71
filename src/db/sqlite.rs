//! Connections to the embedded database.

use std::error::Error;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection as _;
use diesel::{Connection as _, ConnectionError};
use diesel_async::AsyncConnection as _;
use diesel_async::sync_connection_wrapper::{SpawnBlocking, SyncConnectionWrapper};
use futures_util::future::BoxFuture;
use futures_util::{FutureExt as _, TryFutureExt as _};

use super::connection::{StatementCounters, Usage, count_statements};
use crate::telemetry::{self, Place};

/// How long a statement waits for another process's lock on the file, where nothing else is asked for: longer than a
/// server that writes now and then keeps it, and less than people wait.
pub const LOCK_WAIT: Duration = Duration::from_secs(5);
/// How often a connection that is used looks whether its file is still the one of that name.
const FILE_CHECK_INTERVAL: Duration = Duration::from_secs(1);

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
        let place = telemetry::place();
        let task = move || {
            let _entered = place.as_ref().map(Place::enter);
            task()
        };
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
    file: FileId,
    file_checked: Instant,
}

/// A file, whatever its name: its device and number.
type FileId = (u64, u64);

impl SqliteConnection {
    pub(super) fn inner(&mut self) -> &mut Inner {
        &mut self.inner
    }

    pub(super) fn usage(&mut self) -> &mut Usage {
        &mut self.usage
    }

    /// Whether the connection leads to the file that has the name now. Once a file was removed or replaced, a connection
    /// that was open goes on reading and writing what nobody else will ever see.
    pub(super) async fn leads_to(&mut self, target: &SqliteTarget) -> bool {
        if self.file_checked.elapsed() < FILE_CHECK_INTERVAL {
            return true;
        }
        let path = target.path.clone();
        let found = tokio::task::spawn_blocking(move || file_id(&path)).await;
        self.file_checked = Instant::now();
        matches!(found, Ok(Ok(found)) if found == self.file)
    }
}

fn file_id(path: &Path) -> std::io::Result<FileId> {
    std::fs::metadata(path).map(|file| (file.dev(), file.ino()))
}

/// Which file, and how it is opened.
#[derive(Debug, Clone)]
pub(super) struct SqliteTarget {
    pub path: PathBuf,
    pub read_only: bool,
    pub lock_wait: Duration,
    /// See [`PoolSettings`](super::pool::PoolSettings).
    pub syncs_commits: bool,
}

impl SqliteTarget {
    pub async fn connect(&self) -> Result<SqliteConnection, ConnectionError> {
        let target = self.clone();
        let (connection, file) = match tokio::task::spawn_blocking(move || target.open()).await {
            Ok(connection) => connection?,
            // The runtime is ending: nobody waits for the connection, and its absence is no failure.
            Err(error) if error.is_cancelled() => std::future::pending().await,
            Err(error) => return Err(ConnectionError::BadConnection(error.to_string())),
        };
        let counters = StatementCounters::default();
        let mut inner = Inner::with_runtime(connection, Detached);
        inner.set_instrumentation(count_statements(counters.clone(), "sqlite"));
        Ok(SqliteConnection { inner, usage: Usage::new(counters), file, file_checked: Instant::now() })
    }

    fn open(&self) -> Result<(diesel::SqliteConnection, FileId), ConnectionError> {
        let unreadable = |error: std::io::Error| bad_connection(&self.path, &error);
        let file = file_id(&self.path).map_err(unreadable)?;
        let mut connection = open(&self.path).map_err(|error| match error {
            ConnectionError::CouldntSetupConfiguration(error) => bad_connection(&self.path, &error),
            ConnectionError::BadConnection(error) => bad_connection(&self.path, &error),
            error => error,
        })?;
        let read_only = if self.read_only { "PRAGMA query_only = ON;" } else { "" };
        let synchronous = if self.syncs_commits { "PRAGMA synchronous = FULL;" } else { "" };
        connection
            .batch_execute(&format!("PRAGMA busy_timeout = {}; {read_only} {synchronous}", self.lock_wait.as_millis()))
            .map_err(ConnectionError::CouldntSetupConfiguration)?;
        Ok((connection, file))
    }
}

fn bad_connection(path: &Path, error: &dyn std::fmt::Display) -> ConnectionError {
    ConnectionError::BadConnection(format!("{}: {error}", path.display()))
}

/// Opens a file that is there and sets what every connection needs.
fn open(path: &Path) -> Result<diesel::SqliteConnection, ConnectionError> {
    let mut connection = open_as_it_is(path, Missing::IsAnError)?;
    // With a write-ahead log and NORMAL, what was acknowledged survives the death of the process; a power cut may
    // cost the last transactions, unless they are asked to wait for the disk, never the integrity of the file. The file is not mapped into memory: a page that
    // cannot be read, as of a file that somebody has cut short, would be no error then but the end of the process.
    connection
        .batch_execute(
            "PRAGMA journal_mode = WAL;
             PRAGMA synchronous = NORMAL;
             PRAGMA foreign_keys = ON;
             PRAGMA temp_store = MEMORY;
             PRAGMA cache_size = -16384;
             PRAGMA mmap_size = 0;",
        )
        .map_err(ConnectionError::CouldntSetupConfiguration)?;
    Ok(connection)
}

/// What to do where there is no file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Missing {
    IsMade,
    IsAnError,
}

/// Opens the file and changes nothing about it: it may be somebody else's.
pub(super) fn open_as_it_is(path: &Path, missing: Missing) -> Result<diesel::SqliteConnection, ConnectionError> {
    let path = path.to_str().ok_or_else(|| ConnectionError::BadConnection("the path is not valid UTF-8".to_owned()))?;
    let mode = if missing == Missing::IsMade { "rwc" } else { "rw" };
    // As an address (https://www.sqlite.org/uri.html), because only there can it be said that nothing is to be made.
    let escaped = path.replace('%', "%25").replace('?', "%3f").replace('#', "%23");
    let authority = if path.starts_with('/') { "//" } else { "" };
    let mut connection = diesel::SqliteConnection::establish(&format!("file:{authority}{escaped}?mode={mode}"))?;
    connection
        .batch_execute(&format!("PRAGMA busy_timeout = {}", LOCK_WAIT.as_millis()))
        .map_err(ConnectionError::CouldntSetupConfiguration)?;
    Ok(connection)
}
