//! Importing files of other tools.

#[path = "../common/mod.rs"]
mod common;

mod command;
mod comparison;
mod interrupted;
mod oracle;
mod refused;
mod repeated;
mod shared;

use std::collections::HashMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use common::{TestDatabase, on_both_databases};
use evalgraph::db::columns::ColumnSet;
use evalgraph::db::entity::Entity;
use evalgraph::db::evaluations::{EvaluationRow, Evaluations};
use evalgraph::db::page::{Order, Slice};
use evalgraph::db::pool::DatabaseLocation;
use evalgraph::db::prompts::{PromptFilter, PromptRow, Prompts};
use evalgraph::db::runs::{RunRow, Runs};
use evalgraph::db::test_results::{TestResultRow, TestResults};
use evalgraph::db::{Database, StatementCount};
use evalgraph::domain::{EvaluationStatus, Principal, PromptFormat, PromptStatus, RunSource, TestOutcome, Timestamp};
use evalgraph::ingest::{Format, ImportError, ImportReport, Input, Options, Progress};
use serde_json::{Value, json};

const USER: &str = "tester";

/// A file of promptfoo's.
fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/promptfoo").join(name)
}

/// A log of Inspect's.
fn log() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/inspect/support-triage.json")
}

async fn import(database: &Database, path: &Path) -> Result<ImportReport, ImportError> {
    import_as(database, path, USER, Options::default()).await
}

async fn import_as(
    database: &Database,
    path: &Path,
    user: &str,
    options: Options,
) -> Result<ImportReport, ImportError> {
    let input = Input::File(path.to_owned());
    evalgraph::ingest::import(database, Format::Promptfoo, &input, user, &options, &Progress::default()).await
}

async fn import_log(database: &Database, path: &Path) -> Result<ImportReport, ImportError> {
    let (input, options) = (Input::File(path.to_owned()), Options::default());
    evalgraph::ingest::import(database, Format::Inspect, &input, USER, &options, &Progress::default()).await
}

async fn imported(database: &Database, name: &str) -> ImportReport {
    import(database, &data(name)).await.unwrap()
}

/// All rows of a table that the user owns, older before newer.
async fn all<E: Entity>(database: &Database, filter: E::Filter) -> Vec<Arc<E::Row>> {
    let slice = Slice::first(10_000, Order::ascending(E::OrderField::default()));
    let count = StatementCount::default();
    let page = database
        .read(&count, move |connection| E::page(connection, &Principal::user(USER), &filter, slice, ColumnSet::ALL));
    page.await.unwrap()
}

struct Stored {
    prompts: Vec<Arc<PromptRow>>,
    runs: Vec<Arc<RunRow>>,
    evaluations: Vec<Arc<EvaluationRow>>,
    results: Vec<Arc<TestResultRow>>,
}

async fn stored(database: &Database) -> Stored {
    Stored {
        prompts: all::<Prompts>(database, PromptFilter { include_deleted: true, ..PromptFilter::default() }).await,
        runs: all::<Runs>(database, Default::default()).await,
        evaluations: all::<Evaluations>(database, Default::default()).await,
        results: all::<TestResults>(database, Default::default()).await,
    }
}

impl Stored {
    fn run(&self, report: &ImportReport) -> &RunRow {
        self.runs.iter().find(|run| run.id == report.run_id).unwrap()
    }

    fn evaluations_of(&self, report: &ImportReport) -> Vec<&EvaluationRow> {
        self.evaluations.iter().filter(|evaluation| evaluation.run_id == Some(report.run_id)).map(Arc::as_ref).collect()
    }

    fn results_of(&self, evaluation: &EvaluationRow) -> Vec<&TestResultRow> {
        self.results.iter().filter(|result| result.evaluation_id == Some(evaluation.id)).map(Arc::as_ref).collect()
    }

    /// Passed, failed and errored results of a run.
    fn outcomes(&self, report: &ImportReport) -> [usize; 3] {
        let evaluations = self.evaluations_of(report);
        let results: Vec<_> = evaluations.into_iter().flat_map(|evaluation| self.results_of(evaluation)).collect();
        let number = |outcome| results.iter().filter(|result| result.outcome == Some(outcome)).count();
        [TestOutcome::Passed, TestOutcome::Failed, TestOutcome::Errored].map(number)
    }
}

/// Rows written: runs, lineages, versions, evaluations, results.
fn written(report: &ImportReport) -> [usize; 5] {
    [report.new_runs, report.new_lineages, report.new_versions, report.new_evaluations, report.new_results]
}

fn json_of(json: Option<&evalgraph::db::types::Json>) -> Value {
    serde_json::from_str(json.unwrap().as_str()).unwrap()
}

#[track_caller]
fn assert_close(found: Option<f64>, expected: f64, tolerance: f64) {
    assert!(found.is_some_and(|found| (found - expected).abs() <= tolerance), "{found:?} is not {expected}");
}

/// Writes a changed copy of a file.
fn changed(directory: &Path, name: &str, change: impl FnOnce(&mut Value)) -> PathBuf {
    let mut file: Value = serde_json::from_slice(&std::fs::read(data(name)).unwrap()).unwrap();
    change(&mut file);
    let path = directory.join(name);
    std::fs::write(&path, file.to_string()).unwrap();
    path
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// A document of promptfoo with so many results, whose texts are `length` times 20 characters long.
fn generated(results: usize, length: usize) -> String {
    let row = |test: usize| {
        let text = format!("Text number {test}. ").repeat(length);
        json!({"id": format!("row-{test}"), "testIdx": test, "promptIdx": 0, "success": true, "failureReason": 0,
            "score": 1, "latencyMs": 5, "vars": {"x": text}, "response": {"output": text}})
    };
    let rows: Vec<_> = (0..results).map(row).collect();
    let prompts = json!([{"raw": "Say {{x}}", "label": "say", "provider": "echo"}]);
    let stats = json!({"successes": results, "failures": 0, "errors": 0});
    // In the order in which promptfoo writes it.
    format!(
        r#"{{"evalId": "generated", "results": {{"version": 3, "timestamp": "2026-11-23T06:13:02Z",
            "prompts": {prompts}, "results": {}, "stats": {stats}}}}}"#,
        Value::from(rows)
    )
}
