//! What all integration tests share: fresh databases and rows to fill them with.
//!
//! Every test has a database of its own, so tests run side by side in any number. PostgreSQL is the server at
//! `EVALGRAPH_TEST_POSTGRES_URL`, which `scripts/test` starts.

#![allow(dead_code, unused_imports, unused_macros, reason = "each test program uses its own part of this")]

mod builders;
pub mod bulk;
pub mod hostile;
mod location;
pub mod log;
pub mod plans;
pub mod process;
mod proxy;
pub mod recorder;
pub mod redis_server;
mod server;
pub mod sql;
pub mod written_table;

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use diesel::result::QueryResult;
use evalgraph::db::pool::{DatabaseLocation, PoolSettings};
use evalgraph::db::{Database, DbConnection, DbError, StatementCount};
use futures_util::future::BoxFuture;
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use uuid::Uuid;

pub use builders::{ApiTokenBuilder, EvaluationBuilder, PromptBuilder, ResultBuilder, RunBuilder, TemplateBuilder};
pub use location::TestLocation;
pub use proxy::Proxy;
pub use redis_server::RedisServer;
pub use server::{Reply, TestServer};

/// The two databases that evalgraph runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Sqlite,
    Postgres,
}

impl Kind {
    /// An id as it is written in a statement.
    pub fn literal(self, id: impl Into<Uuid>) -> String {
        let id = id.into();
        match self {
            Self::Sqlite => format!("x'{}'", id.simple()),
            Self::Postgres => format!("'{id}'"),
        }
    }
}

/// A migrated database for one test, with small pools. It is removed in the end.
pub struct TestDatabase {
    pub kind: Kind,
    pub location: DatabaseLocation,
    pub database: Database,
    // After the pools, so that they are closed first.
    _location: TestLocation,
}

impl TestDatabase {
    pub async fn sqlite() -> Self {
        Self::new(Kind::Sqlite).await
    }

    pub async fn postgres() -> Self {
        Self::new(Kind::Postgres).await
    }

    pub async fn new(kind: Kind) -> Self {
        Self::with_settings(kind, small_pools()).await
    }

    pub async fn with_settings(kind: Kind, settings: PoolSettings) -> Self {
        if std::env::var_os(recorder::DIRECTORY).is_some() {
            log::capture_log();
        }
        let location = TestLocation::migrated(kind).await;
        let database = Database::open(&location.location, &settings).await.expect("the new database can be opened");
        Self { kind, location: location.location.clone(), database, _location: location }
    }

    /// Does something on a connection for writing, which must succeed.
    pub async fn write<T, W>(&self, work: W) -> T
    where
        T: Send + 'static,
        W: for<'c> FnOnce(&'c mut DbConnection) -> BoxFuture<'c, QueryResult<T>> + Send + 'static,
    {
        self.database.write(&StatementCount::default(), work).await.unwrap_or_else(|error| panic!("{error}"))
    }

    /// Runs statements of a test's own on a connection for writing.
    pub async fn execute(&self, sql: &str) {
        let statement = recorder::of_a_test(sql);
        self.write(|connection| Box::pin(async move { connection.batch_execute(&statement).await })).await;
    }

    /// Fails when totals are kept that are not what they should be.
    pub async fn check_totals(&self) {
        let mut wrong = Vec::new();
        evalgraph::db::totals::verify(&self.database, |difference| wrong.push(difference.to_string())).await.unwrap();
        assert!(wrong.is_empty(), "{wrong:#?}");
    }

    /// How many rows a table has, as another client sees it.
    pub async fn count(&self, table: &str) -> i64 {
        sql::numbers(&self.location, &format!("SELECT count(*) AS value FROM {table}")).await[0]
    }
}

/// Four connections, and a little patience.
pub fn small_pools() -> PoolSettings {
    PoolSettings {
        base: 4,
        overflow: 0,
        wait: Duration::from_secs(5),
        lifetime: Duration::from_hours(1),
        statement_timeout: Duration::from_secs(10),
        lock_wait: Duration::from_secs(5),
        carries_out: false,
        syncs_commits: false,
    }
}

/// The id of a row as clients see it.
pub fn global_id(object_type: &str, id: impl Into<Uuid>) -> String {
    STANDARD.encode(format!("{object_type}:{}", id.into()))
}

/// The same draws in every run.
pub fn fixed_draws() -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(0)
}

/// Other draws in every run, whose statements are not recorded. What is drawn depends on the seed alone:
/// `EVALGRAPH_TEST_SEED` repeats a failure.
pub fn seeded() -> ChaCha8Rng {
    recorder::stop();
    let given = std::env::var("EVALGRAPH_TEST_SEED").ok().map(|seed| seed.parse().expect("a number"));
    let seed = given.unwrap_or_else(|| rand::rng().next_u64());
    println!("EVALGRAPH_TEST_SEED={seed}");
    ChaCha8Rng::seed_from_u64(seed)
}

/// Waits until a condition holds, and fails when it does not within the time.
pub async fn eventually<F: Future<Output = bool>>(limit: Duration, what: &str, mut condition: impl FnMut() -> F) {
    let start = std::time::Instant::now();
    while !condition().await {
        assert!(start.elapsed() < limit, "not within {limit:?}: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Takes a connection for reading and keeps it until the sender is used or dropped.
pub async fn hold_connection(database: &Database) -> (oneshot::Sender<()>, JoinHandle<Result<(), DbError>>) {
    let (started, has_started) = oneshot::channel::<()>();
    let (leave, may_leave) = oneshot::channel::<()>();
    let database = database.clone();
    let task = tokio::spawn(async move {
        database
            .read(&StatementCount::default(), move |_| {
                Box::pin(async move {
                    let _ = started.send(());
                    let _ = may_leave.await;
                    Ok(())
                })
            })
            .await
    });
    has_started.await.expect("a connection is free");
    (leave, task)
}

/// Makes two tests of each function, `name::sqlite` and `name::postgres`, each with a fresh database.
///
/// ```ignore
/// on_both_databases! {
///     async fn a_prompt_is_found(database: TestDatabase) { … }
/// }
/// ```
macro_rules! on_both_databases {
    ($($(#[$attribute:meta])* async fn $name:ident($database:ident: TestDatabase) $body:block)+) => {$(
        mod $name {
            #[allow(unused_imports, reason = "the function may need nothing")]
            use super::*;

            async fn check($database: $crate::common::TestDatabase) $body

            $(#[$attribute])*
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite() {
                check($crate::common::TestDatabase::sqlite().await).await;
            }

            $(#[$attribute])*
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                check($crate::common::TestDatabase::postgres().await).await;
            }
        }
    )+};
}

pub(crate) use on_both_databases;
