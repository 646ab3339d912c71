//! A whole nested request, from its text to its answer, on both databases: 20 prompts × 3 evaluations × 5 results of
//! the demo data.
//!
//! `scripts/bench --bench nested` starts a private PostgreSQL. Without `EVALGRAPH_BENCH_POSTGRES_URL` only SQLite is
//! measured.

use std::hint::black_box;
use std::time::Duration;

use async_graphql::Request;
use criterion::{Criterion, criterion_group, criterion_main};
use evalgraph::db::pool::{DatabaseLocation, PoolSettings};
use evalgraph::db::{Database, migrate};
use evalgraph::demo;
use evalgraph::domain::{Principal, Timestamp};
use evalgraph::graphql::{RequestContext, RequestScope, Schema, ServiceLimits, TimeLimit, execute};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const QUERY: &str = "{ prompts(first: 20) { nodes { id title status version createdAt
    evaluations(first: 3) { nodes { id status provider model overallScore createdAt
        testResults(first: 5) { nodes { id testCaseName passed score latencyMs } } } } } } }";
const STATEMENTS: u64 = 3;

async fn demo_database(location: &DatabaseLocation) -> Database {
    migrate::migrate(location).await.unwrap();
    let pools = PoolSettings {
        base: 5,
        overflow: 0,
        wait: Duration::from_secs(10),
        lifetime: Duration::from_hours(1),
        statement_timeout: Duration::from_secs(60),
    };
    let database = Database::open(location, &pools).await.unwrap();
    demo::load_once(&database, Timestamp::now()).await.unwrap();
    database
}

async fn request(schema: &Schema, database: &Database) -> u64 {
    let context = RequestContext { principal: Principal::local(), request_id: "bench".into(), explain: false };
    let scope = RequestScope::new(database.clone(), context);
    let whole = Duration::from_secs(30);
    let limit = TimeLimit { deadline: tokio::time::Instant::now() + whole, whole };
    let answer = execute(schema, &scope, Request::new(QUERY), limit, |_| ()).await;
    assert!(answer.response.errors.is_empty(), "{:?}", answer.response.errors);
    black_box(serde_json::to_vec(&answer.response).unwrap());
    scope.statements()
}

fn nested(criterion: &mut Criterion) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let schema = Schema::new(ServiceLimits::DEFAULT);
    let directory = tempfile::tempdir().unwrap();
    let mut locations = vec![("sqlite", DatabaseLocation::Sqlite(directory.path().join("bench.db")))];
    if let Ok(url) = std::env::var("EVALGRAPH_BENCH_POSTGRES_URL") {
        locations.push(("postgres", DatabaseLocation::Postgres(url)));
    }
    let mut group = criterion.benchmark_group("nested request");
    for (name, location) in locations {
        let database = runtime.block_on(demo_database(&location));
        assert_eq!(runtime.block_on(request(&schema, &database)), STATEMENTS);
        group.bench_function(name, |bench| {
            bench.to_async(&runtime).iter(async || request(&schema, &database).await);
        });
    }
    group.finish();
}

criterion_group!(benches, nested);
criterion_main!(benches);
