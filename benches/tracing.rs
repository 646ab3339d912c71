//! What tracing costs: processor time per request of Q3 and Q4 (`peers/queries/`), through the whole server but for its
//! sockets, on PostgreSQL; switched off, with nothing sampled, with one request in a hundred and with all of them sampled and
//! sent to a receiver.
//!
//! Every figure is of a process of its own. The kinds take turns, so that what disturbs the machine disturbs all of them; each
//! is compared with its neighbour in time, and the mean of these ratios is told with its 95 % interval.
//!
//!   scripts/bench --bench tracing [-- ROUNDS]
//!
//! Other builds of this program can take part: `EVALGRAPH_BENCH_BUILDS="without=PATH before=PATH"` names programs that
//! measure with tracing in the way that they were built with. The one named `without` is what the others are compared with.

mod common;

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use axum::body::Body;
use axum::http::Request;
use bulk_sizes::SIZES;
use evalgraph::app::App;
use evalgraph::db::pool::DatabaseLocation;
use evalgraph::graphql::ServiceLimits;
use evalgraph::http;
use evalgraph::telemetry::{Exporting, is_no_span};
use http_body_util::BodyExt as _;
use hyper::service::Service as _;
use hyper_util::service::TowerToHyperService;
use rustix::time::{ClockId, clock_gettime};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tracing_subscriber::filter::{LevelFilter, filter_fn};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{Layer as _, fmt};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

mod bulk_sizes {
    use super::common::bulk::Sizes;

    /// Each user has 60 prompts with 5 evaluations of 10 results.
    pub const SIZES: Sizes = Sizes {
        users: 20,
        templates: 10,
        prompts: 1_200,
        runs: 10,
        evaluated: 1_200,
        evaluations: 6_000,
        tested: 6_000,
        results: 60_000,
    };
}

/// The queries, and how often each is asked in a measurement.
const QUERIES: [(&str, &str, u32); 2] =
    [("Q3", include_str!("peers/queries/Q3.graphql"), 150), ("Q4", include_str!("peers/queries/Q4.graphql"), 40)];

/// What is measured: its name, and the sampler; none where tracing is off.
const KINDS: [(&str, Option<(&str, &str)>); 4] = [
    ("off", None),
    ("unsampled", Some(("parentbased_always_off", ""))),
    ("1 % sampled", Some(("parentbased_traceidratio", "0.01"))),
    ("all sampled", Some(("parentbased_always_on", ""))),
];

const ROUNDS: usize = 24;

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let task = arguments.iter().position(|argument| argument == "measure" || argument == "receive");
    match task.map(|place| (arguments[place].as_str(), arguments.get(place + 1))) {
        Some(("measure", Some(query))) => println!("{}", runtime().block_on(measure(query))),
        Some(_) => runtime().block_on(receive()),
        None => compare(arguments.iter().skip(1).find_map(|argument| argument.parse().ok()).unwrap_or(ROUNDS)),
    }
}

fn runtime() -> tokio::runtime::Runtime {
    common::runtime()
}

/// Processor time of this process, in nanoseconds.
fn processor_time() -> f64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    time.tv_sec as f64 * 1e9 + time.tv_nsec as f64
}

fn postgres() -> DatabaseLocation {
    let url = std::env::var("EVALGRAPH_BENCH_POSTGRES_URL").expect("scripts/bench starts a PostgreSQL");
    DatabaseLocation::Postgres(url)
}

/// Nanoseconds of processor time that a request takes.
async fn measure(name: &str) -> f64 {
    let (_, query, requests) = QUERIES.into_iter().find(|(known, ..)| *known == name).expect("a query");
    let exporting = Exporting::start("bench", |name| std::env::var(name).ok()).unwrap();
    let lines = fmt::layer().with_writer(std::io::stderr).with_filter(LevelFilter::WARN);
    let lines = lines.with_filter(filter_fn(is_no_span));
    tracing_subscriber::registry().with(lines).with(exporting.as_ref().map(Exporting::layer)).init();

    let database = common::open_database(&postgres(), 2).await;
    let server = TowerToHyperService::new(http::router(App::with_limits(database, ServiceLimits::DEFAULT)));
    let body = serde_json::json!({ "query": query, "variables": { "userId": "user 7" } }).to_string();
    let ask = async || {
        let request = Request::post("/graphql").header("content-type", "application/json");
        let answer = server.call(request.body(Body::from(body.clone())).unwrap()).await.unwrap();
        answer.into_body().collect().await.unwrap().to_bytes()
    };
    for _ in 0..requests / 4 {
        let answer = ask().await;
        assert!(answer.starts_with(b"{\"data\":{") && answer.len() > 10_000, "{}", String::from_utf8_lossy(&answer));
    }
    let before = processor_time();
    for _ in 0..requests {
        ask().await;
    }
    // What was recorded has to be sent.
    if let Some(exporting) = exporting {
        exporting.finish().await;
    }
    (processor_time() - before) / f64::from(requests)
}

/// Takes spans and says so, until it is killed.
async fn receive() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    println!("http://{}", listener.local_addr().unwrap());
    std::io::stdout().flush().unwrap();
    loop {
        let (mut connection, _) = listener.accept().await.unwrap();
        tokio::spawn(async move {
            let mut received = Vec::new();
            while connection.read_buf(&mut received).await.is_ok_and(|count| count > 0) {
                while let Some(length) = whole_request(&received) {
                    received.drain(..length);
                    let answer =
                        b"HTTP/1.1 200 OK\r\ncontent-type: application/x-protobuf\r\ncontent-length: 0\r\n\r\n";
                    if connection.write_all(answer).await.is_err() {
                        return;
                    }
                }
            }
        });
    }
}

/// The length of the request at the beginning, if all of it is there.
fn whole_request(received: &[u8]) -> Option<usize> {
    let head = received.windows(4).position(|window| window == b"\r\n\r\n")? + 4;
    let text = String::from_utf8_lossy(&received[..head]).to_ascii_lowercase();
    let length = text.split("content-length: ").nth(1)?.split("\r\n").next()?.parse::<usize>().ok()?;
    (received.len() >= head + length).then_some(head + length)
}

/// A program that measures, and how it is told to trace.
struct Kind {
    name: String,
    program: PathBuf,
    sampler: Option<(&'static str, &'static str)>,
}

impl Kind {
    fn measure(&self, query: &str, receiver: &str) -> f64 {
        let mut command = Command::new(&self.program);
        command.args(["measure", query]);
        if let Some((sampler, argument)) = self.sampler {
            command.env("OTEL_EXPORTER_OTLP_ENDPOINT", receiver);
            command.env("OTEL_TRACES_SAMPLER", sampler).env("OTEL_TRACES_SAMPLER_ARG", argument);
        }
        let output = command.stderr(Stdio::inherit()).output().unwrap();
        String::from_utf8(output.stdout).unwrap().trim().parse().unwrap_or_else(|_| panic!("{} failed", self.name))
    }
}

fn kinds() -> Vec<Kind> {
    let own = std::env::current_exe().unwrap();
    let mut kinds = Vec::new();
    for build in std::env::var("EVALGRAPH_BENCH_BUILDS").unwrap_or_default().split_whitespace() {
        let (name, program) = build.split_once('=').expect("NAME=PATH");
        // `NAME:all=PATH` is measured with everything sampled.
        let sampler = name.ends_with(":all").then_some(("parentbased_always_on", ""));
        kinds.push(Kind { name: name.to_owned(), program: program.into(), sampler });
    }
    kinds.extend(KINDS.map(|(name, sampler)| Kind { name: name.to_owned(), program: own.clone(), sampler }));
    kinds
}

struct Receiver(Child);

impl Drop for Receiver {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn compare(rounds: usize) {
    let directory = tempfile::tempdir().unwrap();
    // Only PostgreSQL is measured: SQLite's own work is in the process and would hide what tracing adds to it.
    drop(common::filled(&runtime(), directory.path(), SIZES));
    let mut receiver = Command::new(std::env::current_exe().unwrap());
    let mut receiver = receiver.args(["receive", "spans"]).stdout(Stdio::piped()).spawn().unwrap();
    let mut address = String::new();
    BufReader::new(receiver.stdout.take().unwrap()).read_line(&mut address).unwrap();
    let _receiver = Receiver(receiver);
    let kinds = kinds();
    println!("{rounds} rounds; compared with «{}»\n", kinds[0].name);
    println!("| query | | µs of a processor | ratio | 95 % interval |\n|---|---|---:|---:|---|");
    for (query, ..) in QUERIES {
        let measured: Vec<Vec<f64>> =
            (0..rounds).map(|round| one_round(&kinds, round, query, address.trim())).collect();
        for (place, kind) in kinds.iter().enumerate() {
            let mean = measured.iter().map(|round| round[place]).sum::<f64>() / rounds as f64;
            let ratios: Vec<f64> = measured.iter().map(|round| round[place] / round[0]).collect();
            let (ratio, half) = interval(&ratios);
            let (least, most) = (ratio - half, ratio + half);
            println!("| {query} | {} | {:.0} | {ratio:.3} | {least:.3} to {most:.3} |", kind.name, mean / 1e3);
        }
    }
}

/// Measures each kind once, in an order that differs from round to round.
fn one_round(kinds: &[Kind], round: usize, query: &str, receiver: &str) -> Vec<f64> {
    let mut measured = vec![0.0; kinds.len()];
    for step in 0..kinds.len() {
        let step = if round.is_multiple_of(2) { step } else { kinds.len() - 1 - step };
        let place = (step + round / 2) % kinds.len();
        measured[place] = kinds[place].measure(query, receiver);
    }
    measured
}

/// The mean, and half of its 95 % interval, for some 20 values or more.
fn interval(values: &[f64]) -> (f64, f64) {
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (count - 1.0).max(1.0);
    (mean, 2.07 * (variance / count).sqrt())
}
