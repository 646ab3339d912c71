//! What the server stands on gives way: ports, directories, files, the database server. It tells so clearly, goes on, and
//! recovers by itself.

#[path = "../common/mod.rs"]
mod common;

mod files;
mod outages;
mod start;

use std::time::{Duration, Instant};

use common::{Reply, TestServer};
use serde_json::json;

const PROMPTS: &str = "{ prompts { totalCount nodes { title } } }";

/// The code of the first error of an answer; none when there is no error.
fn code(reply: &Reply) -> Option<&str> {
    reply.body["errors"][0]["extensions"]["code"].as_str()
}

/// Asks for the prompts; the code of the error, if any, and how long it took.
async fn ask(server: &TestServer) -> (Option<String>, Duration) {
    let begun = Instant::now();
    let reply = server.send(PROMPTS, json!({})).await;
    (code(&reply).map(str::to_owned), begun.elapsed())
}

/// Whether the server says that it can serve.
async fn is_ready(server: &TestServer) -> bool {
    server.client.get(server.url("/health/ready")).send().await.unwrap().status() == 200
}

async fn is_alive(server: &TestServer) -> bool {
    server.client.get(server.url("/health/live")).send().await.unwrap().status() == 200
}
