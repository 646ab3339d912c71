//! The process's own count of what was invalidated.

use std::hash::{BuildHasher as _, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};

/// How many counters all tags share. Two that share one are invalidated together, which costs a load and nothing else.
const COUNTERS: usize = 1 << 16;

/// Counts invalidations: an entry is believed as long as the generation of its tag is the one under which it was loaded.
/// Takes no more memory however many tags there are.
#[derive(Debug)]
pub struct Generations {
    counters: Box<[AtomicU64]>,
    /// How often everything was invalidated.
    epoch: AtomicU64,
    hasher: RandomState,
}

/// How much of a tag was invalidated so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Generation {
    epoch: u64,
    count: u64,
}

impl Default for Generations {
    fn default() -> Self {
        let counters = (0..COUNTERS).map(|_| AtomicU64::new(0)).collect();
        Self { counters, epoch: AtomicU64::new(0), hasher: RandomState::new() }
    }
}

impl Generations {
    /// The generation of a tag. To be taken before what is to be kept under it is read.
    pub fn of(&self, tag: &str) -> Generation {
        Generation { epoch: self.epoch.load(Ordering::SeqCst), count: self.counter(tag).load(Ordering::SeqCst) }
    }

    /// Invalidates what depends on the tag.
    pub fn advance(&self, tag: &str) {
        self.counter(tag).fetch_add(1, Ordering::SeqCst);
    }

    /// Invalidates everything.
    pub fn advance_all(&self) {
        self.epoch.fetch_add(1, Ordering::SeqCst);
    }

    #[allow(clippy::cast_possible_truncation, reason = "any part of the hash will do")]
    fn counter(&self, tag: &str) -> &AtomicU64 {
        &self.counters[self.hasher.hash_one(tag) as usize % COUNTERS]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_generation_ends_when_its_tag_or_everything_is_invalidated() {
        let generations = Generations::default();
        let before = (generations.of("a"), generations.of("b"));
        generations.advance("a");
        assert_ne!(generations.of("a"), before.0);
        assert_eq!(generations.of("b"), before.1);
        generations.advance_all();
        assert_ne!(generations.of("b"), before.1);
    }
}
