//! How long it takes to refuse requests that are made to hurt, from the text to the answer, and what the limits cost a
//! request of the benchmark that is within them. Fails when a refusal takes longer than `BOUND`.

mod common;

use std::hint::black_box;
use std::time::{Duration, Instant};

use async_graphql::{Request, Variables};
use criterion::{Criterion, criterion_group, criterion_main};
use evalgraph::db::Database;
use evalgraph::db::pool::DatabaseLocation;
use evalgraph::graphql::{Schema, ServiceLimits};

#[path = "../tests/common/hostile.rs"]
mod hostile;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// What a refusal may take.
const BOUND: Duration = Duration::from_millis(50);

const USUAL: &str = "query Q4($userId: String!) { prompts(filter: { userId: $userId }, first: 50) { nodes {
    id title status version createdAt
    evaluations(first: 5, orderBy: { field: CREATED_AT, direction: DESC }) { nodes {
        id status provider model overallScore createdAt
        testResults(first: 10, orderBy: { field: CREATED_AT, direction: DESC }) { nodes {
            id testCaseName passed score latencyMs } } } } } } }";

async fn refuse(schema: &Schema, database: &Database, request: Request) {
    let (answer, _) = common::answer(schema, database, request).await;
    assert!(!answer.is_executed());
}

/// The shortest of some, because other work on the machine only adds to it.
async fn shortest(schema: &Schema, database: &Database, request: impl Fn() -> Request) -> Duration {
    let mut shortest = Duration::MAX;
    for _ in 0..5 {
        let start = Instant::now();
        refuse(schema, database, request()).await;
        shortest = shortest.min(start.elapsed());
    }
    shortest
}

fn limits(criterion: &mut Criterion) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let schema = Schema::new(ServiceLimits::DEFAULT);
    let directory = tempfile::tempdir().unwrap();
    let location = DatabaseLocation::Sqlite(directory.path().join("bench.db"));
    let database = runtime.block_on(common::open_database(&location, 1));

    let mut group = criterion.benchmark_group("hostile request");
    group.sample_size(10).warm_up_time(Duration::from_millis(200)).measurement_time(Duration::from_millis(500));
    for hostile in hostile::requests() {
        let request = || Request::new(&hostile.query).variables(Variables::from_json(hostile.variables.clone()));
        let shortest = runtime.block_on(shortest(&schema, &database, request));
        assert!(shortest < BOUND, "{}: {shortest:?}", hostile.name);
        group.bench_function(hostile.name, |bench| {
            bench.to_async(&runtime).iter(async || refuse(&schema, &database, request()).await);
        });
    }
    group.finish();

    let request = Request::new(USUAL);
    let variables = Variables::from_json(serde_json::json!({ "userId": "u" }));
    let request = request.variables(variables);
    let mut group = criterion.benchmark_group("usual request");
    group.bench_function("parsing alone", |bench| {
        bench.iter(|| black_box(async_graphql::parser::parse_query(black_box(USUAL)).unwrap()));
    });
    group.bench_function("parsing within the limits", |bench| {
        bench.iter(|| black_box(schema.prepare(black_box(&request)).unwrap()));
    });
    group.finish();
}

criterion_group!(benches, limits);
criterion_main!(benches);
