//! What is counted elsewhere, and looked at when somebody reads.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use opentelemetry::metrics::{AsyncInstrument, Meter};
use opentelemetry::{KeyValue, Value};
use tokio::runtime::RuntimeMetrics;

use super::definitions::{self as metric, Definition, label};
use super::instruments;
use super::operation::{ACTIVE_HTTP, ACTIVE_OPERATIONS, OPERATION_TYPES};
use super::process::Process;
use crate::admission::{Admission, InFlightCounts, Share};
use crate::cache::Cache;
use crate::cache::redis::RedisCounts;
use crate::db::Database;
use crate::db::state::PoolState;
use crate::telemetry::{ExportCounts, export_counts};

/// What is looked at.
pub struct Observed {
    /// The store, for its pools.
    pub database: Database,
    /// The cache, if there is one.
    pub cache: Option<Arc<Cache>>,
    /// What lets requests in.
    pub admission: Arc<Admission>,
    /// When the process began.
    pub since: Instant,
    /// The runtime that runs all of it.
    pub runtime: RuntimeMetrics,
}

/// What a look at something tells: pairs of a value and its label.
type Look<T> = Box<dyn Fn(&mut dyn FnMut(T, &[KeyValue])) + Send + Sync>;

/// A metric, and how it is read off what is looked at.
type Reading<S, T> = (Definition, fn(&S) -> T);
/// Counts with their labels.
type Counts = Vec<(u64, Vec<KeyValue>)>;
/// Values of tiers of the cache.
type OfTiers = Vec<(f64, &'static str)>;

/// Has readers look.
pub(super) fn observe(meter: &Meter, observed: &Arc<Observed>) {
    begin_at_zero(observed);
    requests(meter);
    pools(meter, observed);
    if observed.cache.is_some() {
        caches(meter, observed);
    }
    admission(meter, observed);
    spans(meter);
    process(meter, observed.since);
    runtime(meter, observed);
}

fn gauge(meter: &Meter, definition: Definition, look: Look<f64>) {
    let builder = meter.f64_observable_gauge(definition.name).with_unit(definition.unit);
    builder.with_description(definition.meaning).with_callback(move |observer| tell(observer, &look)).build();
}

fn numbers(meter: &Meter, definition: Definition, look: Look<i64>) {
    let builder = meter.i64_observable_up_down_counter(definition.name).with_unit(definition.unit);
    builder.with_description(definition.meaning).with_callback(move |observer| tell(observer, &look)).build();
}

fn counter(meter: &Meter, definition: Definition, look: Look<u64>) {
    let builder = meter.u64_observable_counter(definition.name).with_unit(definition.unit);
    builder.with_description(definition.meaning).with_callback(move |observer| tell(observer, &look)).build();
}

fn seconds(meter: &Meter, definition: Definition, look: Look<f64>) {
    let builder = meter.f64_observable_counter(definition.name).with_unit(definition.unit);
    builder.with_description(definition.meaning).with_callback(move |observer| tell(observer, &look)).build();
}

fn tell<T>(observer: &dyn AsyncInstrument<T>, look: &Look<T>) {
    look(&mut |value, labels| observer.observe(value, labels));
}

fn labelled(name: &'static str, value: impl Into<Value>) -> [KeyValue; 1] {
    [KeyValue::new(name, value)]
}

fn requests(meter: &Meter) {
    numbers(meter, metric::HTTP_ACTIVE, Box::new(|tell| tell(ACTIVE_HTTP.load(Ordering::Relaxed), &[])));
    let active = |tell: &mut dyn FnMut(i64, &[KeyValue])| {
        for (operation_type, active) in OPERATION_TYPES.into_iter().zip(&ACTIVE_OPERATIONS) {
            tell(active.load(Ordering::Relaxed), &labelled(label::OPERATION_TYPE, operation_type));
        }
    };
    numbers(meter, metric::ACTIVE_REQUESTS, Box::new(active));
}

/// Counters that begin with something to count would seem not to have grown by it.
fn begin_at_zero(observed: &Observed) {
    let Some(instruments) = instruments() else { return };
    for pool in observed.database.pools() {
        instruments.pool_timeouts.add(0, &labelled(label::POOL, pool.role));
    }
    for code in ["INTERNAL", "TIMEOUT", "UNAVAILABLE"] {
        instruments.errors.add(0, &labelled(label::ERROR_TYPE, code));
    }
    for status in ["ok", "error"] {
        let labels = [(label::OPERATION, "SELECT"), (label::TABLE, "prompts"), (label::STATUS, status)];
        instruments.queries.add(0, &labels.map(|(name, value)| KeyValue::new(name, value)));
    }
    let labels = [KeyValue::new(label::OPERATION, "SELECT"), KeyValue::new(label::TABLE, "prompts")];
    instruments.slow_statements.add(0, &labels);
}

fn pools(meter: &Meter, observed: &Arc<Observed>) {
    let states: [Reading<PoolState, i64>; 6] = [
        (metric::POOL_SIZE, |pool| pool.open.into()),
        (metric::POOL_OVERFLOW, |pool| pool.overflow().into()),
        (metric::POOL_MAX, |pool| pool.max.into()),
        (metric::POOL_IDLE, |pool| pool.idle.into()),
        (metric::POOL_IN_USE, |pool| pool.in_use().into()),
        (metric::POOL_WAITERS, |pool| i64::try_from(pool.waiting).unwrap_or(i64::MAX)),
    ];
    for (definition, value) in states {
        let observed = Arc::clone(observed);
        let look = move |tell: &mut dyn FnMut(i64, &[KeyValue])| {
            for pool in observed.database.pools() {
                tell(value(&pool), &labelled(label::POOL, pool.role));
            }
        };
        numbers(meter, definition, Box::new(look));
    }
    let observed = Arc::clone(observed);
    let made = move |tell: &mut dyn FnMut(u64, &[KeyValue])| {
        for pool in observed.database.pools() {
            tell(pool.made, &labelled(label::POOL, pool.role));
        }
    };
    counter(meter, metric::POOL_MADE, Box::new(made));
}

/// The name of the tier in the process, and of the shared one.
const PROCESS: &str = "process";
const REDIS: &str = "redis";

fn caches(meter: &Meter, observed: &Arc<Observed>) {
    let counters: [Reading<Cache, Counts>; 9] = [
        (metric::CACHE_HITS, |cache| {
            let redis = cache.redis_counts().map(|redis| (&redis.hits, REDIS));
            of_tiers(cache.has_process_tier().then(|| (&cache.counts().process_hits, PROCESS)), redis)
        }),
        (metric::CACHE_MISSES, |cache| {
            of_tiers(Some((&cache.counts().misses, PROCESS)), cache.redis_counts().map(|redis| (&redis.misses, REDIS)))
        }),
        (metric::CACHE_JOINED, |cache| vec![(cache.counts().joined.load(Ordering::Relaxed), Vec::new())]),
        (metric::CACHE_UNBELIEVED, |cache| vec![(cache.counts().unbelieved.load(Ordering::Relaxed), Vec::new())]),
        (metric::CACHE_FILLS, |cache| of_tiers(None, cache.redis_counts().map(|redis| (&redis.fills, REDIS)))),
        (metric::CACHE_FILLS_DROPPED, |cache| {
            of_reasons(cache, |redis| [(&redis.dropped, "busy"), (&redis.too_large, "large")])
        }),
        (metric::CACHE_INVALIDATIONS, |cache| {
            let redis = cache.redis_counts().map(|redis| (&redis.invalidations, REDIS));
            of_tiers(Some((&cache.counts().invalidations, PROCESS)), redis)
        }),
        (metric::CACHE_EVICTIONS, |cache| {
            cache.process_usage().map(|usage| (usage.2, labelled(label::TIER, PROCESS).to_vec())).into_iter().collect()
        }),
        (metric::CACHE_ERRORS, |cache| {
            of_reasons(cache, |redis| [(&redis.timeouts, "timeout"), (&redis.failures, "failure")])
        }),
    ];
    for (definition, values) in counters {
        let observed = Arc::clone(observed);
        let look = move |tell: &mut dyn FnMut(u64, &[KeyValue])| {
            let told = observed.cache.as_deref().map(values).unwrap_or_default();
            told.into_iter().for_each(|(value, labels)| tell(value, &labels));
        };
        counter(meter, definition, Box::new(look));
    }
    let gauges: [Reading<Cache, OfTiers>; 3] = [
        (metric::CACHE_SIZE, |cache| {
            cache.process_usage().map(|usage| (usage.0 as f64, PROCESS)).into_iter().collect()
        }),
        (metric::CACHE_ENTRIES, |cache| {
            cache.process_usage().map(|usage| (usage.1 as f64, PROCESS)).into_iter().collect()
        }),
        (metric::CACHE_AVAILABLE, |cache| {
            let process = cache.has_process_tier().then(|| (f64::from(u8::from(cache.is_believed())), PROCESS));
            let redis = cache.redis_counts().map(|_| (f64::from(u8::from(cache.is_shared_in_force())), REDIS));
            process.into_iter().chain(redis).collect()
        }),
    ];
    for (definition, values) in gauges {
        let observed = Arc::clone(observed);
        let look = move |tell: &mut dyn FnMut(f64, &[KeyValue])| {
            let told = observed.cache.as_deref().map(values).unwrap_or_default();
            told.into_iter().for_each(|(value, tier)| tell(value, &labelled(label::TIER, tier)));
        };
        gauge(meter, definition, Box::new(look));
    }
}

/// The counts of the tiers that there are.
fn of_tiers(process: Option<(&AtomicU64, &'static str)>, redis: Option<(&AtomicU64, &'static str)>) -> Counts {
    let count = |(count, tier): (&AtomicU64, &'static str)| {
        (count.load(Ordering::Relaxed), labelled(label::TIER, tier).to_vec())
    };
    process.into_iter().chain(redis).map(count).collect()
}

/// The counts of what went wrong with Redis.
fn of_reasons(cache: &Cache, counts: fn(&RedisCounts) -> [(&AtomicU64, &'static str); 2]) -> Counts {
    let of_redis = cache.redis_counts().map(counts).into_iter().flatten();
    let tier = || KeyValue::new(label::TIER, REDIS);
    of_redis
        .map(|(count, reason)| (count.load(Ordering::Relaxed), vec![tier(), KeyValue::new(label::REASON, reason)]))
        .collect()
}

fn admission(meter: &Meter, observed: &Arc<Observed>) {
    let gauges: [Reading<InFlightCounts, u64>; 2] = [
        (metric::ADMITTED, |counts| counts.in_flight.load(Ordering::Relaxed)),
        (metric::ADMISSION_WAITERS, |counts| counts.waiting.load(Ordering::Relaxed)),
    ];
    for (definition, value) in gauges {
        let observed = Arc::clone(observed);
        let look = move |tell: &mut dyn FnMut(i64, &[KeyValue])| {
            tell(i64::try_from(value(observed.admission.in_flight.counts())).unwrap_or(i64::MAX), &[]);
        };
        numbers(meter, definition, Box::new(look));
    }
    let observed = Arc::clone(observed);
    let refused = move |tell: &mut dyn FnMut(u64, &[KeyValue])| {
        let Admission { in_flight, rates, attempts } = &*observed.admission;
        let in_flight = in_flight.counts();
        for (reason, refused) in [
            ("server", in_flight.refused_server.load(Ordering::Relaxed)),
            ("principal", in_flight.refused_principal.load(Ordering::Relaxed)),
            ("principal_rate", rates.refused(Share::Principal)),
            ("address_rate", rates.refused(Share::Address)),
            ("credentials", attempts.turned_away()),
        ] {
            tell(refused, &labelled(label::REASON, reason));
        }
    };
    counter(meter, metric::ADMISSION_REFUSED, Box::new(refused));
}

fn spans(meter: &Meter) {
    let look = |tell: &mut dyn FnMut(u64, &[KeyValue])| {
        let ExportCounts { exported, dropped, failed } = export_counts();
        for (status, count) in [("sent", exported), ("dropped", dropped), ("failed", failed)] {
            tell(count, &labelled(label::STATUS, status));
        }
    };
    counter(meter, metric::SPANS, Box::new(look));
}

fn process(meter: &Meter, since: Instant) {
    let cpu = |tell: &mut dyn FnMut(f64, &[KeyValue])| {
        if let Some(process) = Process::read() {
            tell(process.user_seconds, &labelled(label::CPU_MODE, "user"));
            tell(process.system_seconds, &labelled(label::CPU_MODE, "system"));
        }
    };
    seconds(meter, metric::CPU_TIME, Box::new(cpu));
    let gauges: [Reading<Process, Option<f64>>; 3] = [
        (metric::MEMORY, |process| Some(process.memory as f64)),
        (metric::OPEN_FILES, |process| Some(process.open_files as f64)),
        (metric::OPEN_FILES_LIMIT, |process| process.open_files_limit.map(|limit| limit as f64)),
    ];
    for (definition, value) in gauges {
        let look = move |tell: &mut dyn FnMut(f64, &[KeyValue])| {
            if let Some(value) = Process::read().as_ref().and_then(value) {
                tell(value, &[]);
            }
        };
        gauge(meter, definition, Box::new(look));
    }
    gauge(meter, metric::UPTIME, Box::new(move |tell| tell(since.elapsed().as_secs_f64(), &[])));
}

fn runtime(meter: &Meter, observed: &Arc<Observed>) {
    let gauges: [Reading<RuntimeMetrics, usize>; 3] = [
        (metric::WORKERS, RuntimeMetrics::num_workers),
        (metric::TASKS, RuntimeMetrics::num_alive_tasks),
        (metric::QUEUE_DEPTH, RuntimeMetrics::global_queue_depth),
    ];
    for (definition, value) in gauges {
        let observed = Arc::clone(observed);
        gauge(meter, definition, Box::new(move |tell| tell(value(&observed.runtime) as f64, &[])));
    }
    let observed = Arc::clone(observed);
    let busy = move |tell: &mut dyn FnMut(f64, &[KeyValue])| {
        for worker in 0..observed.runtime.num_workers() {
            let busy = observed.runtime.worker_total_busy_duration(worker).as_secs_f64();
            tell(busy, &labelled(label::WORKER, worker as i64));
        }
    };
    seconds(meter, metric::BUSY_TIME, Box::new(busy));
}
