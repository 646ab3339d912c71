//! The span of a batch of a loader.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use opentelemetry::trace::{Link, SpanBuilder};
use opentelemetry::{Context, KeyValue};

use super::field::FieldLink;
use super::span::{Span, at, is_recording};

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

/// The span of a batch: below the resolver that made it, and linked to all that wait for it.
fn open(facts: BatchFacts) -> Option<Span> {
    let BatchFacts { loader, keys, hits, waiting } = facts;
    let parent = waiting.first().map_or_else(Context::current, |first| first.place.context().clone());
    let links = waiting.into_iter().take(MOST_LINKS).map(|FieldLink { place, field }| {
        let coordinate = KeyValue::new("graphql.selection.field.coordinate", Arc::clone(&field.coordinate));
        Link::new(place.ids(), vec![coordinate], 0)
    });
    let keys = keys as u64;
    let builder = SpanBuilder::from_name(format!("GraphQL DataLoader Batch {loader}"));
    let builder = builder.with_links(links.collect()).with_attributes([
        KeyValue::new("graphql.processing.type", "dataloader_batch"),
        KeyValue::new("graphql.dataloader.name", loader),
        KeyValue::new("graphql.dataloader.batch.size", number(keys + hits)),
        KeyValue::new("graphql.dataloader.cache.hit_count", number(hits)),
        KeyValue::new("graphql.dataloader.cache.miss_count", number(keys)),
    ]);
    Span::untracked(builder, &parent)
}

fn number(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// Loads a batch. `failed` looks for a failure in the answers.
pub async fn batch<T>(facts: BatchFacts, load: impl Future<Output = T>, failed: impl FnOnce(&T) -> bool) -> T {
    let recorded = is_recording().then(|| open(facts)).flatten().map(|span| (span, Arc::new(TierHits::default())));
    let place = recorded.as_ref().map(|(span, hits)| span.place().with_value(Arc::clone(hits)));
    let answers = at(place, load).await;
    if let Some((span, hits)) = recorded {
        span.set("evalgraph.cache.process.hit_count", number(hits.process.load(Ordering::Relaxed)));
        span.set("evalgraph.cache.redis.hit_count", number(hits.shared.load(Ordering::Relaxed)));
        if failed(&answers) {
            span.fail("LOAD_FAILED");
        }
    }
    answers
}
