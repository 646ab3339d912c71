//! The listener for operators: where it is, who may use it, and what it tells and does.

#[path = "../common/mod.rs"]
mod common;

mod access;
mod answers;
mod documentation;
mod listener;
mod metrics;
mod secrets;
mod slow;

use std::process::Stdio;

use evalgraph::db::pool::DatabaseLocation;
use reqwest::{Client, Method, Response};

use common::process::{Server, evalgraph_on};

/// An address that nobody serves on.
fn free_address() -> String {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string()
}

/// A server, and where operators find it.
struct Operated {
    server: Server,
    address: String,
    client: Client,
}

impl Operated {
    fn start(location: &DatabaseLocation, arguments: &[&str]) -> Self {
        Self::start_with(location, arguments, &[])
    }

    /// With these variables.
    fn start_with(location: &DatabaseLocation, arguments: &[&str], variables: &[(&str, &str)]) -> Self {
        let address = free_address();
        let mut command = evalgraph_on(location, &["serve", "--listen=127.0.0.1:0", "--log-format=json"]);
        if !arguments.iter().any(|argument| argument.starts_with("--admin-listen=")) {
            command.arg(format!("--admin-listen={address}"));
        }
        command.args(arguments).envs(variables.iter().copied()).stderr(Stdio::piped());
        Self { server: Server::start_with_log(&mut command), address, client: Client::new() }
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    async fn get(&self, path: &str) -> Response {
        self.client.get(self.url(path)).send().await.unwrap()
    }

    async fn text(&self, method: Method, path: &str, body: &str) -> (u16, String) {
        let response = self.client.request(method, self.url(path)).body(body.to_owned()).send().await.unwrap();
        (response.status().as_u16(), response.text().await.unwrap())
    }

    async fn json(&self, path: &str) -> serde_json::Value {
        let response = self.get(path).await;
        assert_eq!(response.status(), 200, "{path}");
        response.json().await.unwrap()
    }

    /// A command that looks for the server where it is.
    fn command(&self, location: &DatabaseLocation, arguments: &[&str]) -> std::process::Output {
        let mut command = evalgraph_on(location, arguments);
        common::process::run(command.arg(format!("--admin-listen={}", self.address)))
    }

    /// What it has logged until its end.
    fn log(mut self) -> String {
        self.server.signal("TERM");
        assert_eq!(self.server.wait(), Some(0));
        self.server.log()
    }
}
