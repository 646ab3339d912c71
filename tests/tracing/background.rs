//! What goes on beside requests has traces too.

use std::time::Duration;

use crate::common::eventually;
use crate::common::process::{Server, run, stdout};
use crate::receivers::{exporting, receive};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_import_has_a_trace_with_its_statements() {
    let (endpoint, received) = receive("http/protobuf").await;
    let file = "tests/data/promptfoo/baseline.json";
    let (mut command, _location) = exporting(&["import", "promptfoo", file], &endpoint, "http/protobuf").await;
    stdout(&run(&mut command));
    assert!(received.has_path(&["evalgraph import", "INSERT runs"]), "{:#?}", received.spans());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_migration_has_a_trace_with_a_span_of_each() {
    let (endpoint, received) = receive("http/protobuf").await;
    let (mut command, location) = exporting(&["migrate", "--revert", "1"], &endpoint, "http/protobuf").await;
    stdout(&run(&mut command));
    drop(command);
    let (mut command, _other) = exporting(&["migrate"], &endpoint, "http/protobuf").await;
    let evalgraph::db::pool::DatabaseLocation::Sqlite(path) = &location.location else { unreachable!() };
    stdout(&run(command.env("DATABASE_URL", format!("sqlite:{}", path.display()))));
    let migrations: Vec<_> = received.spans().into_iter().filter(|span| span.name.starts_with("migration ")).collect();
    assert_eq!(migrations.len(), 1, "{:#?}", received.spans());
    assert!(received.has_path(&["evalgraph migrate", &migrations[0].name]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_others_have_changed_is_carried_out_in_a_trace() {
    let (endpoint, received) = receive("http/protobuf").await;
    let (mut command, location) = exporting(&["serve", "--port", "0"], &endpoint, "http/protobuf").await;
    let server = Server::start(&mut command);
    server.data("{ prompts { totalCount } }").await;
    assert!(!received.has_path(&["evalgraph cache follow"]));
    let statement = "INSERT INTO cache_outbox (tag) VALUES ('prompts-of:somebody')";
    crate::common::sql::execute(&location.location, statement).await;
    let is_followed = async || received.has_path(&["evalgraph cache follow"]);
    eventually(Duration::from_secs(20), "the outbox is followed", is_followed).await;
}
