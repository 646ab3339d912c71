//! A question whose answers are remembered from request to request.

use std::hash::Hash;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::loader::{Batch, LoadError};
use super::store::Store;
use crate::cache::{Answers, Cache, Fingerprint, Footprint, Kind, Mode, Tag, Wanted};
use crate::domain::Principal;
use crate::telemetry;

/// A question whose answers may be remembered.
pub trait Cacheable: Batch<Value: Serialize + DeserializeOwned + Footprint, Key: Hash> {
    /// What is remembered.
    const KIND: Kind;

    /// What the answer depends on when `principal` asks; nothing when it cannot be remembered.
    fn tag(&self, key: &Self::Key, principal: &Principal) -> Option<Tag>;
}

/// What the cache answered a loader.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CacheUsage {
    /// Keys answered by the process tier.
    pub process_hits: u64,
    /// Keys answered by the shared tier.
    pub shared_hits: u64,
}

/// A question whose answers are looked for in the cache first.
pub struct Cached<B> {
    batch: Arc<B>,
    store: Arc<Store>,
    process_hits: AtomicU64,
    shared_hits: AtomicU64,
}

impl<B: Cacheable> Cached<B> {
    pub(super) fn new(store: &Arc<Store>, batch: B) -> Self {
        Self {
            batch: Arc::new(batch),
            store: Arc::clone(store),
            process_hits: AtomicU64::new(0),
            shared_hits: AtomicU64::new(0),
        }
    }

    fn wanted(&self, key: &B::Key) -> Option<Wanted> {
        let tag = self.batch.tag(key, &self.store.principal)?;
        Some(Wanted { name: Fingerprint::of(self.batch.name(), &self.store.principal, key), tag })
    }

    async fn load_through(&self, cache: &Arc<Cache>, keys: &[B::Key]) -> Vec<Result<B::Value, LoadError>> {
        // All keys of a loader can be remembered, or none: it depends on who asks, and on filters that are alike.
        let Some(wanted) = keys.iter().map(|key| self.wanted(key)).collect::<Option<Vec<Wanted>>>() else {
            return self.batch.load(keys).await;
        };
        let found = answers(&self.batch, cache, Mode::Read, &wanted, keys).await;
        self.process_hits.fetch_add(found.process_hits as u64, Ordering::Relaxed);
        self.shared_hits.fetch_add(found.shared_hits as u64, Ordering::Relaxed);
        telemetry::tell_tier_hits(found.process_hits, found.shared_hits);
        if !found.refresh.is_empty() {
            self.refresh(cache, &found.refresh, &wanted, keys);
        }
        found.answers
    }

    /// Loads answers anew that are near their end, beside the request: nobody has to wait when they have ended.
    fn refresh(&self, cache: &Arc<Cache>, places: &[usize], wanted: &[Wanted], keys: &[B::Key]) {
        let (batch, cache) = (Arc::clone(&self.batch), Arc::clone(cache));
        let wanted: Vec<Wanted> = places.iter().map(|&place| wanted[place].clone()).collect();
        let keys: Vec<B::Key> = places.iter().map(|&place| keys[place].clone()).collect();
        let refresh = async move {
            let refreshed = answers(&batch, &cache, Mode::Refresh, &wanted, &keys).await;
            cache.counts().refreshed.fetch_add(refreshed.answers.len() as u64, Ordering::Relaxed);
        };
        tokio::spawn(telemetry::within(telemetry::beside("evalgraph cache refresh"), refresh));
    }
}

async fn answers<B: Cacheable>(
    batch: &Arc<B>,
    cache: &Cache,
    mode: Mode,
    wanted: &[Wanted],
    keys: &[B::Key],
) -> Answers<B::Value, LoadError> {
    let load = |places: Vec<usize>| {
        let missing: Vec<B::Key> = places.into_iter().map(|place| keys[place].clone()).collect();
        async move { batch.load(&missing).await }
    };
    cache.answers(B::KIND, mode, wanted, load).await
}

impl<B: Cacheable> Batch for Cached<B> {
    type Key = B::Key;
    type Value = B::Value;

    fn name(&self) -> &'static str {
        self.batch.name()
    }

    fn cache_usage(&self) -> CacheUsage {
        CacheUsage {
            process_hits: self.process_hits.load(Ordering::Relaxed),
            shared_hits: self.shared_hits.load(Ordering::Relaxed),
        }
    }

    async fn load(&self, keys: &[B::Key]) -> Vec<Result<B::Value, LoadError>> {
        match &self.store.cache {
            Some(cache) => self.load_through(cache, keys).await,
            None => self.batch.load(keys).await,
        }
    }
}
