//! The command in a process of its own.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use evalgraph::db::pool::DatabaseLocation;

use super::Reply;

/// The command, without the variables of whoever runs the tests: they are not meant for it.
pub fn evalgraph(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_evalgraph"));
    command.args(arguments);
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("EVALGRAPH_")) {
        command.env_remove(name);
    }
    command.env_remove("DATABASE_URL").env_remove("PORT");
    command
}

/// The command, for this database.
pub fn evalgraph_on(location: &DatabaseLocation, arguments: &[&str]) -> Command {
    let url = match location {
        DatabaseLocation::Sqlite(path) => format!("sqlite:{}", path.display()),
        DatabaseLocation::Postgres(url) => url.clone(),
    };
    let mut command = evalgraph(arguments);
    command.env("DATABASE_URL", url);
    command
}

pub fn run(command: &mut Command) -> Output {
    command.output().unwrap()
}

pub fn stdout(output: &Output) -> String {
    assert!(output.status.success(), "{}", stderr(output));
    String::from_utf8(output.stdout.clone()).unwrap()
}

pub fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// A server that is killed when the test ends before it stops by itself.
pub struct Server {
    process: Child,
    pub address: String,
    pub greeting: String,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Server {
    pub fn start(command: &mut Command) -> Self {
        Self::start_with_log(command.stderr(Stdio::null()))
    }

    pub fn start_with_log(command: &mut Command) -> Self {
        let mut process = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut output = BufReader::new(process.stdout.take().unwrap());
        let mut greeting = String::new();
        while !greeting.contains("curl") {
            assert_ne!(output.read_line(&mut greeting).unwrap(), 0, "the server ended: {greeting}");
        }
        let after = greeting.split_once("http://").unwrap().1;
        let address = after.split_once("/graphql").unwrap().0.to_owned();
        Self { process, address, greeting }
    }

    pub async fn data(&self, query: &str) -> serde_json::Value {
        let client = reqwest::Client::new();
        let request = client.post(format!("http://{}/graphql", self.address));
        let mut reply = Reply::of(request.json(&serde_json::json!({ "query": query }))).await;
        assert!(reply.body.get("errors").is_none(), "{:#}", reply.body);
        reply.body["data"].take()
    }

    pub fn signal(&self, name: &str) {
        let kill = Command::new("kill").args([&format!("-{name}"), &self.process.id().to_string()]).status();
        assert!(kill.unwrap().success());
    }

    /// The exit code, which must come soon.
    pub fn wait(&mut self) -> Option<i32> {
        let start = Instant::now();
        loop {
            if let Some(status) = self.process.try_wait().unwrap() {
                return status.code();
            }
            assert!(start.elapsed() < Duration::from_secs(10), "the server did not stop");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Reads what the server logs from now on until its end, however much it is.
    pub fn follow_log(&mut self) -> std::thread::JoinHandle<String> {
        let log = self.process.stderr.take().unwrap();
        std::thread::spawn(move || std::io::read_to_string(log).unwrap())
    }

    /// What a server that has ended has logged.
    pub fn log(&mut self) -> String {
        std::io::read_to_string(self.process.stderr.take().unwrap()).unwrap()
    }
}
