//! What tracing costs: processor time per request of Q3 and Q4 (`peers/queries/`), through the whole server but for its
//! sockets, on PostgreSQL; switched off, with nothing sampled, with one request in a hundred and with all of them sampled and
//! sent to a receiver.
//!
//! Every figure is of a process of its own. The kinds take turns, so that what disturbs the machine disturbs all of them; each
//! is compared with its neighbour in time, and the mean of these ratios is told with its 95 % interval.
//!
//!   scripts/bench --bench tracing [-- [instructions] [ROUNDS]]
//!
//! With `instructions`, what is told is how many of them the process carries out for a request, those of the kernel excepted:
//! no neighbour disturbs that. valgrind counts them.
//!
//! Other builds of this program can take part: `EVALGRAPH_BENCH_BUILDS="without=PATH before=PATH"` names programs that
//! measure with tracing in the way that they were built with. The one named `without` is what the others are compared with.

mod common;

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};

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

/// The queries, and how often each is asked in a measurement: so often that what happens once in the life of a server, as
/// its connection to the receiver, counts for next to nothing.
const QUERIES: [(&str, &str, u32); 2] =
    [("Q3", include_str!("peers/queries/Q3.graphql"), 600), ("Q4", include_str!("peers/queries/Q4.graphql"), 160)];

/// How often a query is asked where instructions are counted: in one process and in another. The difference is told.
const COUNTED: (u32, u32) = (10, 40);

/// What is measured: its name, and the sampler; none where tracing is off.
const KINDS: [(&str, Option<(&str, &str)>); 4] = [
    ("off", None),
    ("unsampled", Some(("parentbased_always_off", ""))),
    ("1 % sampled", Some(("parentbased_traceidratio", "0.01"))),
    ("all sampled", Some(("parentbased_always_on", ""))),
];

const ROUNDS: usize = 24;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = || arguments.iter().find_map(|argument| argument.parse().ok());
    let query = || arguments.get(1).expect("a query");
    match arguments.first().map(String::as_str) {
        Some("measure") => println!("{}", runtime().block_on(measure(query()))),
        Some("repeat") => runtime().block_on(repeat(query(), number().expect("a number"))),
        Some("receive") => runtime().block_on(receive()),
        _ => {
            let is_counted = arguments.iter().any(|argument| argument == "instructions");
            let unit = if is_counted { Unit::Instructions } else { Unit::ProcessorTime };
            compare(unit, number().map_or(ROUNDS, |rounds| rounds as usize));
        }
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

/// A server, as its sockets would use it, and what it is asked.
struct Server {
    service: TowerToHyperService<axum::Router>,
    body: String,
    exporting: Option<Exporting>,
}

impl Server {
    async fn asked_for(query: &str) -> Self {
        let exporting = Exporting::start("bench", |name| std::env::var(name).ok()).unwrap();
        let lines = fmt::layer().with_writer(std::io::stderr).with_filter(LevelFilter::WARN);
        let lines = lines.with_filter(filter_fn(is_no_span));
        tracing_subscriber::registry().with(lines).with(exporting.as_ref().map(Exporting::layer)).init();
        let database = common::open_database(&postgres(), 2).await;
        let service = TowerToHyperService::new(http::router(App::with_limits(database, ServiceLimits::DEFAULT)));
        let body = serde_json::json!({ "query": query, "variables": { "userId": "user 7" } }).to_string();
        Self { service, body, exporting }
    }

    async fn ask(&self, times: u32) {
        for _ in 0..times {
            let request = Request::post("/graphql").header("content-type", "application/json");
            let request = request.body(Body::from(self.body.clone())).unwrap();
            let answer = self.service.call(request).await.unwrap().into_body().collect().await.unwrap().to_bytes();
            assert!(
                answer.starts_with(b"{\"data\":{") && answer.len() > 10_000,
                "{}",
                String::from_utf8_lossy(&answer)
            );
        }
    }

    /// What was recorded has to be sent.
    async fn finish(self) {
        if let Some(exporting) = self.exporting {
            exporting.finish().await;
        }
    }
}

fn query(name: &str) -> (&'static str, u32) {
    let (_, query, requests) = QUERIES.into_iter().find(|(known, ..)| *known == name).expect("a query");
    (query, requests)
}

/// Nanoseconds of processor time that a request takes.
async fn measure(name: &str) -> f64 {
    let (query, requests) = query(name);
    let server = Server::asked_for(query).await;
    server.ask(requests / 4).await;
    let before = processor_time();
    server.ask(requests).await;
    server.finish().await;
    (processor_time() - before) / f64::from(requests)
}

/// Asks a query so often, for somebody who looks on.
async fn repeat(name: &str, requests: u32) {
    let server = Server::asked_for(query(name).0).await;
    server.ask(requests).await;
    server.finish().await;
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

/// What is told of a request.
#[derive(Clone, Copy)]
enum Unit {
    ProcessorTime,
    Instructions,
}

/// A program that measures, and how it is told to trace.
struct Kind {
    name: String,
    program: PathBuf,
    sampler: Option<(&'static str, &'static str)>,
}

impl Kind {
    /// Microseconds, or thousands of instructions, per request.
    fn measure(&self, unit: Unit, query: &str, receiver: &str) -> f64 {
        match unit {
            Unit::ProcessorTime => {
                let output = self.run(Command::new(&self.program).args(["measure", query]), receiver);
                number(&String::from_utf8_lossy(&output.stdout)) / 1e3
            }
            Unit::Instructions => {
                let (few, many) = COUNTED;
                let more = self.instructions(query, many, receiver) - self.instructions(query, few, receiver);
                more / f64::from(many - few) / 1e3
            }
        }
    }

    /// All that a process carries out which asks a query so often.
    fn instructions(&self, query: &str, requests: u32, receiver: &str) -> f64 {
        let mut valgrind = Command::new("valgrind");
        valgrind.args(["--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null"]);
        valgrind.arg(&self.program).args(["repeat", query, &requests.to_string()]);
        let output = self.run(&mut valgrind, receiver);
        let report = String::from_utf8_lossy(&output.stderr).into_owned();
        let refs = report.lines().find_map(|line| line.split_once("refs:")).unwrap_or_else(|| panic!("{report}"));
        number(refs.1)
    }

    fn run(&self, command: &mut Command, receiver: &str) -> Output {
        if let Some((sampler, argument)) = self.sampler {
            command.env("OTEL_EXPORTER_OTLP_ENDPOINT", receiver);
            command.env("OTEL_TRACES_SAMPLER", sampler).env("OTEL_TRACES_SAMPLER_ARG", argument);
        }
        let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
        assert!(output.status.success(), "{}: {}", self.name, String::from_utf8_lossy(&output.stderr));
        output
    }
}

fn number(text: &str) -> f64 {
    text.trim().replace(',', "").parse().unwrap_or_else(|_| panic!("{text:?} is no number"))
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

fn compare(unit: Unit, rounds: usize) {
    let directory = tempfile::tempdir().unwrap();
    // Only PostgreSQL is measured: SQLite's own work is in the process and would hide what tracing adds to it.
    drop(common::filled(&runtime(), directory.path(), SIZES));
    let mut receiver = Command::new(std::env::current_exe().unwrap());
    let mut receiver = receiver.arg("receive").stdout(Stdio::piped()).spawn().unwrap();
    let mut address = String::new();
    BufReader::new(receiver.stdout.take().unwrap()).read_line(&mut address).unwrap();
    let _receiver = Receiver(receiver);
    let kinds = kinds();
    println!("{rounds} rounds; compared with «{}»\n", kinds[0].name);
    let per_request = match unit {
        Unit::ProcessorTime => "µs of a processor",
        Unit::Instructions => "thousand instructions",
    };
    println!("| query | | {per_request} | ratio | 95 % interval |\n|---|---|---:|---:|---|");
    for (query, ..) in QUERIES {
        let measured: Vec<Vec<f64>> =
            (0..rounds).map(|round| one_round(&kinds, unit, round, query, address.trim())).collect();
        for (place, kind) in kinds.iter().enumerate() {
            let mean = measured.iter().map(|round| round[place]).sum::<f64>() / rounds as f64;
            let ratios: Vec<f64> = measured.iter().map(|round| round[place] / round[0]).collect();
            let (ratio, half) = interval(&ratios);
            let (least, most) = (ratio - half, ratio + half);
            println!("| {query} | {} | {:.0} | {ratio:.3} | {least:.3} to {most:.3} |", kind.name, mean);
        }
    }
}

/// Measures each kind once, in an order that differs from round to round.
fn one_round(kinds: &[Kind], unit: Unit, round: usize, query: &str, receiver: &str) -> Vec<f64> {
    let mut measured = vec![0.0; kinds.len()];
    for step in 0..kinds.len() {
        let step = if round.is_multiple_of(2) { step } else { kinds.len() - 1 - step };
        let place = (step + round / 2) % kinds.len();
        measured[place] = kinds[place].measure(unit, query, receiver);
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
