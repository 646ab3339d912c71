//! The span of a SQL statement.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use diesel::result::Error as DieselError;
use opentelemetry::trace::TraceContextExt as _;
use opentelemetry::{Context, KeyValue};

use super::span::{Span, at, client, describe, is_recording, place};
use super::summary::Summary;

/// How much of a statement is told.
const LONGEST_TEXT: usize = 8 * 1024;

/// How many statements of one piece of work have spans: what fills tables on SQLite sends one for each row.
const MOST_STATEMENTS: usize = 100;

/// What is told of the statements of a piece of work.
#[derive(Debug, Default)]
struct LastStatement {
    /// The last one, for as long as its rows may be read.
    span: Mutex<Option<StatementSpan>>,
    count: AtomicUsize,
}

/// A statement on its way, or answered.
#[derive(Debug)]
struct StatementSpan {
    span: Span,
    /// When the answer came. Its rows may come later.
    answered: Option<SystemTime>,
}

impl Drop for StatementSpan {
    fn drop(&mut self) {
        if let Some(answered) = self.answered {
            self.span.context().span().end_with_timestamp(answered);
        }
    }
}

/// Does work on a connection. The statements in it have spans where the trace of the work is recorded.
pub async fn with_statements<F: Future>(work: F) -> F::Output {
    let recorded = place().map(|place| {
        let statements = Arc::new(LastStatement::default());
        (place.with_value(Arc::clone(&statements)), statements)
    });
    let (place, statements) = recorded.unzip();
    let done = at(place, work).await;
    let count = statements.map_or(0, |statements| statements.count.load(Ordering::Relaxed));
    let untold = count.saturating_sub(MOST_STATEMENTS);
    if untold > 0 {
        let untold = i64::try_from(untold).unwrap_or(i64::MAX);
        describe(|span| span.set_attribute(KeyValue::new("evalgraph.statements.untold", untold)));
    }
    done
}

impl LastStatement {
    fn of_current() -> Option<Arc<Self>> {
        if !is_recording() {
            return None;
        }
        Context::map_current(|context| context.get::<Arc<Self>>().map(Arc::clone))
    }

    fn lock(&self) -> MutexGuard<'_, Option<StatementSpan>> {
        self.span.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A statement begins. `text` has no values in it.
pub fn statement_begins<'a>(system: &'static str, text: impl FnOnce() -> &'a str) {
    let Some(statements) = LastStatement::of_current() else { return };
    let mut last = statements.lock();
    // The one before it has ended.
    *last = None;
    if statements.count.fetch_add(1, Ordering::Relaxed) >= MOST_STATEMENTS {
        return;
    }
    let text = text();
    let Summary { verb, table } = Summary::of(text);
    let operation = verb.unwrap_or("SQL");
    let name = match table {
        Some(table) => format!("{operation} {table}"),
        None => operation.to_owned(),
    };
    let Some(span) = client(&name) else { return };
    span.set_all([
        KeyValue::new("db.system.name", system),
        KeyValue::new("db.operation.name", operation),
        KeyValue::new("db.query.summary", name),
        KeyValue::new("db.query.text", crate::domain::shortened(text, LONGEST_TEXT).into_owned()),
    ]);
    if let Some(table) = table {
        span.set("db.collection.name", table);
    }
    *last = Some(StatementSpan { span, answered: None });
}

/// It was answered. The message of an error may have values in it, so its kind alone is told.
pub fn statement_answered(error: Option<&DieselError>) {
    let Some(last) = LastStatement::of_current() else { return };
    let mut last = last.lock();
    let Some(statement) = &mut *last else { return };
    statement.answered = Some(SystemTime::now());
    match error {
        Some(DieselError::DatabaseError(kind, _)) => statement.span.fail(format!("{kind:?}")),
        Some(DieselError::NotFound) | None => {}
        Some(_) => statement.span.fail("_OTHER"),
    }
}

/// All its rows were read.
pub fn rows_returned(rows: usize) {
    let Some(last) = LastStatement::of_current() else { return };
    let Some(mut statement) = last.lock().take() else { return };
    statement.answered = None;
    statement.span.set("db.response.returned_rows", i64::try_from(rows).unwrap_or(i64::MAX));
}
