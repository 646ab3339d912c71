//! What the cache did so far.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counters of the process, for reports and metrics.
#[derive(Debug, Default)]
pub struct Counts {
    /// Questions answered by the process tier.
    pub process_hits: AtomicU64,
    /// Questions answered by the shared tier.
    pub shared_hits: AtomicU64,
    /// Questions that no tier answered.
    pub misses: AtomicU64,
    /// Questions answered by what another request was loading.
    pub joined: AtomicU64,
    /// Questions that were asked while nothing could be believed.
    pub unbelieved: AtomicU64,
    /// Answers loaded anew before their end.
    pub refreshed: AtomicU64,
    /// Tags invalidated.
    pub invalidations: AtomicU64,
}

impl Counts {
    pub(super) fn add(counter: &AtomicU64, count: usize) {
        if count > 0 {
            counter.fetch_add(count as u64, Ordering::Relaxed);
        }
    }
}
