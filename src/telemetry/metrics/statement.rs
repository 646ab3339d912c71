//! SQL statements: how long they take, by what they do to which table.

use std::time::{Duration, Instant};

use opentelemetry::KeyValue;

use super::definitions::{self as metric, label};
use super::instruments;
use crate::telemetry::{current_ids, slow};

/// What statements begin with. Clients choose none of it, but a label is from a closed list.
const VERBS: [&str; 9] =
    ["SELECT", "INSERT", "UPDATE", "DELETE", "BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE"];
/// What tables there are, with those that belong to the search of prompts.
const TABLES: &[&str] = &[
    "api_tokens",
    "audit_log",
    "audit_log_objects",
    "cache_outbox",
    "cache_state",
    "evaluations",
    "prompt_model_totals",
    "prompt_search",
    "prompt_search_numbers",
    "prompt_templates",
    "prompt_totals",
    "prompts",
    "runs",
    "test_results",
];
const OTHER: &str = "other";
/// What is about no table.
const NO_TABLE: &str = "none";

/// A statement that has begun.
#[derive(Debug, Clone, Copy)]
pub struct Statement {
    begun: Instant,
}

impl Statement {
    /// Begins to measure, where somebody may read it.
    #[must_use]
    pub fn begin() -> Option<Self> {
        (instruments().is_some() || slow::threshold().is_some()).then(|| Self { begun: Instant::now() })
    }

    /// Measures its end. `text` has no values in it.
    pub fn end(self, text: &str, is_ok: bool, asker: impl FnOnce() -> slow::Asker) {
        let took = self.begun.elapsed();
        let (verb, table) = verb_and_table(text);
        let is_slow = slow::threshold().is_some_and(|threshold| took >= threshold);
        record(verb, table, took, is_ok, is_slow);
        if is_slow {
            slow::keep(text, verb, table, took, asker());
        }
    }
}

fn record(verb: &'static str, table: &'static str, took: Duration, is_ok: bool, is_slow: bool) {
    let Some(instruments) = instruments() else { return };
    let status = KeyValue::new(label::STATUS, if is_ok { "ok" } else { "error" });
    let labels = [KeyValue::new(label::OPERATION, verb), KeyValue::new(label::TABLE, table), status];
    let of_duration = &labels[..2];
    instruments.query_duration.record(took.as_secs_f64(), of_duration);
    instruments.queries.add(1, &labels);
    if is_slow {
        instruments.slow_statements.add(1, of_duration);
    }
    if let Some(span) = current_ids() {
        instruments.exemplars.keep(metric::QUERY_DURATION.name, of_duration, took.as_secs_f64(), &span);
    }
}

/// What a statement does, and to which table first.
#[must_use]
pub fn verb_and_table(text: &str) -> (&'static str, &'static str) {
    let mut words =
        text.split(|character: char| character.is_ascii_whitespace() || matches!(character, '(' | ')' | ','));
    let verb = words.clone().find_map(|word| known(&VERBS, word)).unwrap_or(OTHER);
    let is_before_table =
        |word: &str| ["FROM", "INTO", "UPDATE", "JOIN"].iter().any(|known| word.eq_ignore_ascii_case(known));
    let mut table = None;
    while table.is_none() && words.by_ref().any(is_before_table) {
        let name = words.clone().find(|word| !word.is_empty() && !word.eq_ignore_ascii_case("LATERAL"));
        table = name.and_then(|name| known(TABLES, name.trim_matches(['"', '`', ';'])));
    }
    let without = if ["SELECT", "INSERT", "UPDATE", "DELETE"].contains(&verb) { OTHER } else { NO_TABLE };
    (verb, table.unwrap_or(without))
}

fn known(list: &'static [&'static str], word: &str) -> Option<&'static str> {
    list.iter().find(|known| word.eq_ignore_ascii_case(known)).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_is_known_by_its_verb_and_its_first_table() {
        let cases = [
            (r#"SELECT "prompts"."id" FROM "prompts" WHERE ("prompts"."id" = ?)"#, ("SELECT", "prompts")),
            (r#"INSERT INTO "test_results" ("id") VALUES ($1)"#, ("INSERT", "test_results")),
            (r#"UPDATE "runs" SET "status" = ?"#, ("UPDATE", "runs")),
            ("SELECT k.v FROM json_each(?) k CROSS JOIN evaluations e", ("SELECT", "evaluations")),
            ("SELECT 1 FROM unnest($1) k CROSS JOIN LATERAL (SELECT 1 FROM evaluations) e", ("SELECT", "evaluations")),
            ("WITH gone AS (DELETE FROM cache_outbox RETURNING tag) SELECT tag FROM gone", ("DELETE", "cache_outbox")),
            ("DELETE FROM `runs` WHERE 1", ("DELETE", "runs")),
            ("SELECT 1", ("SELECT", "other")),
            ("SELECT relname FROM pg_class", ("SELECT", "other")),
            ("BEGIN IMMEDIATE", ("BEGIN", "none")),
            ("", ("other", "none")),
        ];
        for (text, expected) in cases {
            assert_eq!(verb_and_table(text), expected, "{text}");
        }
    }

    #[test]
    fn every_table_of_the_schema_is_known() {
        let schema = include_str!("../../db/schema.rs");
        for line in schema.lines().filter(|line| line.starts_with("    ") && line.ends_with(") {")) {
            let name = line.trim().split(' ').next().unwrap();
            assert!(TABLES.contains(&name), "{name} is missing among the tables of metrics");
        }
    }
}
