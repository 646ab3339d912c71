//! What the benchmarks of whole requests have in common.

#![allow(dead_code, reason = "each benchmark uses its own part of this")]

#[path = "../../tests/common/bulk.rs"]
pub mod bulk;

use std::hint::black_box;
use std::time::Duration;

use async_graphql::Request;
use bulk::Sizes;
use evalgraph::db::pool::{DatabaseLocation, PoolSettings};
use evalgraph::db::{Database, StatementCount, migrate};
use evalgraph::domain::{Client, Principal};
use evalgraph::graphql::{Execution, Free, RequestContext, RequestScope, Schema, TimeLimit, execute, response_json};
use tokio::runtime::Runtime;
use uuid::Uuid;

/// The database there, brought to the present schema, with so many connections to it.
pub async fn open_database(location: &DatabaseLocation, connections: u32) -> Database {
    open_database_as(location, connections, false).await
}

/// The same, where changes may be carried out by a cache.
pub async fn open_database_as(location: &DatabaseLocation, connections: u32, carries_out: bool) -> Database {
    migrate::migrate(location).await.unwrap();
    let pools = PoolSettings {
        base: connections,
        overflow: 0,
        wait: Duration::from_secs(10),
        lifetime: Duration::from_hours(1),
        // Some fill their tables first.
        statement_timeout: Duration::from_mins(10),
        lock_wait: Duration::from_mins(10),
        carries_out,
        syncs_commits: false,
    };
    Database::open(location, &pools).await.unwrap()
}

/// Answers a request, up to the text of the answer, and tells how many statements that took.
pub async fn answer(schema: &Schema, database: &Database, request: Request) -> (Execution, u64) {
    let context = RequestContext {
        principal: Principal::local(),
        api_tokens: None,
        request_id: "bench".into(),
        client: Client::default(),
        explain: false,
        may_write: true,
    };
    let scope = RequestScope::new(database.clone(), None, context);
    let whole = Duration::from_secs(30);
    let limit = TimeLimit { deadline: tokio::time::Instant::now() + whole, whole };
    let execution = execute(schema, &scope, request, limit, &Free, |_| ()).await;
    black_box(response_json(&execution.response));
    (execution, scope.statements())
}

/// What requests run on.
pub fn runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

/// A database of each kind with so many rows, and its name: SQLite, and PostgreSQL where `scripts/bench` started one.
pub fn filled(runtime: &Runtime, directory: &std::path::Path, sizes: Sizes) -> Vec<(&'static str, Database)> {
    let mut locations = vec![("sqlite", DatabaseLocation::Sqlite(directory.join(format!("{}.db", Uuid::now_v7()))))];
    if let Ok(url) = std::env::var("EVALGRAPH_BENCH_POSTGRES_URL") {
        locations.push(("postgres", DatabaseLocation::Postgres(url)));
    }
    let open = async |(name, location): (&'static str, DatabaseLocation)| {
        let database = open_database(&location, 2).await;
        let is_postgres = name == "postgres";
        if is_postgres {
            run_statement(&database, "TRUNCATE prompt_templates, prompts, runs, evaluations, test_results CASCADE")
                .await;
        }
        for statement in bulk::statements(is_postgres, sizes) {
            run_statement(&database, &statement).await;
        }
        (name, database)
    };
    locations.into_iter().map(|location| runtime.block_on(open(location))).collect()
}

async fn run_statement(database: &Database, sql: &str) {
    let statement = format!("{sql};");
    let count = StatementCount::default();
    let work =
        database.write(&count, move |connection| Box::pin(async move { connection.batch_execute(&statement).await }));
    work.await.unwrap_or_else(|error| panic!("{error}: {sql}"));
}
