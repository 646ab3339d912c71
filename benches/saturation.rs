//! What becomes of the server when three times as much is asked of it as it can do.
//!
//! The whole server runs as a process of its own on the demo data, in PostgreSQL and with nothing remembered, and is sent a nested
//! query over HTTP: first by as many clients as keep it busy, each of which asks again when it was answered; then at four fifths of what that came
//! to, for that can be sustained; then at three times this; and at last as before. Requests come at random times, whether those before
//! were answered or not, and are late from the time at which they should have been sent.
//!
//!     scripts/bench --bench saturation
//!
//! `SATURATION_SECONDS` says how long the overload lasts. Settings of the server are taken from the environment.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rand::RngExt as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

/// Twenty prompts, sixty evaluations, three hundred results.
const QUERY: &str = "{ prompts(first: 20) { nodes { title evaluations(first: 3) { nodes { model \
    testResults(first: 5) { nodes { testCaseName score outcome } } } } } } }";
const CLIENTS: usize = 16;

/// A server that ends with this.
struct Server {
    process: Child,
    address: String,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Server {
    fn start(database: &str) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_evalgraph"));
        command.args(["serve", "--demo", "--listen", "127.0.0.1:0", "--cache-process", "off"]);
        command.env("DATABASE_URL", database).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut process = command.spawn().unwrap();
        let mut output = BufReader::new(process.stdout.take().unwrap());
        let mut greeting = String::new();
        while !greeting.contains("/graphql") {
            assert_ne!(output.read_line(&mut greeting).unwrap(), 0, "the server ended: {greeting}");
        }
        let (_, after) = greeting.split_once("http://").unwrap();
        let address = after.split_once("/graphql").unwrap().0.to_owned();
        Self { process, address }
    }

    /// The memory that it takes, in MiB.
    fn memory(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process.id())).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() / 1024
    }
}

/// Connections to the server, as many as it takes.
struct Clients {
    address: String,
    request: Vec<u8>,
    idle: Mutex<Vec<TcpStream>>,
}

impl Clients {
    fn of(server: &Server) -> Arc<Self> {
        let body = serde_json::json!({ "query": QUERY }).to_string();
        let head = format!(
            "POST /graphql HTTP/1.1\r\nhost: {}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
            server.address,
            body.len()
        );
        Arc::new(Self { address: server.address.clone(), request: (head + &body).into_bytes(), idle: Mutex::default() })
    }

    /// Sends a request; the status of the answer.
    async fn ask(&self) -> std::io::Result<u16> {
        let idle = self.idle.lock().unwrap().pop();
        let mut stream = match idle {
            Some(stream) => stream,
            None => TcpStream::connect(&self.address).await?,
        };
        stream.set_nodelay(true)?;
        stream.write_all(&self.request).await?;
        let (status, is_open) = answer(&mut stream).await?;
        if is_open {
            self.idle.lock().unwrap().push(stream);
        }
        Ok(status)
    }
}

/// Reads an answer: its status, and whether the connection goes on.
async fn answer(stream: &mut TcpStream) -> std::io::Result<(u16, bool)> {
    let mut bytes = Vec::with_capacity(32 << 10);
    let ended = || std::io::Error::from(std::io::ErrorKind::UnexpectedEof);
    loop {
        if stream.read_buf(&mut bytes).await? == 0 {
            return Err(ended());
        }
        let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") else { continue };
        let head = String::from_utf8_lossy(&bytes[..end]).to_ascii_lowercase();
        let status = head.get(9..12).and_then(|status| status.parse().ok()).ok_or_else(ended)?;
        let length = head.split("content-length: ").nth(1).and_then(|rest| rest.split("\r\n").next());
        let length: usize = length.and_then(|length| length.parse().ok()).ok_or_else(ended)?;
        while bytes.len() < end + 4 + length {
            if stream.read_buf(&mut bytes).await? == 0 {
                return Err(ended());
            }
        }
        return Ok((status, !head.contains("connection: close")));
    }
}

/// What became of the requests of a time.
#[derive(Default)]
struct Outcome {
    /// How long answers took, by their status; 0 where there was none.
    latencies: BTreeMap<u16, Vec<Duration>>,
    seconds: f64,
    memory: Vec<u64>,
}

impl Outcome {
    fn note(&mut self, status: std::io::Result<u16>, latency: Duration) {
        self.latencies.entry(status.unwrap_or(0)).or_default().push(latency);
    }

    /// The row of a table.
    #[allow(clippy::cast_precision_loss, reason = "counts of a minute")]
    fn print(mut self, name: &str) -> f64 {
        self.latencies.values_mut().for_each(|latencies| latencies.sort_unstable());
        let at = |status: u16, per_mille: usize| {
            let latencies = self.latencies.get(&status).filter(|latencies| !latencies.is_empty());
            latencies
                .map_or(f64::NAN, |all| all[(all.len() * per_mille / 1_000).min(all.len() - 1)].as_secs_f64() * 1e3)
        };
        let per_second = |status: u16| self.latencies.get(&status).map_or(0, Vec::len) as f64 / self.seconds;
        let others: usize =
            self.latencies.iter().filter(|(status, _)| ![200, 503].contains(*status)).map(|(_, all)| all.len()).sum();
        let (least, most) = (self.memory.iter().min().unwrap_or(&0), self.memory.iter().max().unwrap_or(&0));
        println!(
            "| {name} | {:.0} | {:.1} | {:.1} | {:.0} | {:.2} | {:.2} | {:.2} | {others} | {least}–{most} |",
            per_second(200),
            at(200, 500),
            at(200, 950),
            per_second(503),
            at(503, 500),
            at(503, 950),
            at(503, 990),
        );
        per_second(200)
    }
}

/// As many clients as keep the server busy.
async fn busy(server: &Server, clients: &Arc<Clients>, duration: Duration) -> Outcome {
    let (outcome, begun) = (Arc::new(Mutex::new(Outcome::default())), Instant::now());
    let mut tasks = JoinSet::new();
    for _ in 0..CLIENTS {
        let (clients, outcome) = (Arc::clone(clients), Arc::clone(&outcome));
        tasks.spawn(async move {
            while begun.elapsed() < duration {
                let sent = Instant::now();
                let status = clients.ask().await;
                outcome.lock().unwrap().note(status, sent.elapsed());
            }
        });
    }
    tasks.join_all().await;
    finished(outcome, begun.elapsed(), vec![server.memory()])
}

/// So many requests in a second, at random times.
async fn load(server: &Server, clients: &Arc<Clients>, per_second: f64, duration: Duration) -> Outcome {
    let (outcome, begun) = (Arc::new(Mutex::new(Outcome::default())), tokio::time::Instant::now());
    let (mut due, mut memory, mut tasks) = (begun, Vec::new(), JoinSet::new());
    while due < begun + duration {
        tokio::time::sleep_until(due).await;
        if memory.len() as u64 <= begun.elapsed().as_secs() {
            memory.push(server.memory());
        }
        let (clients, outcome) = (Arc::clone(clients), Arc::clone(&outcome));
        tasks.spawn(async move {
            let status = clients.ask().await;
            outcome.lock().unwrap().note(status, due.elapsed());
        });
        while tasks.try_join_next().is_some() {}
        let gap = -(1.0 - rand::rng().random_range(0.0..1.0_f64)).ln() / per_second;
        due += Duration::from_secs_f64(gap);
    }
    tasks.join_all().await;
    finished(outcome, duration, memory)
}

fn finished(outcome: Arc<Mutex<Outcome>>, elapsed: Duration, memory: Vec<u64>) -> Outcome {
    let outcome = Arc::into_inner(outcome).expect("all clients have ended").into_inner().unwrap();
    Outcome { seconds: elapsed.as_secs_f64(), memory, ..outcome }
}

fn main() {
    let url = std::env::var("EVALGRAPH_BENCH_POSTGRES_URL").expect("scripts/bench starts a PostgreSQL");
    let seconds = std::env::var("SATURATION_SECONDS").ok().and_then(|text| text.parse().ok()).unwrap_or(50);
    let server = Server::start(&url);
    let clients = Clients::of(&server);
    // One thread: the server needs the other processor.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        println!("| load | answered/s | p50 ms | p95 ms | refused/s | p50 ms | p95 ms | p99 ms | others | MiB |");
        println!("|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|");
        let part = Duration::from_secs(8);
        busy(&server, &clients, part).await;
        let capacity = busy(&server, &clients, part).await.print("16 clients");
        let sustainable = capacity * 0.8;
        load(&server, &clients, sustainable, Duration::from_secs(30)).await.print("sustainable");
        load(&server, &clients, sustainable * 3.0, Duration::from_secs(3)).await.print("3 ×, the first 3 s");
        load(&server, &clients, sustainable * 3.0, Duration::from_secs(seconds)).await.print("3 ×, later");
        tokio::time::sleep(Duration::from_secs(1)).await;
        load(&server, &clients, sustainable, Duration::from_secs(15)).await.print("sustainable again");
    });
}
