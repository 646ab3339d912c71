//! Making, checking and discarding the connections of a pool.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use bb8::{ErrorSink, ManageConnection};
use diesel::ConnectionError;
use thiserror::Error;
use tokio::sync::watch;

use crate::db::connection::DbConnection;
use crate::db::postgres::PostgresTarget;
use crate::db::sqlite::SqliteTarget;

/// A connection that was idle for longer is asked whether it still works before it is used.
const TRUSTED_IDLE: Duration = Duration::from_secs(30);
/// How long that question may take.
const VALIDATION_TIMEOUT: Duration = Duration::from_secs(2);
/// How often the log repeats why no connection can be made.
const FAILURE_LOG_INTERVAL: Duration = Duration::from_secs(10);

/// Where connections lead.
#[derive(Clone)]
pub enum Target {
    Postgres(Box<PostgresTarget>),
    Sqlite(SqliteTarget),
}

/// Makes, checks and discards the connections of one pool.
pub struct Manager {
    target: Target,
}

impl Manager {
    /// Of the pool of connections to there.
    pub fn of(target: Target) -> Self {
        Self { target }
    }
}

/// Why the pool has no connection to give.
#[derive(Debug, Error)]
pub enum NoConnection {
    /// None could be made, in an attempt that began then.
    #[error("{error}")]
    Connect {
        begun: Instant,
        #[source]
        error: ConnectionError,
    },
    /// One that was idle does not work any more; the pool tries another.
    #[error("the connection was lost while it was idle")]
    Lost,
}

/// An attempt to make a connection that failed.
#[derive(Debug, Clone)]
pub struct ConnectFailure {
    /// When it began.
    pub begun: Instant,
    /// Why it failed.
    pub reason: String,
}

/// Passes on the last reason why a connection could not be made. bb8 calls it when it no longer counts the attempt:
/// those who try again upon hearing of it get an attempt of their own.
#[derive(Debug, Clone)]
pub struct ConnectFailures {
    last: watch::Sender<Option<ConnectFailure>>,
    logged: Arc<Mutex<Option<Instant>>>,
}

impl ConnectFailures {
    /// Those of a pool, whose users learn of them in this way.
    pub fn told_to(last: watch::Sender<Option<ConnectFailure>>) -> Self {
        Self { last, logged: Arc::default() }
    }

    /// Under load, there are hundreds of attempts a second: the log has the first, new reasons, and one now and then.
    fn is_worth_a_line(&self, reason: &str) -> bool {
        let mut logged = self.logged.lock().unwrap_or_else(PoisonError::into_inner);
        let is_known = self.last.borrow().as_ref().is_some_and(|last| last.reason == reason);
        let is_worth_it = !is_known || logged.is_none_or(|logged| logged.elapsed() >= FAILURE_LOG_INTERVAL);
        if is_worth_it {
            *logged = Some(Instant::now());
        }
        is_worth_it
    }
}

impl ErrorSink<NoConnection> for ConnectFailures {
    fn sink(&self, error: NoConnection) {
        if let NoConnection::Connect { begun, error } = error {
            let reason = error.to_string();
            if self.is_worth_a_line(&reason) {
                tracing::warn!(error = reason, "no connection to the database could be made");
            }
            self.last.send_replace(Some(ConnectFailure { begun, reason }));
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
        let begun = Instant::now();
        match &self.target {
            Target::Postgres(target) => target.connect().await.map(Box::new).map(DbConnection::Postgres),
            Target::Sqlite(target) => target.connect().await.map(DbConnection::Sqlite),
        }
        .map_err(|error| NoConnection::Connect { begun, error })
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
