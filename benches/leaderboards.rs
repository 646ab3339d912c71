//! Whole requests for figures about everything, with 10⁶ evaluations stored.
//!
//! `scripts/bench --bench leaderboards` starts a private PostgreSQL. Without `EVALGRAPH_BENCH_POSTGRES_URL` only SQLite is
//! measured. The tables are filled by the databases themselves, which takes some minutes.

mod common;

use async_graphql::Request;
use common::bulk::Sizes;
use common::{filled, runtime};
use criterion::{Criterion, criterion_group, criterion_main};
use evalgraph::db::Database;
use evalgraph::graphql::{Schema, ServiceLimits};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const SIZES: Sizes = Sizes {
    users: 50,
    templates: 10,
    prompts: 100_000,
    runs: 1_000,
    evaluated: 100_000,
    evaluations: 1_000_000,
    tested: 10,
    results: 100,
};

const REQUESTS: [(&str, &str); 4] = [
    ("the best 20 prompts", "{ promptLeaderboard { averageScore evaluationCount prompt { id title } } }"),
    (
        "the best 20 models",
        "{ modelLeaderboard { provider model evaluationCount averageScore passRate totalCostUsd averageLatencyMs } }",
    ),
    (
        "the statistics",
        "{ statistics { promptCount activePromptCount runCount evaluationCount averageScore passRate } }",
    ),
    (
        "the figures of 50 prompts",
        "{ prompts(first: 50) { nodes { averageScore passRate evaluationCount latestEvaluation { overallScore } } } }",
    ),
];

async fn answer(schema: &Schema, database: &Database, query: &str) {
    let (answer, _) = common::answer(schema, database, Request::new(query)).await;
    assert!(answer.response.errors.is_empty(), "{:?}", answer.response.errors);
}

fn leaderboards(criterion: &mut Criterion) {
    let (runtime, directory) = (runtime(), tempfile::tempdir().unwrap());
    let schema = Schema::new(ServiceLimits::DEFAULT);
    for (name, database) in filled(&runtime, directory.path(), SIZES) {
        let mut group = criterion.benchmark_group(format!("{name}, {} evaluations stored", SIZES.evaluations));
        for (what, query) in REQUESTS {
            group.bench_function(what, |bench| {
                bench.to_async(&runtime).iter(async || answer(&schema, &database, query).await);
            });
        }
        group.finish();
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(20);
    targets = leaderboards
}
criterion_main!(benches);
