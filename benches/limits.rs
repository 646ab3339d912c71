//! How long it takes to refuse requests that are made to hurt, from the text to the answer, and what the limits cost a
//! request of the benchmark that is within them. Fails when a refusal takes longer than `BOUND`.

use std::hint::black_box;
use std::time::{Duration, Instant};

use async_graphql::{Request, Variables};
use criterion::{Criterion, criterion_group, criterion_main};
use evalgraph::db::pool::{DatabaseLocation, PoolSettings};
use evalgraph::db::{Database, migrate};
use evalgraph::domain::Principal;
use evalgraph::graphql::{RequestContext, RequestScope, Schema, ServiceLimits, TimeLimit, execute};

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

async fn empty_database(location: &DatabaseLocation) -> Database {
    migrate::migrate(location).await.unwrap();
    let pools = PoolSettings {
        base: 1,
        overflow: 0,
        wait: Duration::from_secs(10),
        lifetime: Duration::from_hours(1),
        statement_timeout: Duration::from_secs(60),
    };
    Database::open(location, &pools).await.unwrap()
}

async fn refuse(schema: &Schema, database: &Database, request: Request) {
    let context = RequestContext { principal: Principal::local(), request_id: "bench".into(), explain: false };
    let scope = RequestScope::new(database.clone(), context);
    let whole = Duration::from_secs(30);
    let limit = TimeLimit { deadline: tokio::time::Instant::now() + whole, whole };
    let answer = execute(schema, &scope, request, limit, |_| ()).await;
    assert!(!answer.executed);
    black_box(serde_json::to_vec(&answer.response).unwrap());
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
    let database = runtime.block_on(empty_database(&location));

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
