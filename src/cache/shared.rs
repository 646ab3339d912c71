//! The shared tier, as a batch sees it.

use std::time::Duration;

use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::answers::{Answers, Footprint, Mode, Open, Wanted};
use super::counts::Counts;
use super::kind::Kind;
use super::knowledge::Shared;
use super::redis::{EntryKey, Fill, Generation};
use super::{Cache, payload};
use crate::domain::Timestamp;

/// The generation of a tag in the shared tier, in the namespace in which it was seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SharedGeneration {
    namespace: uuid::Uuid,
    /// None yet, if the tier knew of none.
    generation: Option<Generation>,
}

impl SharedGeneration {
    /// Whether an answer loaded under it can be told from one loaded under another.
    pub fn is_known(&self) -> bool {
        self.generation.is_some()
    }
}

impl Cache {
    /// Asks the shared tier once for all that is still open. When it does not answer, nothing is lost but time.
    pub(super) async fn ask_shared<V, E>(
        &self,
        kind: Kind,
        mode: Mode,
        wanted: &[Wanted],
        open: &mut [Open<V, E>],
        found: &mut Answers<V, E>,
    ) where
        V: Clone + Serialize + DeserializeOwned + Footprint + Send + Sync + 'static,
    {
        let Some((tier, Shared::InForce { namespace, connection })) = self.shared.as_ref().zip(self.knowledge.shared())
        else {
            return;
        };
        let places: Vec<usize> = super::answers::unanswered(open);
        if places.is_empty() {
            return;
        }
        let keys: Vec<EntryKey> = places.iter().map(|&place| entry_key(&wanted[place])).collect();
        let looked = tier.lookup(namespace, &keys).await;
        // What came over another connection may be from before a server started again.
        let Some(looked) = looked.ok().filter(|_| tier.connection() == Some(connection)) else {
            self.knowledge.lose_shared();
            return;
        };
        for (place, looked) in places.into_iter().zip(looked) {
            open[place].shared = Some(SharedGeneration { namespace, generation: looked.generation });
            let Some(bytes) = looked.payload.filter(|_| mode == Mode::Read) else { continue };
            let Some((value, left)) = self.young_enough(kind, &bytes) else { continue };
            self.keep_in_process(&wanted[place], open[place].generation, &value, left);
            open[place].answer = Some(Ok(value));
            found.shared_hits += 1;
        }
        Counts::add(&self.counts.shared_hits, found.shared_hits);
    }

    /// The value, and how long it may be kept: what only ages is as old as it was wherever it has been.
    fn young_enough<V: DeserializeOwned>(&self, kind: Kind, bytes: &Bytes) -> Option<(V, Duration)> {
        let (loaded_at, value) = payload::decode::<V>(bytes)?;
        let age = Timestamp::now().micros().saturating_sub(loaded_at.micros());
        let age = Duration::from_micros(u64::try_from(age).unwrap_or(0));
        let left = self.lifetimes.of(kind).checked_sub(age)?;
        Some((value, left))
    }

    /// Sends an answer to the shared tier, off the way to whoever asked.
    pub(super) fn keep_shared<V: Serialize>(
        &self,
        wanted: &Wanted,
        shared: Option<SharedGeneration>,
        loaded_at: Timestamp,
        value: &V,
        ttl: Duration,
    ) {
        let Some((tier, seen)) = self.shared.as_ref().zip(shared) else { return };
        // Without a generation there is nothing to keep it under: one is made, for the next who asks.
        let payload = if seen.is_known() { payload::encode(loaded_at, value) } else { Some(Vec::new()) };
        if let Some(payload) = payload {
            let fill = Fill { key: entry_key(wanted), generation: seen.generation, payload: Bytes::from(payload), ttl };
            tier.fill(seen.namespace, fill);
        }
    }
}

fn entry_key(wanted: &Wanted) -> EntryKey {
    EntryKey { tag: wanted.tag.as_str().into(), entry: *wanted.name.bytes() }
}
