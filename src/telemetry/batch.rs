//! The span of a batch of a loader.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use opentelemetry::{Context, KeyValue};

use super::field::FieldLink;
use super::span::{Place, at, child, is_recording};

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
    /// The resolvers that wait for it. It was the first of them that made it.
    pub waiting: Vec<FieldLink>,
}

/// What the tiers of the cache answered of the batch at hand.
#[derive(Debug, Default)]
struct TierHits {
    process: AtomicU64,
    shared: AtomicU64,
}

/// Tells how many keys of the batch at hand the tiers of the cache answered.
pub fn tell_tier_hits(process: usize, shared: usize) {
    Context::map_current(|context| {
        if let Some(hits) = context.get::<Arc<TierHits>>() {
            hits.process.fetch_add(process as u64, Ordering::Relaxed);
            hits.shared.fetch_add(shared as u64, Ordering::Relaxed);
        }
    });
}

/// Loads a batch. `failed` looks for a failure in the answers.
pub async fn batch<T>(facts: BatchFacts, load: impl Future<Output = T>, failed: impl FnOnce(&T) -> bool) -> T {
    if !is_recording() {
        return load.await;
    }
    let span = {
        let _place = facts.waiting.first().map(|first| &first.place).map(Place::enter);
        child(&format!("GraphQL DataLoader Batch {}", facts.loader))
    };
    let Some(span) = span else { return load.await };
    let number = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
    let keys = facts.keys as u64;
    span.set_all([
        KeyValue::new("graphql.processing.type", "dataloader_batch"),
        KeyValue::new("graphql.dataloader.name", facts.loader),
        KeyValue::new("graphql.dataloader.batch.size", number(keys + facts.hits)),
        KeyValue::new("graphql.dataloader.cache.hit_count", number(facts.hits)),
        KeyValue::new("graphql.dataloader.cache.miss_count", number(keys)),
    ]);
    for FieldLink { place, field } in facts.waiting.into_iter().take(MOST_LINKS) {
        let coordinate = KeyValue::new("graphql.selection.field.coordinate", Arc::clone(&field.coordinate));
        span.link(place.ids(), vec![coordinate]);
    }
    let hits = Arc::new(TierHits::default());
    let answers = at(Some(span.place().with_value(Arc::clone(&hits))), load).await;
    span.set("evalgraph.cache.process.hit_count", number(hits.process.load(Ordering::Relaxed)));
    span.set("evalgraph.cache.redis.hit_count", number(hits.shared.load(Ordering::Relaxed)));
    if failed(&answers) {
        span.fail("LOAD_FAILED");
    }
    answers
}
