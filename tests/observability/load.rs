//! A server that many ask for many things.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::json;
use tokio::task::JoinSet;

const OPERATIONS: &[&str] = &[
    "query Board { prompts(first: 10) { totalCount nodes { id title evaluations(first: 3) { totalCount nodes { id model testResults(first: 5) { nodes { id score } } } } } } }",
    "query Leaders { promptLeaderboard(first: 5) { prompt { title } } modelLeaderboard(first: 5) { model } }",
    "{ statistics { prompts } }",
    "query Twice { a: prompts(first: 3) { nodes { id parent { id } } } b: prompts(first: 3) { nodes { id parent { id } } } }",
    "mutation Write($title: String!) { createPrompt(input: { title: $title, content: \"Say hello.\" }) { prompt { id } } }",
    "query Wrong { nothing }",
    "query Missing($id: ID!) { prompt(id: $id) { title } }",
];

/// Clients that ask until they are dropped.
pub struct Load {
    stop: Arc<AtomicBool>,
    _clients: JoinSet<()>,
}

impl Drop for Load {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

impl Load {
    pub fn on(address: &str) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let mut clients = JoinSet::new();
        for number in 0..4 {
            let (stop, url) = (Arc::clone(&stop), format!("http://{address}/graphql"));
            clients.spawn(async move {
                let client = reqwest::Client::new();
                for turn in 0_usize.. {
                    if stop.load(Ordering::Relaxed) {
                        break;
                    }
                    let query = OPERATIONS[(turn + number) % OPERATIONS.len()];
                    let variables = json!({ "title": "Loaded", "id": "bm90aGluZw==" });
                    let request = client.post(&url).timeout(Duration::from_secs(2));
                    let answer = request.json(&json!({ "query": query, "variables": variables })).send().await;
                    if let Ok(answer) = answer {
                        let _ = answer.bytes().await;
                    }
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
            });
        }
        Self { stop, _clients: clients }
    }
}
