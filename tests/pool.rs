//! Connections under stress: lost, abandoned in mid-statement, in each other's way.

mod common;

use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use common::{
    Kind, PromptBuilder, Proxy, TestDatabase, TestLocation, eventually, hold_connection, on_both_databases, recorder,
    small_pools, sql,
};
use diesel::connection::SimpleConnection as _;
use diesel::result::QueryResult;
use evalgraph::db::columns::ColumnSet;
use evalgraph::db::entity::Entity as _;
use evalgraph::db::pool::{DatabaseLocation, PoolSettings};
use evalgraph::db::prompts::Prompts;
use evalgraph::db::transaction::write_transaction;
use evalgraph::db::{Database, DbConnection, DbError, StatementCount};
use evalgraph::domain::Principal;
use futures_util::future::BoxFuture;
use tokio::sync::{Barrier, oneshot};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use url::Url;
use uuid::Uuid;

/// Who compete for a connection.
const OTHERS: usize = 8;

/// Runs a statement as a piece of work for the pool.
fn statement(
    sql: &str,
) -> impl for<'c> FnOnce(&'c mut DbConnection) -> BoxFuture<'c, QueryResult<()>> + Send + 'static {
    let sql = recorder::of_a_test(sql);
    move |connection| Box::pin(async move { connection.batch_execute(&sql).await })
}

async fn read(database: &Database, sql: &str) -> Result<(), DbError> {
    database.read(&StatementCount::default(), statement(sql)).await
}

async fn write(database: &Database, sql: &str) -> Result<(), DbError> {
    database.write(&StatementCount::default(), statement(sql)).await
}

/// A statement that is busy for a while: nothing in SQLite sleeps.
fn counting_to(end: u64) -> String {
    format!(
        "WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {end})
         SELECT count(*) FROM numbers"
    )
}

fn pools_of(connections: u32) -> PoolSettings {
    PoolSettings { base: connections, ..small_pools() }
}

/// Proves that so many connections can be used at the same time: each waits for all the others.
async fn use_at_once(database: &Database, connections: u32) {
    let barrier = Arc::new(Barrier::new(connections as usize));
    let reads = (0..connections).map(|_| {
        let (database, barrier) = (database.clone(), Arc::clone(&barrier));
        tokio::spawn(async move {
            database
                .read(&StatementCount::default(), move |connection| {
                    Box::pin(async move {
                        connection.batch_execute("SELECT 1").await?;
                        barrier.wait().await;
                        Ok(())
                    })
                })
                .await
        })
    });
    for read in reads.collect::<Vec<_>>() {
        let result = timeout(Duration::from_secs(10), read).await.expect("all connections are there");
        result.unwrap().expect("every connection serves");
    }
}

/// Starts a read and returns when its work has a connection.
async fn start_reading(database: &Database, sql: &str) -> JoinHandle<Result<(), DbError>> {
    let (started, has_started) = oneshot::channel();
    let (database, work) = (database.clone(), statement(sql));
    let task = tokio::spawn(async move {
        database
            .read(&StatementCount::default(), move |connection| {
                let _ = started.send(());
                work(connection)
            })
            .await
    });
    has_started.await.expect("the read gets a connection");
    task
}

/// The server processes of the pools under test for which a condition holds.
async fn backends(database: &TestDatabase, condition: &str) -> Vec<i64> {
    let query = format!(
        "SELECT pid::bigint AS value FROM pg_stat_activity
         WHERE datname = current_database() AND application_name = 'evalgraph' AND {condition}"
    );
    sql::numbers(&database.location, &query).await
}

on_both_databases! {
    async fn statements_are_counted(database: TestDatabase) {
        PromptBuilder::new().insert(&database).await;
        let (one, other) = (StatementCount::default(), StatementCount::default());
        for _ in 0..2 {
            database
                .database
                .read(&one, |connection| {
                    Box::pin(async move {
                        connection.batch_execute("SELECT 1").await?;
                        connection.batch_execute(&recorder::of_a_test("SELECT id FROM prompts")).await
                    })
                })
                .await
                .unwrap();
        }
        database.database.read(&other, statement("SELECT nothing FROM nowhere")).await.unwrap_err();
        assert_eq!(one.get(), 4);
        assert_eq!(other.get(), 1, "a statement that fails is one too");
    }

    async fn whoever_waits_too_long_for_a_connection_is_told(database: TestDatabase) {
        let settings = PoolSettings { wait: Duration::from_millis(200), ..pools_of(1) };
        let pools = Database::open(&database.location, &settings).await.unwrap();
        let (leave, holder) = hold_connection(&pools).await;
        let error = read(&pools, "SELECT 1").await.unwrap_err();
        assert!(matches!(error, DbError::PoolTimeout(wait) if wait == settings.wait), "{error:?}");
        leave.send(()).unwrap();
        holder.await.unwrap().unwrap();
        read(&pools, "SELECT 1").await.expect("the connection came back");
    }

    /// Those who ask again as soon as they were served do not keep others from being served.
    async fn whoever_waits_for_a_connection_has_his_turn(database: TestDatabase) {
        let pools = Database::open(&database.location, &pools_of(1)).await.unwrap();
        let (served, stopped) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
        // What was served before, told at the moment of being served.
        let be_served = async |pools: &Database, served: &Arc<AtomicUsize>| {
            let (count, served) = (StatementCount::default(), Arc::clone(served));
            let work = pools.write(&count, move |connection| {
                let before = served.fetch_add(1, Ordering::SeqCst);
                Box::pin(async move { connection.batch_execute("SELECT 1").await.map(|()| before) })
            });
            work.await.unwrap()
        };
        let mut others = tokio::task::JoinSet::new();
        for _ in 0..OTHERS {
            let (pools, served, stopped) = (pools.clone(), Arc::clone(&served), Arc::clone(&stopped));
            others.spawn(async move {
                while !stopped.load(Ordering::SeqCst) {
                    be_served(&pools, &served).await;
                }
            });
        }
        eventually(Duration::from_secs(5), "they are served", async || served.load(Ordering::SeqCst) > OTHERS).await;
        let mut most = 0;
        for _ in 0..200 {
            let before = served.load(Ordering::SeqCst);
            most = most.max(be_served(&pools, &served).await - before);
        }
        stopped.store(true, Ordering::SeqCst);
        others.join_all().await;
        // Each of them once, and whoever came between our question and our place in the line.
        assert!(most <= 2 * OTHERS, "{most} others were served first");
    }

    /// Otherwise those who gave up would keep the database from those who still wait.
    async fn a_read_that_is_abandoned_before_it_has_a_connection_is_not_begun(database: TestDatabase) {
        let pools = Database::open(&database.location, &pools_of(1)).await.unwrap();
        let (leave, holder) = hold_connection(&pools).await;
        let begun = Arc::new(AtomicBool::new(false));
        let (count, begins) = (StatementCount::default(), Arc::clone(&begun));
        let abandoned = pools.read(&count, move |_| {
            begins.store(true, Ordering::SeqCst);
            Box::pin(async { Ok(()) })
        });
        timeout(Duration::from_millis(50), abandoned).await.expect_err("the only connection is in use");

        leave.send(()).unwrap();
        holder.await.unwrap().unwrap();
        read(&pools, "SELECT 1").await.unwrap();
        assert!(!begun.load(Ordering::SeqCst));
    }

    async fn a_write_that_is_abandoned_ends_as_usual(database: TestDatabase) {
        let prompt = PromptBuilder::new().insert(&database).await;
        let id = database.kind.literal(prompt.id);
        let (started, has_started) = oneshot::channel();
        let pools = database.database.clone();
        let writer = tokio::spawn(async move {
            pools
                .write(&StatementCount::default(), move |connection| {
                    Box::pin(write_transaction(connection, move |connection| {
                        Box::pin(async move {
                            let _ = started.send(());
                            // Time enough to be abandoned in.
                            tokio::time::sleep(Duration::from_millis(100)).await;
                            let update = format!("UPDATE prompts SET title = 'Changed' WHERE id = {id}");
                            connection.batch_execute(&recorder::of_a_test(&update)).await
                        })
                    }))
                })
                .await
        });
        has_started.await.unwrap();
        writer.abort();
        assert!(writer.await.unwrap_err().is_cancelled());
        eventually(Duration::from_secs(5), "the title is changed", async || {
            sql::texts(&database.location, "SELECT title AS value FROM prompts").await == ["Changed"]
        })
        .await;
    }
}

// ---- Connections that are lost.

/// On a runtime of one thread, which hears of the lost connection before it hears of what was asked later.
/// Which columns are read depends on what is asked for, and every set of them is a statement that the server keeps.
#[tokio::test]
async fn a_connection_that_keeps_too_many_statements_is_replaced() {
    let database = TestDatabase::with_settings(Kind::Postgres, pools_of(1)).await;
    let look = async |columns: u16| {
        let columns = (0..11).filter(|number| columns >> number & 1 == 1).map(ColumnSet::single).collect();
        let count = StatementCount::default();
        let found = database.database.read(&count, move |connection| {
            Prompts::by_ids(connection, &Principal::local(), vec![Uuid::nil()], columns)
        });
        found.await.unwrap();
    };
    look(0).await;
    let first = backends(&database, "true").await;
    for columns in 1..900 {
        look(columns).await;
    }
    assert_eq!(backends(&database, "true").await, first);
    for columns in 900..1_100 {
        look(columns).await;
    }
    let later = backends(&database, "true").await;
    assert_ne!(later, first);
    // What is asked for again is not kept again.
    for _ in 0..1_100 {
        look(1_099).await;
    }
    assert_eq!(backends(&database, "true").await, later);
}

#[tokio::test]
async fn a_connection_that_the_server_closed_while_idle_is_replaced() {
    let database = TestDatabase::with_settings(Kind::Postgres, pools_of(1)).await;
    for _ in 0..5 {
        read(&database.database, "SELECT 1").await.unwrap();
        let pids = backends(&database, "true").await;
        assert_eq!(pids.len(), 1);
        sql::execute(&database.location, &format!("SELECT pg_terminate_backend({})", pids[0])).await;
        eventually(Duration::from_secs(5), "the server process ends", async || {
            !backends(&database, "true").await.contains(&pids[0])
        })
        .await;
        read(&database.database, "SELECT 1").await.expect("a new connection is made");
    }
}

#[tokio::test]
async fn a_connection_that_the_server_closes_in_mid_statement_is_not_used_again() {
    let database = TestDatabase::with_settings(Kind::Postgres, pools_of(1)).await;
    for _ in 0..5 {
        let error = read(&database.database, "SELECT pg_terminate_backend(pg_backend_pid())").await.unwrap_err();
        assert!(matches!(error, DbError::ConnectionLost(_)), "{error:?}");
        // Now: the client may not have seen the socket close yet.
        read(&database.database, "SELECT 1").await.expect("a new connection is made");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_goes_away_is_reported_at_once_and_found_again() {
    let database = TestDatabase::postgres().await;
    let proxy = Proxy::start(0, &database.location).await;
    let pools = Database::open(&proxy.location(&database.location), &small_pools()).await.unwrap();
    use_at_once(&pools, 4).await;

    let port = proxy.stop().await;
    let start = Instant::now();
    // The connections may be noticed as lost at first use or before.
    let mut refused = None;
    for _ in 0..10 {
        match read(&pools, "SELECT 1").await.expect_err("nobody answers") {
            DbError::ConnectionLost(_) => {}
            error => refused = Some(error),
        }
    }
    let refused = refused.expect("all four connections are lost by now");
    assert!(matches!(&refused, DbError::Unreachable(cause) if cause.contains("refused")), "{refused:?}");
    assert!(start.elapsed() < Duration::from_secs(1), "{:?}", start.elapsed());

    let proxy = Proxy::start(port, &database.location).await;
    read(&pools, "SELECT 1").await.expect("the server is found again");
    use_at_once(&pools, 4).await;
    proxy.stop().await;
}

/// A server that comes back can be found before an attempt from the time without it has failed.
#[tokio::test]
async fn an_attempt_that_began_before_a_read_does_not_fail_it() {
    let database = TestDatabase::postgres().await;
    let proxy = Proxy::start(0, &database.location).await;
    let pools = Database::open(&proxy.location(&database.location), &pools_of(1)).await.unwrap();
    let port = proxy.stop().await;
    eventually(Duration::from_secs(5), "the connection is lost", async || {
        matches!(read(&pools, "SELECT 1").await, Err(DbError::Unreachable(_)))
    })
    .await;

    let silent = tokio::net::TcpListener::bind(("127.0.0.1", port)).await.unwrap();
    let reading = |pools: Database| tokio::spawn(async move { read(&pools, "SELECT 1").await });
    let given_up = reading(pools.clone());
    let (attempt, _) = silent.accept().await.unwrap();
    given_up.abort();
    assert!(given_up.await.unwrap_err().is_cancelled());
    drop(silent);

    let proxy = Proxy::start(port, &database.location).await;
    let asking = reading(pools.clone());
    eventually(Duration::from_secs(5), "the read waits", async || pools.pools().iter().any(|pool| pool.waiting == 1))
        .await;
    drop(attempt);
    asking.await.unwrap().expect("the server is there");
    proxy.stop().await;
}

// ---- Statements that are abandoned.

async fn check_abandoned_statement_on_postgres() {
    let database = TestDatabase::with_settings(Kind::Postgres, pools_of(1)).await;
    let sleeping = "state = 'active' AND query LIKE '%pg_sleep(30)%'";
    let reading = start_reading(&database.database, "SELECT pg_sleep(30)").await;
    eventually(Duration::from_secs(5), "the statement runs", async || backends(&database, sleeping).await.len() == 1)
        .await;

    reading.abort();
    assert!(reading.await.unwrap_err().is_cancelled());
    let next = timeout(Duration::from_secs(1), read(&database.database, "SELECT 1")).await;
    next.expect("the next read does not wait for the abandoned one").unwrap();
    eventually(Duration::from_secs(2), "the server stops the statement", async || {
        backends(&database, sleeping).await.is_empty()
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres_stops_a_statement_that_is_abandoned() {
    check_abandoned_statement_on_postgres().await;
}

#[tokio::test]
async fn postgres_stops_a_statement_that_is_abandoned_on_one_thread() {
    check_abandoned_statement_on_postgres().await;
}

async fn check_abandoned_statement_on_sqlite() {
    let database = TestDatabase::with_settings(Kind::Sqlite, pools_of(2)).await;
    let pools = &database.database;
    use_at_once(pools, 2).await;
    let idle = || pools.read_connections().1;

    let start = Instant::now();
    let result = timeout(Duration::from_millis(100), read(pools, &counting_to(6_000_000))).await;
    result.expect_err("the statement takes longer");
    assert!(start.elapsed() < Duration::from_millis(600), "the caller is free at once: {:?}", start.elapsed());
    assert_eq!(idle(), 1, "the statement goes on");

    read(pools, "SELECT 1").await.expect("others are served meanwhile");
    write(pools, "UPDATE prompts SET title = 'Changed'").await.expect("and may write");
    assert_eq!(idle(), 1, "the statement still goes on");

    eventually(Duration::from_secs(60), "the connection comes back", async || idle() == 2).await;
    use_at_once(pools, 2).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sqlite_goes_on_with_a_statement_that_is_abandoned() {
    check_abandoned_statement_on_sqlite().await;
}

#[tokio::test]
async fn sqlite_goes_on_with_a_statement_that_is_abandoned_on_one_thread() {
    check_abandoned_statement_on_sqlite().await;
}

async fn check_many_abandoned_statements(kind: Kind) {
    let database = TestDatabase::new(kind).await;
    let statement = match kind {
        Kind::Postgres => "SELECT pg_sleep(30)".to_owned(),
        Kind::Sqlite => counting_to(100_000),
    };
    let mut abandoned = 0;
    for _ in 0..200 {
        // Some leave while their connection is being made, others in mid-statement.
        match timeout(Duration::from_millis(5), read(&database.database, &statement)).await {
            Err(_) => abandoned += 1,
            Ok(result) => result.unwrap(),
        }
    }
    assert!(abandoned >= 100, "{abandoned} were abandoned");
    use_at_once(&database.database, 4).await;
    if kind == Kind::Postgres {
        eventually(Duration::from_secs(2), "the server stops all of them", async || {
            backends(&database, "state = 'active' AND query LIKE '%pg_sleep%'").await.is_empty()
        })
        .await;
    }
    let (open, idle) = database.database.read_connections();
    assert_eq!((open, idle), (4, 4));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_pool_of_postgres_survives_many_abandoned_statements() {
    check_many_abandoned_statements(Kind::Postgres).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_pool_of_sqlite_survives_many_abandoned_statements() {
    check_many_abandoned_statements(Kind::Sqlite).await;
}

#[tokio::test]
async fn the_pool_of_postgres_survives_many_abandoned_statements_on_one_thread() {
    check_many_abandoned_statements(Kind::Postgres).await;
}

#[tokio::test]
async fn the_pool_of_sqlite_survives_many_abandoned_statements_on_one_thread() {
    check_many_abandoned_statements(Kind::Sqlite).await;
}

// ---- Errors are told apart.

#[tokio::test]
async fn a_statement_beyond_its_time_limit_is_known() {
    let settings = PoolSettings { statement_timeout: Duration::from_millis(200), ..small_pools() };
    let database = TestDatabase::with_settings(Kind::Postgres, settings).await;
    let error = read(&database.database, "SELECT pg_sleep(30)").await.unwrap_err();
    assert!(matches!(error, DbError::StatementTimeout), "{error:?}");
    read(&database.database, "SELECT 1").await.expect("the connection is still good");
}

#[tokio::test]
async fn a_deadlock_is_contention_for_one_of_the_two() {
    let database = TestDatabase::postgres().await;
    let (a, b) = (PromptBuilder::new().insert(&database).await, PromptBuilder::new().insert(&database).await);
    let both_hold_a_row = Arc::new(Barrier::new(2));
    let change = |first, second| {
        let update = |id| {
            let id = Kind::Postgres.literal(id);
            recorder::of_a_test(&format!("UPDATE prompts SET title = 'Changed' WHERE id = {id}"))
        };
        let (first, second) = (update(first), update(second));
        let (pools, both_hold_a_row) = (database.database.clone(), Arc::clone(&both_hold_a_row));
        async move {
            pools
                .write(&StatementCount::default(), move |connection| {
                    Box::pin(write_transaction(connection, move |connection| {
                        Box::pin(async move {
                            connection.batch_execute(&first).await?;
                            both_hold_a_row.wait().await;
                            connection.batch_execute(&second).await
                        })
                    }))
                })
                .await
        }
    };
    let results = tokio::join!(change(a.id, b.id), change(b.id, a.id));
    match results {
        (Ok(()), Err(error)) | (Err(error), Ok(())) => {
            assert!(matches!(error, DbError::Contention(_)), "{error:?}");
        }
        other => panic!("one goes on and one gives way: {other:?}"),
    }
}

#[tokio::test]
async fn a_serialization_failure_is_contention() {
    let database = TestDatabase::postgres().await;
    PromptBuilder::new().insert(&database).await;
    let result = database
        .database
        .write(&StatementCount::default(), {
            let location = database.location.clone();
            move |connection| {
                Box::pin(async move {
                    connection.batch_execute("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1 FROM prompts").await?;
                    sql::execute(&location, "UPDATE prompts SET title = 'Changed by another'").await;
                    let update = recorder::of_a_test("UPDATE prompts SET title = 'Changed'");
                    let result = connection.batch_execute(&update).await;
                    connection.batch_execute("ROLLBACK").await?;
                    result
                })
            }
        })
        .await;
    assert!(matches!(result, Err(DbError::Contention(_))), "{result:?}");
}

#[tokio::test]
async fn a_busy_sqlite_file_is_contention() {
    let database = TestDatabase::sqlite().await;
    let mut other_process = sql::sqlite(&database.location);
    other_process.batch_execute("BEGIN IMMEDIATE").unwrap();
    // Not the five seconds that it may take otherwise.
    write(&database.database, "PRAGMA busy_timeout = 0").await.unwrap();

    let error = write(&database.database, "UPDATE prompts SET title = 'Changed'").await.unwrap_err();
    assert!(matches!(error, DbError::Contention(_)), "{error:?}");
    let in_transaction = database
        .database
        .write(&StatementCount::default(), |connection| {
            Box::pin(write_transaction(connection, |_| Box::pin(async { Ok(()) })))
        })
        .await;
    assert!(matches!(in_transaction, Err(DbError::Contention(_))), "{in_transaction:?}");
    read(&database.database, "SELECT id FROM prompts").await.expect("readers do not mind");

    other_process.batch_execute("ROLLBACK").unwrap();
    write(&database.database, "UPDATE prompts SET title = 'Changed'").await.unwrap();
}

/// A mistake in a statement is neither contention nor a lost connection.
#[tokio::test]
async fn other_errors_are_the_statements() {
    for kind in [Kind::Sqlite, Kind::Postgres] {
        let database = TestDatabase::new(kind).await;
        let error = read(&database.database, "SELECT nothing FROM nowhere").await.unwrap_err();
        assert!(matches!(error, DbError::Statement(_)), "{error:?}");
    }
}

#[tokio::test]
async fn readers_of_sqlite_cannot_write() {
    let database = TestDatabase::sqlite().await;
    let error = read(&database.database, "DELETE FROM prompts").await.unwrap_err();
    assert!(error.to_string().contains("readonly"), "{error}");
}

// ---- Databases that cannot be opened.

async fn cause_of_failure(location: DatabaseLocation) -> String {
    let start = Instant::now();
    let Err(error) = Database::open(&location, &small_pools()).await else { panic!("{location:?} can be opened") };
    assert!(start.elapsed() < Duration::from_secs(1), "the cause is told at once: {:?}", start.elapsed());
    match error {
        DbError::Unreachable(cause) => cause,
        other => panic!("{other:?}"),
    }
}

/// An address on the test server, changed.
fn changed_url(change: impl FnOnce(&mut Url)) -> DatabaseLocation {
    let mut url = Url::parse(&std::env::var("EVALGRAPH_TEST_POSTGRES_URL").expect("scripts/test sets it")).unwrap();
    change(&mut url);
    DatabaseLocation::Postgres(url.into())
}

#[tokio::test]
async fn a_port_without_a_server_is_reported() {
    let free_port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let cause = cause_of_failure(changed_url(|url| url.set_port(Some(free_port)).unwrap())).await;
    assert!(cause.contains("refused"), "{cause}");
}

#[tokio::test]
async fn an_unknown_database_is_reported() {
    let cause = cause_of_failure(changed_url(|url| url.set_path("nowhere"))).await;
    assert!(cause.contains("database \"nowhere\" does not exist"), "{cause}");
}

/// The server of scripts/test asks for a password before it tells whether this database exists.
#[tokio::test]
async fn a_wrong_password_is_reported_and_not_repeated() {
    let location = changed_url(|url| {
        url.set_path("evalgraph_needs_password");
        url.set_password(Some("hunter2")).unwrap();
    });
    let cause = cause_of_failure(location).await;
    assert!(cause.contains("password authentication failed for user \"postgres\""), "{cause}");
    assert!(!cause.contains("hunter2"), "{cause}");
}

#[tokio::test]
async fn a_missing_directory_is_reported() {
    let TestLocation { location: DatabaseLocation::Sqlite(path), .. } = TestLocation::empty(Kind::Sqlite).await else {
        unreachable!()
    };
    let cause = cause_of_failure(DatabaseLocation::Sqlite(path.with_file_name("nowhere").join("evalgraph.db"))).await;
    assert!(cause.contains("No such file or directory"), "{cause}");
}
