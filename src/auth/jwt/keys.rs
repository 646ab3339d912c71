//! The keys of an issuer as they are known: read again now and then, and when a token names one that is not among them.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use jsonwebtoken::{Algorithm, DecodingKey};
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until, timeout, timeout_at};

use super::key_set::KeySet;
use super::source::{Source, SourceError};
use crate::auth::AuthError;

/// How often the keys are read.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// So often anyway.
    pub interval: Duration,
    /// However many tokens name keys that nobody knows, not again before so long.
    pub least: Duration,
    /// How long a token waits for it: longer than reading them may take.
    pub patience: Duration,
}

/// The keys of an issuer.
pub struct Keys {
    shared: Arc<Shared>,
    following: JoinHandle<()>,
}

impl Drop for Keys {
    fn drop(&mut self) {
        self.following.abort();
    }
}

struct Shared {
    pace: Pace,
    known: RwLock<Known>,
    /// Somebody needs a key that is not known.
    wanted: Notify,
    /// When the keys were read last, with success or without.
    read: watch::Sender<Instant>,
}

#[derive(Clone)]
struct Known {
    keys: Arc<KeySet>,
    /// Grows whenever the keys change.
    generation: u64,
}

/// A key, and what tells whether it still counts.
pub struct Found {
    /// The key.
    pub key: DecodingKey,
    /// The generation of the keys that it is one of.
    pub generation: u64,
}

impl Keys {
    /// Reads the keys, and goes on reading them. An address that cannot be reached at the beginning is
    /// asked again; a file has to be there.
    pub async fn follow(place: &str, source: Source, pace: Pace) -> Result<Self, SourceError> {
        let began = Instant::now();
        let first = source.load().await;
        let is_known = first.is_ok();
        let keys = match (first, &source) {
            (Ok(keys), _) => keys,
            (Err(error), Source::Url(_)) => {
                tracing::warn!(jwks = place, %error, "the keys of the issuer are not known yet: no JWT can be checked");
                KeySet::default()
            }
            (Err(error), Source::File(_)) => return Err(error),
        };
        let known = RwLock::new(Known { keys: Arc::new(keys), generation: 0 });
        let shared = Arc::new(Shared { pace, known, wanted: Notify::new(), read: watch::Sender::new(began) });
        let next = began + pace.until_next(is_known);
        let following = tokio::spawn(follow(Arc::clone(&shared), place.to_owned(), source, next));
        Ok(Self { shared, following })
    }

    /// The generation of the keys as they are known now.
    pub fn generation(&self) -> u64 {
        self.shared.known().generation
    }

    /// The key that a token says it is signed with. Waits for the keys to be read again where it is not known, unless they
    /// have been just now.
    pub async fn find(&self, algorithm: Algorithm, id: Option<&str>) -> Result<Found, AuthError> {
        if let Some(found) = self.known(algorithm, id) {
            return Ok(found);
        }
        let mut read = self.shared.read.subscribe();
        let is_recent = read.borrow_and_update().elapsed() < self.shared.pace.least;
        self.shared.wanted.notify_one();
        if !is_recent {
            let _ = timeout(self.shared.pace.patience, read.changed()).await;
            if let Some(found) = self.known(algorithm, id) {
                return Ok(found);
            }
        }
        if self.shared.known().keys.is_empty() {
            return Err(AuthError::Unavailable("the keys of the issuer cannot be had at the moment: try again later"));
        }
        Err(AuthError::Refused("the token is signed with a key that the issuer does not publish"))
    }

    fn known(&self, algorithm: Algorithm, id: Option<&str>) -> Option<Found> {
        let Known { keys, generation } = self.shared.known();
        keys.find(algorithm, id).map(|key| Found { key: key.key.clone(), generation })
    }
}

impl Pace {
    fn until_next(&self, succeeded: bool) -> Duration {
        if succeeded { self.interval } else { self.interval.min(self.least) }
    }
}

impl Shared {
    fn known(&self) -> Known {
        self.known.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Takes over what was read. What was verified with the keys before is verified again when they have changed.
    fn replace(&self, keys: KeySet) -> bool {
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        let is_other = !known.keys.is_same(&keys);
        if is_other {
            *known = Known { keys: Arc::new(keys), generation: known.generation + 1 };
        }
        is_other
    }
}

/// Reads the keys at `next`, or when they are wanted, and so on. Those that were read last count as long as they cannot be
/// read.
async fn follow(shared: Arc<Shared>, place: String, source: Source, mut next: Instant) {
    let mut has_failed = false;
    loop {
        let earliest = *shared.read.borrow() + shared.pace.least;
        sleep_until(earliest.min(next)).await;
        let _ = timeout_at(next, shared.wanted.notified()).await;
        let began = Instant::now();
        let loaded = source.load().await;
        next = began + shared.pace.until_next(loaded.is_ok());
        match loaded {
            Ok(keys) => {
                if shared.replace(keys) {
                    tracing::info!(jwks = place, "the issuer has other keys");
                } else if has_failed {
                    tracing::info!(jwks = place, "the keys of the issuer can be read again");
                }
                has_failed = false;
            }
            Err(error) => {
                if !has_failed {
                    tracing::warn!(jwks = place, %error, "the keys of the issuer cannot be read: those of before count");
                }
                has_failed = true;
            }
        }
        shared.read.send_replace(Instant::now());
    }
}
