//! A whole nested request, from its text to its answer, on both databases: 20 prompts × 3 evaluations × 5 results of
//! the demo data.
//!
//! `scripts/bench --bench nested` starts a private PostgreSQL. Without `EVALGRAPH_BENCH_POSTGRES_URL` only SQLite is
//! measured.

mod common;

use async_graphql::Request;
use criterion::{Criterion, criterion_group, criterion_main};
use evalgraph::db::Database;
use evalgraph::db::pool::DatabaseLocation;
use evalgraph::demo;
use evalgraph::domain::Timestamp;
use evalgraph::graphql::{Schema, ServiceLimits};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const QUERY: &str = "{ prompts(first: 20) { nodes { id title status version createdAt
    evaluations(first: 3) { nodes { id status provider model overallScore createdAt
        testResults(first: 5) { nodes { id testCaseName passed score latencyMs } } } } } } }";
const STATEMENTS: u64 = 3;

async fn demo_database(location: &DatabaseLocation) -> Database {
    let database = common::open_database(location, 5).await;
    demo::load_once(&database, Timestamp::now()).await.unwrap();
    database
}

async fn answer(schema: &Schema, database: &Database) -> u64 {
    let (answer, statements) = common::answer(schema, database, Request::new(QUERY)).await;
    assert!(answer.response.errors.is_empty(), "{:?}", answer.response.errors);
    statements
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
        assert_eq!(runtime.block_on(answer(&schema, &database)), STATEMENTS);
        group.bench_function(name, |bench| {
            bench.to_async(&runtime).iter(async || answer(&schema, &database).await);
        });
    }
    group.finish();
}

criterion_group!(benches, nested);
criterion_main!(benches);
