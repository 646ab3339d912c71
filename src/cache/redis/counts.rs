//! What was done with the server so far.

use std::sync::atomic::AtomicU64;

/// Counters, for reports and metrics.
#[derive(Debug, Default)]
pub struct RedisCounts {
    /// Entries found.
    pub hits: AtomicU64,
    /// Entries not found.
    pub misses: AtomicU64,
    /// Entries stored.
    pub fills: AtomicU64,
    /// Entries that were not stored because there was too much to do.
    pub dropped: AtomicU64,
    /// Entries that were not stored because they were too large.
    pub too_large: AtomicU64,
    /// Tags invalidated.
    pub invalidations: AtomicU64,
    /// Answers that did not come in time.
    pub timeouts: AtomicU64,
    /// Connections made.
    pub connections: AtomicU64,
    /// Connections given up, for a failure of whatever kind.
    pub failures: AtomicU64,
}
