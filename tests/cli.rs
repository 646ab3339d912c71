//! The command line: what a user types, and what comes of it.

mod common;

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use common::process::{Server, evalgraph, evalgraph_on, run, stderr, stdout};
use common::{Kind, TestLocation};
use evalgraph::db::pool::DatabaseLocation;

#[test]
fn the_schema_is_printed() {
    assert_eq!(stdout(&run(&mut evalgraph(&["schema"]))), include_str!("../schema.graphql"));
}

#[test]
fn impossible_values_stop_the_start_by_name() {
    for (arguments, variable, expected) in [
        (vec!["--listen=nowhere"], None, "--listen"),
        (vec!["--max-page-size=0"], None, "--max-page-size"),
        (vec!["--env=moon"], None, "[possible values: local, staging, production]"),
        (vec![], Some(("EVALGRAPH_MAX_DEPTH", "deep")), "EVALGRAPH_MAX_DEPTH: max_depth cannot be «deep»"),
        (vec![], Some(("PORT", "99999")), "PORT: port cannot be «99999»"),
        (vec!["--statement-timeout-ms=60000"], None, "must be shorter than request_timeout_ms (--request-timeout-ms)"),
        (vec![], Some(("DATABASE_URL", "mysql://me:hunter2@db/x")), "must begin with postgres:// or sqlite:"),
        (vec!["--log=evalgraph=loud"], None, "--log"),
    ] {
        let mut command = evalgraph(&arguments);
        command.envs(variable);
        let output = run(&mut command);
        assert!(!output.status.success());
        assert!(stderr(&output).contains(expected), "{expected}: {}", stderr(&output));
        assert!(!stderr(&output).contains("hunter2"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn migrations_go_forward_and_back() {
    for kind in [Kind::Sqlite, Kind::Postgres] {
        let location = TestLocation::empty(kind).await;
        let migrate =
            |more: &[&str]| stdout(&run(&mut evalgraph_on(&location.location, &[&["migrate"], more].concat())));
        let applied = migrate(&[]);
        assert!(applied.lines().count() >= 2 && applied.lines().all(|line| line.starts_with("applied ")), "{applied}");
        assert_eq!(migrate(&[]), "nothing to do\n");
        let last = applied.lines().last().unwrap().replace("applied", "reverted");
        assert_eq!(migrate(&["--revert", "1"]), format!("{last}\n"));
        assert_eq!(migrate(&["--revert", "99"]).lines().count(), applied.lines().count() - 1);
        assert_eq!(migrate(&[]), applied);
    }
}

#[test]
fn the_log_is_as_it_was_asked_for() {
    let directory = tempfile::tempdir().unwrap();
    let log = |arguments: &[&str]| {
        let mut command = evalgraph(&["--listen=127.0.0.1:0"]);
        command.args(arguments).env("EVALGRAPH_DATA_DIR", directory.path()).stderr(Stdio::piped());
        let mut server = Server::start_with_log(&mut command);
        server.signal("TERM");
        assert_eq!(server.wait(), Some(0));
        server.log()
    };
    let text = log(&[]);
    assert!(text.contains(" INFO ") && text.contains("stopped") && !text.contains('\u{1b}'), "{text}");
    for line in log(&["--log-format=json"]).lines() {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        assert_eq!(line["level"], "INFO");
    }
    assert_eq!(log(&["--log=warn"]), "");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_demo_starts_on_an_empty_machine_and_stops_on_a_signal() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("not/yet/there");
    let mut counts = Vec::new();
    for signal in ["TERM", "INT"] {
        let mut command = evalgraph(&["serve", "--demo", "--listen", "127.0.0.1:0"]);
        let mut server = Server::start(command.env("EVALGRAPH_DATA_DIR", &data));
        let statistics = "{ statistics { promptCount evaluationCount testResultCount runCount } }";
        counts.push(server.data(statistics).await["statistics"].take());
        // The query that the server suggests works.
        let suggested = server.greeting.split_once("{\"query\":\"").unwrap().1.split_once("\"}'").unwrap().0;
        let answer = server.data(suggested).await;
        assert_eq!(answer["prompts"]["nodes"].as_array().unwrap().len(), 3);
        check_readme(&server).await;
        server.signal(signal);
        assert_eq!(server.wait(), Some(0), "after SIG{signal}");
    }
    assert!(data.join("evalgraph.db").exists());
    assert!(counts[0]["promptCount"].as_u64().unwrap() >= 200, "{}", counts[0]);
    assert!(counts[0]["evaluationCount"].as_u64().unwrap() >= 1_000, "{}", counts[0]);
    assert!(counts[0]["testResultCount"].as_u64().unwrap() >= 10_000, "{}", counts[0]);
    assert_eq!(counts[0], counts[1], "the demo data was loaded once");
}

/// As with `evalgraph serve | head -1`.
#[tokio::test(flavor = "multi_thread")]
async fn commands_whose_output_nobody_reads_do_their_work() {
    let directory = tempfile::tempdir().unwrap();
    let unread = |arguments: &[&str]| {
        let mut command = evalgraph(arguments);
        command.env("EVALGRAPH_DATA_DIR", directory.path()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut process = command.spawn().unwrap();
        drop(process.stdout.take());
        process
    };
    let migrated = unread(&["migrate"]).wait_with_output().unwrap();
    assert_eq!(migrated.status.code(), Some(1));
    assert!(stderr(&migrated).starts_with("evalgraph: the schema is as it should be, but standard output "));
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let mut server = unread(&["serve", &format!("--port={port}")]);
    let live = format!("http://127.0.0.1:{port}/health/live");
    common::eventually(Duration::from_secs(10), "an answer", async || reqwest::get(&live).await.is_ok()).await;
    server.kill().unwrap();
    let log = stderr(&server.wait_with_output().unwrap());
    assert!(log.contains("standard output cannot be written") && log.contains(&format!(":{port}")), "{log}");
}

/// The statement cannot be stopped, but the process need not wait for it.
#[tokio::test(flavor = "multi_thread")]
async fn a_statement_without_end_does_not_keep_the_server_from_stopping() {
    let location = TestLocation::migrated(Kind::Sqlite).await;
    let endless = "ALTER TABLE runs RENAME TO hidden_runs;
                   CREATE VIEW runs AS
                   WITH RECURSIVE counter (id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM counter)
                   SELECT id FROM counter";
    common::sql::execute(&location.location, endless).await;
    let DatabaseLocation::Sqlite(path) = &location.location else { unreachable!() };
    let mut command = evalgraph(&["--listen=127.0.0.1:0", "--shutdown-timeout-ms=100", "--request-timeout-ms=200"]);
    let mut server = Server::start(command.arg(format!("--database-url=sqlite:{}", path.display())));
    let request = reqwest::Client::new().post(format!("http://{}/graphql", server.address));
    let reply = common::Reply::of(request.json(&serde_json::json!({ "query": "{ runs { totalCount } }" }))).await;
    assert_eq!(reply.status, 504);
    server.signal("TERM");
    assert_eq!(server.wait(), Some(0));
}

/// The first query of the README has the answer that the README shows.
async fn check_readme(server: &Server) {
    let readme = include_str!("../README.md");
    let section = readme.split_once("## A first nested query").unwrap().1;
    let query = section.split_once("{\"query\":").unwrap().1.split_once("}'").unwrap().0;
    let query: String = serde_json::from_str(query.trim()).unwrap();
    let shown = section.split_once("```json").unwrap().1.split_once("```").unwrap().0;
    let shown: serde_json::Value = serde_json::from_str(shown).unwrap();
    let request = reqwest::Client::new().post(format!("http://{}/graphql", server.address));
    // The test has asked for some of it before.
    let request = request.header("x-evalgraph-explain", "1").header("cache-control", "no-cache");
    let request = request.json(&serde_json::json!({ "query": query }));
    assert_eq!(common::Reply::of(request).await.body, shown);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_imported_file_can_be_queried_as_the_command_says() {
    let directory = tempfile::tempdir().unwrap();
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/promptfoo/baseline.json");
    let file = file.to_str().unwrap();
    let output = run(evalgraph(&["import", "promptfoo", file]).env("EVALGRAPH_DATA_DIR", directory.path()));
    let report = stdout(&output);
    let query = report.lines().last().unwrap();
    let server = Server::start(evalgraph(&["--listen", "127.0.0.1:0"]).env("EVALGRAPH_DATA_DIR", directory.path()));
    let answer = server.data(query).await;
    assert_eq!(answer["run"]["evaluations"]["nodes"].as_array().unwrap().len(), 6, "{answer:#}");
}

#[test]
fn a_file_that_cannot_be_imported_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let broken = directory.path().join("broken.json");
    std::fs::write(&broken, "{\"results\": ").unwrap();
    for (file, expected) in
        [(broken.as_path(), "json:1:12: the file ends in the middle"), (Path::new("/nowhere.json"), "No such file")]
    {
        let file = file.to_str().unwrap();
        let output = run(evalgraph(&["import", "promptfoo", file]).env("EVALGRAPH_DATA_DIR", directory.path()));
        assert!(!output.status.success());
        let message = stderr(&output);
        assert!(message.contains(file) && message.contains(expected), "{message}");
    }
}

#[test]
fn what_stands_in_the_way_of_a_start_is_told() {
    let directory = tempfile::tempdir().unwrap();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let file = directory.path().join("file");
    std::fs::write(&file, "not a database").unwrap();
    let data = directory.path().join("data");
    for (arguments, expected) in [
        (vec!["--listen", &address], format!("cannot listen on {address}")),
        (vec!["--listen=127.0.0.1:0", "--data-dir", file.to_str().unwrap()], format!("{}: ", file.display())),
        (
            vec!["--listen=127.0.0.1:0", "--database-url=postgres://me:hunter2@127.0.0.1:1/x"],
            "the database cannot be reached: ".to_owned(),
        ),
    ] {
        let output = run(evalgraph(&arguments).env("EVALGRAPH_DATA_DIR", &data));
        assert!(!output.status.success());
        let message = stderr(&output);
        assert!(message.contains(&expected), "{expected}: {message}");
        assert!(!message.contains("hunter2"));
    }
}
