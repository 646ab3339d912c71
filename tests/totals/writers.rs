//! Totals after everything that writes: exact, whoever else wrote at the same time.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use evalgraph::db::migrate::{migrate, revert};
use evalgraph::db::transaction::write_transaction;
use evalgraph::domain::Timestamp;
use evalgraph::ingest::{Format, Input, Options, Progress, import};
use serde_json::{Value, json};
use tokio::sync::Barrier;

use super::*;
use crate::common::{EvaluationBuilder, PromptBuilder, sql};

fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name)
}

async fn import_file(database: &TestDatabase, format: Format, path: PathBuf) {
    let (input, options, progress) = (Input::File(path), Options::default(), Progress::default());
    import(&database.database, format, &input, "tester", &options, &progress).await.unwrap();
}

/// How many prompts have evaluations and totals, and how many models on prompts have totals.
async fn counts(database: &TestDatabase) -> (i64, i64) {
    let evaluated = "SELECT count(*) AS value FROM prompt_totals WHERE evaluation_count > 0";
    (sql::numbers(&database.location, evaluated).await[0], database.count("prompt_model_totals").await)
}

on_both_databases! {
    async fn imports_and_the_demo_leave_exact_totals(database: TestDatabase) {
        for name in ["baseline.json", "candidate.json", "edge-scores.json", "legacy-v2.json", "share/record.json.gz"] {
            import_file(&database, Format::Promptfoo, data("promptfoo").join(name)).await;
            assert_eq!(differences(&database).await, [], "after {name}");
        }
        import_file(&database, Format::Promptfoo, data("promptfoo/share/results.json.gz")).await;
        import_file(&database, Format::Inspect, data("inspect/support-triage.json")).await;
        evalgraph::demo::load_once(&database.database, Timestamp::now()).await.unwrap().expect("it was not there");
        assert_eq!(differences(&database).await, []);
        let (prompts, models) = counts(&database).await;
        assert!(prompts > 200 && models > prompts, "{prompts} prompts, {models} models on them");
    }

    async fn tokens_that_only_metadata_tell_count_from_the_beginning(database: TestDatabase) {
        let directory = tempfile::tempdir().unwrap();
        let mut file: Value = serde_json::from_slice(&std::fs::read(data("promptfoo/baseline.json")).unwrap()).unwrap();
        for row in file["results"]["results"].as_array_mut().unwrap() {
            row["metadata"] = json!({ "prompt_tokens": 12, "completion_tokens": -1 });
            row["tokenUsage"] = json!(null);
            row["response"]["tokenUsage"] = json!(null);
        }
        let path = directory.path().join("own.json");
        std::fs::write(&path, file.to_string()).unwrap();
        import_file(&database, Format::Promptfoo, path).await;
        let query = "SELECT CAST(sum(prompt_tokens) AS bigint) AS value FROM evaluations";
        assert_eq!(sql::numbers(&database.location, query).await, [126 * 12]);
        assert_eq!(differences(&database).await, []);
    }

    async fn a_dry_run_leaves_no_totals(database: TestDatabase) {
        let options = Options { dry_run: true, ..Options::default() };
        let (input, progress) = (Input::File(data("promptfoo/baseline.json")), Progress::default());
        import(&database.database, Format::Promptfoo, &input, "tester", &options, &progress).await.unwrap();
        assert_eq!((database.count("prompt_totals").await, database.count("prompt_model_totals").await), (0, 0));
    }

    async fn imports_at_the_same_time_lose_no_evaluation(database: TestDatabase) {
        let directory = tempfile::tempdir().unwrap();
        let file: Value = serde_json::from_slice(&std::fs::read(data("promptfoo/baseline.json")).unwrap()).unwrap();
        // The prompts are there, so that nothing but the totals is in anybody's way.
        import_file(&database, Format::Promptfoo, data("promptfoo/baseline.json")).await;
        let prompts = database.count("prompts").await;
        let database = Arc::new(database);
        let imports = (0..6).map(|number| {
            let (mut file, database) = (file.clone(), Arc::clone(&database));
            file["evalId"] = json!(format!("run {number}"));
            let path = directory.path().join(format!("{number}.json"));
            std::fs::write(&path, file.to_string()).unwrap();
            tokio::spawn(async move { import_file(&database, Format::Promptfoo, path).await })
        });
        for import in imports.collect::<Vec<_>>() {
            import.await.unwrap();
        }
        assert_eq!(database.count("prompts").await, prompts);
        assert_eq!(differences(&database).await, []);
        let query = "SELECT CAST(min(evaluation_count) AS bigint) AS value FROM prompt_totals";
        assert_eq!(sql::numbers(&database.location, query).await[0] % 7, 0);
    }

    async fn the_migration_computes_the_totals_of_what_is_there(database: TestDatabase) {
        evalgraph::demo::load_once(&database.database, Timestamp::now()).await.unwrap();
        let prompt = PromptBuilder::new().insert(&database).await;
        for score in [f64::MAX, f64::MAX, 5e-324] {
            EvaluationBuilder::of(&prompt).score(score).provider("p", "m").insert(&database).await;
        }
        let before = counts(&database).await;
        while revert(&database.location, 1).await.unwrap() != ["20261123000400"] {}
        migrate(&database.location).await.unwrap();
        assert_eq!(wrong_prompts(&database).await, []);
        assert_eq!(counts(&database).await, before);
    }

    async fn totals_go_with_their_prompt(database: TestDatabase) {
        let prompt = PromptBuilder::new().insert(&database).await;
        EvaluationBuilder::of(&prompt).provider("p", "m").insert(&database).await;
        assert_eq!((database.count("prompt_totals").await, database.count("prompt_model_totals").await), (1, 1));
        database.execute(&format!("DELETE FROM prompts WHERE id = {}", database.kind.literal(prompt.id))).await;
        assert_eq!((database.count("prompt_totals").await, database.count("prompt_model_totals").await), (0, 0));
        // Of prompts that are gone, and of none.
        refresh(&database, vec![prompt.id]).await;
        refresh(&database, Vec::new()).await;
        assert_eq!(database.count("prompt_totals").await, 0);
    }
}

/// Two transactions store an evaluation each and have done so before either computes totals: the one that computes them
/// last must see both, though the other's was invisible when its transaction began.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_computes_last_sees_what_all_wrote() {
    let database = Arc::new(TestDatabase::postgres().await);
    for round in 0..10 {
        let (one, other) = (PromptBuilder::new().insert(&database).await, PromptBuilder::new().insert(&database).await);
        if round % 2 == 0 {
            // The rows of totals are there in half of the rounds.
            refresh(&database, vec![one.id, other.id]).await;
        }
        let both_stored = Arc::new(Barrier::new(2));
        let writers = [[one.id, other.id], [other.id, one.id]].map(|order| {
            let rows = [&one, &other].map(|prompt| EvaluationBuilder::of(prompt).score(1.0).provider("p", "m").build());
            let (database, both_stored) = (Arc::clone(&database), Arc::clone(&both_stored));
            tokio::spawn(async move {
                let count = StatementCount::default();
                let written = database.database.write(&count, move |connection| {
                    Box::pin(write_transaction(connection, move |connection| {
                        Box::pin(async move {
                            insert::evaluations(connection, rows.into()).await?;
                            both_stored.wait().await;
                            totals::refresh(connection, order).await?;
                            // The other has come to wait, or has not begun.
                            tokio::time::sleep(Duration::from_millis(20)).await;
                            Ok(())
                        })
                    }))
                });
                written.await
            })
        });
        for writer in writers {
            writer.await.unwrap().unwrap();
        }
        assert_eq!(differences(&database).await, [], "round {round}");
        let query = "SELECT min(evaluation_count) AS value FROM prompt_totals";
        assert_eq!(sql::numbers(&database.location, query).await, [2]);
    }
}
