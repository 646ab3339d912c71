//! What a batch costs in each tier: 1, 10, 100 and 1,000 prompts by their ids, from PostgreSQL, from Redis and from the process.
//! `scripts/bench --bench cache`

mod common;
#[allow(dead_code, reason = "tests use the rest of it")]
#[path = "../tests/common/sql.rs"]
mod sql;

use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use common::{open_database_as, runtime};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use evalgraph::cache::redis::RedisSettings;
use evalgraph::cache::{Cache, CacheSettings, Follower, Lifetimes};
use evalgraph::db::columns::ColumnSet;
use evalgraph::db::pool::DatabaseLocation;
use evalgraph::db::{Database, StatementCount, migrate};
use evalgraph::domain::Principal;
use evalgraph::loaders::{Dispatcher, Loaders, RowKey, Store};
use futures_util::future::join_all;
use uuid::Uuid;

const BATCHES: [usize; 4] = [1, 10, 100, 1000];

/// A way to answer, with what keeps it going.
struct Tier {
    name: &'static str,
    database: Database,
    cache: Option<Arc<Cache>>,
    _follower: Option<Follower>,
}

impl Tier {
    async fn open(name: &'static str, location: &DatabaseLocation, settings: Option<CacheSettings>) -> Self {
        let database = open_database_as(location, 2, settings.is_some()).await;
        let Some(settings) = settings else { return Self { name, database, cache: None, _follower: None } };
        let cache = Cache::new(&settings).unwrap();
        let (follower, database) = Follower::start(&cache, database);
        Self { name, database, cache: Some(cache), _follower: Some(follower) }
    }

    /// What a request does that needs these prompts.
    async fn ask(&self, ids: &[Uuid]) {
        let dispatcher = Arc::new(Dispatcher::default());
        let store = Arc::new(Store {
            database: self.database.clone(),
            principal: Principal::local(),
            statements: StatementCount::default(),
            cache: self.cache.clone(),
        });
        let loaders = Loaders::new(&store, &dispatcher);
        let loads = ids.iter().map(|&id| loaders.prompt_by_id.load(RowKey { id, columns: ColumnSet::ALL }));
        let found = Arc::clone(&dispatcher).drive(join_all(loads)).await;
        assert!(found.iter().all(|answer| matches!(answer, Ok(Some(_)))));
        black_box(found);
    }
}

fn batches(criterion: &mut Criterion) {
    let url = std::env::var("EVALGRAPH_BENCH_POSTGRES_URL").expect("scripts/bench starts a PostgreSQL");
    let redis = std::env::var("EVALGRAPH_BENCH_REDIS_URL").expect("scripts/bench starts a Redis");
    let location = DatabaseLocation::Postgres(url);
    let runtime = runtime();
    let settings = |process_bytes, redis: Option<&String>| CacheSettings {
        process_bytes,
        lifetimes: Lifetimes::DEFAULT,
        max_entry_bytes: 1 << 18,
        redis: redis.map(|url| RedisSettings {
            url: url.clone(),
            command_timeout: Duration::from_millis(500),
            prefix: "bench".to_owned(),
            max_value: 1 << 18,
        }),
    };
    let (ids, tiers) = runtime.block_on(async {
        let ids = fill(&location).await;
        let tiers = [
            Tier::open("postgresql", &location, None).await,
            Tier::open("redis", &location, Some(settings(0, Some(&redis)))).await,
            Tier::open("process", &location, Some(settings(64 << 20, None))).await,
        ];
        // Until the shared tier is in force, and everything in it.
        for _ in 0..3 {
            tokio::time::sleep(Duration::from_secs(2)).await;
            for tier in &tiers {
                tier.ask(&ids).await;
            }
        }
        (ids, tiers)
    });
    let mut group = criterion.benchmark_group("prompts_by_id");
    for batch in BATCHES {
        group.throughput(Throughput::Elements(batch as u64));
        for tier in &tiers {
            group.bench_function(BenchmarkId::new(tier.name, batch), |bencher| {
                bencher.to_async(&runtime).iter(|| tier.ask(&ids[..batch]));
            });
        }
    }
}

async fn fill(location: &DatabaseLocation) -> Vec<Uuid> {
    migrate::migrate(location).await.unwrap();
    sql::execute(
        location,
        "TRUNCATE prompt_templates, prompts, runs, evaluations, test_results CASCADE;
         INSERT INTO prompts (id, user_id, title, content, content_hash, root_id, status)
         SELECT id, 'local', 'title', repeat('content ', 60), md5(id::text), id, 'active'
         FROM (SELECT gen_random_uuid() AS id FROM generate_series(1, 1000)) AS ids;
         TRUNCATE cache_outbox; ANALYZE",
    )
    .await;
    let ids = sql::texts(location, "SELECT id::text AS value FROM prompts").await;
    ids.iter().map(|id| id.parse().unwrap()).collect()
}

criterion_group!(benches, batches);
criterion_main!(benches);
