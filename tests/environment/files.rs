//! The file of the embedded database is broken, removed or replaced while it is served.

use std::fs::OpenOptions;
use std::io::{Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use evalgraph::db::StatementCount;
use evalgraph::db::pool::DatabaseLocation;
use evalgraph::db::{Database, DbError};
use serde_json::json;

use crate::common::{Kind, PromptBuilder, TestDatabase, TestLocation, TestServer, eventually, small_pools};
use crate::{ask, is_alive, is_ready};

const SOON: Duration = Duration::from_secs(10);

fn path_of(database: &TestDatabase) -> PathBuf {
    let DatabaseLocation::Sqlite(path) = &database.location else { unreachable!() };
    path.clone()
}

/// A database with one prompt, all of it in the file itself, and a server whose connections have read nothing yet.
async fn served() -> (TestDatabase, TestServer, Vec<u8>) {
    let database = TestDatabase::sqlite().await;
    PromptBuilder::new().title("kept").insert(&database).await;
    database.execute("PRAGMA wal_checkpoint(TRUNCATE)").await;
    let content = std::fs::read(path_of(&database)).unwrap();
    let fresh = Database::open(&database.location, &small_pools()).await.unwrap();
    let server = TestServer::with(TestServer::app(fresh), evalgraph::domain::Principal::local()).await;
    (database, server, content)
}

/// Writes over the file, which stays the same file.
fn overwrite(path: &Path, content: &[u8]) {
    let mut file = OpenOptions::new().write(true).open(path).unwrap();
    file.set_len(content.len() as u64).unwrap();
    file.rewind().unwrap();
    file.write_all(content).unwrap();
}

/// Requests are answered with `UNAVAILABLE` and the server is not ready; then the fault is mended, and all is as before.
async fn is_survived(server: &TestServer, mend: impl FnOnce()) {
    eventually(SOON, "requests fail", async || ask(server).await.0.is_some()).await;
    // A connection that has what it needs in memory goes on, until it needs more.
    let not_ready = async || ask(server).await.0.is_some() && !is_ready(server).await;
    eventually(SOON, "the server is not ready", not_ready).await;
    let (code, took) = ask(server).await;
    assert_eq!(code.as_deref(), Some("UNAVAILABLE"));
    assert!(took < Duration::from_secs(5), "{took:?}");
    assert!(is_alive(server).await);
    mend();
    eventually(SOON, "the server is ready again", async || is_ready(server).await).await;
    for _ in 0..20 {
        eventually(SOON, "requests succeed again", async || ask(server).await.0.is_none()).await;
    }
    let found = server.data("{ prompts { nodes { title } } }").await;
    assert_eq!(found, json!({ "prompts": { "nodes": [{ "title": "kept" }] } }));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_is_scribbled_over_is_reported_and_found_mended() {
    let (database, server, good) = served().await;
    let path = path_of(&database);
    overwrite(&path, &vec![0xaa; good.len()]);
    is_survived(&server, || overwrite(&path, &good)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_is_cut_short_does_not_end_the_process() {
    let (database, server, good) = served().await;
    // The connections know the schema, and have yet to read a row.
    for _ in 0..20 {
        server.data("{ runs { totalCount } }").await;
    }
    let path = path_of(&database);
    overwrite(&path, &good[..4096]);
    is_survived(&server, || overwrite(&path, &good)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_is_removed_is_missed_and_not_replaced_by_an_empty_one() {
    let (database, server, good) = served().await;
    assert_eq!(ask(&server).await.0, None);
    let path = path_of(&database);
    let companions = ["db-wal", "db-shm"].map(|extension| path.with_extension(extension));
    std::fs::remove_file(&path).unwrap();
    for companion in &companions {
        let _ = std::fs::remove_file(companion);
    }
    is_survived(&server, || {
        assert!(!path.exists(), "no empty file was made in its place");
        std::fs::write(&path, &good).unwrap();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_is_replaced_is_served_from_then_on() {
    let (database, server, _) = served().await;
    assert_eq!(ask(&server).await.0, None);
    let other = TestDatabase::sqlite().await;
    PromptBuilder::new().title("new").insert(&other).await;
    other.execute("PRAGMA wal_checkpoint(TRUNCATE)").await;
    let path = path_of(&database);
    let arrived = path.with_extension("new");
    std::fs::copy(path_of(&other), &arrived).unwrap();
    for extension in ["db-wal", "db-shm"] {
        let _ = std::fs::remove_file(path.with_extension(extension));
    }
    std::fs::rename(&arrived, &path).unwrap();
    let new = json!({ "prompts": { "nodes": [{ "title": "new" }] } });
    eventually(SOON, "the new file is served", async || {
        server.send("{ prompts { nodes { title } } }", json!({})).await.body["data"] == new
    })
    .await;
}

/// A limit on pages is SQLite's own way of being full. It belongs to the connection, so that another one has room again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_database_is_told_apart_and_reads_go_on() {
    let location = TestLocation::migrated(Kind::Sqlite).await;
    let database = Database::open(&location.location, &small_pools()).await.unwrap();
    let write = async |sql: &'static str| {
        let count = StatementCount::default();
        database.write(&count, move |connection| Box::pin(async move { connection.batch_execute(sql).await })).await
    };
    write("PRAGMA max_page_count = 1").await.unwrap();
    let much =
        "INSERT INTO prompt_templates (id, name, template, variables, category, usage_count, created_at, updated_at)
                VALUES (randomblob(16), 'large', hex(zeroblob(1000000)), '{}', 'general', 0, 0, 0)";
    let error = write(much).await.unwrap_err();
    assert!(matches!(error, DbError::Storage(_)), "{error:?}");
    let server = TestServer::with(TestServer::app(database.clone()), evalgraph::domain::Principal::local()).await;
    assert_eq!(ask(&server).await.0, None, "reads go on");
    write(much).await.expect("there is room again");
}
