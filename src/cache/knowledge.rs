//! What an instance knows, and until when it may act on it.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;
use uuid::Uuid;

/// For how long an instance believes its caches after it last read the outbox. Whoever cannot have a change carried out
/// waits for so long: then nobody believes what it had to invalidate.
pub const LEASE: Duration = Duration::from_secs(1);

/// What is known of the shared tier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shared {
    /// Nobody believes it, and nobody can have begun to.
    Off,
    /// All instances use it under this name; this one over the connection of this number, and no other.
    InForce {
        /// The name.
        namespace: Uuid,
        /// The connection's number.
        connection: u64,
    },
    /// It is being switched on or off: some may use it, under this name if there is one, and we do not.
    Unsettled(Option<Uuid>),
}

/// What one reading of the outbox came to.
#[derive(Debug, Clone, Copy)]
struct Known {
    until: Option<Instant>,
    shared: Shared,
}

/// What this instance knows, as the follower finds it.
#[derive(Debug)]
pub struct Knowledge {
    known: Mutex<Known>,
    renewed: Notify,
}

impl Default for Knowledge {
    /// Nothing is known, and so nothing believed.
    fn default() -> Self {
        Self { known: Mutex::new(Known { until: None, shared: Shared::Unsettled(None) }), renewed: Notify::new() }
    }
}

impl Knowledge {
    /// What is known of the shared tier now; nothing when the last reading is too long ago.
    pub fn shared(&self) -> Option<Shared> {
        let known = self.lock();
        known.until.is_some_and(|until| Instant::now() < until).then_some(known.shared)
    }

    /// Whether what the process remembers may be believed now.
    pub fn is_fresh(&self) -> bool {
        self.shared().is_some()
    }

    /// Notes what a reading that began at this time came to.
    pub(super) fn renew(&self, began: Instant, shared: Shared) {
        *self.lock() = Known { until: Some(began + LEASE), shared };
        self.renewed.notify_waiters();
    }

    /// Ends the belief in the shared tier, for this instance has lost it.
    pub(super) fn lose_shared(&self) {
        let mut known = self.lock();
        if let Shared::InForce { namespace, .. } = known.shared {
            known.shared = Shared::Unsettled(Some(namespace));
        }
    }

    /// Waits for the next reading, for so long at most.
    pub async fn renewed(&self, patience: Duration) {
        let _ = tokio::time::timeout(patience, self.renewed.notified()).await;
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_believed_before_the_first_reading_and_a_second_after_the_last() {
        let knowledge = Knowledge::default();
        assert!(!knowledge.is_fresh());
        knowledge.renew(Instant::now(), Shared::Off);
        assert_eq!(knowledge.shared(), Some(Shared::Off));
        knowledge.renew(Instant::now().checked_sub(LEASE).unwrap(), Shared::Off);
        assert!(!knowledge.is_fresh());
    }

    #[test]
    fn what_was_lost_is_not_in_force_any_more() {
        let (knowledge, namespace) = (Knowledge::default(), Uuid::now_v7());
        knowledge.renew(Instant::now(), Shared::InForce { namespace, connection: 1 });
        knowledge.lose_shared();
        assert_eq!(knowledge.shared(), Some(Shared::Unsettled(Some(namespace))));
    }
}
