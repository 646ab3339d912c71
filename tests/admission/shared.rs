//! Servers with one Redis count together; without an answer of it, each for itself.

use std::sync::Arc;
use std::time::{Duration, Instant};

use evalgraph::admission::{Admission, AdmissionSettings};
use evalgraph::cache::redis::RedisSettings;
use evalgraph::cache::{Cache, CacheSettings, Lifetimes};
use evalgraph::domain::Principal;

use crate::common::RedisServer;
use crate::common::{TestDatabase, TestServer, eventually};
use crate::{VIEWER, VIEWER_COST, code, header, rate, until_poor};

/// Two processors run all tests at once.
const TIMEOUT: Duration = Duration::from_millis(500);

/// A server that counts in Redis.
struct Instance {
    server: TestServer,
    cache: Arc<Cache>,
}

/// Enough for nine operations, for as long as the test takes.
fn few() -> AdmissionSettings {
    AdmissionSettings {
        principal_rate: rate(1, 10 * VIEWER_COST - 60),
        address_rate: rate(1, 1_000_000),
        ..AdmissionSettings::NONE
    }
}

impl Instance {
    async fn start(database: &TestDatabase, redis: &RedisServer) -> Self {
        let instance = Self::begin(database, redis).await;
        let connected = async || instance.connection().is_some();
        eventually(Duration::from_secs(10), "Redis is connected", connected).await;
        instance
    }

    async fn begin(database: &TestDatabase, redis: &RedisServer) -> Self {
        let redis =
            RedisSettings { url: redis.url(), command_timeout: TIMEOUT, prefix: "test".to_owned(), max_value: 1 << 18 };
        let settings = CacheSettings {
            process_bytes: 0,
            lifetimes: Lifetimes::DEFAULT,
            max_entry_bytes: 1 << 18,
            redis: Some(redis),
        };
        let cache = Cache::new(&settings).unwrap();
        // The cache itself has no part in it.
        let app =
            TestServer::app(database.database.clone()).with_admission(Admission::new(&few(), cache.redis().cloned()));
        Self { server: TestServer::with(app, Principal::local()).await, cache }
    }

    fn connection(&self) -> Option<u64> {
        self.cache.redis().unwrap().connection()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_servers_count_together() {
    let (database, redis) = (TestDatabase::sqlite().await, RedisServer::start(&[]).await);
    let (one, other) = (Instance::start(&database, &redis).await, Instance::start(&database, &redis).await);
    for _ in 0..4 {
        one.server.data(VIEWER).await;
        other.server.data(VIEWER).await;
    }
    let (refused, executed) = until_poor(&other.server).await;
    assert_eq!((refused.status, code(&refused), executed), (429, "RATE_LIMITED", 1));
    let told = header(&refused, "ratelimit").unwrap();
    assert!(told.contains("\"principal\";r=") && told.contains("\"address\";r=9990"), "{told}");
    assert_eq!(until_poor(&one.server).await.1, 0, "the other server has spent it");
    // One round trip for both buckets, which end when they are full again.
    assert_eq!(redis.calls("eval"), 4 + 4 + 1 + 1 + 1);
    let keys = redis.command(&["KEYS", "test:{limits}:*"]);
    assert_eq!(keys.lines().count(), 2, "{keys}");
    for key in keys.lines() {
        let lifetime: i64 = redis.command(&["PTTL", key]).parse().unwrap();
        assert!(lifetime > 0 && lifetime <= 1_100_000, "{key}: {lifetime}");
    }
    assert!(!keys.contains("local"), "{keys}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_refused_takes_nothing_from_anybody() {
    let (database, redis) = (TestDatabase::sqlite().await, RedisServer::start(&[]).await);
    let instance = Instance::start(&database, &redis).await;
    let address = |reply: &crate::Reply| -> u32 {
        header(reply, "ratelimit")
            .unwrap()
            .split("\"address\";r=")
            .nth(1)
            .unwrap()
            .split(';')
            .next()
            .unwrap()
            .parse()
            .unwrap()
    };
    let (first, _) = until_poor(&instance.server).await;
    let (second, _) = until_poor(&instance.server).await;
    assert!(address(&second) >= address(&first), "{:?} {:?}", first.headers, second.headers);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_redis_hangs_each_server_counts_for_itself() {
    let (database, redis) = (TestDatabase::sqlite().await, RedisServer::start(&[]).await);
    let instance = Instance::start(&database, &redis).await;
    assert_eq!(until_poor(&instance.server).await.1, 9);
    redis.freeze();
    // Whoever comes first waits as long as for an answer of the cache, everybody else not at all.
    let begun = Instant::now();
    let (refused, executed) = until_poor(&instance.server).await;
    let taken = begun.elapsed();
    redis.thaw();
    assert_eq!((refused.status, executed), (429, 9), "the server's own buckets were full");
    assert!(taken >= TIMEOUT && taken < TIMEOUT * 10, "each of ten requests waited: {taken:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_redis_each_server_counts_for_itself() {
    let (database, redis) = (TestDatabase::sqlite().await, RedisServer::absent(&[]));
    let instance = Instance::begin(&database, &redis).await;
    assert_eq!(until_poor(&instance.server).await.1, 9);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_that_runs_no_scripts_goes_on_being_a_cache() {
    let database = TestDatabase::sqlite().await;
    let redis = RedisServer::start(&["--rename-command", "EVAL", ""]).await;
    let instance = Instance::start(&database, &redis).await;
    let connection = instance.connection();
    assert_eq!(until_poor(&instance.server).await.1, 9);
    assert!(connection.is_some() && instance.connection() == connection, "the connection was given up");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bucket_with_nonsense_in_it_is_a_full_one_or_an_empty_one() {
    let (database, redis) = (TestDatabase::sqlite().await, RedisServer::start(&[]).await);
    let instance = Instance::start(&database, &redis).await;
    instance.server.data(VIEWER).await;
    let keys = redis.command(&["KEYS", "test:{limits}:p:*"]);
    redis.command(&["SET", keys.trim(), "nonsense"]);
    assert_eq!(until_poor(&instance.server).await.1, 9);
    // Somebody's clock was years ahead: nobody waits for years.
    redis.command(&["SET", keys.trim(), "9000000000000000"]);
    let (refused, _) = until_poor(&instance.server).await;
    let wait: u64 = header(&refused, "retry-after").unwrap().parse().unwrap();
    assert!(wait <= u64::from(VIEWER_COST), "{wait}");
}
