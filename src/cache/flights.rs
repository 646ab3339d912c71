//! Single flight: what several requests miss at the same time is loaded by the first of them.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::FutureExt as _;
use futures_util::future::Shared;
use tokio::sync::oneshot;

use super::process::AnyValue;

/// What comes of a flight; nothing when whoever led it left.
pub type Landing = Shared<oneshot::Receiver<AnyValue>>;

/// The loads that are on their way, by what they answer. The key has to say everything that the answer depends on: the
/// question, and the generations under which it was asked, so that nobody joins a load that began before a change that he
/// has to see.
#[derive(Debug)]
pub struct Flights<K: Eq + Hash>(Arc<Mutex<HashMap<K, Landing>>>);

impl<K: Eq + Hash> Default for Flights<K> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

/// What somebody who missed an entry does.
pub enum Role<K: Eq + Hash> {
    /// Loads it, for all others too.
    Lead(Flight<K>),
    /// Waits for whoever loads it.
    Join(Landing),
}

/// A load on its way. Dropping it tells those who wait that nothing came of it.
pub struct Flight<K: Eq + Hash> {
    key: Option<K>,
    landed: Option<oneshot::Sender<AnyValue>>,
    flights: Arc<Mutex<HashMap<K, Landing>>>,
}

impl<K: Eq + Hash + Clone> Flights<K> {
    /// Who loads what is under this key.
    pub fn enter(&self, key: K) -> Role<K> {
        let mut flights = lock(&self.0);
        if let Some(landing) = flights.get(&key) {
            return Role::Join(landing.clone());
        }
        let (landed, landing) = oneshot::channel();
        flights.insert(key.clone(), landing.shared());
        Role::Lead(Flight { key: Some(key), landed: Some(landed), flights: Arc::clone(&self.0) })
    }
}

impl<K: Eq + Hash> Flight<K> {
    /// Gives the answer to all who wait.
    pub fn land(mut self, value: AnyValue) {
        if let Some(landed) = self.landed.take() {
            // Nobody may be waiting.
            let _ = landed.send(value);
        }
    }
}

impl<K: Eq + Hash> Drop for Flight<K> {
    fn drop(&mut self) {
        if let Some(key) = self.key.take() {
            lock(&self.flights).remove(&key);
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lead(flights: &Flights<u32>, key: u32) -> Flight<u32> {
        match flights.enter(key) {
            Role::Lead(flight) => flight,
            Role::Join(_) => panic!("somebody else is loading {key}"),
        }
    }

    fn join(flights: &Flights<u32>, key: u32) -> Landing {
        match flights.enter(key) {
            Role::Join(landing) => landing,
            Role::Lead(_) => panic!("nobody is loading {key}"),
        }
    }

    #[tokio::test]
    async fn the_first_loads_and_the_others_get_what_it_loaded() {
        let flights = Flights::default();
        let flight = lead(&flights, 1);
        let others = [join(&flights, 1), join(&flights, 1)];
        flight.land(Arc::new("one"));
        for landing in others {
            assert_eq!(landing.await.unwrap().downcast_ref::<&str>(), Some(&"one"));
        }
        // What was loaded before is not given to those who come later.
        drop(lead(&flights, 1));
    }

    #[tokio::test]
    async fn those_who_wait_for_somebody_who_left_are_told() {
        let flights = Flights::default();
        let flight = lead(&flights, 1);
        let landing = join(&flights, 1);
        drop(flight);
        assert!(landing.await.is_err());
        drop(lead(&flights, 1));
    }
}
