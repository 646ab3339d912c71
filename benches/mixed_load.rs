//! 32 clients that record results, and 32 that read them nested meanwhile, on both databases: how long both have to wait, and
//! whether anybody is refused or shown a wrong total.
//!
//! Two writers share each evaluation, and four evaluations each prompt, so that all of them get into each other's way: in the rows
//! of evaluations, runs and totals. One of ten calls repeats the one before it, as a client does that has lost an answer, and must
//! add nothing. Readers see every total add up and never shrink. In the end, what was acknowledged is compared with what is stored.
//!
//! `scripts/bench --bench mixed_load` takes a minute for each database; with `MIXED_LOAD_SECONDS` another time. Requests do
//! not go through HTTP.

mod common;

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use async_graphql::{Request, Variables};
use common::{answer, open_database, runtime};
use evalgraph::db::Database;
use evalgraph::db::pool::DatabaseLocation;
use evalgraph::db::totals;
use evalgraph::graphql::{Schema, ServiceLimits, response_json};
use mimalloc::MiMalloc;
use rand::RngExt as _;
use serde_json::{Value, json};
use tokio::task::JoinSet;

#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

const WRITERS: usize = 32;
const READERS: usize = 32;
const WRITERS_OF_ONE: usize = 2;
const EVALUATIONS_OF_A_PROMPT: usize = 4;
const RESULTS_AT_A_TIME: usize = 20;
const CONNECTIONS: u32 = 20;

const RECORD: &str =
    "mutation ($id: ID!, $results: [TestResultInput!]!) { recordTestResults(evaluationId: $id, results: $results) {
    recorded evaluation { totalTests passedTests failedTests erroredTests } } }";
const READ: &str = "query ($id: ID!) { run(id: $id) { name totalTests passRate evaluations(first: 4) { nodes {
    id totalTests passedTests failedTests erroredTests prompt { title evaluationCount }
    testResults(first: 10, orderBy: { field: CREATED_AT, direction: DESC }) { nodes { testCaseName outcome score } } } } } }";

/// What all clients share.
struct Load {
    schema: Schema,
    database: Database,
    runs: Vec<String>,
    evaluations: Vec<String>,
    /// By evaluation, how many results were acknowledged.
    acknowledged: Vec<AtomicU64>,
    stopped: AtomicBool,
}

/// How long the requests of one kind took, and how many results they were about.
#[derive(Default)]
struct Taken {
    times: Vec<Duration>,
    results: u64,
}

impl Taken {
    fn join(&mut self, other: Self) {
        self.times.extend(other.times);
        self.results += other.results;
    }
}

impl Load {
    async fn prepare(schema: Schema, database: Database) -> Self {
        let mut load = Self {
            schema,
            database,
            runs: Vec::new(),
            evaluations: Vec::new(),
            acknowledged: (0..WRITERS / WRITERS_OF_ONE).map(|_| AtomicU64::new(0)).collect(),
            stopped: AtomicBool::new(false),
        };
        let id = |data: &Value, path: &str| data.pointer(path).and_then(Value::as_str).unwrap().to_owned();
        for _ in 0..WRITERS / WRITERS_OF_ONE / EVALUATIONS_OF_A_PROMPT {
            let prompt =
                "mutation { createPrompt(input: { title: \"Prompt\", content: \"Content\" }) { prompt { id } } }";
            let prompt = id(&load.ask(prompt, json!({})).await, "/createPrompt/prompt/id");
            let run = load.ask("mutation { startRun(input: { name: \"Run\" }) { run { id } } }", json!({})).await;
            load.runs.push(id(&run, "/startRun/run/id"));
            for _ in 0..EVALUATIONS_OF_A_PROMPT {
                let document =
                    "mutation ($prompt: ID!, $run: ID!) { createEvaluation(input: { promptId: $prompt, runId: $run,
                    provider: \"provider\", model: \"model\" }) { evaluation { id } } }";
                let evaluation = load.ask(document, json!({ "prompt": prompt, "run": load.runs.last() })).await;
                load.evaluations.push(id(&evaluation, "/createEvaluation/evaluation/id"));
            }
        }
        load
    }

    /// Asks as a client does, and fails when it is refused.
    async fn ask(&self, document: &str, variables: Value) -> Value {
        let request = Request::new(document).variables(Variables::from_json(variables));
        let (execution, _) = answer(&self.schema, &self.database, request).await;
        assert!(execution.response.errors.is_empty(), "{:?}", execution.response.errors);
        let mut answer: Value = serde_json::from_slice(&response_json(&execution.response)).unwrap();
        answer["data"].take()
    }

    /// Records results for one evaluation until it is stopped.
    async fn write(&self, number: usize) -> Taken {
        let place = number / WRITERS_OF_ONE;
        let (mut taken, mut calls, mut last) = (Taken::default(), 0_u64, None);
        while !self.stopped.load(Ordering::Relaxed) {
            let repeated = last.take().filter(|_| rand::rng().random_range(0..10) == 0);
            let is_new = repeated.is_none();
            let results = repeated.unwrap_or_else(|| results(number, calls));
            calls += 1;
            let before = self.acknowledged[place].load(Ordering::Relaxed);
            let begun = Instant::now();
            let data = self.ask(RECORD, json!({ "id": self.evaluations[place], "results": results })).await;
            taken.times.push(begun.elapsed());
            let payload = &data["recordTestResults"];
            let added = if is_new { RESULTS_AT_A_TIME as u64 } else { 0 };
            assert_eq!(payload["recorded"], json!(added), "what is repeated adds nothing");
            taken.results += added;
            self.acknowledged[place].fetch_add(added, Ordering::Relaxed);
            let total = checked_total(&payload["evaluation"]);
            assert!(total >= before + added, "a writer is shown {total} results after {before} and its own {added}");
            last = Some(results);
        }
        taken
    }

    /// Reads the runs in turn until it is stopped.
    async fn read(&self, number: usize) -> Taken {
        let (mut taken, mut seen) = (Taken::default(), HashMap::<String, u64>::new());
        for run in self.runs.iter().cycle().skip(number) {
            if self.stopped.load(Ordering::Relaxed) {
                break;
            }
            let before: Vec<_> = self.acknowledged.iter().map(|count| count.load(Ordering::Relaxed)).collect();
            let begun = Instant::now();
            let data = self.ask(READ, json!({ "id": run })).await;
            taken.times.push(begun.elapsed());
            for evaluation in data["run"]["evaluations"]["nodes"].as_array().unwrap() {
                let (id, total) = (evaluation["id"].as_str().unwrap(), checked_total(evaluation));
                let place = self.evaluations.iter().position(|known| known == id).unwrap();
                assert!(total >= before[place], "{total} results are shown, and {} were acknowledged", before[place]);
                let last = seen.insert(id.to_owned(), total).unwrap_or_default();
                assert!(total >= last, "{total} results are shown, and {last} were before");
                taken.results += evaluation["testResults"]["nodes"].as_array().unwrap().len() as u64;
            }
        }
        taken
    }

    /// What is stored is what was acknowledged, and all that is kept of it is right.
    async fn check(&self) {
        for (id, acknowledged) in self.evaluations.iter().zip(&self.acknowledged) {
            let document = "query ($id: ID!) { evaluation(id: $id) { totalTests passedTests failedTests erroredTests
                testResults(first: 1) { totalCount } } }";
            let data = self.ask(document, json!({ "id": id })).await;
            let acknowledged = acknowledged.load(Ordering::Relaxed);
            assert_eq!(checked_total(&data["evaluation"]), acknowledged);
            assert_eq!(data["evaluation"]["testResults"]["totalCount"], json!(acknowledged));
        }
        let mut wrong = Vec::new();
        totals::verify(&self.database, |difference| wrong.push(difference.to_string())).await.unwrap();
        assert!(wrong.is_empty(), "{wrong:#?}");
    }
}

/// Results that nobody else records.
fn results(writer: usize, call: u64) -> Value {
    let result = |number: usize| {
        let outcome = ["PASSED", "FAILED", "ERRORED"][rand::rng().random_range(0..3)];
        json!({ "testCaseName": format!("case {number}"), "inputData": { "question": number }, "outcome": outcome, "score": 0.5,
            "externalId": format!("{writer}-{call}-{number}"), "actualOutput": "an answer of some words ".repeat(8),
            "latencyMs": 120, "tokenCount": 60, "costUsd": 0.0001 })
    };
    (0..RESULTS_AT_A_TIME).map(result).collect()
}

/// How many results an evaluation says it has, by their outcomes and in all.
fn checked_total(evaluation: &Value) -> u64 {
    let count = |field: &str| evaluation[field].as_u64().unwrap();
    let total = count("totalTests");
    assert_eq!(total, count("passedTests") + count("failedTests") + count("erroredTests"), "{evaluation}");
    total
}

async fn run(load: &Arc<Load>, duration: Duration) -> (Taken, Taken) {
    let (mut writers, mut readers) = (JoinSet::new(), JoinSet::new());
    for number in 0..WRITERS {
        let load = Arc::clone(load);
        writers.spawn(async move { load.write(number).await });
    }
    for number in 0..READERS {
        let load = Arc::clone(load);
        readers.spawn(async move { load.read(number).await });
    }
    tokio::time::sleep(duration).await;
    load.stopped.store(true, Ordering::Relaxed);
    let (mut written, mut read) = (Taken::default(), Taken::default());
    writers.join_all().await.into_iter().for_each(|taken| written.join(taken));
    readers.join_all().await.into_iter().for_each(|taken| read.join(taken));
    (written, read)
}

#[allow(clippy::cast_precision_loss, reason = "counts of a minute")]
fn print(database: &str, kind: &str, mut taken: Taken, duration: Duration) {
    taken.times.sort_unstable();
    let seconds = duration.as_secs_f64();
    let at = |part: usize| taken.times[taken.times.len() * part / 100].as_secs_f64() * 1000.0;
    println!(
        "| {database} | {kind} | {:.0} | {:.0} | {:.1} | {:.1} |",
        taken.times.len() as f64 / seconds,
        taken.results as f64 / seconds,
        at(50),
        at(95),
    );
}

fn main() {
    let seconds = std::env::var("MIXED_LOAD_SECONDS").ok().and_then(|text| text.parse().ok()).unwrap_or(60);
    let duration = Duration::from_secs(seconds);
    let directory = tempfile::tempdir().unwrap();
    let mut locations = vec![("SQLite", DatabaseLocation::Sqlite(directory.path().join("load.db")))];
    if let Ok(url) = std::env::var("EVALGRAPH_BENCH_POSTGRES_URL") {
        locations.push(("PostgreSQL", DatabaseLocation::Postgres(url)));
    }
    println!("| database | requests | per second | results per second | p50 ms | p95 ms |");
    println!("|---|---|---:|---:|---:|---:|");
    for (name, location) in locations {
        runtime().block_on(async {
            let database = open_database(&location, CONNECTIONS).await;
            let load = Arc::new(Load::prepare(Schema::new(ServiceLimits::DEFAULT), database).await);
            let (written, read) = run(&load, duration).await;
            print(name, "record 20 results", written, duration);
            print(name, "read a run, 4 evaluations, 40 results", read, duration);
            load.check().await;
        });
    }
}
