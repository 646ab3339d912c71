//! Requests that end before their statement does: by their time limit, or because the client leaves.

mod common;

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use common::{Kind, TestDatabase, TestServer, eventually, on_both_databases, small_pools, sql};
use evalgraph::domain::Principal;
use evalgraph::http::ConnectionLimits;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// Counts the rows of a table that takes its time.
const SLOW: &str = "{ runs { totalCount } }";
const QUICK: &str = "{ prompts { totalCount nodes { id } } }";

/// Puts a view that is slow to count in the place of a table. SQLite has no way to sleep, so it counts for about as
/// many milliseconds as are wished for.
async fn make_runs_slow(database: &TestDatabase, sqlite_ms: u32) {
    let statements = match database.kind {
        Kind::Postgres => {
            "ALTER TABLE runs RENAME TO hidden_runs; CREATE VIEW runs AS SELECT 1 AS id FROM pg_sleep(30)".to_owned()
        }
        Kind::Sqlite => format!(
            "ALTER TABLE runs RENAME TO hidden_runs;
             CREATE VIEW runs AS
             WITH RECURSIVE counter (id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM counter LIMIT {})
             SELECT id FROM counter",
            sqlite_ms * 1_500
        ),
    };
    sql::execute(&database.location, &statements).await;
}

/// A client that sends the slow query and does not wait for the answer.
async fn ask_slowly(address: SocketAddr) -> TcpStream {
    let body = json!({ "query": SLOW }).to_string();
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!(
        "POST /graphql HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    stream
}

/// Whether a connection is in use.
fn is_busy(database: &TestDatabase) -> bool {
    let (open, idle) = database.database.read_connections();
    idle < open
}

async fn statements_on_the_server(database: &TestDatabase) -> i64 {
    let query = "SELECT count(*) AS value FROM pg_stat_activity
                 WHERE datname = current_database() AND state = 'active' AND pid <> pg_backend_pid()";
    sql::numbers(&database.location, query).await[0]
}

/// The next request is served at once, nothing runs on for nobody, and every connection is there to be used.
async fn all_is_well(server: &TestServer, database: &TestDatabase) {
    let start = Instant::now();
    server.data(QUICK).await;
    assert!(start.elapsed() < Duration::from_secs(1), "the next request took {:?}", start.elapsed());
    eventually(Duration::from_secs(10), "connections come back", async || !is_busy(database)).await;
    if database.kind == Kind::Postgres {
        let quiet = async || statements_on_the_server(database).await == 0;
        eventually(Duration::from_secs(5), "abandoned statements are stopped", quiet).await;
        let open = "SELECT count(*) AS value FROM pg_stat_activity
                    WHERE datname = current_database() AND state LIKE 'idle in transaction%'";
        assert_eq!(sql::numbers(&database.location, open).await, [0], "a transaction stayed open");
    }
    let capacity = small_pools().base as usize;
    futures_util::future::join_all((0..capacity * 2).map(|_| server.data(QUICK))).await;
}

on_both_databases! {
    async fn a_request_over_its_time_is_told_so_at_once(database: TestDatabase) {
        make_runs_slow(&database, 1_500).await;
        let mut app = TestServer::app(database.database.clone());
        app.limits.request_timeout = Duration::from_millis(150);
        let impatient = TestServer::with(app, Principal::local()).await;
        let start = Instant::now();
        let reply = impatient.send(SLOW, json!({})).await;
        assert!(start.elapsed() < Duration::from_secs(1), "the answer took {:?}", start.elapsed());
        assert_eq!(reply.status, 504);
        assert_eq!(reply.body["errors"][0]["extensions"]["code"], "TIMEOUT");
        assert_eq!(
            reply.body["errors"][0]["message"],
            "the request took longer than 150 ms: ask for less at once",
        );
        all_is_well(&TestServer::start(&database).await, &database).await;
    }

    async fn a_client_that_leaves_takes_its_statement_along(database: TestDatabase) {
        make_runs_slow(&database, 1_500).await;
        let server = TestServer::start(&database).await;
        let stream = ask_slowly(server.address).await;
        eventually(Duration::from_secs(5), "the statement runs", async || is_busy(&database)).await;
        drop(stream);
        all_is_well(&server, &database).await;
    }

    async fn two_hundred_clients_that_leave_do_no_harm(database: TestDatabase) {
        leave_in_a_row(&database, 200).await;
    }

    #[ignore = "takes long: scripts/test-long"]
    async fn ten_thousand_clients_that_leave_do_no_harm(database: TestDatabase) {
        leave_in_a_row(&database, 10_000).await;
    }
}

async fn leave_in_a_row(database: &TestDatabase, clients: u64) {
    make_runs_slow(database, 15).await;
    let server = TestServer::start(database).await;
    for client in 0..clients {
        let stream = ask_slowly(server.address).await;
        // Some leave before the statement has begun, some in the middle of it.
        tokio::time::sleep(Duration::from_millis(client % 8)).await;
        drop(stream);
    }
    all_is_well(&server, database).await;
}

/// The other flavour of runtime: one thread, which nothing may block and where blocking calls panic.
async fn on_one_thread(kind: Kind) {
    let database = TestDatabase::new(kind).await;
    make_runs_slow(&database, 300).await;
    let mut app = TestServer::app(database.database.clone());
    app.limits.request_timeout = Duration::from_millis(50);
    let impatient = TestServer::with(app, Principal::local()).await;
    for _ in 0..5 {
        assert_eq!(impatient.send(SLOW, json!({})).await.status, 504);
    }
    let server = TestServer::start(&database).await;
    let stream = ask_slowly(server.address).await;
    eventually(Duration::from_secs(5), "the statement runs", async || is_busy(&database)).await;
    drop(stream);
    all_is_well(&server, &database).await;
}

#[tokio::test(flavor = "current_thread")]
async fn one_thread_is_enough_on_sqlite() {
    on_one_thread(Kind::Sqlite).await;
}

#[tokio::test(flavor = "current_thread")]
async fn one_thread_is_enough_on_postgres() {
    on_one_thread(Kind::Postgres).await;
}

/// Requests in progress are finished when the server is told to stop; it does not wait for them forever.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_in_progress_are_finished_at_shutdown() {
    let database = TestDatabase::sqlite().await;
    make_runs_slow(&database, 1_000).await;
    for (patience, finished) in [(Duration::from_secs(20), true), (Duration::from_millis(20), false)] {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        let router = evalgraph::http::router(TestServer::app(database.database.clone()));
        let shutdown = async move {
            let _ = stopped.await;
        };
        let limits = ConnectionLimits { shutdown: patience, ..TestServer::connections() };
        let serving = tokio::spawn(evalgraph::http::serve(listener, router, limits, shutdown));
        let mut stream = ask_slowly(address).await;
        eventually(Duration::from_secs(5), "the statement runs", async || is_busy(&database)).await;
        stop.send(()).unwrap();
        serving.await.unwrap();
        assert!(TcpStream::connect(address).await.is_err(), "the port is closed");
        let mut answer = String::new();
        let read = tokio::time::timeout(Duration::from_secs(1), stream.read_to_string(&mut answer)).await;
        let _ = read.expect("the connection has ended");
        assert_eq!(answer.contains("\"totalCount\":"), finished, "patience {patience:?}: {answer}");
    }
}
