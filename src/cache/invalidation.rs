//! Carrying out what a transaction has changed, before whoever made the change is told.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use futures_util::future::BoxFuture;

use super::Cache;
use super::counts::Counts;
use super::follower::ABANDONED_AFTER;
use super::knowledge::{LEASE, Shared};
use crate::db::pool::Invalidation;

/// After so long, others have carried out what this instance could not, or believe nothing any more.
const PATIENCE: Duration = ABANDONED_AFTER.saturating_add(LEASE.saturating_mul(2));

/// Counts the invalidations that are not confirmed yet.
struct Unconfirmed<'a>(&'a AtomicU64);

impl<'a> Unconfirmed<'a> {
    fn new(count: &'a AtomicU64) -> Self {
        count.fetch_add(1, Ordering::SeqCst);
        Self(count)
    }
}

impl Drop for Unconfirmed<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

/// The hook of the database's transactions.
pub struct CarryOut(pub(super) Arc<Cache>);

impl Invalidation for CarryOut {
    fn carry_out(&self, tags: Vec<String>) -> BoxFuture<'static, ()> {
        let cache = Arc::clone(&self.0);
        Box::pin(async move { cache.invalidate(tags).await })
    }
}

impl Cache {
    /// Invalidates what depends on `tags`, in this process and in the shared tier. Returns when nobody can be given what
    /// was before any more.
    pub(super) async fn invalidate(&self, tags: Vec<String>) {
        if tags.is_empty() {
            return;
        }
        // First of all, so that the rows stay in the outbox until all is done.
        let _unconfirmed = Unconfirmed::new(&self.unconfirmed);
        self.invalidate_here(&tags);
        let begun = Instant::now();
        while !self.invalidate_shared(&tags).await {
            let Some(patience) = PATIENCE.checked_sub(begun.elapsed()) else {
                tracing::warn!(tags = tags.len(), "a change was left to other instances to carry out");
                return;
            };
            self.knowledge.renewed(patience).await;
        }
    }

    /// Invalidates what depends on `tags` in this process.
    pub(super) fn invalidate_here(&self, tags: &[String]) {
        Counts::add(&self.counts.invalidations, tags.len());
        tags.iter().for_each(|tag| self.generations.advance(tag));
    }

    /// One attempt. Tells whether nobody believes the old entries any more.
    async fn invalidate_shared(&self, tags: &[String]) -> bool {
        let Some(tier) = &self.shared else { return true };
        match self.knowledge.shared() {
            Some(Shared::Off) => true,
            // Who is not using it yet may begin to before the next reading.
            Some(Shared::InForce { namespace, .. } | Shared::Unsettled(Some(namespace))) => {
                let confirmed = tier.invalidate(namespace, tags).await.is_ok();
                if !confirmed {
                    self.knowledge.lose_shared();
                }
                // The namespace could have been replaced while nothing was known.
                confirmed && self.knowledge.is_fresh()
            }
            Some(Shared::Unsettled(None)) | None => false,
        }
    }
}
