//! Clients that leave, and servers that stop, while something is being changed: what has begun is finished.

use std::time::Duration;

use evalgraph::db::pool::PoolSettings;
use serde_json::json;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

use crate::common::process::{Server, evalgraph_on};
use crate::common::{Kind, TestDatabase, TestServer, eventually, on_both_databases, small_pools, sql};

const CREATE: &str =
    "mutation ($title: String!) { createPrompt(input: { title: $title, content: \"c\" }) { prompt { id } } }";

/// A client that sends a change and does not wait for the answer.
async fn send(address: &str, title: &str) -> TcpStream {
    let body = json!({ "query": CREATE, "variables": { "title": title } }).to_string();
    let mut stream = TcpStream::connect(address).await.unwrap();
    let length = body.len();
    let head = format!(
        "POST /graphql HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n"
    );
    stream.write_all((head + &body).as_bytes()).await.unwrap();
    stream
}

/// Keeps changes from being committed until it is dropped: each waits for a row or for the file.
async fn hold_changes(database: &TestDatabase) -> Box<dyn Send> {
    match database.kind {
        Kind::Sqlite => Box::new(sql::WriteLock::take(&database.location).await),
        Kind::Postgres => {
            use diesel_async::SimpleAsyncConnection as _;
            let mut connection = sql::postgres(&database.location).await;
            connection.batch_execute("BEGIN; LOCK TABLE prompts IN SHARE ROW EXCLUSIVE MODE").await.unwrap();
            Box::new(connection)
        }
    }
}

/// Waits until the server has begun to change something and has to wait.
async fn has_begun(database: &TestDatabase) {
    if database.kind == Kind::Postgres {
        let waiting = "SELECT count(*) AS value FROM pg_stat_activity
                       WHERE datname = current_database() AND wait_event_type = 'Lock'";
        let is_waiting = async || sql::numbers(&database.location, waiting).await == [1];
        eventually(Duration::from_secs(5), "the change waits", is_waiting).await;
    } else {
        // The file does not tell who waits for it.
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
}

async fn titles(database: &TestDatabase) -> Vec<String> {
    sql::texts(&database.location, "SELECT title AS value FROM prompts ORDER BY title").await
}

on_both_databases! {
    async fn a_change_is_made_though_its_client_is_gone(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        let held = hold_changes(&database).await;
        let stream = send(&server.address.to_string(), "left").await;
        has_begun(&database).await;
        drop(stream);
        // Longer than a connection that was half closed is waited for.
        tokio::time::sleep(Duration::from_millis(400)).await;
        drop(held);
        eventually(Duration::from_secs(10), "the prompt is stored", async || titles(&database).await == ["left"]).await;
    }

    async fn a_change_is_made_though_its_request_has_run_out_of_time(database: TestDatabase) {
        let mut app = TestServer::app(database.database.clone());
        app.limits.request_timeout = Duration::from_millis(300);
        let server = TestServer::with(app, evalgraph::domain::Principal::local()).await;
        let held = hold_changes(&database).await;
        let reply = server.send(CREATE, json!({ "title": "late" })).await;
        assert_eq!((reply.status, &reply.body["errors"][0]["extensions"]["code"]), (504, &json!("TIMEOUT")));
        drop(held);
        eventually(Duration::from_secs(10), "the prompt is stored", async || titles(&database).await == ["late"]).await;
    }

    async fn clients_that_leave_at_any_time_leave_whole_changes(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        let address = server.address.to_string();
        for number in 0..60_u64 {
            let stream = send(&address, &format!("{number:02}")).await;
            tokio::time::sleep(Duration::from_micros(number * 150)).await;
            drop(stream);
        }
        // Others are served, and nothing is locked.
        server.ask(CREATE, json!({ "title": "last" })).await;
        let wrong = "SELECT title AS value FROM prompts WHERE content <> 'c' OR version <> 1 OR root_id <> id";
        assert_eq!(sql::texts(&database.location, wrong).await, Vec::<String>::new());
        if database.kind == Kind::Postgres {
            let open = "SELECT count(*) AS value FROM pg_stat_activity
                        WHERE datname = current_database() AND state LIKE 'idle in transaction%'";
            assert_eq!(sql::numbers(&database.location, open).await, [0]);
        }
        assert!(titles(&database).await.contains(&"last".to_owned()));
    }

    async fn whoever_finds_no_connection_is_told_and_changes_nothing(database: TestDatabase) {
        let pools = PoolSettings { base: 1, wait: Duration::from_millis(100), ..small_pools() };
        let few = evalgraph::db::Database::open(&database.location, &pools).await.unwrap();
        let server = TestServer::with(TestServer::app(few), evalgraph::domain::Principal::local()).await;
        let held = hold_changes(&database).await;
        let first = send(&server.address.to_string(), "first").await;
        has_begun(&database).await;
        let reply = server.send(CREATE, json!({ "title": "second" })).await;
        assert_eq!(reply.body["errors"][0]["extensions"]["code"], "UNAVAILABLE", "{:#}", reply.body);
        drop(held);
        eventually(Duration::from_secs(10), "the first is stored", async || titles(&database).await == ["first"]).await;
        drop(first);
    }

    async fn a_server_that_stops_finishes_what_has_begun(database: TestDatabase) {
        let arguments = ["serve", "--listen=127.0.0.1:0", "--shutdown-timeout-ms=100"];
        let mut server = Server::start(&mut evalgraph_on(&database.location, &arguments));
        let held = hold_changes(&database).await;
        let stream = send(&server.address, "stopped").await;
        has_begun(&database).await;
        server.signal("TERM");
        drop(stream);
        tokio::time::sleep(Duration::from_millis(500)).await;
        assert_eq!(titles(&database).await, Vec::<String>::new(), "it waits still");
        drop(held);
        assert_eq!(server.wait(), Some(0));
        assert_eq!(titles(&database).await, ["stopped"]);
    }
}
