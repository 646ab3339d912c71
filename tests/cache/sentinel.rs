//! A server whose place another takes when it dies, as sentinels see to.

use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::common::redis_server::{RedisServer, client, program};
use crate::common::{PromptBuilder, TestDatabase, eventually, global_id};
use crate::instance::{Instance, shared_tier};

/// A sentinel that watches a server under the name `main`, and believes nobody but itself.
struct Sentinel {
    port: u16,
    child: Child,
    _directory: tempfile::TempDir,
}

impl Drop for Sentinel {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Sentinel {
    async fn watching(main: &RedisServer) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("sentinel.conf");
        let port = RedisServer::absent(&[]).port;
        let settings = format!(
            "port {port}\nbind 127.0.0.1\ndir {}\nsentinel monitor main 127.0.0.1 {} 1\n\
             sentinel down-after-milliseconds main 1000\nsentinel failover-timeout main 5000\n",
            directory.path().display(),
            main.port
        );
        std::fs::write(&file, settings).unwrap();
        let child = Command::new(program()).arg(&file).arg("--sentinel").stdout(Stdio::null()).spawn().unwrap();
        let sentinel = Self { port, child, _directory: directory };
        let knows_the_replica = async || sentinel.command(&["SENTINEL", "replicas", "main"]).contains("127.0.0.1");
        eventually(Duration::from_secs(30), "the sentinel knows the replica", knows_the_replica).await;
        sentinel
    }

    fn command(&self, words: &[&str]) -> String {
        let output = Command::new(client()).args(["-p", &self.port.to_string()]).args(words).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_server_that_takes_over_is_used_and_nothing_stale_is_shown() {
    let mut main = RedisServer::start(&[]).await;
    let replica = RedisServer::start(&["--replicaof", &format!("127.0.0.1 {}", main.port)]).await;
    let sentinel = Sentinel::watching(&main).await;
    let database = TestDatabase::postgres().await;
    let prompt = PromptBuilder::new().title("0").insert(&database).await;
    let url = format!("redis-sentinel://127.0.0.1:{}?sentinelServiceName=main", sentinel.port);
    let instance = Instance::start(&database.location, &shared_tier(&url)).await;
    instance.shares().await;
    let id = global_id("Prompt", prompt.id);
    let query = format!("{{ prompt(id: \"{id}\") {{ title }} }}");
    let is_remembered = async || instance.statements(&query).await == 0;
    eventually(Duration::from_secs(20), "the prompt is remembered", is_remembered).await;
    main.kill();
    let change =
        format!("mutation {{ updatePrompt(input: {{ id: \"{id}\", title: \"1\" }}) {{ prompt {{ title }} }} }}");
    instance.server.data(&change).await;
    let shows_the_change = async || {
        assert_eq!(instance.server.data(&query).await["prompt"]["title"], "1");
        instance.cache.report()["redis"]["inForce"] == true
    };
    eventually(Duration::from_secs(60), "the replica is in force", shows_the_change).await;
    assert!(replica.command(&["INFO", "replication"]).contains("role:master"));
    eventually(Duration::from_secs(20), "the prompt is remembered", is_remembered).await;
    assert_eq!(instance.server.data(&query).await["prompt"]["title"], "1");
}
