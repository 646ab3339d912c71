//! The process tier: answers as they were given, in memory.

use std::any::Any;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use moka::notification::RemovalCause;
use moka::sync::Cache;

use super::fingerprint::Fingerprint;
use super::generations::Generation;

/// What an entry takes beside its value: its name, its bookkeeping, and the map's.
const OVERHEAD: usize = 256;
/// In the last part of its life, an entry that is asked for is loaded anew beforehand.
const REFRESHED_AFTER: f64 = 0.9;

/// A value of any kind; who asks knows which.
pub type AnyValue = Arc<dyn Any + Send + Sync>;

/// Answers in memory, weighed in bytes: what is asked for seldom makes room for what is asked for often.
#[derive(Debug, Clone)]
pub struct ProcessTier {
    entries: Cache<Fingerprint, Arc<Entry>>,
    evictions: Arc<AtomicU64>,
}

#[derive(Debug)]
struct Entry {
    value: AnyValue,
    generation: Generation,
    weight: u32,
    refresh_at: Instant,
    expires_at: Instant,
    is_refreshed: AtomicBool,
}

/// What was found.
pub struct Found {
    /// The answer.
    pub value: AnyValue,
    /// Whether whoever found it is to load it anew beside answering: it is near its end, and nobody does so yet.
    pub refresh: bool,
}

impl ProcessTier {
    /// A tier that holds so many bytes.
    #[must_use]
    pub fn new(capacity: u64) -> Self {
        let evictions = Arc::new(AtomicU64::new(0));
        let counted = Arc::clone(&evictions);
        let entries = Cache::builder()
            .max_capacity(capacity)
            .weigher(|_, entry: &Arc<Entry>| entry.weight)
            .eviction_listener(move |_, _, cause| {
                if cause == RemovalCause::Size {
                    counted.fetch_add(1, Ordering::Relaxed);
                }
            })
            .build();
        Self { entries, evictions }
    }

    /// The answer under this name, if it is of this generation and still young enough.
    pub fn get(&self, name: &Fingerprint, generation: Generation) -> Option<Found> {
        let entry = self.entries.get(name)?;
        let now = Instant::now();
        if entry.generation != generation || now >= entry.expires_at {
            return None;
        }
        let refresh = now >= entry.refresh_at && !entry.is_refreshed.swap(true, Ordering::Relaxed);
        Some(Found { value: Arc::clone(&entry.value), refresh })
    }

    /// Keeps an answer that takes so many bytes.
    pub fn insert(&self, name: Fingerprint, generation: Generation, value: AnyValue, bytes: usize, lifetime: Duration) {
        let weight = u32::try_from(bytes + OVERHEAD).unwrap_or(u32::MAX);
        if u64::from(weight) > self.entries.policy().max_capacity().unwrap_or(u64::MAX) {
            return;
        }
        let now = Instant::now();
        let entry = Entry {
            value,
            generation,
            weight,
            refresh_at: now + lifetime.mul_f64(REFRESHED_AFTER),
            expires_at: now + lifetime,
            is_refreshed: AtomicBool::new(false),
        };
        self.entries.insert(name, Arc::new(entry));
    }

    /// Forgets everything.
    pub fn clear(&self) {
        self.entries.invalidate_all();
    }

    /// Bytes held, entries held, and entries that had to make room.
    #[must_use]
    pub fn usage(&self) -> (u64, u64, u64) {
        self.entries.run_pending_tasks();
        (self.entries.weighted_size(), self.entries.entry_count(), self.evictions.load(Ordering::Relaxed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cache::generations::Generations;
    use crate::domain::Principal;

    const HOUR: Duration = Duration::from_secs(3600);

    fn name(number: u32) -> Fingerprint {
        Fingerprint::of("numbers", &Principal::local(), &number)
    }

    fn number(tier: &ProcessTier, key: u32, generation: Generation) -> Option<u32> {
        tier.get(&name(key), generation).and_then(|found| found.value.downcast_ref::<u32>().copied())
    }

    #[test]
    fn an_entry_is_believed_in_its_generation_and_for_its_lifetime() {
        let (tier, generations) = (ProcessTier::new(1 << 20), Generations::default());
        let first = generations.of("a");
        tier.insert(name(1), first, Arc::new(1_u32), 4, HOUR);
        tier.insert(name(2), first, Arc::new(2_u32), 4, Duration::ZERO);
        assert_eq!(number(&tier, 1, first), Some(1));
        assert_eq!(number(&tier, 2, first), None);
        generations.advance("a");
        assert_eq!(number(&tier, 1, generations.of("a")), None);
    }

    #[test]
    fn one_of_those_who_find_an_old_entry_loads_it_anew() {
        let (tier, generations) = (ProcessTier::new(1 << 20), Generations::default());
        let generation = generations.of("a");
        tier.insert(name(1), generation, Arc::new(1_u32), 4, HOUR);
        assert!(!tier.get(&name(1), generation).unwrap().refresh);
        let old = Entry {
            value: Arc::new(1_u32),
            generation,
            weight: 1,
            refresh_at: Instant::now(),
            expires_at: Instant::now() + HOUR,
            is_refreshed: AtomicBool::new(false),
        };
        tier.entries.insert(name(1), Arc::new(old));
        let refreshes: Vec<bool> = (0..3).map(|_| tier.get(&name(1), generation).unwrap().refresh).collect();
        assert_eq!(refreshes, [true, false, false]);
    }

    #[test]
    fn it_holds_no_more_than_its_bytes() {
        let (tier, generations) = (ProcessTier::new(100_000), Generations::default());
        let generation = generations.of("a");
        for key in 0..1000 {
            tier.insert(name(key), generation, Arc::new(key), 1000, HOUR);
        }
        let (bytes, entries, evictions) = tier.usage();
        assert!(bytes <= 100_000 && entries >= 50, "{bytes} bytes, {entries} entries");
        assert!(evictions + entries <= 1000 && evictions > 0, "{evictions}");
    }
}
