//! Statements that took long: the last of them, and what they come to by statement and by table.

use std::collections::{HashMap, VecDeque};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use serde::Serialize;

use super::current_ids;
use crate::domain::{Timestamp, shortened};

/// How much of a statement is kept.
const LONGEST_TEXT: usize = 8 * 1024;

/// What is kept; nothing before it was asked for.
static SLOW: OnceLock<SlowStatements> = OnceLock::new();

/// Which statements are slow, and how many of them are kept.
#[derive(Debug, Clone, Copy)]
pub struct SlowSettings {
    /// From when on a statement is slow.
    pub threshold: Duration,
    /// How many are kept; older ones make room.
    pub kept: usize,
}

/// On whose behalf a statement was sent.
#[derive(Debug, Clone, Default)]
pub struct Asker {
    /// The id of the request.
    pub request_id: Option<Arc<str>>,
    /// The name of the operation, where it has one.
    pub operation: Option<Arc<str>>,
}

struct SlowStatements {
    settings: SlowSettings,
    last: Mutex<VecDeque<SlowStatement>>,
}

/// A statement that took long.
#[derive(Debug, Clone)]
struct SlowStatement {
    text: Arc<str>,
    hash: u64,
    verb: &'static str,
    table: &'static str,
    took: Duration,
    at: Timestamp,
    trace_id: Option<String>,
    asker: Asker,
}

/// Begins to keep slow statements. The first call counts.
pub fn keep_slow_statements(settings: SlowSettings) {
    let _ = SLOW.set(SlowStatements { settings, last: Mutex::default() });
}

/// From when on a statement is slow; none while nobody wants to know.
pub(super) fn threshold() -> Option<Duration> {
    SLOW.get().map(|slow| slow.settings.threshold)
}

/// Keeps a statement, whose text has no values in it.
pub(super) fn keep(text: &str, verb: &'static str, table: &'static str, took: Duration, asker: Asker) {
    let Some(slow) = SLOW.get() else { return };
    let text = shortened(text, LONGEST_TEXT);
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    let hash = hasher.finish();
    let trace_id = current_ids().map(|ids| ids.trace_id().to_string());
    let mut last = slow.last.lock().unwrap_or_else(PoisonError::into_inner);
    // Statements are few, and long: their texts are kept once.
    let known = last.iter().find(|known| known.hash == hash && *known.text == *text);
    let text = known.map_or_else(|| Arc::from(&*text), |known| Arc::clone(&known.text));
    if last.len() >= slow.settings.kept {
        last.pop_front();
    }
    last.push_back(SlowStatement { text, hash, verb, table, took, at: Timestamp::now(), trace_id, asker });
}

/// What slow statements come to.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SlowReport {
    /// From when on a statement is slow, in milliseconds.
    pub threshold_ms: f64,
    /// How many are kept, and added up here.
    pub kept: usize,
    /// How many are kept at most.
    pub most: usize,
    /// By statement; those that took the most time together come first.
    pub statements: Vec<StatementGroup>,
    /// By table and verb, in the same order.
    pub tables: Vec<TableGroup>,
}

/// What the slow runs of one statement come to.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StatementGroup {
    /// Its text, without values.
    pub statement: Arc<str>,
    /// What it does.
    pub operation: &'static str,
    /// To which table first.
    pub table: &'static str,
    /// The figures.
    #[serde(flatten)]
    pub figures: Figures,
    /// How the database would carry it out, where that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plan: Option<String>,
}

/// What the slow statements of one verb and table come to.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TableGroup {
    /// What they do.
    pub operation: &'static str,
    /// To which table first.
    pub table: &'static str,
    /// The figures.
    #[serde(flatten)]
    pub figures: Figures,
}

/// How many, how long, and the last of them.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Figures {
    /// How many.
    pub count: u64,
    /// How long all of them took, in milliseconds.
    pub total_ms: f64,
    /// How long one took on average.
    pub mean_ms: f64,
    /// How long the longest took.
    pub max_ms: f64,
    /// When the last one ended.
    pub last_at: String,
    /// Its trace, where that was sampled.
    pub last_trace_id: Option<String>,
    /// The request that sent it.
    pub last_request_id: Option<Arc<str>>,
    /// The operation that sent it, where it has a name.
    pub last_operation_name: Option<Arc<str>>,
}

impl Figures {
    /// Those of statements in the order in which they ended; none where there are none.
    fn of(statements: &[&SlowStatement]) -> Option<Self> {
        let last = statements.last()?;
        let milliseconds = |duration: Duration| duration.as_secs_f64() * 1e3;
        let total: Duration = statements.iter().map(|statement| statement.took).sum();
        let longest = statements.iter().map(|statement| statement.took).max().unwrap_or_default();
        Some(Self {
            count: statements.len() as u64,
            total_ms: milliseconds(total),
            mean_ms: milliseconds(total) / statements.len() as f64,
            max_ms: milliseconds(longest),
            last_at: last.at.to_string(),
            last_trace_id: last.trace_id.clone(),
            last_request_id: last.asker.request_id.clone(),
            last_operation_name: last.asker.operation.clone(),
        })
    }
}

/// What the slow statements that are kept come to; none while none are kept.
#[must_use]
pub fn slow_statements() -> Option<SlowReport> {
    let slow = SLOW.get()?;
    let kept: Vec<SlowStatement> = {
        let last = slow.last.lock().unwrap_or_else(PoisonError::into_inner);
        last.iter().cloned().collect()
    };
    Some(report(&kept, slow.settings))
}

fn report(kept: &[SlowStatement], settings: SlowSettings) -> SlowReport {
    let by_statement = groups(kept, |statement| Arc::clone(&statement.text));
    let by_table = groups(kept, |statement| (statement.table, statement.verb));
    let mut statements: Vec<StatementGroup> = by_statement
        .into_values()
        .filter_map(|group| {
            let (first, figures) = (*group.first()?, Figures::of(&group)?);
            let statement = Arc::clone(&first.text);
            Some(StatementGroup { statement, operation: first.verb, table: first.table, figures, plan: None })
        })
        .collect();
    let mut tables: Vec<TableGroup> = by_table
        .into_iter()
        .filter_map(|((table, operation), group)| Some(TableGroup { operation, table, figures: Figures::of(&group)? }))
        .collect();
    statements.sort_by(|one, other| {
        other.figures.total_ms.total_cmp(&one.figures.total_ms).then_with(|| one.statement.cmp(&other.statement))
    });
    tables.sort_by(|one, other| {
        let names = |group: &TableGroup| (group.table, group.operation);
        other.figures.total_ms.total_cmp(&one.figures.total_ms).then_with(|| names(one).cmp(&names(other)))
    });
    let threshold_ms = settings.threshold.as_secs_f64() * 1e3;
    SlowReport { threshold_ms, kept: kept.len(), most: settings.kept, statements, tables }
}

fn groups<K: Eq + std::hash::Hash>(
    kept: &[SlowStatement],
    key: impl Fn(&SlowStatement) -> K,
) -> HashMap<K, Vec<&SlowStatement>> {
    let mut groups: HashMap<K, Vec<&SlowStatement>> = HashMap::new();
    for statement in kept {
        groups.entry(key(statement)).or_default().push(statement);
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slow(text: &str, table: &'static str, ms: u64, trace: &str) -> SlowStatement {
        SlowStatement {
            text: text.into(),
            hash: 0,
            verb: "SELECT",
            table,
            took: Duration::from_millis(ms),
            at: Timestamp::now(),
            trace_id: Some(trace.to_owned()),
            asker: Asker { request_id: None, operation: Some("Board".into()) },
        }
    }

    #[test]
    fn they_are_added_up_by_statement_and_by_table() {
        let kept = [
            slow("a", "runs", 100, "1"),
            slow("b", "runs", 150, "2"),
            slow("a", "runs", 300, "3"),
            slow("c", "prompts", 500, "4"),
        ];
        let report = report(&kept, SlowSettings { threshold: Duration::from_millis(100), kept: 10 });
        let order: Vec<_> = report.statements.iter().map(|group| (&*group.statement, group.figures.count)).collect();
        assert_eq!(order, [("c", 1), ("a", 2), ("b", 1)]);
        let figures = &report.statements[1].figures;
        assert_eq!((figures.total_ms, figures.mean_ms, figures.max_ms), (400.0, 200.0, 300.0));
        assert_eq!(figures.last_trace_id.as_deref(), Some("3"));
        assert_eq!(figures.last_operation_name.as_deref(), Some("Board"));
        let tables: Vec<_> = report.tables.iter().map(|group| (group.table, group.figures.count)).collect();
        assert_eq!(tables, [("runs", 3), ("prompts", 1)]);
    }

    #[test]
    fn so_many_are_kept_and_no_more() {
        keep_slow_statements(SlowSettings { threshold: Duration::ZERO, kept: 3 });
        for number in 0..10 {
            let text = format!("SELECT {number}{}", " ".repeat(10_000));
            keep(&text, "SELECT", "other", Duration::from_millis(number), Asker::default());
        }
        let report = slow_statements().unwrap();
        assert_eq!((report.kept, report.most), (3, 3));
        assert!(report.statements.iter().all(|group| group.statement.len() <= LONGEST_TEXT + 4));
        assert_eq!(report.tables[0].figures.max_ms, 9.0);
    }
}
