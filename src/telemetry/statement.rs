//! The span of a SQL statement.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use diesel::result::Error as DieselError;
use opentelemetry::trace::TraceContextExt as _;
use opentelemetry::{Context, KeyValue};

use super::span::{Span, at, client, describe, is_recording, place};

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
    let Some(place) = place() else { return work.await };
    let statements = Arc::new(LastStatement::default());
    let done = at(Some(place.with_value(Arc::clone(&statements))), work).await;
    let untold = statements.count.load(Ordering::Relaxed).saturating_sub(MOST_STATEMENTS);
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
pub fn statement_begins(system: &'static str, text: impl FnOnce() -> String) {
    let Some(statements) = LastStatement::of_current() else { return };
    let mut last = statements.lock();
    // The one before it has ended.
    *last = None;
    if statements.count.fetch_add(1, Ordering::Relaxed) >= MOST_STATEMENTS {
        return;
    }
    let text = text();
    let Summary { operation, table } = Summary::of(&text);
    let name = match table {
        Some(table) => format!("{operation} {table}"),
        None => operation.to_owned(),
    };
    let Some(span) = client(&name) else { return };
    span.set_all([
        KeyValue::new("db.system.name", system),
        KeyValue::new("db.operation.name", operation.to_owned()),
        KeyValue::new("db.query.summary", name),
        KeyValue::new("db.query.text", crate::domain::shortened(&text, LONGEST_TEXT).into_owned()),
    ]);
    if let Some(table) = table {
        span.set("db.collection.name", table.to_owned());
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

/// What a statement does, and to which table first.
#[derive(Debug, PartialEq, Eq)]
struct Summary<'a> {
    operation: &'a str,
    table: Option<&'a str>,
}

impl<'a> Summary<'a> {
    fn of(text: &'a str) -> Self {
        let mut words = text.split_whitespace();
        let operation = words.clone().next().unwrap_or("SQL");
        let before_table =
            |word: &&str| ["FROM", "INTO", "UPDATE", "JOIN"].iter().any(|&known| word.eq_ignore_ascii_case(known));
        let mut table = None;
        while table.is_none() && words.by_ref().any(|word| before_table(&word)) {
            table = words.clone().next().and_then(table_name);
        }
        Self { operation, table }
    }
}

/// A word, if it can be the name of a table: not a subquery or a function.
fn table_name(word: &str) -> Option<&str> {
    let name = word.trim_end_matches([',', ';', ')']).trim_matches(['"', '`']);
    let is_name = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    (is_name && !["select", "set", "lateral"].contains(&name)).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_is_known_by_its_verb_and_its_first_table() {
        let cases = [
            (r#"SELECT "prompts"."id" FROM "prompts" WHERE ("prompts"."id" = ?)"#, "SELECT", Some("prompts")),
            (r#"INSERT INTO "test_results" ("id") VALUES ($1)"#, "INSERT", Some("test_results")),
            (r#"UPDATE "runs" SET "status" = ?"#, "UPDATE", Some("runs")),
            ("SELECT k.v FROM json_each(?) k CROSS JOIN evaluations e", "SELECT", Some("evaluations")),
            ("DELETE FROM `runs` WHERE 1", "DELETE", Some("runs")),
            ("BEGIN IMMEDIATE", "BEGIN", None),
            ("", "SQL", None),
        ];
        for (text, operation, table) in cases {
            assert_eq!(Summary::of(text), Summary { operation, table }, "{text}");
        }
    }
}
