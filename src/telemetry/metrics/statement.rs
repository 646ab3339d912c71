//! SQL statements: how long they take, by what they do to which table.

use std::time::{Duration, Instant};

use opentelemetry::KeyValue;

use super::definitions::{self as metric, label};
use super::instruments;
use crate::telemetry::summary::Summary;
use crate::telemetry::{current_ids, slow};

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

/// The labels of a statement: each is from a closed list.
#[must_use]
pub fn verb_and_table(text: &str) -> (&'static str, &'static str) {
    let summary = Summary::of(text);
    let without_table = if summary.is_about_rows() { OTHER } else { NO_TABLE };
    (summary.verb.unwrap_or(OTHER), summary.table.unwrap_or(without_table))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_known_has_labels_too() {
        let cases = [
            (r#"UPDATE "runs" SET "status" = ?"#, ("UPDATE", "runs")),
            ("SELECT relname FROM pg_class", ("SELECT", "other")),
            ("BEGIN IMMEDIATE", ("BEGIN", "none")),
            ("", ("other", "none")),
        ];
        for (text, expected) in cases {
            assert_eq!(verb_and_table(text), expected, "{text}");
        }
    }
}
