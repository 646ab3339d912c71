//! Metrics: what happens is counted and measured here, and read by two at most: the page `/metrics` of the operators'
//! listener, and an exporter that sends them to a collector.
//!
//! Both read the same instruments, which `definitions.rs` names. What is counted elsewhere already, such as pools
//! and caches, is looked at when somebody reads (`observed.rs`). While nobody may read, nothing is counted.

mod definitions;
mod exemplars;
mod exposition;
mod instruments;
mod names;
mod observed;
mod operation;
mod process;
mod provider;
mod statement;

use std::sync::OnceLock;
use std::time::{Duration, Instant};

use opentelemetry::KeyValue;

use self::definitions::label;
use self::instruments::Instruments;

pub use definitions::{ALL, Definition, Kind};
pub use exposition::TextFormat;
pub use names::OperationNames;
pub use observed::Observed;
pub use operation::{ActiveHttpRequest, HttpFacts, OperationMeter, Phases, http_answered};
pub use provider::{Metrics, MetricsSettings};
pub use statement::{Statement, verb_and_table};

/// What is counted on the way of requests; there is nothing while nobody may read it.
static INSTRUMENTS: OnceLock<Instruments> = OnceLock::new();

fn instruments() -> Option<&'static Instruments> {
    INSTRUMENTS.get()
}

fn seconds(begun: Instant) -> f64 {
    begun.elapsed().as_secs_f64()
}

/// What answered the keys that a loader was asked for, since it was told last.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LoaderAnswers {
    /// What the request had loaded, or was loading, already.
    pub request: u64,
    /// The cache in the process.
    pub process: u64,
    /// The shared cache.
    pub redis: u64,
    /// The database.
    pub database: u64,
}

/// Counts a batch of a loader that has ended.
pub fn batch_ended(loader: &'static str, begun: Instant, answers: LoaderAnswers) {
    let Some(instruments) = instruments() else { return };
    let name = KeyValue::new(label::LOADER, loader);
    let of_loader = std::slice::from_ref(&name);
    instruments.batch_duration.record(seconds(begun), of_loader);
    instruments.batch_size.record(answers.process + answers.redis + answers.database, of_loader);
    let sources = [
        ("request", answers.request),
        ("process", answers.process),
        ("redis", answers.redis),
        ("database", answers.database),
    ];
    for (source, count) in sources.into_iter().filter(|(_, count)| *count > 0) {
        instruments.loader_answers.add(count, &[name.clone(), KeyValue::new(label::SOURCE, source)]);
    }
}

/// Counts questions to a loader that no batch was needed for, at the end of the request.
pub fn loader_hits(loader: &'static str, hits: u64) {
    if let Some(instruments) = instruments().filter(|_| hits > 0) {
        let labels = [KeyValue::new(label::LOADER, loader), KeyValue::new(label::SOURCE, "request")];
        instruments.loader_answers.add(hits, &labels);
    }
}

/// Measures how long a resolver of a sampled request waited for what it loads.
pub fn field_answered(coordinate: &str, waited: Duration) {
    if let Some(instruments) = instruments() {
        let coordinate = KeyValue::new(label::COORDINATE, coordinate.to_owned());
        instruments.field_duration.record(waited.as_secs_f64(), &[coordinate]);
    }
}

/// Measures how long somebody waited for a connection that they got.
pub fn pool_waited(pool: &'static str, waited: Duration) {
    if let Some(instruments) = instruments() {
        instruments.pool_wait.record(waited.as_secs_f64(), &[KeyValue::new(label::POOL, pool)]);
    }
}

/// Counts somebody who waited for a connection in vain.
pub fn pool_timed_out(pool: &'static str) {
    if let Some(instruments) = instruments() {
        instruments.pool_timeouts.add(1, &[KeyValue::new(label::POOL, pool)]);
    }
}
