//! What batching costs by itself: one nested query over data in memory, without loaders, through this project's
//! loaders, and through those of async-graphql.
//!
//! 20 prompts × 3 evaluations × 5 results. `cargo bench --bench dispatch`

use std::collections::HashMap;
use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use async_graphql::dataloader::{DataLoader, HashMapCache};
use async_graphql::runtime::{TokioSpawner, TokioTimer};
use async_graphql::{Context, EmptyMutation, EmptySubscription, Object, Request, Schema};
use criterion::{Criterion, criterion_group, criterion_main};
use evalgraph::loaders::{Batch, Dispatcher, LoadError, Loader};

const PROMPTS: u32 = 20;
const EVALUATIONS: u32 = 3;
const RESULTS: u32 = 5;
const QUERY: &str = "{ prompts { id title evaluations { id model results { id name passed score } } } }";

/// The children of a parent, as some table would have them.
fn children(parent: u32, count: u32) -> Arc<Vec<u32>> {
    Arc::new((0..count).map(|child| parent * count + child).collect())
}

/// How children are found.
#[derive(Clone, Copy)]
enum Way {
    /// By calling a function.
    Direct,
    /// Through this project's loaders.
    Ours,
    /// Through those of async-graphql.
    Theirs,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct EvaluationsOf(u32);

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct ResultsOf(u32);

struct Children {
    count: u32,
}

impl Batch for Children {
    type Key = u32;
    type Value = Arc<Vec<u32>>;

    fn name(&self) -> &'static str {
        "children"
    }

    async fn load(&self, keys: &[u32]) -> Vec<Result<Arc<Vec<u32>>, LoadError>> {
        keys.iter().map(|&key| Ok(children(key, self.count))).collect()
    }
}

struct OurLoaders {
    evaluations: Loader<Children>,
    results: Loader<Children>,
}

struct Memory;

macro_rules! library_loader {
    ($key:ident, $count:expr) => {
        impl async_graphql::dataloader::Loader<$key> for Memory {
            type Value = Arc<Vec<u32>>;
            type Error = Arc<std::io::Error>;

            async fn load(&self, keys: &[$key]) -> Result<HashMap<$key, Self::Value>, Self::Error> {
                Ok(keys.iter().map(|key| (*key, children(key.0, $count))).collect())
            }
        }
    };
}

library_loader!(EvaluationsOf, EVALUATIONS);
library_loader!(ResultsOf, RESULTS);

type TheirLoader = DataLoader<Memory, HashMapCache>;

async fn evaluations_of(context: &Context<'_>, prompt: u32) -> Arc<Vec<u32>> {
    match context.data_unchecked::<Way>() {
        Way::Direct => children(prompt, EVALUATIONS),
        Way::Ours => context.data_unchecked::<OurLoaders>().evaluations.load(prompt).await.unwrap(),
        Way::Theirs => {
            let loader = context.data_unchecked::<TheirLoader>();
            loader.load_one(EvaluationsOf(prompt)).await.unwrap().unwrap()
        }
    }
}

async fn results_of(context: &Context<'_>, evaluation: u32) -> Arc<Vec<u32>> {
    match context.data_unchecked::<Way>() {
        Way::Direct => children(evaluation, RESULTS),
        Way::Ours => context.data_unchecked::<OurLoaders>().results.load(evaluation).await.unwrap(),
        Way::Theirs => {
            let loader = context.data_unchecked::<TheirLoader>();
            loader.load_one(ResultsOf(evaluation)).await.unwrap().unwrap()
        }
    }
}

struct Query;

#[Object]
impl Query {
    async fn prompts(&self) -> Vec<Prompt> {
        (0..PROMPTS).map(Prompt).collect()
    }
}

struct Prompt(u32);

#[Object]
impl Prompt {
    async fn id(&self) -> u32 {
        self.0
    }

    async fn title(&self) -> &'static str {
        "Answer from the documents"
    }

    async fn evaluations(&self, context: &Context<'_>) -> Vec<Evaluation> {
        evaluations_of(context, self.0).await.iter().copied().map(Evaluation).collect()
    }
}

struct Evaluation(u32);

#[Object]
impl Evaluation {
    async fn id(&self) -> u32 {
        self.0
    }

    async fn model(&self) -> &'static str {
        "a-model"
    }

    async fn results(&self, context: &Context<'_>) -> Vec<TestResult> {
        results_of(context, self.0).await.iter().copied().map(TestResult).collect()
    }
}

struct TestResult(u32);

#[Object]
impl TestResult {
    async fn id(&self) -> u32 {
        self.0
    }

    async fn name(&self) -> &'static str {
        "refuses to guess"
    }

    async fn passed(&self) -> bool {
        self.0.is_multiple_of(5)
    }

    async fn score(&self) -> f64 {
        f64::from(self.0)
    }
}

type BenchSchema = Schema<Query, EmptyMutation, EmptySubscription>;

async fn direct(schema: &BenchSchema) -> async_graphql::Response {
    schema.execute(Request::new(QUERY).data(Way::Direct)).await
}

async fn ours(schema: &BenchSchema) -> async_graphql::Response {
    let dispatcher = Arc::new(Dispatcher::default());
    let loaders = OurLoaders {
        evaluations: Loader::new(Children { count: EVALUATIONS }, Arc::clone(&dispatcher)),
        results: Loader::new(Children { count: RESULTS }, Arc::clone(&dispatcher)),
    };
    dispatcher.drive(schema.execute(Request::new(QUERY).data(Way::Ours).data(loaders))).await
}

async fn theirs(schema: &BenchSchema, delay: Option<Duration>) -> async_graphql::Response {
    let loader =
        DataLoader::with_cache(Memory, TokioSpawner::current(), TokioTimer::default(), HashMapCache::default());
    let loader = match delay {
        Some(delay) => loader.delay(delay),
        None => loader,
    };
    schema.execute(Request::new(QUERY).data(Way::Theirs).data(loader)).await
}

fn dispatch(criterion: &mut Criterion) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let schema = Schema::new(Query, EmptyMutation, EmptySubscription);
    let expected = runtime.block_on(direct(&schema)).data;
    assert_eq!(runtime.block_on(ours(&schema)).data, expected);
    assert_eq!(runtime.block_on(theirs(&schema, None)).data, expected);

    let mut group = criterion.benchmark_group("dispatch");
    group.bench_function("no loader", |bench| {
        bench.to_async(&runtime).iter(async || black_box(direct(&schema).await));
    });
    group.bench_function("exact dispatch", |bench| {
        bench.to_async(&runtime).iter(async || black_box(ours(&schema).await));
    });
    group.bench_function("library loader, default delay", |bench| {
        bench.to_async(&runtime).iter(async || black_box(theirs(&schema, None).await));
    });
    group.bench_function("library loader, no delay", |bench| {
        bench.to_async(&runtime).iter(async || black_box(theirs(&schema, Some(Duration::ZERO)).await));
    });
    group.finish();
}

criterion_group!(benches, dispatch);
criterion_main!(benches);
