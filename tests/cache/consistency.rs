//! Nobody who begins to read after a change was acknowledged is shown what was before, whatever happens to the shared tier.
//!
//! Writers count up a number in every prompt, each through a server drawn at random, and note it once the change is
//! acknowledged. Readers note what was acknowledged, read through another server and in different ways, and must see that
//! number or a higher one. With tiers in the processes of several servers, they must see what was acknowledged a moment ago.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use evalgraph::cache::{CacheSettings, LEASE};
use evalgraph::db::pool::PoolSettings;
use evalgraph::db::{Database, StatementCount};
use rand::RngExt as _;
use rand::seq::IndexedRandom as _;

use crate::common::{RedisServer, TestDatabase, eventually, recorder, small_pools};
use crate::instance::{Instance, process_tier, shared_tier};

const PROMPTS: usize = 6;

/// A prompt, and when which number was acknowledged.
struct Subject {
    id: String,
    /// The number that was acknowledged last, and those before with their times.
    acknowledged: Mutex<VecDeque<(Instant, u64)>>,
}

impl Subject {
    fn acknowledge(&self, number: u64) {
        let mut acknowledged = self.acknowledged.lock().unwrap();
        acknowledged.push_back((Instant::now(), number));
        while acknowledged.len() > 10_000 {
            acknowledged.pop_front();
        }
    }

    /// The highest number that was acknowledged before this time.
    fn at(&self, time: Instant) -> u64 {
        let acknowledged = self.acknowledged.lock().unwrap();
        acknowledged.iter().rev().find(|(at, _)| *at <= time).map_or(0, |(_, number)| *number)
    }
}

/// Servers that share a database, and what is read and written through them.
pub struct World {
    database: TestDatabase,
    pub instances: Vec<Instance>,
    subjects: Vec<Subject>,
    stopped: AtomicBool,
    reads: AtomicU64,
    writes: AtomicU64,
    /// How old what is shown may be.
    bound: Duration,
    violations: Mutex<Vec<String>>,
}

impl World {
    pub async fn new(settings: &CacheSettings, bound: Duration) -> Arc<Self> {
        let database = TestDatabase::postgres().await;
        let mut instances = Vec::new();
        for _ in 0..3 {
            instances.push(Instance::start(&database.location, settings).await);
        }
        let mut subjects = Vec::new();
        for _ in 0..PROMPTS {
            let create = "mutation { createPrompt(input: { title: \"0\", content: \"Hello\" }) { prompt { id } } }";
            let created = instances[0].server.data(create).await;
            let id = created["createPrompt"]["prompt"]["id"].as_str().unwrap().to_owned();
            let evaluate =
                format!("mutation {{ createEvaluation(input: {{ promptId: \"{id}\" }}) {{ evaluation {{ id }} }} }}");
            instances[0].server.data(&evaluate).await;
            subjects.push(Subject { id, acknowledged: Mutex::default() });
        }
        Arc::new(Self {
            database,
            instances,
            subjects,
            stopped: AtomicBool::new(false),
            reads: AtomicU64::new(0),
            writes: AtomicU64::new(0),
            bound,
            violations: Mutex::default(),
        })
    }

    fn instance(&self) -> &Instance {
        self.instances.choose(&mut rand::rng()).unwrap()
    }

    async fn write(&self, subject: &Subject) {
        let mut number = 0;
        while !self.stopped.load(Ordering::SeqCst) {
            number += 1;
            let change = format!(
                "mutation {{ updatePrompt(input: {{ id: \"{}\", title: \"{number}\" }}) {{ prompt {{ title }} }} }}",
                subject.id
            );
            let seen = self.instance().server.data(&change).await;
            assert_eq!(seen["updatePrompt"]["prompt"]["title"], number.to_string());
            subject.acknowledge(number);
            self.writes.fetch_add(1, Ordering::Relaxed);
            let pause = rand::rng().random_range(0..40);
            tokio::time::sleep(Duration::from_millis(pause)).await;
        }
    }

    async fn read(&self) {
        while !self.stopped.load(Ordering::SeqCst) {
            let subject = self.subjects.choose(&mut rand::rng()).unwrap();
            let id = &subject.id;
            let queries = [
                (format!("{{ prompt(id: \"{id}\") {{ title }} }}"), "/prompt/title"),
                (format!("{{ node(id: \"{id}\") {{ ... on Prompt {{ title status }} }} }}"), "/node/title"),
                (
                    format!(
                        "{{ prompt(id: \"{id}\") {{ evaluations(first: 1) {{ nodes {{ prompt {{ title }} }} }} }} }}"
                    ),
                    "/prompt/evaluations/nodes/0/prompt/title",
                ),
                ("{ prompts(first: 10, filter: { userId: \"local\" }) { nodes { id title } } }".to_owned(), ""),
            ];
            let (query, place) = queries.choose(&mut rand::rng()).unwrap();
            let begun = Instant::now();
            let expected = begun.checked_sub(self.bound).map_or(0, |time| subject.at(time));
            let data = self.instance().server.data(query).await;
            let title = if place.is_empty() {
                let nodes = data["prompts"]["nodes"].as_array().unwrap();
                nodes.iter().find(|node| node["id"] == *id).unwrap()["title"].clone()
            } else {
                data.pointer(place).unwrap().clone()
            };
            let seen: u64 = title.as_str().unwrap().parse().unwrap();
            if seen < expected {
                self.violations.lock().unwrap().push(format!("{query}: {seen}, though {expected} was acknowledged"));
            }
            self.reads.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Reads and writes while `disturb` runs; then tells what was seen that must not be.
    pub async fn run(self: &Arc<Self>, readers: usize, disturb: impl Future<Output = ()>) -> Vec<String> {
        let mut tasks = tokio::task::JoinSet::new();
        for place in 0..self.subjects.len() {
            let world = Arc::clone(self);
            tasks.spawn(async move { world.write(&world.subjects[place]).await });
        }
        for _ in 0..readers {
            let world = Arc::clone(self);
            tasks.spawn(async move { world.read().await });
        }
        disturb.await;
        self.stopped.store(true, Ordering::SeqCst);
        while let Some(ended) = tasks.join_next().await {
            ended.unwrap();
        }
        let hits: Vec<String> = self.instances.iter().map(|instance| instance.cache.report().to_string()).collect();
        eprintln!(
            "{} reads, {} writes; {}",
            self.reads.load(Ordering::Relaxed),
            self.writes.load(Ordering::Relaxed),
            hits.join("; ")
        );
        std::mem::take(&mut self.violations.lock().unwrap())
    }

    pub fn hits(&self) -> u64 {
        let of = |instance: &Instance, tier: &str| instance.cache.report()[tier]["hits"].as_u64().unwrap_or(0);
        self.instances.iter().map(|instance| of(instance, "redis") + of(instance, "process")).sum()
    }
}

/// Kills, freezes and cuts off the shared tier in turn, for so long.
async fn disturb(redis: &mut RedisServer, duration: Duration) {
    let begun = Instant::now();
    let mut round = 0;
    while begun.elapsed() < duration {
        tokio::time::sleep(Duration::from_secs(6)).await;
        match round % 3 {
            0 => {
                redis.freeze();
                tokio::time::sleep(Duration::from_secs(1)).await;
                redis.thaw();
            }
            1 => {
                // It comes back with what it knew a while ago.
                redis.command(&["SAVE"]);
                tokio::time::sleep(Duration::from_millis(300)).await;
                redis.kill();
                redis.run().await;
            }
            _ => {
                redis.command(&["CLIENT", "KILL", "TYPE", "normal"]);
            }
        }
        round += 1;
    }
}

async fn check_shared(duration: Duration, readers: usize) -> u64 {
    let mut redis = RedisServer::start(&["--save", "3600 1"]).await;
    let world = World::new(&shared_tier(&redis.url()), Duration::ZERO).await;
    for instance in &world.instances {
        instance.shares().await;
    }
    let violations = world.run(readers, disturb(&mut redis, duration)).await;
    assert!(violations.is_empty(), "{} violations: {:#?}", violations.len(), &violations[..violations.len().min(5)]);
    assert!(world.hits() > 100, "nothing was remembered: {}", world.hits());
    world.reads.load(Ordering::Relaxed)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_stale_is_shown_though_the_shared_tier_fails() {
    check_shared(Duration::from_secs(25), 6).await;
}

/// For `scripts/test-long`.
#[ignore = "takes half an hour, in a release build ten minutes"]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_stale_is_shown_in_a_million_reads() {
    let mut reads = 0;
    while reads < 1_000_000 {
        reads += check_shared(Duration::from_secs(120), 16).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_tiers_in_several_processes_nothing_is_older_than_the_bound() {
    let world = World::new(&process_tier(), LEASE).await;
    let violations = world.run(6, tokio::time::sleep(Duration::from_secs(8))).await;
    assert!(violations.is_empty(), "{} violations: {:#?}", violations.len(), &violations[..violations.len().min(5)]);
    assert!(world.hits() > 100, "nothing was remembered: {}", world.hits());
}

/// The checker finds what there is to find: several processes that remember for themselves do show what is a moment old.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_checker_finds_what_is_stale() {
    let world = World::new(&process_tier(), Duration::ZERO).await;
    let violations = world.run(6, tokio::time::sleep(Duration::from_secs(4))).await;
    assert!(!violations.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_server_left_behind_that_died_is_carried_out_by_others() {
    let redis = RedisServer::start(&[]).await;
    let world = World::new(&shared_tier(&redis.url()), Duration::ZERO).await;
    let instance = &world.instances[0];
    instance.shares().await;
    let query = format!("{{ prompt(id: \"{}\") {{ title }} }}", world.subjects[0].id);
    let is_remembered = async || instance.statements(&query).await == 0;
    eventually(Duration::from_secs(10), "the prompt is remembered", is_remembered).await;
    // A server that dies right after its commit: its change stands in the outbox under its name, and nobody carries it out.
    let dying =
        Database::open(&world.database.location, &PoolSettings { carries_out: true, ..small_pools() }).await.unwrap();
    let count = StatementCount::default();
    let changed = dying.write(&count, |connection| {
        Box::pin(async move { connection.batch_execute(&recorder::of_a_test("UPDATE prompts SET title = '1'")).await })
    });
    changed.await.unwrap();
    let is_seen = async || instance.server.data(&query).await["prompt"]["title"] == "1";
    eventually(Duration::from_secs(10), "the change is seen", is_seen).await;
}
