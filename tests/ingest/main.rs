//! Importing real result files of promptfoo: what is stored, and that a second import stores nothing.

#[path = "../common/mod.rs"]
mod common;

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use common::{TestDatabase, on_both_databases};
use evalgraph::db::columns::ColumnSet;
use evalgraph::db::entity::Entity;
use evalgraph::db::evaluations::{EvaluationRow, Evaluations};
use evalgraph::db::page::{Direction, Slice};
use evalgraph::db::pool::DatabaseLocation;
use evalgraph::db::prompts::{PromptFilter, PromptRow, Prompts};
use evalgraph::db::runs::{RunRow, Runs};
use evalgraph::db::test_results::{TestResultRow, TestResults};
use evalgraph::db::{Database, StatementCount};
use evalgraph::domain::{EvaluationStatus, Principal, PromptFormat, PromptStatus, RunSource, TestOutcome, Timestamp};
use evalgraph::ingest::{Format, ImportError, ImportReport, Input, Options, Progress};
use serde_json::{Value, json};

const USER: &str = "tester";

fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/promptfoo").join(name)
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

async fn imported(database: &Database, name: &str) -> ImportReport {
    import(database, &data(name)).await.unwrap()
}

/// All rows of a table that the user owns, older before newer.
async fn all<E: Entity>(database: &Database, filter: E::Filter) -> Vec<E::Row> {
    let slice = Slice { direction: Direction::Ascending, after: None, before: None, limit: 10_000 };
    let count = StatementCount::default();
    let page = database
        .read(&count, move |connection| E::page(connection, &Principal::user(USER), &filter, slice, ColumnSet::ALL));
    page.await.unwrap()
}

struct Stored {
    prompts: Vec<PromptRow>,
    runs: Vec<RunRow>,
    evaluations: Vec<EvaluationRow>,
    results: Vec<TestResultRow>,
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
        self.evaluations.iter().filter(|evaluation| evaluation.run_id == Some(report.run_id)).collect()
    }

    fn results_of(&self, evaluation: &EvaluationRow) -> Vec<&TestResultRow> {
        self.results.iter().filter(|result| result.evaluation_id == evaluation.id).collect()
    }

    /// Passed, failed and errored results of a run.
    fn outcomes(&self, report: &ImportReport) -> [usize; 3] {
        let evaluations = self.evaluations_of(report);
        let results: Vec<_> = evaluations.into_iter().flat_map(|evaluation| self.results_of(evaluation)).collect();
        let number = |outcome| results.iter().filter(|result| result.outcome == outcome).count();
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

/// What has to be true of any database, empty at first, after importing the files.
async fn oracle(database: &Database) {
    baseline(database).await;
    candidate(database).await;
    edge_scores(database).await;
}

async fn baseline(database: &Database) {
    let report = imported(database, "baseline.json").await;
    assert_eq!(written(&report), [1, 3, 3, 6, 126]);
    assert_eq!(report.warnings, Vec::<String>::new());
    let stored = stored(database).await;
    check_baseline_run(stored.run(&report));
    check_baseline_prompts(&stored.prompts);
    let evaluations = stored.evaluations_of(&report);
    check_baseline_evaluations(&evaluations, &stored);
    assert_eq!(stored.outcomes(&report), [70, 50, 6]);
    check_baseline_results(&stored.results_of(evaluations[4]));

    let again = imported(database, "baseline.json").await;
    assert_eq!((written(&again), again.run_id), ([0; 5], report.run_id));
    assert_eq!((again.known_evaluations, again.known_results), (6, 126));
    assert!(again.to_string().contains("0 rows written"), "{again}");
}

fn check_baseline_run(run: &RunRow) {
    assert_eq!((run.source, run.status), (RunSource::Promptfoo, EvaluationStatus::Completed));
    assert_eq!(run.external_id.as_deref(), Some("eval-i7b-2026-11-23T05:48:29"));
    assert_eq!(run.source_version.as_deref(), Some("0.123.1"));
    assert_eq!(run.name, "Support ticket triage, three prompts against two providers");
    assert_eq!(run.duration_ms, Some(1565));
    let began = Timestamp::parse("2026-11-23T05:48:29.584Z").unwrap();
    assert_eq!((run.created_at, run.started_at), (began, Some(began)));
    assert_eq!(run.completed_at, Some(began.plus_millis(1565)));
    let tags = json!({"team": "support", "purpose": "regression-baseline", "release": "2026.9"});
    assert_eq!(json_of(run.tags.as_ref()), tags);
    let metadata = json_of(run.metadata.as_ref());
    assert_eq!(metadata["repeat"], 1);
    assert_eq!(metadata["nodeVersion"], "v22.23.3");
    assert_eq!(metadata["grading_tokens"], 1440);
}

fn check_baseline_prompts(prompts: &[PromptRow]) {
    let names: Vec<_> = prompts.iter().map(|prompt| prompt.name.as_deref().unwrap()).collect();
    assert_eq!(names, ["triage-terse", "triage-json", "triage-chat"]);
    for prompt in prompts {
        assert_eq!((prompt.version, prompt.root_id, prompt.parent_id), (1, prompt.id, None));
        assert_eq!(prompt.status, PromptStatus::Active);
        assert_eq!(prompt.title, prompt.name.as_deref().unwrap());
    }
    assert_eq!(prompts[0].format, PromptFormat::Text);
    assert!(prompts[0].content.as_deref().unwrap().contains("{{"), "the template, not a rendered prompt");
    assert_eq!(prompts[2].format, PromptFormat::Chat);
    let system = prompts[2].system_message.as_deref().unwrap();
    assert!(system.starts_with("You are a patient support agent for {{product}}"), "{system}");
    let metadata = json_of(prompts[0].metadata.as_ref());
    assert!(metadata["promptfoo"]["label"].as_str().unwrap().starts_with("triage-terse: prompts/terse.txt: "));
}

fn check_baseline_evaluations(evaluations: &[&EvaluationRow], stored: &Stored) {
    let costs = [0.0, 0.0, 0.0, 0.000_137_1, 0.000_359_4, 0.000_408_6];
    let scores = [0.908_288, 0.666_224, 0.666_224, 0.870_873, 0.851_032, 0.847_063];
    let latencies = [14, 18, 9, 565, 523, 488];
    let tokens = [0, 0, 0, 920, 1371, 1434];
    for (index, evaluation) in evaluations.iter().enumerate() {
        assert_eq!(evaluation.position, i32::try_from(index).ok());
        assert_eq!(evaluation.prompt_id, stored.prompts[index % 3].id);
        assert_eq!(evaluation.external_id, Some(format!("eval-i7b-2026-11-23T05:48:29#{index}")));
        assert_eq!((evaluation.total_tests, evaluation.timed_tests), (21, 21));
        assert_close(evaluation.cost_usd, costs[index], 1e-12);
        assert_close(evaluation.overall_score, scores[index], 1e-6);
        assert_eq!(
            (evaluation.total_latency_ms, evaluation.total_tokens),
            (Some(latencies[index]), Some(tokens[index]))
        );
        let who = [&evaluation.provider, &evaluation.model, &evaluation.provider_label].map(|text| text.as_deref());
        let expected = if index < 3 {
            ["echo", "echo", "echo-baseline"]
        } else {
            ["custom", "triage-sim-small", "triage-sim-small"]
        };
        assert_eq!(who, expected.map(Some));
        let results = stored.results_of(evaluation);
        assert_eq!(results.len(), 21);
        let mean = results.iter().map(|result| result.score).sum::<f64>() / 21.0;
        assert_close(evaluation.overall_score, mean, 1e-9);
    }
    let metrics = json_of(evaluations[3].metrics.as_ref());
    assert_eq!((&metrics["cached_tokens"], &metrics["grading_tokens"]), (&json!(87), &json!(240)));
    assert_eq!(metrics["config"], json!({"temperature": 0.2}));
    let derived = &metrics["evaluation_metrics"]["quality"];
    assert!(derived["score_sum"].is_number() && derived["weight_sum"].is_null(), "{derived}");
}

fn check_baseline_results(results: &[&TestResultRow]) {
    // The order of the tests in the configuration, not that in which the calls ended.
    assert_eq!(results[0].test_case_name, "invoice charged twice");
    assert_eq!(results[17].test_case_name, "provider refused");
    let unnamed = results.iter().filter(|result| result.test_case_name.starts_with("language=")).count();
    assert_eq!(unnamed, 1);
    assert!(results.iter().all(|result| result.repetition == 0));
    let cached = json_of(results[0].metadata.as_ref());
    assert_eq!(
        (&cached["cached"], &cached["output_is_json"], &cached["cached_tokens"]),
        (&json!(true), &json!(true), &json!(78))
    );
    assert!(cached.get("_promptfooFileMetadata").is_none());
    assert_eq!(cached["suite"], "billing");
    assert_eq!(cached["assertion_results"][2]["metric"], "accuracy");
    let refused = results[17];
    assert_eq!(
        (refused.outcome, refused.passed, refused.actual_output.as_deref()),
        (TestOutcome::Errored, false, None)
    );
    assert!(refused.error_message.as_deref().unwrap().starts_with("API error: 400 Bad Request"));
    // An assertion that failed has a reason, and is no error.
    let failed = results.iter().find(|result| result.outcome == TestOutcome::Failed).unwrap();
    assert_eq!(failed.error_message, None);
    assert!(failed.reason.is_some());
}

async fn candidate(database: &Database) {
    let report = imported(database, "candidate.json").await;
    assert_eq!(written(&report), [1, 0, 1, 3, 63]);
    assert_eq!(report.warnings, Vec::<String>::new());
    let stored = stored(database).await;
    assert_eq!((stored.prompts.len(), stored.runs.len()), (4, 2));
    assert_eq!((stored.evaluations.len(), stored.results.len()), (9, 189));
    assert_eq!(stored.outcomes(&report), [41, 19, 3]);
    let versions: Vec<_> =
        stored.prompts.iter().filter(|prompt| prompt.name.as_deref() == Some("triage-json")).collect();
    let [first, second] = versions[..] else { panic!("two versions") };
    assert_eq!((second.version, second.root_id, second.parent_id), (2, first.id, Some(first.id)));
    let used: Vec<_> = stored.evaluations_of(&report).iter().map(|evaluation| evaluation.prompt_id).collect();
    assert_eq!(used, [stored.prompts[0].id, second.id, stored.prompts[2].id]);
    assert_eq!(written(&imported(database, "candidate.json").await), [0; 5]);
}

async fn edge_scores(database: &Database) {
    let report = imported(database, "edge-scores.json").await;
    assert_eq!(written(&report), [1, 2, 2, 2, 6]);
    assert_eq!(report.warnings, ["2 results are missing: declared 8"]);
    let stored = stored(database).await;
    let run = stored.run(&report);
    assert_eq!(run.name, "eval-McX-2026-11-23T06:13:02");
    let evaluations = stored.evaluations_of(&report);
    for evaluation in &evaluations {
        assert_eq!((evaluation.overall_score, evaluation.total_tests), (None, 3));
        let scores: Vec<_> = stored.results_of(evaluation).iter().map(|result| result.score).collect();
        assert_eq!(scores, [5.0, -2.0, 0.175]);
    }
    let names: HashMap<_, _> =
        stored.prompts.iter().map(|prompt| (prompt.id, prompt.name.as_deref().unwrap())).collect();
    let [unnamed, named] = [0, 1].map(|index: usize| names[&evaluations[index].prompt_id]);
    assert!(unnamed.starts_with("prompt-") && unnamed.len() == 15, "{unnamed}");
    assert_eq!(named, "folder/named: prompt");
    assert_eq!(written(&imported(database, "edge-scores.json").await), [0; 5]);
}

/// Writes a changed copy of a file.
fn changed(directory: &Path, name: &str, change: impl FnOnce(&mut Value)) -> PathBuf {
    let mut file: Value = serde_json::from_slice(&std::fs::read(data(name)).unwrap()).unwrap();
    change(&mut file);
    let path = directory.join(name);
    std::fs::write(&path, file.to_string()).unwrap();
    path
}

on_both_databases! {
    async fn real_files_are_imported_as_they_are(database: TestDatabase) {
        oracle(&database.database).await;
    }

    async fn what_is_missing_is_added_and_totals_follow(database: TestDatabase) {
        let directory = tempfile::tempdir().unwrap();
        let part = changed(directory.path(), "candidate.json", |file| {
            let rows = file["results"]["results"].as_array_mut().unwrap();
            rows.retain(|row| row["promptIdx"] != 1 || row["testIdx"].as_i64().unwrap() < 5);
        });
        let report = import(&database.database, &part).await.unwrap();
        assert_eq!(written(&report), [1, 3, 3, 3, 47]);
        assert_eq!(report.warnings, ["16 results are missing: declared 63"]);
        let partial = stored(&database.database).await;
        let [_, column, _] = partial.evaluations_of(&report)[..] else { panic!("three evaluations") };
        let mean = partial.results_of(column).iter().map(|result| result.score).sum::<f64>() / 5.0;
        assert_close(column.overall_score, mean, 1e-9);

        let rest = imported(&database.database, "candidate.json").await;
        assert_eq!(written(&rest), [0, 0, 0, 0, 16]);
        assert_eq!(rest.run_id, report.run_id);
        let stored = stored(&database.database).await;
        assert_eq!(stored.outcomes(&report), [41, 19, 3]);
        let [_, column, _] = stored.evaluations_of(&report)[..] else { panic!("three evaluations") };
        assert_eq!((column.total_tests, column.total_tokens, column.total_latency_ms), (21, Some(2096), Some(528)));
        assert_close(column.cost_usd, 0.000_520_05, 1e-12);
        assert_close(column.overall_score, 18.038_333_333_333_334 / 21.0, 1e-9);
    }

    async fn a_run_belongs_to_its_owner(database: TestDatabase) {
        let first = imported(&database.database, "edge-scores.json").await;
        let other = import_as(&database.database, &data("edge-scores.json"), "somebody", Options::default()).await.unwrap();
        assert_eq!(written(&other), written(&first));
        assert_ne!(other.run_id, first.run_id);
    }

    async fn concurrent_imports_store_a_file_once(database: TestDatabase) {
        let path = data("candidate.json");
        let (one, other) = tokio::join!(import(&database.database, &path), import(&database.database, &path));
        let (one, other) = (one.unwrap(), other.unwrap());
        assert_eq!(one.run_id, other.run_id);
        assert_eq!(one.new_results + other.new_results, 63);
    }

    async fn what_cannot_be_read_is_refused_and_nothing_is_stored(database: TestDatabase) {
        let directory = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let path = directory.path().join(name);
            std::fs::write(&path, text).unwrap();
            path
        };
        let whole = std::fs::read_to_string(data("candidate.json")).unwrap();
        let cut = write("cut.json", &whole[..whole.len() / 2]);
        let huge = write("huge.json", &whole.replacen("\"latencyMs\": ", "\"latencyMs\": 3000000000", 1));
        let late = write("late.json", &whole.replacen("2026-11-23T05:49:52.005Z", "noon", 1));
        for (path, expected) in [
            (cut, "the file ends in the middle of a value: it was cut off; expected the rest"),
            (huge, ".latencyMs: 3000000000"),
            (late, "results.timestamp: «noon» cannot be read"),
            (
                write("other.json", "{\n  \"name\": \"x\"\n}\n"),
                "other.json:1:1: these are not the results of promptfoo; expected one JSON",
            ),
            (directory.path().join("absent.json"), "absent.json: the file cannot be read: "),
        ] {
            let message = import(&database.database, &path).await.unwrap_err().to_string();
            assert!(message.contains(expected), "{message}");
            assert!(message.contains(path.file_name().unwrap().to_str().unwrap()), "{message}");
        }
        let stored = stored(&database.database).await;
        assert_eq!((stored.prompts.len(), stored.runs.len(), stored.evaluations.len()), (0, 0, 0));
    }
}

#[tokio::test]
async fn secrets_are_not_stored() {
    let database = TestDatabase::sqlite().await;
    let directory = tempfile::tempdir().unwrap();
    let path = changed(directory.path(), "edge-scores.json", |file| {
        file["config"]["env"] = json!({"OPENAI_API_KEY": "hidden-1"});
        file["config"]["providers"] = json!([{"id": "echo", "config": {"apiKey": "hidden-2", "maxTokens": 5}}]);
        file["config"]["defaultTest"] = json!({"options": {"headers": {"Authorization": "Bearer hidden-3"}}});
        file["results"]["results"][0]["testCase"]["options"] = json!({"provider": {"config": {"token": "hidden-4"}}});
        file["results"]["results"][0]["prompt"]["config"] = json!({"url": "https://me:hidden-5@host/"});
        file["results"]["prompts"][0]["config"] = json!({"password": "hidden-6"});
    });
    import(&database.database, &path).await.unwrap();
    let DatabaseLocation::Sqlite(stored) = &database.location else { unreachable!() };
    for file in std::fs::read_dir(stored.parent().unwrap()).unwrap() {
        let file = file.unwrap().path();
        let bytes = std::fs::read(&file).unwrap();
        assert!(!String::from_utf8_lossy(&bytes).contains("hidden-"), "{}", file.display());
    }
}
