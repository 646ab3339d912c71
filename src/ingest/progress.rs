//! How far an import is, for those who watch it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// How far the import of a file is. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct Progress(Arc<State>);

#[derive(Debug, Default)]
struct State {
    storing: AtomicBool,
    read: AtomicU64,
    total: AtomicU64,
    results: AtomicU64,
    cancelled: AtomicBool,
}

impl Progress {
    /// Whether the file was checked and is being stored.
    #[must_use]
    pub fn is_storing(&self) -> bool {
        self.0.storing.load(Ordering::Relaxed)
    }

    /// Bytes of the file that were read in this pass.
    #[must_use]
    pub fn bytes_read(&self) -> u64 {
        self.0.read.load(Ordering::Relaxed)
    }

    /// Bytes that the file has; 0 as long as that is unknown.
    #[must_use]
    pub fn bytes_total(&self) -> u64 {
        self.0.total.load(Ordering::Relaxed)
    }

    /// Results that were read in this pass.
    #[must_use]
    pub fn results(&self) -> u64 {
        self.0.results.load(Ordering::Relaxed)
    }

    /// Asks for the import to end before it is complete: nothing of the file is stored then. An import that is
    /// complete already stays so.
    pub fn cancel(&self) {
        self.0.cancelled.store(true, Ordering::Relaxed);
    }

    /// Whether the import was asked to end.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.0.cancelled.load(Ordering::Relaxed)
    }

    /// Another pass over so many bytes begins.
    pub(super) fn begin_pass(&self, total: u64) {
        self.0.read.store(0, Ordering::Relaxed);
        self.0.results.store(0, Ordering::Relaxed);
        self.0.total.store(total, Ordering::Relaxed);
    }

    pub(super) fn begin_storing(&self) {
        self.0.storing.store(true, Ordering::Relaxed);
    }

    pub(super) fn add_bytes(&self, count: usize) {
        self.0.read.fetch_add(count as u64, Ordering::Relaxed);
    }

    pub(super) fn add_result(&self) {
        self.0.results.fetch_add(1, Ordering::Relaxed);
    }
}
