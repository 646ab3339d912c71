//! Imports that end in the middle.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use diesel::Connection as _;
use diesel::connection::SimpleConnection as _;
use diesel_async::SimpleAsyncConnection as _;
use rand::RngExt as _;

use super::*;
use crate::common::process::evalgraph_on;

/// More results than can be stored before the process is found to be storing.
const RESULTS: usize = 4_000;

/// Waits until the import has written something that is not committed.
async fn until_it_writes(database: &TestDatabase, import: &mut Child) {
    let (start, before) = (Instant::now(), size(database).await);
    while !is_being_written(database, before).await {
        let status = import.try_wait().unwrap();
        assert!(status.is_none(), "the import ended before it was found to be writing: {status:?}");
        assert!(start.elapsed() < Duration::from_secs(120), "nothing is being written");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

/// How large the table of results is, with what was or will be taken back.
async fn size(database: &TestDatabase) -> i64 {
    match &database.location {
        DatabaseLocation::Sqlite(_) => 0,
        DatabaseLocation::Postgres(_) => {
            let size = "SELECT pg_relation_size('test_results') AS value";
            common::sql::numbers(&database.location, size).await[0]
        }
    }
}

async fn is_being_written(database: &TestDatabase, before: i64) -> bool {
    match &database.location {
        DatabaseLocation::Sqlite(path) => {
            let mut connection = diesel::SqliteConnection::establish(path.to_str().unwrap()).unwrap();
            // The lock of the one who writes keeps others out.
            let is_locked = connection.batch_execute("BEGIN IMMEDIATE").is_err();
            // The run comes first, and takes no time.
            tokio::time::sleep(Duration::from_millis(if is_locked { 30 } else { 0 })).await;
            is_locked
        }
        DatabaseLocation::Postgres(_) => size(database).await > before,
    }
}

async fn assert_empty(database: &TestDatabase) {
    for table in ["prompts", "runs", "evaluations", "test_results"] {
        assert_eq!(database.count(table).await, 0, "{table}");
    }
}

fn send(signal: &str, import: &Child) {
    let kill = Command::new("kill").args([&format!("-{signal}"), &import.id().to_string()]).status();
    assert!(kill.unwrap().success());
}

async fn interrupt(database: &TestDatabase, signal: &str) -> std::process::Output {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("output.json");
    std::fs::write(&path, generated(RESULTS, 20)).unwrap();
    let mut command = evalgraph_on(&database.location, &["import", "promptfoo", path.to_str().unwrap()]);
    let mut import = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    until_it_writes(database, &mut import).await;
    send(signal, &import);
    import.wait_with_output().unwrap()
}

on_both_databases! {
    async fn a_killed_import_leaves_nothing(database: TestDatabase) {
        let output = interrupt(&database, "KILL").await;
        assert_eq!(output.status.code(), None, "it was killed");
        assert_empty(&database).await;
        let report = import(&database.database, &data("edge-scores.json")).await.unwrap();
        assert_eq!(report.new_results, 6);
    }

    async fn an_import_that_is_told_to_stop_leaves_nothing(database: TestDatabase) {
        for signal in ["INT", "TERM"] {
            let output = interrupt(&database, signal).await;
            assert_eq!(output.status.code(), Some(1));
            let message = String::from_utf8(output.stderr).unwrap();
            assert!(message.contains("output.json: nothing was stored: the import was interrupted"), "{message}");
            assert_empty(&database).await;
        }
    }

    #[ignore = "takes long: scripts/test-long"]
    async fn killed_at_any_moment_an_import_leaves_all_or_nothing(database: TestDatabase) {
        const KILLS: usize = 20;
        const RESULTS: usize = 1_000;
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("output.json");
        let (mut runs, mut in_the_middle, mut longest) = (0, 0, Duration::ZERO);
        for number in 0..=KILLS {
            std::fs::write(&path, generated(RESULTS, 20).replace("\"generated\"", &format!("\"{number}\""))).unwrap();
            let start = || {
                let mut command = evalgraph_on(&database.location, &["import", "promptfoo", path.to_str().unwrap()]);
                command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
            };
            if number > 0 {
                let mut import = start();
                tokio::time::sleep(longest.mul_f64(rand::rng().random_range(0.0..1.0))).await;
                send("KILL", &import);
                in_the_middle += usize::from(import.wait().unwrap().code().is_none());
                let stored = database.count("runs").await;
                assert!(stored == runs || stored == runs + 1, "{stored} runs after {runs}");
                assert_eq!(database.count("test_results").await, stored * RESULTS as i64);
            }
            let begun = Instant::now();
            assert!(start().wait().unwrap().success());
            longest = longest.max(begun.elapsed());
            runs += 1;
            assert_eq!((database.count("runs").await, database.count("evaluations").await), (runs, runs));
            assert_eq!(database.count("test_results").await, runs * RESULTS as i64);
        }
        database.check_totals().await;
        println!("{in_the_middle} of {KILLS} kills came before the end");
        assert!(in_the_middle > KILLS / 2, "{in_the_middle}");
    }

    async fn a_large_file_is_stored_in_many_chunks(database: TestDatabase) {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("output.json");
        std::fs::write(&path, generated(2_500, 1)).unwrap();
        let report = import(&database.database, &path).await.unwrap();
        assert_eq!((report.new_results, report.warnings.len()), (2_500, 0));
        assert_eq!(database.count("test_results").await, 2_500);
        let again = import(&database.database, &path).await.unwrap();
        assert_eq!((again.new_rows(), again.known_results), (0, 2_500));
    }
}

/// The first file has been read to its end, and waits for another who writes.
#[tokio::test]
async fn an_import_that_is_all_but_complete_when_it_is_told_to_stop_is_the_last() {
    let database = TestDatabase::postgres().await;
    let mut other = common::sql::postgres(&database.location).await;
    other.batch_execute("BEGIN; LOCK TABLE test_results IN SHARE MODE").await.unwrap();
    let [first, second] = ["edge-scores.json", "legacy-v2.json"].map(data);
    let files = ["import", "promptfoo", first.to_str().unwrap(), second.to_str().unwrap()];
    let mut command = evalgraph_on(&database.location, &files);
    let import = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let waiting = "SELECT count(*) AS value FROM pg_locks WHERE NOT granted AND relation = 'test_results'::regclass
        AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
    common::eventually(Duration::from_secs(60), "the import waits", async || {
        common::sql::numbers(&database.location, waiting).await == [1]
    })
    .await;
    send("TERM", &import);
    // Until the signal has arrived.
    tokio::time::sleep(Duration::from_secs(1)).await;
    other.batch_execute("COMMIT").await.unwrap();
    let output = import.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let message = String::from_utf8(output.stderr).unwrap();
    assert!(message.contains("edge-scores.json: the files after it were not imported"), "{message}");
    assert_eq!((database.count("runs").await, database.count("test_results").await), (1, 6));
}
