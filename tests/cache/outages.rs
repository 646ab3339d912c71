//! What failures of the shared tier cost: time, once; and never the truth.

use std::time::{Duration, Instant};

use evalgraph::cache::CacheSettings;

use crate::common::{PromptBuilder, Proxy, RedisServer, TestDatabase, eventually, global_id};
use crate::instance::{Instance, shared_tier};

/// A server with a prompt, and what is asked of it.
struct Scene {
    _database: TestDatabase,
    instance: Instance,
    id: String,
    query: String,
}

impl Scene {
    async fn new(url: &str) -> Self {
        Self::with(&shared_tier(url)).await
    }

    async fn with(settings: &CacheSettings) -> Self {
        let database = TestDatabase::postgres().await;
        let prompt = PromptBuilder::new().title("0").insert(&database).await;
        let instance = Instance::start(&database.location, settings).await;
        let id = global_id("Prompt", prompt.id);
        let query = format!("{{ prompt(id: \"{id}\") {{ title }} }}");
        Self { _database: database, instance, id, query }
    }

    async fn title(&self) -> String {
        self.instance.server.data(&self.query).await["prompt"]["title"].as_str().unwrap().to_owned()
    }

    async fn rename(&self, title: &str) {
        let id = &self.id;
        let change =
            format!("mutation {{ updatePrompt(input: {{ id: \"{id}\", title: \"{title}\" }}) {{ prompt {{ id }} }} }}");
        self.instance.server.data(&change).await;
    }

    async fn is_remembered(&self) {
        let is_remembered = async || self.instance.statements(&self.query).await == 0;
        eventually(Duration::from_secs(20), "the prompt is remembered in Redis", is_remembered).await;
    }

    fn is_connected(&self) -> bool {
        self.instance.cache.report()["redis"]["connected"] == true
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_absent_at_first_is_used_when_it_comes() {
    let mut redis = RedisServer::absent(&[]);
    let scene = Scene::new(&redis.url()).await;
    assert_eq!(scene.title().await, "0");
    redis.run().await;
    scene.instance.shares().await;
    scene.is_remembered().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_dies_costs_no_request_and_what_it_missed_is_not_believed() {
    let mut redis = RedisServer::start(&["--save", "3600 1"]).await;
    let scene = Scene::new(&redis.url()).await;
    scene.instance.shares().await;
    scene.is_remembered().await;
    // It will come back with what it knew at this moment.
    assert_eq!(redis.command(&["SAVE"]), "OK");
    redis.kill();
    for round in 1..=3 {
        scene.rename(&round.to_string()).await;
        assert_eq!(scene.title().await, round.to_string());
    }
    redis.run().await;
    assert_ne!(redis.command(&["DBSIZE"]), "0", "the dump was not loaded");
    for _ in 0..100 {
        assert_eq!(scene.title().await, "3");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    scene.instance.shares().await;
    scene.is_remembered().await;
    assert_eq!(scene.title().await, "3");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_hangs_is_waited_for_once() {
    let redis = RedisServer::start(&[]).await;
    let scene = Scene::new(&redis.url()).await;
    scene.instance.shares().await;
    scene.is_remembered().await;
    redis.freeze();
    let begun = Instant::now();
    assert_eq!(scene.title().await, "0");
    assert!(begun.elapsed() >= Duration::from_millis(400), "it was not waited for: {:?}", begun.elapsed());
    // Every command would be waited for half a second: all together take less.
    let begun = Instant::now();
    for _ in 0..20 {
        assert_eq!(scene.title().await, "0");
    }
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    assert!(!scene.is_connected());
    scene.rename("1").await;
    redis.thaw();
    scene.instance.shares().await;
    assert_eq!(scene.title().await, "1");
    scene.is_remembered().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_has_become_slow_is_waited_for_once() {
    let redis = RedisServer::start(&[]).await;
    let proxy = Proxy::to(0, "127.0.0.1", redis.port).await;
    let mut settings = shared_tier(&format!("redis://127.0.0.1:{}", proxy.port));
    settings.redis.as_mut().unwrap().command_timeout = Duration::from_millis(200);
    let scene = Scene::with(&settings).await;
    scene.instance.shares().await;
    scene.is_remembered().await;
    proxy.set_delay(Duration::from_millis(500));
    for _ in 0..20 {
        assert_eq!(scene.title().await, "0");
    }
    // Connecting to it takes several answers, and each is too late.
    for round in 1..=3 {
        scene.rename(&round.to_string()).await;
        assert_eq!(scene.title().await, round.to_string());
    }
    assert!(!scene.is_connected());
    proxy.set_delay(Duration::ZERO);
    scene.instance.shares().await;
    scene.is_remembered().await;
    assert_eq!(scene.title().await, "3");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_that_is_cut_off_is_none() {
    let redis = RedisServer::start(&[]).await;
    let proxy = Proxy::to(0, "127.0.0.1", redis.port).await;
    let scene = Scene::new(&format!("redis://127.0.0.1:{}", proxy.port)).await;
    // Before the first byte, and in the middle of a value.
    for (round, bytes) in [0, 30].into_iter().enumerate() {
        scene.instance.shares().await;
        scene.is_remembered().await;
        proxy.set_cut_after(Some(bytes));
        let before = round.to_string();
        assert_eq!(scene.title().await, before);
        let after = (round + 1).to_string();
        scene.rename(&after).await;
        assert_eq!(scene.title().await, after);
        proxy.set_cut_after(None);
    }
    scene.instance.shares().await;
    assert_eq!(scene.title().await, "2");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_without_memory_forgets_what_is_invalidated() {
    let redis = RedisServer::start(&[]).await;
    let scene = Scene::new(&redis.url()).await;
    scene.instance.shares().await;
    scene.is_remembered().await;
    assert_eq!(redis.command(&["CONFIG", "SET", "maxmemory", "1"]), "OK");
    for round in 1..=5 {
        let begun = Instant::now();
        scene.rename(&round.to_string()).await;
        assert!(begun.elapsed() < Duration::from_millis(900), "the change waited for the lease: {:?}", begun.elapsed());
        assert_eq!(scene.title().await, round.to_string());
    }
    assert!(scene.is_connected());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_takes_no_writes_or_another_password_is_not_used() {
    let main = RedisServer::start(&["--requirepass", "hunter2"]).await;
    let replica =
        RedisServer::start(&["--replicaof", &format!("127.0.0.1 {}", main.port), "--masterauth", "hunter2"]).await;
    for url in [replica.url(), format!("redis://:wrong@127.0.0.1:{}", main.port)] {
        let scene = Scene::new(&url).await;
        scene.rename("1").await;
        assert_eq!(scene.title().await, "1");
        tokio::time::sleep(Duration::from_millis(500)).await;
        assert!(!scene.is_connected(), "{url}");
    }
    let scene = Scene::new(&format!("redis://:hunter2@127.0.0.1:{}", main.port)).await;
    scene.instance.shares().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn garbage_is_a_miss() {
    let redis = RedisServer::start(&[]).await;
    let scene = Scene::new(&redis.url()).await;
    scene.instance.shares().await;
    scene.is_remembered().await;
    let keys = redis.command(&["KEYS", "test:*:{p:*}*"]);
    assert!(keys.lines().count() >= 2, "{keys}");
    for key in keys.lines() {
        redis.command(&["SET", key, "garbage"]);
    }
    assert_eq!(scene.title().await, "0");
    assert!(scene.is_connected());
}
