//! A Redis server of a test's own, which it can make to misbehave.

use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use super::eventually;

/// A server that ends with this.
pub struct RedisServer {
    pub port: u16,
    directory: tempfile::TempDir,
    child: Option<Child>,
    arguments: Vec<String>,
}

impl RedisServer {
    pub async fn start(arguments: &[&str]) -> Self {
        let mut server = Self::absent(arguments);
        server.run().await;
        server
    }

    /// One that is not running yet.
    pub fn absent(arguments: &[&str]) -> Self {
        // Servers of a cluster need a second port, ten thousand above.
        let free = || TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let port = std::iter::repeat_with(free).find(|&port| port < 55_000).unwrap();
        let arguments = arguments.iter().map(|&argument| argument.to_owned()).collect();
        Self { port, directory: tempfile::tempdir().unwrap(), child: None, arguments }
    }

    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Starts it, with what its last dump holds.
    pub async fn run(&mut self) {
        let child = Command::new(program())
            .args(["--port", &self.port.to_string(), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"])
            .arg("--dir")
            .arg(self.directory.path())
            .args(&self.arguments)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("scripts/test installs a Redis server");
        self.child = Some(child);
        let answers = async || ["PONG", "NOAUTH"].iter().any(|word| self.command(&["PING"]).starts_with(word));
        eventually(Duration::from_secs(10), "the Redis server answers", answers).await;
    }

    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    /// Stops it where it is: it accepts connections and never answers.
    pub fn freeze(&self) {
        self.signal("-STOP");
    }

    pub fn thaw(&self) {
        self.signal("-CONT");
    }

    fn signal(&self, signal: &str) {
        let id = self.child.as_ref().unwrap().id().to_string();
        assert!(Command::new("kill").args([signal, &id]).status().unwrap().success());
    }

    /// What it answers to a command.
    pub fn command(&self, words: &[&str]) -> String {
        let output = Command::new(client()).args(["-p", &self.port.to_string()]).args(words).output().unwrap();
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    /// How often it was asked a command, such as `mget`.
    pub fn calls(&self, command: &str) -> u64 {
        let report = self.command(&["INFO", "commandstats"]);
        let line = report.lines().find(|line| line.starts_with(&format!("cmdstat_{command}:")));
        line.map_or(0, |line| {
            let calls = line.split("calls=").nth(1).and_then(|rest| rest.split(',').next());
            calls.unwrap().parse().unwrap()
        })
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        self.kill();
    }
}

/// The program that speaks to a server.
pub fn client() -> String {
    program().replace("-server", "-cli")
}

pub fn program() -> String {
    let is_there = |name: &&str| Command::new(name).arg("--version").output().is_ok();
    ["redis-server", "valkey-server"].into_iter().find(is_there).unwrap_or("redis-server").to_owned()
}
