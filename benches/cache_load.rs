//! What the cache is worth under load: the same requests without one, with one in the process, in Redis, and in both.
//!
//! 64 clients for 60 seconds each. A request reads one of 10,000 prompts, drawn by Zipf's law (exponent 1), with three of its
//! evaluations and five results of each; 5 of 100 requests change the title of a prompt drawn by the same law instead. Needs
//! `scripts/bench --bench cache_load`; with `CACHE_LOAD_SECONDS` it takes another time.

mod common;
#[allow(dead_code, reason = "tests use the rest of it")]
#[path = "../tests/common/sql.rs"]
mod sql;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use async_graphql::Request;
use common::{open_database_as, runtime};
use evalgraph::cache::redis::RedisSettings;
use evalgraph::cache::{Cache, CacheSettings, Follower, Lifetimes};
use evalgraph::db::pool::DatabaseLocation;
use evalgraph::db::{Database, migrate};
use evalgraph::domain::{Client, Principal, PromptFormat, content_hash};
use evalgraph::graphql::{
    Free, RequestContext, RequestScope, Schema, ServiceLimits, TimeLimit, execute, response_json,
};
use rand::RngExt as _;
use tokio::task::JoinSet;

const CLIENTS: usize = 64;
const PROMPTS: usize = 10_000;
const EVALUATIONS: usize = 3;
const RESULTS: usize = 5;
const WRITES_PER_100: u32 = 5;

const READ: &str = "query ($id: ID!) { prompt(id: $id) { title evaluations(first: 3) { nodes { model \
    testResults(first: 5) { nodes { testCaseName score outcome } } } } } }";
const WRITE: &str =
    "mutation ($id: ID!, $title: String!) { updatePrompt(input: { id: $id, title: $title }) { prompt { title } } }";

/// What one way of caching came to.
struct Figures {
    name: &'static str,
    reads: u64,
    writes: u64,
    elapsed: Duration,
    latencies: Vec<Duration>,
    statements: u64,
    rows: i64,
    /// Of the keys that were looked for, so many of 100 were found.
    hits: f64,
}

struct Load {
    schema: Schema,
    database: Database,
    cache: Option<Arc<Cache>>,
    prompts: Vec<String>,
    /// The share of requests that goes to a prompt or one before it.
    shares: Vec<f64>,
    statements: AtomicU64,
    stopped: AtomicBool,
}

impl Load {
    fn draw(&self) -> &str {
        let drawn: f64 = rand::rng().random_range(0.0..1.0);
        let place = self.shares.partition_point(|&share| share < drawn);
        &self.prompts[place.min(PROMPTS - 1)]
    }

    async fn ask(&self, document: &str, variables: serde_json::Value) {
        let context = RequestContext {
            principal: Principal::local(),
            api_tokens: None,
            request_id: "bench".into(),
            client: Client::default(),
            explain: false,
            may_write: true,
        };
        let scope = RequestScope::new(self.database.clone(), self.cache.clone(), context);
        let whole = Duration::from_secs(30);
        let limit = TimeLimit { deadline: tokio::time::Instant::now() + whole, whole };
        let request = Request::new(document).variables(async_graphql::Variables::from_json(variables));
        let execution = execute(&self.schema, &scope, request, limit, &Free, |_| ()).await;
        assert!(execution.response.errors.is_empty(), "{:?}", execution.response.errors);
        std::hint::black_box(response_json(&execution.response));
        self.statements.fetch_add(scope.statements(), Ordering::Relaxed);
    }

    /// One client, until it is stopped: how often it read and wrote, and how long each took.
    async fn client(&self) -> (u64, u64, Vec<Duration>) {
        let (mut reads, mut writes, mut latencies) = (0, 0, Vec::new());
        while !self.stopped.load(Ordering::Relaxed) {
            let id = self.draw();
            let begun = Instant::now();
            if rand::rng().random_range(0..100) < WRITES_PER_100 {
                let title = format!("title {}", rand::rng().random_range(0..1000));
                self.ask(WRITE, serde_json::json!({ "id": id, "title": title })).await;
                writes += 1;
            } else {
                self.ask(READ, serde_json::json!({ "id": id })).await;
                reads += 1;
            }
            latencies.push(begun.elapsed());
        }
        (reads, writes, latencies)
    }
}

fn main() {
    let url = std::env::var("EVALGRAPH_BENCH_POSTGRES_URL").expect("scripts/bench starts a PostgreSQL");
    let redis = std::env::var("EVALGRAPH_BENCH_REDIS_URL").expect("scripts/bench starts a Redis");
    let seconds = std::env::var("CACHE_LOAD_SECONDS").ok().and_then(|text| text.parse().ok()).unwrap_or(60);
    let runtime = runtime();
    runtime.block_on(async {
        let location = DatabaseLocation::Postgres(url);
        migrate::migrate(&location).await.unwrap();
        let prompts = fill(&location).await;
        println!("| cache | requests/s | p50 ms | p95 ms | hits per key | statements/request | rows read/request |");
        println!("|---|---:|---:|---:|---:|---:|---:|");
        for (name, process, shared) in
            [("none", false, false), ("process", true, false), ("Redis", false, true), ("both", true, true)]
        {
            let settings = CacheSettings {
                process_bytes: if process { 64 << 20 } else { 0 },
                lifetimes: Lifetimes::DEFAULT,
                max_entry_bytes: 1 << 18,
                redis: shared.then(|| RedisSettings {
                    url: redis.clone(),
                    command_timeout: Duration::from_millis(500),
                    prefix: format!("load-{name}"),
                    max_value: 1 << 18,
                }),
            };
            let figures = run(name, &location, (process || shared).then_some(&settings), &prompts, seconds).await;
            print(figures);
        }
    });
}

async fn run(
    name: &'static str,
    location: &DatabaseLocation,
    settings: Option<&CacheSettings>,
    prompts: &[String],
    seconds: u64,
) -> Figures {
    let database = open_database_as(location, 20, settings.is_some()).await;
    let (mut database, mut cache, mut follower) = (database, None, None);
    if let Some(settings) = settings {
        let made = Cache::new(settings).unwrap();
        let (following, followed) = Follower::start(&made, database);
        (database, cache, follower) = (followed, Some(made), Some(following));
        // A shared tier is in force a few seconds after others have left it.
        tokio::time::sleep(Duration::from_secs(8)).await;
    }
    let load = Arc::new(Load {
        schema: Schema::new(ServiceLimits::DEFAULT),
        database,
        cache,
        prompts: prompts.to_vec(),
        shares: zipf(),
        statements: AtomicU64::new(0),
        stopped: AtomicBool::new(false),
    });
    // What is measured begins when it has warmed up.
    clients(&load, Duration::from_secs((seconds / 3).max(1))).await;
    let (before, rows) = (counted(&load), rows_read(location).await);
    load.statements.store(0, Ordering::Relaxed);
    let begun = Instant::now();
    let (reads, writes, mut latencies) = clients(&load, Duration::from_secs(seconds)).await;
    let elapsed = begun.elapsed();
    latencies.sort_unstable();
    let (hits, asked) = (counted(&load).0 - before.0, counted(&load).1 - before.1);
    drop(follower);
    #[allow(clippy::cast_precision_loss, reason = "counts of a minute")]
    Figures {
        name,
        reads,
        writes,
        elapsed,
        latencies,
        statements: load.statements.load(Ordering::Relaxed),
        rows: rows_read(location).await - rows,
        hits: if asked == 0 { 0.0 } else { 100.0 * hits as f64 / asked as f64 },
    }
}

async fn clients(load: &Arc<Load>, duration: Duration) -> (u64, u64, Vec<Duration>) {
    load.stopped.store(false, Ordering::Relaxed);
    let mut tasks = JoinSet::new();
    for _ in 0..CLIENTS {
        let load = Arc::clone(load);
        tasks.spawn(async move { load.client().await });
    }
    tokio::time::sleep(duration).await;
    load.stopped.store(true, Ordering::Relaxed);
    let mut all = (0, 0, Vec::new());
    while let Some(ended) = tasks.join_next().await {
        let (reads, writes, latencies) = ended.unwrap();
        all.0 += reads;
        all.1 += writes;
        all.2.extend(latencies);
    }
    all
}

/// Keys that were found, and keys that were looked for.
fn counted(load: &Load) -> (u64, u64) {
    let Some(cache) = &load.cache else { return (0, 0) };
    let counts = cache.counts();
    let of = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
    let hits = of(&counts.process_hits) + of(&counts.shared_hits) + of(&counts.joined);
    (hits, hits + of(&counts.misses))
}

#[allow(clippy::cast_precision_loss, reason = "counts of a minute")]
fn print(figures: Figures) {
    let Figures { name, reads, writes, elapsed, latencies, statements, rows, hits } = figures;
    let requests = (reads + writes) as f64;
    let at = |part: usize| latencies[latencies.len() * part / 100].as_secs_f64() * 1000.0;
    println!(
        "| {name} | {:.0} | {:.2} | {:.2} | {hits:.1} % | {:.2} | {:.1} |",
        requests / elapsed.as_secs_f64(),
        at(50),
        at(95),
        statements as f64 / requests,
        rows as f64 / requests,
    );
}

/// For each prompt, the share of requests that goes to it or to one before it.
#[allow(clippy::cast_precision_loss, reason = "ten thousand prompts")]
fn zipf() -> Vec<f64> {
    let total: f64 = (1..=PROMPTS).map(|rank| 1.0 / rank as f64).sum();
    let share = |sum: &mut f64, rank: usize| {
        *sum += 1.0 / rank as f64 / total;
        Some(*sum)
    };
    (1..=PROMPTS).scan(0.0, share).collect()
}

/// What PostgreSQL has read of all tables, as far as it has told.
async fn rows_read(location: &DatabaseLocation) -> i64 {
    // Backends tell once a second.
    tokio::time::sleep(Duration::from_secs(2)).await;
    sql::numbers(location, ROWS_READ).await[0]
}

const ROWS_READ: &str = "SELECT CAST(sum(seq_tup_read + coalesce(idx_tup_fetch, 0)) AS bigint) AS value FROM pg_stat_user_tables \
     WHERE relname IN ('prompts', 'evaluations', 'test_results')";

/// The prompts with their evaluations and results; their ids as clients see them.
async fn fill(location: &DatabaseLocation) -> Vec<String> {
    let content = "content ".repeat(60);
    let hash = content_hash(PromptFormat::Text, &content, None);
    for statement in [
        "TRUNCATE prompt_templates, prompts, runs, evaluations, test_results CASCADE".to_owned(),
        format!(
            "INSERT INTO prompts (id, user_id, title, content, content_hash, root_id, status) \
             SELECT id, 'local', 'title', '{content}', '{hash}', id, 'active' \
             FROM (SELECT gen_random_uuid() AS id FROM generate_series(1, {PROMPTS})) AS ids"
        ),
        format!(
            "INSERT INTO evaluations (id, prompt_id, status, provider, model, overall_score) \
             SELECT gen_random_uuid(), id, 'completed', 'provider', 'model', 0.5 \
             FROM prompts, generate_series(1, {EVALUATIONS})"
        ),
        format!(
            "INSERT INTO test_results (id, evaluation_id, test_case_name, actual_output, score, outcome, passed) \
             SELECT gen_random_uuid(), id, 'case ' || number, repeat('output ', 60), 1, 'passed', true \
             FROM evaluations, generate_series(1, {RESULTS}) AS number"
        ),
        "TRUNCATE cache_outbox; ANALYZE".to_owned(),
    ] {
        sql::execute(location, &statement).await;
    }
    sql::texts(location, "SELECT encode(convert_to('Prompt:' || id::text, 'UTF8'), 'base64') AS value FROM prompts")
        .await
}
