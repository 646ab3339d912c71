//! Storing 10,000 prompts of a kilobyte on both databases: at once, by one request, and one by one; and how much memory the
//! first two take at most, what is to be stored included. What SQLite itself takes is not counted.
//!
//! `scripts/bench --bench writes` starts a private PostgreSQL. Without `EVALGRAPH_BENCH_POSTGRES_URL` only SQLite is
//! measured.

#![allow(clippy::duplicate_mod, reason = "the benchmarks and the tests have their makers of rows in common")]

mod common;

use std::time::{Duration, Instant};

use async_graphql::{Request, Variables};
use common::bulk::Sizes;
use common::{answer, filled, runtime};
use evalgraph::db::{Database, StatementCount};
use evalgraph::domain::Deed;
use evalgraph::graphql::{Schema, ServiceLimits};
use evalgraph::writes::perform;
use evalgraph::writes::prompts::{PromptDraft, UpsertItem, UpsertPrompts};
use mimalloc::MiMalloc;
use peakmem_alloc::{PeakMemAlloc, PeakMemAllocTrait as _};
use serde_json::json;

#[global_allocator]
static ALLOCATOR: PeakMemAlloc<MiMalloc> = PeakMemAlloc::new(MiMalloc);

const PROMPTS: usize = 10_000;
/// So many are stored one by one: what one takes does not depend on how many come after it.
const ONE_BY_ONE: usize = 1_000;

/// A text of a kilobyte, in which words come and go.
fn text(number: usize) -> String {
    let words = (0..128).map(|place| format!("w{:05} ", (number * 31 + place * place * 17) % 20_000));
    words.collect()
}

fn title(number: usize) -> String {
    format!("Prompt {number}")
}

/// How long something took, and how many bytes more than before were in use at most.
struct Taken {
    time: Duration,
    bytes: usize,
}

impl Taken {
    /// The memory, beside that of the texts alone.
    fn times_the_texts(&self) -> String {
        let texts: usize = (0..PROMPTS).map(|number| title(number).len() + text(number).len()).sum();
        let tenths = self.bytes * 10 / texts;
        format!("{}.{}", tenths / 10, tenths % 10)
    }
}

/// Stores all by the function that the mutation calls.
async fn at_once(database: &Database) -> Taken {
    ALLOCATOR.reset_peak_memory();
    let items = (0..PROMPTS).map(|number| UpsertItem::New(PromptDraft::text(title(number), text(number))));
    let write = UpsertPrompts { items: items.collect(), columns: None };
    let begun = Instant::now();
    let stored = perform(database, &StatementCount::default(), Deed::command("upsertPrompts", "local"), write).await;
    assert_eq!(stored.unwrap().unwrap().affected, PROMPTS);
    Taken { time: begun.elapsed(), bytes: ALLOCATOR.get_peak_memory() }
}

async fn request(schema: &Schema, database: &Database, document: &str, variables: serde_json::Value) -> Duration {
    let request = Request::new(document).variables(Variables::from_json(variables));
    let begun = Instant::now();
    let (execution, _) = answer(schema, database, request).await;
    assert!(execution.response.errors.is_empty(), "{:?}", execution.response.errors);
    begun.elapsed()
}

/// Stores all by one request.
async fn by_one_request(schema: &Schema, database: &Database) -> Taken {
    ALLOCATOR.reset_peak_memory();
    let input: Vec<_> = (0..PROMPTS).map(|number| json!({ "title": title(number), "content": text(number) })).collect();
    let document = "mutation ($input: [UpsertPromptInput!]!) { upsertPrompts(input: $input) { affected } }";
    let time = request(schema, database, document, json!({ "input": input })).await;
    Taken { time, bytes: ALLOCATOR.get_peak_memory() }
}

/// Stores some, a request for each.
async fn one_by_one(schema: &Schema, database: &Database) -> Duration {
    let document = "mutation ($input: CreatePromptInput!) { createPrompt(input: $input) { prompt { id } } }";
    let mut taken = Duration::ZERO;
    for number in 0..ONE_BY_ONE {
        let input = json!({ "input": { "title": title(number), "content": text(number) } });
        taken += request(schema, database, document, input).await;
    }
    taken
}

fn main() {
    let runtime = runtime();
    let directory = tempfile::tempdir().unwrap();
    let schema = Schema::new(ServiceLimits::DEFAULT);
    let none =
        Sizes { users: 1, templates: 1, prompts: 1, runs: 1, evaluated: 1, evaluations: 1, tested: 1, results: 1 };
    for (name, database) in filled(&runtime, directory.path(), none) {
        runtime.block_on(async {
            // The first is for the caches and the statements.
            at_once(&database).await;
            let function = at_once(&database).await;
            let whole = by_one_request(&schema, &database).await;
            let single = one_by_one(&schema, &database).await * u32::try_from(PROMPTS / ONE_BY_ONE).unwrap_or(1);
            let (function_memory, whole_memory) = (function.times_the_texts(), whole.times_the_texts());
            println!(
                "{name}: {PROMPTS} prompts at once {:.2?} and {function_memory} × the memory of the texts, by one request \
                 {:.2?} and {whole_memory} ×, one by one {single:.2?} (as {ONE_BY_ONE} took a tenth)",
                function.time, whole.time
            );
        });
    }
}
