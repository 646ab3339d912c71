//! Full-text search among 100,000 prompts of 150 words each, and what its index costs when prompts are stored, on both
//! databases.
//!
//! `scripts/bench --bench search` starts a private PostgreSQL. Without `EVALGRAPH_BENCH_POSTGRES_URL` only SQLite is
//! measured.

#![allow(clippy::duplicate_mod, reason = "the benchmarks and the tests have their makers of rows in common")]

mod common;
#[path = "../tests/common/mod.rs"]
mod test_support;

use std::time::{Duration, Instant};

use criterion::{BenchmarkGroup, Criterion, criterion_group, criterion_main, measurement::WallTime};
use evalgraph::db::columns::ColumnSet;
use evalgraph::db::entity::Entity as _;
use evalgraph::db::migrate::{migrate, revert};
use evalgraph::db::page::{Order, Slice};
use evalgraph::db::pool::DatabaseLocation;
use evalgraph::db::prompts::{NewPrompt, PromptFilter, Prompts};
use evalgraph::db::transaction::write_transaction;
use evalgraph::db::{Database, StatementCount, insert};
use evalgraph::domain::{Principal, PromptFormat, PromptOrderField, SearchTerms, content_hash};
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use test_support::PromptBuilder;
use tokio::runtime::Runtime;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The migration that makes the index.
const MIGRATION: &str = "20261123000300";
const BEFORE_THE_INDEX: usize = 90_000;
const WITH_THE_INDEX: usize = 10_000;
const PER_TRANSACTION: usize = 1_000;
const VOCABULARY: f64 = 20_000.0;

/// What is searched for, and why.
const SEARCHES: [(&str, &str); 6] = [
    ("rare word", "zebra"),
    ("word of every 40th", "w500"),
    ("word of every second", "refund"),
    ("word of all", "common"),
    ("beginning of 111 words", "w12*"),
    ("phrase", "\"zebra crossing\""),
];

/// The n-th most frequent word is about 1/n as frequent as the first.
fn word(random: &mut ChaCha8Rng) -> String {
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "it is below the size of the vocabulary"
    )]
    let number = VOCABULARY.powf(random.random_range(0.0..1.0)) as u32;
    format!("w{number}")
}

fn prompt(number: usize, random: &mut ChaCha8Rng) -> NewPrompt {
    let mut words: Vec<_> = (0..146).map(|_| word(random)).collect();
    words.push(String::from("common"));
    words.push(String::from(if number.is_multiple_of(2) { "refund" } else { "order" }));
    words.extend(if number.is_multiple_of(20_000) { ["zebra", "crossing"] } else { ["the", "end"] }.map(String::from));
    PromptBuilder::new()
        .title(&words[..5].join(" "))
        .with(|row| {
            row.content = words.join(" ");
            row.content_hash = content_hash(PromptFormat::Text, &row.content, None);
        })
        .build()
}

/// Stores prompts, and tells how long one takes.
async fn store(database: &Database, numbers: std::ops::Range<usize>, random: &mut ChaCha8Rng) -> Duration {
    let (mut taken, count) = (Duration::ZERO, numbers.len());
    let numbers: Vec<_> = numbers.collect();
    for chunk in numbers.chunks(PER_TRANSACTION) {
        let prompts: Vec<_> = chunk.iter().map(|&number| prompt(number, random)).collect();
        let begun = Instant::now();
        let statements = StatementCount::default();
        let stored = database.write(&statements, |connection| {
            Box::pin(write_transaction(connection, |connection| Box::pin(insert::prompts(connection, prompts))))
        });
        stored.await.unwrap();
        taken += begun.elapsed();
    }
    taken / u32::try_from(count).unwrap()
}

async fn execute(database: &Database, sql: &'static str) {
    let statements = StatementCount::default();
    let executed =
        database.write(&statements, move |connection| Box::pin(async move { connection.batch_execute(sql).await }));
    executed.await.unwrap();
}

/// A database with prompts, of which most are older than the index.
async fn fill(name: &str, location: &DatabaseLocation) -> Database {
    let database = common::open_database(location, 5).await;
    while !revert(location, 1).await.unwrap().iter().any(|version| version == MIGRATION) {}
    let mut random = ChaCha8Rng::seed_from_u64(1);
    let without = store(&database, 0..BEFORE_THE_INDEX, &mut random).await;
    let begun = Instant::now();
    migrate(location).await.unwrap();
    let migration = begun.elapsed();
    let with = store(&database, BEFORE_THE_INDEX..BEFORE_THE_INDEX + WITH_THE_INDEX, &mut random).await;
    let analyze = match location {
        DatabaseLocation::Sqlite(_) => "ANALYZE",
        DatabaseLocation::Postgres(_) => "VACUUM ANALYZE prompts",
    };
    execute(&database, analyze).await;
    println!("{name}: a prompt is stored in {without:?}, with the index in {with:?}; the migration took {migration:?}");
    database
}

async fn page(database: &Database, filter: &PromptFilter) -> usize {
    let slice = Slice::first(21, Order::descending(PromptOrderField::CreatedAt));
    let statements = StatementCount::default();
    let filter = filter.clone();
    let page = database.read(&statements, move |connection| {
        Prompts::page(connection, &Principal::user(Principal::LOCAL_USER), &filter, slice, ColumnSet::NONE)
    });
    page.await.unwrap().len()
}

async fn count(database: &Database, filter: &PromptFilter) -> i64 {
    let statements = StatementCount::default();
    let filter = filter.clone();
    let count = database.read(&statements, move |connection| {
        Prompts::count(connection, &Principal::user(Principal::LOCAL_USER), &filter)
    });
    count.await.unwrap()
}

fn measure(group: &mut BenchmarkGroup<'_, WallTime>, runtime: &Runtime, name: &str, database: &Database) {
    for (what, text) in SEARCHES {
        let filter = PromptFilter { search: SearchTerms::read(text).unwrap(), ..PromptFilter::default() };
        println!("{name}: {what}: {} prompts", runtime.block_on(count(database, &filter)));
        group.bench_function(format!("{name}: page: {what}"), |bench| {
            bench.to_async(runtime).iter(async || page(database, &filter).await);
        });
        group.bench_function(format!("{name}: count: {what}"), |bench| {
            bench.to_async(runtime).iter(async || count(database, &filter).await);
        });
    }
}

fn search(criterion: &mut Criterion) {
    let runtime = Runtime::new().unwrap();
    let directory = tempfile::tempdir().unwrap();
    let mut locations = vec![("sqlite", DatabaseLocation::Sqlite(directory.path().join("bench.db")))];
    if let Ok(url) = std::env::var("EVALGRAPH_BENCH_POSTGRES_URL") {
        locations.push(("postgres", DatabaseLocation::Postgres(url)));
    }
    let mut group = criterion.benchmark_group("search");
    group.sample_size(10).measurement_time(Duration::from_secs(2)).warm_up_time(Duration::from_millis(500));
    for (name, location) in locations {
        let database = runtime.block_on(fill(name, &location));
        measure(&mut group, &runtime, name, &database);
    }
    group.finish();
}

criterion_group!(benches, search);
criterion_main!(benches);
