//! What the benchmarks of whole requests have in common.

#![allow(dead_code, reason = "each benchmark uses its own part of this")]

use std::hint::black_box;
use std::time::Duration;

use async_graphql::Request;
use evalgraph::db::pool::{DatabaseLocation, PoolSettings};
use evalgraph::db::{Database, migrate};
use evalgraph::domain::Principal;
use evalgraph::graphql::{Execution, RequestContext, RequestScope, Schema, TimeLimit, execute, response_json};

/// The database there, brought to the present schema, with so many connections to it.
pub async fn open_database(location: &DatabaseLocation, connections: u32) -> Database {
    migrate::migrate(location).await.unwrap();
    let pools = PoolSettings {
        base: connections,
        overflow: 0,
        wait: Duration::from_secs(10),
        lifetime: Duration::from_hours(1),
        // Some fill their tables first.
        statement_timeout: Duration::from_mins(10),
        lock_wait: Duration::from_mins(10),
    };
    Database::open(location, &pools).await.unwrap()
}

/// Answers a request, up to the text of the answer, and tells how many statements that took.
pub async fn answer(schema: &Schema, database: &Database, request: Request) -> (Execution, u64) {
    let context = RequestContext { principal: Principal::local(), request_id: "bench".into(), explain: false };
    let scope = RequestScope::new(database.clone(), context);
    let whole = Duration::from_secs(30);
    let limit = TimeLimit { deadline: tokio::time::Instant::now() + whole, whole };
    let execution = execute(schema, &scope, request, limit, |_| ()).await;
    black_box(response_json(&execution.response));
    (execution, scope.statements())
}
