//! Servers with a cache, several of which may share a database.

use std::sync::Arc;
use std::time::Duration;

use evalgraph::cache::redis::RedisSettings;
use evalgraph::cache::{Cache, CacheSettings, Follower, Lifetimes};
use evalgraph::db::Database;
use evalgraph::db::pool::{DatabaseLocation, PoolSettings};
use evalgraph::domain::Principal;

use crate::common::{TestServer, eventually, small_pools};

/// A server with a cache.
pub struct Instance {
    pub server: TestServer,
    pub cache: Arc<Cache>,
    _follower: Follower,
}

/// A cache of the process alone.
pub fn process_tier() -> CacheSettings {
    CacheSettings { process_bytes: 1 << 24, lifetimes: Lifetimes::DEFAULT, max_entry_bytes: 1 << 18, redis: None }
}

/// A cache in a Redis server alone, as several servers share it.
pub fn shared_tier(url: &str) -> CacheSettings {
    let redis = RedisSettings {
        url: url.to_owned(),
        // Two processors run all tests at once.
        command_timeout: Duration::from_millis(500),
        prefix: "test".to_owned(),
        max_value: 1 << 18,
    };
    CacheSettings { process_bytes: 0, redis: Some(redis), ..process_tier() }
}

impl Instance {
    /// A server for the administrator `local`, whose cache is believed.
    pub async fn start(location: &DatabaseLocation, settings: &CacheSettings) -> Self {
        Self::for_principal(location, settings, Principal::local()).await
    }

    /// A server for this principal, whose cache is believed.
    pub async fn for_principal(location: &DatabaseLocation, settings: &CacheSettings, principal: Principal) -> Self {
        let pools = PoolSettings { carries_out: true, ..small_pools() };
        let database = Database::open(location, &pools).await.unwrap();
        let cache = Cache::new(settings).unwrap();
        let (follower, database) = Follower::start(&cache, database);
        let app = TestServer::app(database).with_cache(Some(Arc::clone(&cache)));
        let instance = Self { server: TestServer::with(app, principal).await, cache, _follower: follower };
        eventually(Duration::from_secs(10), "the cache is believed", async || instance.cache.is_believed()).await;
        instance
    }

    /// Waits until the shared tier is in force.
    pub async fn shares(&self) {
        let in_force = async || self.cache.report()["redis"]["inForce"] == true;
        eventually(Duration::from_secs(20), "the shared tier is in force", in_force).await;
    }

    /// Asks, and tells how many statements that took.
    pub async fn statements(&self, query: &str) -> u64 {
        self.server.send(query, serde_json::json!({})).await.statements()
    }
}
