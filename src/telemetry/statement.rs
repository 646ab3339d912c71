//! The span of a SQL statement.

use diesel::result::Error as DieselError;

use super::span::{Span, client, current};

/// How much of a statement is told.
const LONGEST_TEXT: usize = 8 * 1024;

/// A statement on its way.
#[derive(Debug)]
pub struct StatementSpan(Span);

impl StatementSpan {
    /// Begins where the trace of the work at hand is recorded. `text` has no values in it.
    #[must_use]
    pub fn begin(system: &'static str, text: impl FnOnce() -> String) -> Option<Self> {
        current()?;
        let text = text();
        let Summary { operation, table } = Summary::of(&text);
        let name = match table {
            Some(table) => format!("{operation} {table}"),
            None => operation.to_owned(),
        };
        let span = client(name)?;
        span.set("db.system.name", system);
        span.set("db.operation.name", operation.to_owned());
        if let Some(table) = table {
            span.set("db.collection.name", table.to_owned());
        }
        span.set("db.query.text", crate::domain::shortened(&text, LONGEST_TEXT).into_owned());
        Some(Self(span))
    }

    /// Ends with what became of it. The message of an error may have values in it, so its kind alone is told.
    pub fn end(self, error: Option<&DieselError>) {
        match error {
            Some(DieselError::DatabaseError(kind, _)) => self.0.fail(format!("{kind:?}")),
            Some(DieselError::NotFound) | None => {}
            Some(_) => self.0.fail("_OTHER"),
        }
    }
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
