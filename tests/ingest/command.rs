//! `evalgraph import` as it is typed.

use std::process::{Output, Stdio};

use super::*;
use crate::common::process::evalgraph_on;

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn path(path: &Path) -> &str {
    path.to_str().unwrap()
}

on_both_databases! {
    async fn a_dry_run_says_what_an_import_does_and_stores_nothing(database: TestDatabase) {
        let dry = Options { dry_run: true, ..Options::default() };
        for name in ["baseline.json", "candidate.json", "candidate.json"] {
            let before = database.count("test_results").await;
            let told = import_as(&database.database, &data(name), USER, dry.clone()).await.unwrap();
            assert_eq!(database.count("test_results").await, before);
            let done = imported(&database.database, name).await;
            assert_eq!(written(&told), written(&done));
            assert_eq!((told.known_evaluations, told.known_results), (done.known_evaluations, done.known_results));
            assert_eq!((told.warnings, told.dry_run), (done.warnings, true));
        }
    }

    async fn a_file_that_fails_does_not_stop_the_others(database: TestDatabase) {
        let directory = tempfile::tempdir().unwrap();
        let broken = directory.path().join("broken.json");
        std::fs::write(&broken, "{\"results\": {").unwrap();
        let [first, last] = ["edge-scores.json", "legacy-v2.json"].map(data);
        let files = ["import", "promptfoo", path(&first), path(&broken), "/nowhere.json", path(&last), "--user=me"];
        let output = evalgraph_on(&database.location, &files).output().unwrap();
        assert_eq!(output.status.code(), Some(1));
        let message = stderr(&output);
        assert!(message.contains("broken.json:1:13: the file ends in the middle of a value"), "{message}");
        assert!(message.contains("/nowhere.json: the file cannot be read: No such file"), "{message}");
        let last = message.lines().last().unwrap();
        assert!(last.starts_with("evalgraph: 2 of 4 files were not imported: ") && last.ends_with(", /nowhere.json"));
        assert_eq!((database.count("runs").await, database.count("test_results").await), (2, 18));
        let owners = "SELECT count(*) AS value FROM runs WHERE user_id = 'me'";
        assert_eq!(common::sql::numbers(&database.location, owners).await, [2]);
    }

    async fn standard_input_is_a_file_too(database: TestDatabase) {
        for (bytes, results) in [
            (std::fs::read(data("candidate.json")).unwrap(), 63),
            (gzip(&std::fs::read(data("legacy-v2.json")).unwrap()), 75),
        ] {
            let mut command = evalgraph_on(&database.location, &["import", "promptfoo", "-"]);
            let mut import = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
            import.stdin.take().unwrap().write_all(&bytes).unwrap();
            let output = import.wait_with_output().unwrap();
            assert!(stdout(&output).starts_with("standard input: eval-"), "{}", stdout(&output));
            assert_eq!(database.count("test_results").await, results);
        }
    }
}

#[tokio::test]
async fn what_cannot_be_meant_is_refused() {
    let database = TestDatabase::sqlite().await;
    let (file, log) = (data("edge-scores.json"), log());
    let (file, log) = (path(&file), path(&log));
    for (arguments, code, expected) in [
        (vec!["promptfoo"], 2, "<FILE>"),
        (vec!["promptfoo", file, "--user", " "], 2, "it must not be empty"),
        (vec!["promptfoo", file, file, "--run-id", "x"], 1, "--run-id is for one file"),
        (vec!["promptfoo", "-", "-"], 1, "standard input (`-`) can be read only once"),
        (vec!["promptfoo", file, "--run-id", "x"], 1, "evalId: the file is of the run «eval-McX-2026-11-23T06:13:02»"),
        (vec!["promptfoo", log], 1, "this looks like a log of Inspect: use `evalgraph import inspect`"),
        (vec!["inspect", file], 1, "this looks like a file of promptfoo: use `evalgraph import promptfoo`"),
        (vec!["inspect", "/"], 1, "/: the file cannot be read: "),
    ] {
        let output = evalgraph_on(&database.location, &[&["import"], &arguments[..]].concat()).output().unwrap();
        assert_eq!(output.status.code(), Some(code), "{arguments:?}");
        assert!(stderr(&output).contains(expected), "{expected}: {}", stderr(&output));
    }
    assert_eq!(database.count("runs").await, 0);
}

#[tokio::test]
async fn nothing_is_drawn_where_nobody_sees_it() {
    let database = TestDatabase::sqlite().await;
    let file = data("edge-scores.json");
    let output = evalgraph_on(&database.location, &["import", "promptfoo", path(&file), "--dry-run"]).output().unwrap();
    assert_eq!(stderr(&output), "");
    let report = stdout(&output);
    assert!(report.contains("11 rows would be written: 1 run, 2 prompt versions"), "{report}");
    assert!(report.ends_with("\nwarning: 2 results are missing: declared 8\n"), "{report}");
}
