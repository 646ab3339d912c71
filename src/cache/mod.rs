//! The cache between the loaders and the database. docs/cache.md tells the protocol, and why nothing stale is served.
//!
//! A batch of questions goes through the tiers together: the process, Redis where there is one, the database. Every
//! change of a row invalidates what could show it, before whoever made the change is told that it was made.

mod answers;
mod counts;
mod fingerprint;
mod flights;
mod follower;
mod generations;
mod invalidation;
mod kind;
mod knowledge;
mod payload;
mod process;
pub mod redis;
mod shared;
mod tag;

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use serde_json::{Value, json};

pub use answers::{Answers, Footprint, Mode, Wanted};
pub use counts::Counts;
pub use fingerprint::Fingerprint;
pub use follower::Follower;
pub use kind::{Kind, Lifetimes};
pub use knowledge::LEASE;
pub use tag::Tag;

use self::flights::Flights;
use self::generations::{Generation, Generations};
use self::knowledge::{Knowledge, Shared};
use self::process::ProcessTier;
use self::redis::{BadUrl, RedisCounts, RedisSettings, RedisTier};
use self::shared::SharedGeneration;

/// What tells loads apart that are on their way: those of one name may have begun before and after a change.
type FlightKey = (Fingerprint, Generation, Option<SharedGeneration>);

/// What the cache is made of.
#[derive(Clone)]
pub struct CacheSettings {
    /// How many bytes the process tier holds; none switches it off.
    pub process_bytes: u64,
    /// How long entries live.
    pub lifetimes: Lifetimes,
    /// How many bytes an entry may take: larger ones are not kept.
    pub max_entry_bytes: usize,
    /// Where the shared tier is, if there is one.
    pub redis: Option<RedisSettings>,
}

/// The tiers, and what is known of them.
pub struct Cache {
    generations: Generations,
    process: Option<ProcessTier>,
    shared: Option<RedisTier>,
    knowledge: Knowledge,
    flights: Flights<FlightKey>,
    lifetimes: Lifetimes,
    max_entry: usize,
    counts: Counts,
    /// Invalidations that are not confirmed yet.
    unconfirmed: AtomicU64,
}

impl Cache {
    /// A cache in which nothing is believed until its [`Follower`] has read the outbox.
    ///
    /// # Errors
    /// When the address of the shared tier cannot be understood. That it cannot be reached is no error.
    pub fn new(settings: &CacheSettings) -> Result<Arc<Self>, BadUrl> {
        let shared = settings.redis.as_ref().map(RedisTier::start).transpose()?;
        Ok(Arc::new(Self {
            generations: Generations::default(),
            process: (settings.process_bytes > 0).then(|| ProcessTier::new(settings.process_bytes)),
            shared,
            knowledge: Knowledge::default(),
            flights: Flights::default(),
            lifetimes: settings.lifetimes,
            max_entry: settings.max_entry_bytes,
            counts: Counts::default(),
            unconfirmed: AtomicU64::new(0),
        }))
    }

    /// Whether what the tiers have is believed at this moment.
    #[must_use]
    pub fn is_believed(&self) -> bool {
        self.knowledge.is_fresh()
    }

    /// The shared tier, for what else servers share.
    #[must_use]
    pub fn redis(&self) -> Option<&RedisTier> {
        self.shared.as_ref()
    }

    /// What the cache did so far.
    #[must_use]
    pub fn counts(&self) -> &Counts {
        &self.counts
    }

    /// What was done with the shared tier; none where there is none.
    #[must_use]
    pub fn redis_counts(&self) -> Option<&RedisCounts> {
        self.shared.as_ref().map(RedisTier::counts)
    }

    /// Whether this process remembers answers by itself.
    #[must_use]
    pub fn has_process_tier(&self) -> bool {
        self.process.is_some()
    }

    /// What the process tier holds: bytes, entries, and entries that had to make room. None where there is none.
    #[must_use]
    pub fn process_usage(&self) -> Option<(u64, u64, u64)> {
        self.process.as_ref().map(ProcessTier::usage)
    }

    /// Whether the shared tier is asked at this moment.
    #[must_use]
    pub fn is_shared_in_force(&self) -> bool {
        self.shared.is_some() && matches!(self.knowledge.shared(), Some(Shared::InForce { .. }))
    }

    /// Forgets everything that this process remembers.
    pub fn clear_process(&self) {
        self.generations.advance_all();
        if let Some(process) = &self.process {
            process.clear();
        }
    }

    /// A report for people.
    #[must_use]
    pub fn report(&self) -> Value {
        use std::sync::atomic::Ordering::Relaxed;
        let counts = &self.counts;
        let process = self.process.as_ref().map(|process| {
            let (bytes, entries, evictions) = process.usage();
            json!({ "bytes": bytes, "entries": entries, "evictions": evictions, "hits": counts.process_hits.load(Relaxed) })
        });
        let shared = self.shared.as_ref().map(|tier| {
            let redis = tier.counts();
            json!({
                "connected": tier.connection().is_some(),
                "inForce": self.is_shared_in_force(),
                "hits": redis.hits.load(Relaxed),
                "misses": redis.misses.load(Relaxed),
                "fills": redis.fills.load(Relaxed),
                "dropped": redis.dropped.load(Relaxed),
                "tooLarge": redis.too_large.load(Relaxed),
                "invalidations": redis.invalidations.load(Relaxed),
                "timeouts": redis.timeouts.load(Relaxed),
                "connections": redis.connections.load(Relaxed),
                "failures": redis.failures.load(Relaxed),
            })
        });
        json!({
            "believed": self.is_believed(),
            "process": process,
            "redis": shared,
            "misses": counts.misses.load(Relaxed),
            "joined": counts.joined.load(Relaxed),
            "unbelieved": counts.unbelieved.load(Relaxed),
            "refreshed": counts.refreshed.load(Relaxed),
            "invalidations": counts.invalidations.load(Relaxed),
        })
    }
}
