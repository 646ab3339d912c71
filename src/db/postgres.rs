//! Connections to a PostgreSQL server.

use std::time::Duration;

use ::uuid::Uuid;
use diesel::ConnectionError;
use diesel_async::{AsyncConnection as _, AsyncPgConnection, SimpleAsyncConnection as _};
use tokio::sync::watch;
use tokio_postgres::{CancelToken, NoTls};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::connection::{StatementCounters, Usage, count_statements};

mod listen;
mod tls;
mod url;

pub(super) use url::{PostgresUrl, UrlError};

/// How long setting up a connection may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a transaction may pause between its statements, where statements may take longer: nothing here waits so long, and
/// a process that hangs must not hold its locks.
const LONGEST_PAUSE: Duration = Duration::from_mins(1);
/// How long asking the server to stop a statement may take.
const CANCEL_TIMEOUT: Duration = Duration::from_secs(5);
/// How long to wait for the effect before asking again; twice as long each time.
const FIRST_CANCEL_PAUSE: Duration = Duration::from_millis(20);

/// A connection to a PostgreSQL server.
pub struct PostgresConnection {
    inner: AsyncPgConnection,
    usage: Usage,
    /// Set by the task that drives the socket, when it ends.
    closed: watch::Receiver<bool>,
    tls: Option<MakeRustlsConnect>,
}

impl PostgresConnection {
    pub(super) fn inner(&mut self) -> &mut AsyncPgConnection {
        &mut self.inner
    }

    pub(super) fn usage(&mut self) -> &mut Usage {
        &mut self.usage
    }

    pub(super) fn is_closed(&self) -> bool {
        *self.closed.borrow()
    }
}

impl Drop for PostgresConnection {
    /// A connection that was abandoned in mid-statement asks the server to stop the statement: closing the socket
    /// does not, and the server would go on working for nobody.
    fn drop(&mut self) {
        if !self.usage.busy || self.is_closed() {
            return;
        }
        let stop = stop_statement(self.inner.cancel_token(), self.tls.take(), self.closed.clone());
        // Without a runtime the process is ending, and its sockets with it.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move {
                if tokio::time::timeout(CANCEL_TIMEOUT, stop).await.is_err() {
                    tracing::warn!("an abandoned statement could not be stopped in time");
                }
            });
        }
    }
}

/// Asks the server to stop what the connection does, until the connection is closed, as it is once nothing runs on it
/// any more. A request that overtakes the statement, which may be on its way still, has no effect.
async fn stop_statement(token: CancelToken, tls: Option<MakeRustlsConnect>, mut closed: watch::Receiver<bool>) {
    let mut pause = FIRST_CANCEL_PAUSE;
    loop {
        let asked = match tls.clone() {
            Some(tls) => token.cancel_query(tls).await,
            None => token.cancel_query(NoTls).await,
        };
        if let Err(error) = asked {
            tracing::debug!(%error, "an abandoned statement could not be stopped");
        }
        let is_closed = closed.wait_for(|closed| *closed);
        if tokio::time::timeout(pause, is_closed).await.is_ok() {
            return;
        }
        pause *= 2;
    }
}

/// Which server, and how a connection to it is set up.
#[derive(Clone)]
pub(super) struct PostgresTarget {
    url: PostgresUrl,
    tls: Option<MakeRustlsConnect>,
    statement_timeout: Duration,
    /// Whose changes are made over the connections, if they are carried out by somebody of this process.
    instance: Option<Uuid>,
}

impl PostgresTarget {
    pub fn new(url: PostgresUrl, statement_timeout: Duration) -> Result<Self, UrlError> {
        let tls = url.tls()?;
        Ok(Self { url, tls, statement_timeout, instance: None })
    }

    /// The same server, where what is changed is noted as changed by this instance.
    pub fn of_instance(self, instance: Uuid) -> Self {
        Self { instance: Some(instance), ..self }
    }

    pub async fn connect(&self) -> Result<PostgresConnection, ConnectionError> {
        let connect = self.connect_unbounded();
        tokio::time::timeout(CONNECT_TIMEOUT, connect).await.unwrap_or_else(|_| Err(no_answer()))
    }

    async fn connect_unbounded(&self) -> Result<PostgresConnection, ConnectionError> {
        let (mut inner, closed) = self.connect_socket().await?;
        let (timeout, pause) =
            (self.statement_timeout.as_millis(), self.statement_timeout.min(LONGEST_PAUSE).as_millis());
        let instance = self.instance.map(|id| format!("; SET evalgraph.instance = '{id}'")).unwrap_or_default();
        inner
            .batch_execute(&format!(
                "SET statement_timeout = {timeout}; SET idle_in_transaction_session_timeout = {pause}; SET jit = off{instance}"
            ))
            .await
            .map_err(ConnectionError::CouldntSetupConfiguration)?;
        // Errors are told apart by their messages (see `DbError`). Roles without this right get the server's language.
        let _ = inner.batch_execute("SET lc_messages = 'C'").await;
        let counters = StatementCounters::default();
        inner.set_instrumentation(count_statements(counters.clone(), "postgresql"));
        Ok(PostgresConnection { inner, usage: Usage::new(counters), closed, tls: self.tls.clone() })
    }

    /// A connection outside of any pool, without time limits and counters.
    pub async fn connect_plain(&self) -> Result<AsyncPgConnection, ConnectionError> {
        let connect = tokio::time::timeout(CONNECT_TIMEOUT, self.connect_socket());
        let (connection, _) = connect.await.unwrap_or_else(|_| Err(no_answer()))?;
        Ok(connection)
    }

    async fn connect_socket(&self) -> Result<(AsyncPgConnection, watch::Receiver<bool>), ConnectionError> {
        let (closing, closed) = watch::channel(false);
        let client = match &self.tls {
            Some(tls) => {
                let (client, connection) = self.url.config().connect(tls.clone()).await.map_err(describe)?;
                drive(connection, closing);
                client
            }
            None => {
                let (client, connection) = self.url.config().connect(NoTls).await.map_err(describe)?;
                drive(connection, closing);
                client
            }
        };
        Ok((AsyncPgConnection::try_from(client).await?, closed))
    }
}

/// Lets the connection talk to its socket until one side closes it.
fn drive(
    connection: impl Future<Output = Result<(), tokio_postgres::Error>> + Send + 'static,
    closing: watch::Sender<bool>,
) {
    tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::debug!(%error, "a connection to PostgreSQL broke");
        }
        closing.send_replace(true);
    });
}

/// The message with its causes: tokio-postgres says only «error connecting to server» on top.
fn describe(error: tokio_postgres::Error) -> ConnectionError {
    let mut message = error.to_string();
    let mut cause = std::error::Error::source(&error);
    while let Some(error) = cause {
        let text = error.to_string();
        if !message.contains(&text) {
            message = format!("{message}: {text}");
        }
        cause = error.source();
    }
    bad_connection(message)
}

fn bad_connection(message: String) -> ConnectionError {
    ConnectionError::BadConnection(message)
}

fn no_answer() -> ConnectionError {
    bad_connection(format!("the server did not answer within {CONNECT_TIMEOUT:?}"))
}
