//! One connection, to whichever database.

use std::fmt::{self, Write as _};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use diesel::connection::{DebugQuery, InstrumentationEvent};
use diesel::result::{Error as DieselError, QueryResult};
use diesel_async::SimpleAsyncConnection;

use super::postgres::PostgresConnection;
use super::sqlite::SqliteConnection;
use super::statement_count::StatementCount;
use crate::telemetry;
use crate::telemetry::metrics::Statement;

/// A connection to one of the two databases. Statements run on it through `on_backend!`.
pub enum DbConnection {
    /// To a PostgreSQL server.
    Postgres(Box<PostgresConnection>),
    /// To a SQLite file.
    Sqlite(SqliteConnection),
}

/// What the pool knows about a connection of either kind.
pub(super) struct Usage {
    /// Whether work is going on. A connection that comes back while it is set was abandoned in mid-statement.
    pub busy: bool,
    /// When it was last given back.
    pub returned_at: Instant,
    /// How many transactions are open on it, savepoints included.
    pub transactions: u32,
    counters: StatementCounters,
}

impl Usage {
    pub fn new(counters: StatementCounters) -> Self {
        Self { busy: false, returned_at: Instant::now(), transactions: 0, counters }
    }

    /// Whether as many statements are kept prepared as are allowed to be.
    pub fn is_full(&self) -> bool {
        self.counters.prepared.load(Ordering::Relaxed) >= MOST_PREPARED
    }
}

/// How many statements a connection keeps prepared: what a statement reads depends on the fields that are asked for, and
/// neither side forgets one while the connection lives. A connection that has more is closed when it is given back.
const MOST_PREPARED: u64 = 1_000;

/// What is counted of the statements of a connection.
#[derive(Debug, Clone, Default)]
pub(super) struct StatementCounters {
    sent: Arc<AtomicU64>,
    prepared: Arc<AtomicU64>,
    /// Whose statements they are.
    asker: Arc<Mutex<StatementCount>>,
}

/// Under which name the log can be told to have the statements.
const STATEMENTS: &str = "evalgraph::db::statements";

/// What Diesel writes between a statement and its values.
const VALUES: &str = " -- binds:";

/// The text of a statement without its values, which are never written: there may be thousands. Diesel writes the text in one
/// piece.
fn text_of(query: &dyn DebugQuery) -> String {
    struct Text(String);

    impl fmt::Write for Text {
        fn write_str(&mut self, piece: &str) -> fmt::Result {
            if piece.starts_with(VALUES) {
                return Err(fmt::Error);
            }
            self.0.push_str(piece);
            Ok(())
        }
    }

    let mut text = Text(String::with_capacity(1024));
    // It ends with an error where there are values.
    let _ = write!(text, "{query}");
    text.0
}

/// Counts every statement that Diesel sends or keeps, whoever asks for it, and writes its text without its values into the log
/// of those who want to see everything, and into the trace of a request that is recorded.
pub(super) fn count_statements(
    counters: StatementCounters,
    database: &'static str,
) -> impl FnMut(InstrumentationEvent<'_>) + Send + 'static {
    let mut measured = None;
    // Written at most once for each statement.
    let mut text = None;
    move |event: InstrumentationEvent<'_>| match event {
        InstrumentationEvent::StartQuery { query, .. } => {
            let text = &mut text;
            *text = None;
            telemetry::statement_begins(database, || text.insert(text_of(query)));
            measured = Statement::begin();
            counters.sent.fetch_add(1, Ordering::Relaxed);
            if tracing::enabled!(target: STATEMENTS, tracing::Level::TRACE) {
                let statement = text.get_or_insert_with(|| text_of(query)).as_str();
                tracing::trace!(target: STATEMENTS, database, statement, "statement");
            }
        }
        InstrumentationEvent::FinishQuery { query, error, .. } => {
            if let Some(measured) = measured.take() {
                // That nothing was found is an answer.
                let is_ok = error.is_none_or(|error| matches!(error, DieselError::NotFound));
                let asker = || counters.asker.lock().unwrap_or_else(PoisonError::into_inner).asker();
                measured.end(&text.take().unwrap_or_else(|| text_of(query)), is_ok, asker);
            }
            telemetry::statement_answered(error);
        }
        InstrumentationEvent::CacheQuery { .. } => {
            counters.prepared.fetch_add(1, Ordering::Relaxed);
        }
        _ => {}
    }
}

impl DbConnection {
    pub(super) fn usage(&mut self) -> &mut Usage {
        match self {
            Self::Postgres(connection) => connection.usage(),
            Self::Sqlite(connection) => connection.usage(),
        }
    }

    /// From now on, statements are sent for this request. Returns how many were sent over this connection so far.
    pub(super) fn sent_for(&mut self, count: &StatementCount) -> Arc<AtomicU64> {
        let counters = &self.usage().counters;
        *counters.asker.lock().unwrap_or_else(PoisonError::into_inner) = count.clone();
        Arc::clone(&counters.sent)
    }

    /// Whether the connection is known to be useless. Asks nobody.
    pub(super) fn is_closed(&self) -> bool {
        match self {
            Self::Postgres(connection) => connection.is_closed(),
            Self::Sqlite(_) => false,
        }
    }

    /// Runs one or more statements without parameters and results.
    ///
    /// # Errors
    /// When one of them fails.
    pub async fn batch_execute(&mut self, sql: &str) -> QueryResult<()> {
        super::backend::on_backend!(self, |connection| connection.batch_execute(sql).await)
    }
}
