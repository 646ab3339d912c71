//! Pages read from databases of growing size: what they cost depends on the rows returned, not on the rows stored.
//!
//! - the first 5 results of 1, 10, 100 and 1,000 evaluations, with 10⁴, 10⁵ and 10⁶ results stored;
//! - the first 50 prompts of a user, and those of a title order, with 10⁶ prompts stored.
//!
//! `scripts/bench --bench pages` starts a private PostgreSQL. Without `EVALGRAPH_BENCH_POSTGRES_URL` only SQLite is
//! measured. The tables are filled by the databases themselves, which takes some minutes.

mod common;

use common::bulk::Sizes;
use common::{filled, runtime};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use evalgraph::db::columns::ColumnSet;
use evalgraph::db::entity::Entity as _;
use evalgraph::db::page::{Order, Slice};
use evalgraph::db::prompts::{PromptFilter, Prompts};
use evalgraph::db::test_results::{TestResultFilter, TestResultParent, TestResults};
use evalgraph::db::{Database, StatementCount};
use evalgraph::domain::{Principal, PromptOrderField, TestResultOrderField};
use uuid::Uuid;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const PER_PARENT: i64 = 5;
const PROMPTS: i64 = 50;

/// The first results of each of these evaluations.
async fn results_of(database: &Database, parents: Vec<Uuid>) -> usize {
    let slice = Slice::first(PER_PARENT, Order::ascending(TestResultOrderField::CreatedAt));
    let count = StatementCount::default();
    let rows = database.read(&count, move |connection| {
        let (filter, parent) = (TestResultFilter::default(), TestResultParent::Evaluation);
        TestResults::page_per_parent(connection, &Principal::local(), parent, parents, &filter, slice, ColumnSet::NONE)
    });
    rows.await.unwrap().len()
}

async fn prompts_of_a_user(database: &Database, order: Order<PromptOrderField>) -> usize {
    let count = StatementCount::default();
    let rows = database.read(&count, move |connection| {
        let principal = Principal::user("user 7");
        Prompts::page(connection, &principal, &PromptFilter::default(), Slice::first(PROMPTS, order), ColumnSet::NONE)
    });
    rows.await.unwrap().len()
}

fn pages_per_parent(criterion: &mut Criterion) {
    let (runtime, directory) = (runtime(), tempfile::tempdir().unwrap());
    for stored in [10_000, 100_000, 1_000_000] {
        // 1,000 evaluations have results.
        let sizes = Sizes {
            users: 50,
            templates: 10,
            prompts: 300,
            runs: 100,
            evaluated: 300,
            evaluations: 20_000,
            tested: 1_000,
            results: stored,
        };
        for (name, database) in filled(&runtime, directory.path(), sizes) {
            let mut group = criterion.benchmark_group(format!("{name}, {stored} results stored, pages of 5"));
            for parents in [1_usize, 10, 100, 1_000] {
                // Spread over the table.
                let step = 1_000 / parents;
                let ids: Vec<_> = (0..parents).map(|parent| Uuid::from_u128((parent * step + 1) as u128)).collect();
                assert_eq!(runtime.block_on(results_of(&database, ids.clone())), parents * PER_PARENT as usize);
                group.throughput(Throughput::Elements(parents as u64 * PER_PARENT as u64));
                group.bench_with_input(BenchmarkId::from_parameter(parents), &ids, |bench, ids| {
                    bench.to_async(&runtime).iter(async || results_of(&database, ids.clone()).await);
                });
            }
            group.finish();
        }
    }
}

fn prompts(criterion: &mut Criterion) {
    let (runtime, directory) = (runtime(), tempfile::tempdir().unwrap());
    let sizes = Sizes {
        users: 50,
        templates: 10,
        prompts: 1_000_000,
        runs: 10,
        evaluated: 10,
        evaluations: 10,
        tested: 1,
        results: 10,
    };
    for (name, database) in filled(&runtime, directory.path(), sizes) {
        let mut group =
            criterion.benchmark_group(format!("{name}, {} prompts of {} users stored", sizes.prompts, sizes.users));
        for (what, order) in [
            ("the newest 50 of a user", Order::descending(PromptOrderField::CreatedAt)),
            ("the first 50 of a user by title", Order::ascending(PromptOrderField::Title)),
        ] {
            assert_eq!(runtime.block_on(prompts_of_a_user(&database, order)), PROMPTS as usize);
            group.bench_function(what, |bench| {
                bench.to_async(&runtime).iter(async || prompts_of_a_user(&database, order).await);
            });
        }
        group.finish();
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(20);
    targets = pages_per_parent, prompts
}
criterion_main!(benches);
