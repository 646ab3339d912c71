//! A cluster of three servers with a replica each, one of which dies.

use std::process::Command;
use std::time::Duration;

use crate::common::eventually;
use crate::common::redis_server::{RedisServer, client};
use crate::consistency::World;
use crate::instance::shared_tier;

const SERVERS: usize = 6;

async fn cluster() -> Vec<RedisServer> {
    let mut servers = Vec::new();
    for _ in 0..SERVERS {
        servers.push(RedisServer::start(&["--cluster-enabled", "yes", "--cluster-node-timeout", "1000"]).await);
    }
    let addresses = servers.iter().map(|server| format!("127.0.0.1:{}", server.port));
    let created = Command::new(client())
        .args(["--cluster", "create"])
        .args(addresses)
        .args(["--cluster-replicas", "1", "--cluster-yes"])
        .output()
        .unwrap();
    assert!(created.status.success(), "{}", String::from_utf8_lossy(&created.stdout));
    for server in &servers {
        let is_ready = async || server.command(&["CLUSTER", "INFO"]).contains("cluster_state:ok");
        eventually(Duration::from_secs(30), "the cluster is ready", is_ready).await;
    }
    servers
}

/// For `scripts/test-long`.
#[ignore = "starts six servers"]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_stale_is_shown_though_a_master_dies() {
    let mut servers = cluster().await;
    let url = format!("redis-cluster://127.0.0.1:{}", servers[1].port);
    let world = World::new(&shared_tier(&url), Duration::ZERO).await;
    for instance in &world.instances {
        instance.shares().await;
    }
    let disturb = async {
        tokio::time::sleep(Duration::from_secs(5)).await;
        // The first three are masters.
        servers[0].kill();
        tokio::time::sleep(Duration::from_secs(15)).await;
    };
    let violations = world.run(6, disturb).await;
    assert!(violations.is_empty(), "{} violations: {:#?}", violations.len(), &violations[..violations.len().min(5)]);
    assert!(world.hits() > 100, "nothing was remembered: {}", world.hits());
    for instance in &world.instances {
        instance.shares().await;
    }
}
