//! The span of a batch of a loader.

use opentelemetry::KeyValue;
use opentelemetry::context::FutureExt as _;
use opentelemetry::trace::TraceContextExt as _;

use super::field::FieldLink;
use super::span::child;

/// How many resolvers a batch names; there may be thousands.
const MOST_LINKS: usize = 128;

/// What is told of a batch.
#[derive(Debug)]
pub struct BatchFacts {
    /// The loader.
    pub loader: &'static str,
    /// How many keys it asks about.
    pub keys: usize,
    /// How many questions to the loader needed no key of their own, since the batch before.
    pub hits: u64,
    /// The resolvers that wait for it.
    pub waiting: Vec<FieldLink>,
}

/// Loads a batch. `failed` looks for a failure in the answers.
pub async fn batch<T>(facts: BatchFacts, load: impl Future<Output = T>, failed: impl FnOnce(&T) -> bool) -> T {
    let Some(span) = child("graphql.dataloader.batch") else { return load.await };
    let number = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
    span.set("graphql.dataloader.name", facts.loader);
    span.set("graphql.dataloader.batch.size", number(facts.keys as u64));
    span.set("graphql.dataloader.cache.hit_count", number(facts.hits));
    span.set("graphql.dataloader.cache.miss_count", number(facts.keys as u64));
    let context = span.context();
    for FieldLink { ids, coordinate } in facts.waiting.into_iter().take(MOST_LINKS) {
        let coordinate = KeyValue::new("graphql.field.coordinate", coordinate.to_string());
        context.span().add_link(ids, vec![coordinate]);
    }
    let answers = load.with_context(context).await;
    if failed(&answers) {
        span.fail("LOAD_FAILED");
    }
    answers
}
