//! `evalgraph purge`.

mod common;

use common::process::{evalgraph_on, run, stderr, stdout};
use common::{EvaluationBuilder, PromptBuilder, ResultBuilder, RunBuilder, TestDatabase, on_both_databases};
use evalgraph::db::prompts::NewPrompt;

/// Deletes a prompt softly, at this time.
async fn delete(database: &TestDatabase, prompt: &NewPrompt, at: &str) {
    let time = evalgraph::domain::Timestamp::parse(at).unwrap();
    let time = match database.kind {
        common::Kind::Sqlite => time.micros().to_string(),
        common::Kind::Postgres => format!("'{time}'"),
    };
    let id = database.kind.literal(prompt.id);
    database.execute(&format!("UPDATE prompts SET deleted_at = {time} WHERE id = {id}")).await;
}

const EARLY: &str = "2026-01-01T00:00:00Z";
const LATE: &str = "2026-03-01T00:00:00Z";

async fn with_results(database: &TestDatabase, prompt: &NewPrompt) {
    let evaluation = EvaluationBuilder::of(prompt).tests(2, 0, 0).provider("p", "m").score(1.0).insert(database).await;
    ResultBuilder::of(&evaluation).insert(database).await;
    ResultBuilder::of(&evaluation).insert(database).await;
}

/// What the command says, whether it succeeded, and what it complains of.
fn purge(database: &TestDatabase, more: &[&str]) -> (String, bool, String) {
    let arguments = [&["purge", "--deleted-before", "2026-02-01"], more].concat();
    let output = run(&mut evalgraph_on(&database.location, &arguments));
    (String::from_utf8_lossy(&output.stdout).into_owned(), output.status.success(), stderr(&output))
}

async fn counts(database: &TestDatabase) -> [i64; 4] {
    let mut counts = [0; 4];
    for (count, table) in counts.iter_mut().zip(["prompts", "evaluations", "test_results", "prompt_totals"]) {
        *count = database.count(table).await;
    }
    counts
}

on_both_databases! {
    async fn what_was_deleted_before_is_removed_and_nothing_else(database: TestDatabase) {
        let (early, late, live) =
            (PromptBuilder::new().insert(&database).await, PromptBuilder::new().insert(&database).await, PromptBuilder::new().insert(&database).await);
        for prompt in [&early, &late, &live] {
            with_results(&database, prompt).await;
        }
        delete(&database, &early, EARLY).await;
        delete(&database, &late, LATE).await;
        let (said, succeeded, _) = purge(&database, &["--dry-run"]);
        assert_eq!((said.as_str(), succeeded), ("would be removed: 1 prompts, 1 evaluations, 2 test results\n", true));
        assert_eq!(counts(&database).await, [3, 3, 6, 3]);
        let (said, succeeded, _) = purge(&database, &[]);
        assert_eq!((said.as_str(), succeeded), ("removed: 1 prompts, 1 evaluations, 2 test results\n", true));
        assert_eq!(counts(&database).await, [2, 2, 4, 2]);
        assert_eq!(purge(&database, &[]).0, "removed: 0 prompts, 0 evaluations, 0 test results\n");
        let totals = run(&mut evalgraph_on(&database.location, &["totals", "verify"]));
        assert!(stdout(&totals).contains("wrong"), "{totals:?}");
    }

    async fn what_a_baseline_needs_is_kept_and_told(database: TestDatabase) {
        let (needed, free) = (PromptBuilder::new().title("Needed").insert(&database).await, PromptBuilder::new().insert(&database).await);
        let baseline = RunBuilder::new().name("golden").baseline().insert(&database).await;
        let other = RunBuilder::new().insert(&database).await;
        EvaluationBuilder::of(&needed).run(&baseline, 0).insert(&database).await;
        EvaluationBuilder::of(&free).run(&other, 0).insert(&database).await;
        delete(&database, &needed, EARLY).await;
        delete(&database, &free, EARLY).await;
        for dry_run in [&["--dry-run"][..], &[]] {
            let (said, succeeded, complaint) = purge(&database, dry_run);
            let kept = format!("kept: prompt {} «Needed», version 1: the baseline «golden» needs it\n", needed.id);
            assert!(said.starts_with(&kept) && said.contains(": 1 prompts, 1 evaluations, 0 test results"), "{said}");
            assert!(!succeeded && complaint.contains("baselines need 1 of the deleted prompts"), "{complaint}");
        }
        assert_eq!(counts(&database).await[0], 1);
        database.execute("UPDATE runs SET is_baseline = FALSE").await;
        assert!(purge(&database, &[]).1);
        assert_eq!(counts(&database).await[0], 0);
    }

    async fn a_lineage_goes_as_a_whole_and_a_first_version_not_before_the_others(database: TestDatabase) {
        let root = PromptBuilder::new().insert(&database).await;
        let second = PromptBuilder::new().version_of(&root).insert(&database).await;
        let third = PromptBuilder::new().version_of(&second).insert(&database).await;
        delete(&database, &root, EARLY).await;
        delete(&database, &second, EARLY).await;
        let (said, succeeded, _) = purge(&database, &[]);
        assert!(said.starts_with(&format!("kept: prompt {} «A prompt», version 1: it is the first", root.id)), "{said}");
        assert!(succeeded && said.ends_with("removed: 1 prompts, 0 evaluations, 0 test results\n"), "{said}");
        delete(&database, &third, EARLY).await;
        assert_eq!(purge(&database, &["--dry-run"]).0, "would be removed: 2 prompts, 0 evaluations, 0 test results\n");
        assert_eq!(purge(&database, &[]).0, "removed: 2 prompts, 0 evaluations, 0 test results\n");
    }

    async fn thousands_are_removed_some_at_a_time(database: TestDatabase) {
        let root = PromptBuilder::new().insert(&database).await;
        let mut rows = Vec::new();
        for version in 2..=250 {
            rows.push(PromptBuilder::new().version_of(&root).with(|row| row.version = version).build());
        }
        database.write(|connection| Box::pin(async move { evalgraph::db::insert::prompts(connection, rows).await })).await;
        let time = if database.kind == common::Kind::Sqlite { "1" } else { "'1990-01-01'" };
        database.execute(&format!("UPDATE prompts SET deleted_at = {time}")).await;
        assert_eq!(purge(&database, &["--dry-run"]).0, "would be removed: 250 prompts, 0 evaluations, 0 test results\n");
        assert_eq!(purge(&database, &[]).0, "removed: 250 prompts, 0 evaluations, 0 test results\n");
        assert_eq!(database.count("prompts").await, 0);
    }
}

#[test]
fn a_time_that_cannot_be_read_is_an_error() {
    let output = run(&mut common::process::evalgraph(&["purge", "--deleted-before", "yesterday"]));
    assert!(!output.status.success());
    let message = stderr(&output);
    assert!(message.contains("yesterday") && message.contains("2026-11-23"), "{message}");
    let output = run(&mut common::process::evalgraph(&["purge"]));
    assert!(stderr(&output).contains("--deleted-before"), "{output:?}");
}
