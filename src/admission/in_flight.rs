//! How many requests are worked on at a time: in all, and of one principal.

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::OwnedSemaphorePermit;
use tokio::time::Instant;

use super::gate::{Gate, NoPlace, Patience};

/// Why a request is not worked on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Full {
    /// The server has as much to do as it can.
    Server,
    /// The principal has as many requests in flight as one may have.
    Principal,
}

/// Counters and gauges, for reports and metrics.
#[derive(Debug, Default)]
pub struct InFlightCounts {
    /// Requests that are worked on now.
    pub in_flight: AtomicU64,
    /// Requests that wait for a place now.
    pub waiting: AtomicU64,
    /// Requests that were refused because the server was full.
    pub refused_server: AtomicU64,
    /// Requests that were refused because their principal had too many.
    pub refused_principal: AtomicU64,
}

/// The places for requests.
pub struct InFlight {
    all: Option<Gate>,
    principals: Option<Principals>,
    counts: Arc<InFlightCounts>,
}

/// A place for a request, as long as it lives.
pub struct Place {
    _gauge: Gauge,
    _all: Option<OwnedSemaphorePermit>,
    _principal: Option<PrincipalPlace>,
}

/// One more, as long as it lives.
struct Gauge(Arc<InFlightCounts>, fn(&InFlightCounts) -> &AtomicU64);

impl Gauge {
    fn one(counts: &Arc<InFlightCounts>, of: fn(&InFlightCounts) -> &AtomicU64) -> Self {
        of(counts).fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(counts), of)
    }
}

impl Drop for Gauge {
    fn drop(&mut self) {
        self.1(&self.0).fetch_sub(1, Ordering::Relaxed);
    }
}

impl InFlight {
    /// So many places, of which one principal may have so many.
    #[must_use]
    pub fn new(all: Option<NonZeroU32>, per_principal: Option<NonZeroU32>, patience: Patience) -> Self {
        Self {
            all: all.map(|places| Gate::new(places.get() as usize, patience)),
            principals: per_principal.map(|places| Principals::new(places.get() as usize, patience)),
            counts: Arc::default(),
        }
    }

    /// What is going on, and what was refused so far.
    #[must_use]
    pub fn counts(&self) -> &InFlightCounts {
        &self.counts
    }

    /// Refuses a request that would be refused anyway, before it is read.
    ///
    /// # Errors
    /// When the server is full.
    pub fn look(&self) -> Result<(), Full> {
        let looked = self.all.as_ref().map_or(Ok(()), Gate::look);
        looked.map_err(|NoPlace| self.refuse(Full::Server))
    }

    /// A place for a request of this principal, if it is one that can be told from others.
    ///
    /// # Errors
    /// When there is none, and none becomes free in time.
    pub async fn enter(&self, principal: Option<&Arc<str>>, until: Instant) -> Result<Place, Full> {
        let waiting = Gauge::one(&self.counts, |counts| &counts.waiting);
        let principal = match principal.zip(self.principals.as_ref()) {
            Some((id, principals)) => {
                Some(principals.enter(id, until).await.map_err(|NoPlace| self.refuse(Full::Principal))?)
            }
            None => None,
        };
        let all = match &self.all {
            Some(gate) => Some(gate.enter(until).await.map_err(|NoPlace| self.refuse(Full::Server))?),
            None => None,
        };
        drop(waiting);
        Ok(Place { _gauge: Gauge::one(&self.counts, |counts| &counts.in_flight), _all: all, _principal: principal })
    }

    fn refuse(&self, full: Full) -> Full {
        let counter = match full {
            Full::Server => &self.counts.refused_server,
            Full::Principal => &self.counts.refused_principal,
        };
        counter.fetch_add(1, Ordering::Relaxed);
        full
    }
}

/// A gate for each principal that has a request in flight.
struct Principals {
    places: usize,
    patience: Patience,
    gates: Gates,
}

type Gates = Arc<Mutex<HashMap<Arc<str>, Arc<Gate>>>>;

fn lock(gates: &Gates) -> MutexGuard<'_, HashMap<Arc<str>, Arc<Gate>>> {
    gates.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Principals {
    fn new(places: usize, patience: Patience) -> Self {
        Self { places, patience, gates: Gates::default() }
    }

    async fn enter(&self, id: &Arc<str>, until: Instant) -> Result<PrincipalPlace, NoPlace> {
        let gate = {
            let mut gates = lock(&self.gates);
            let gate = gates.entry(Arc::clone(id)).or_insert_with(|| Arc::new(Gate::new(self.places, self.patience)));
            Arc::clone(gate)
        };
        // From here on the gate is kept as long as somebody is at it.
        let mut place = PrincipalPlace { id: Arc::clone(id), gates: Arc::clone(&self.gates), gate, permit: None };
        place.permit = Some(place.gate.enter(until).await?);
        Ok(place)
    }
}

/// A place among the requests of a principal. With the last of them, the gate goes.
struct PrincipalPlace {
    id: Arc<str>,
    gates: Gates,
    gate: Arc<Gate>,
    permit: Option<OwnedSemaphorePermit>,
}

impl Drop for PrincipalPlace {
    fn drop(&mut self) {
        self.permit = None;
        let mut gates = lock(&self.gates);
        // One is in the map, and one is here.
        if Arc::strong_count(&self.gate) == 2 {
            gates.remove(&self.id);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn in_flight(all: u32, per_principal: u32) -> InFlight {
        let patience = Patience { usual: Duration::ZERO, ..Patience::USUAL };
        InFlight::new(NonZeroU32::new(all), NonZeroU32::new(per_principal), patience)
    }

    fn later() -> Instant {
        Instant::now() + Duration::from_mins(1)
    }

    #[tokio::test]
    async fn one_principal_leaves_places_for_others() {
        let in_flight = in_flight(3, 2);
        let (ada, bob): (Arc<str>, Arc<str>) = ("ada".into(), "bob".into());
        let places =
            [in_flight.enter(Some(&ada), later()).await.unwrap(), in_flight.enter(Some(&ada), later()).await.unwrap()];
        assert_eq!(in_flight.enter(Some(&ada), later()).await.err(), Some(Full::Principal));
        let other = in_flight.enter(Some(&bob), later()).await.unwrap();
        assert_eq!(in_flight.enter(Some(&bob), later()).await.err(), Some(Full::Server));
        assert_eq!(in_flight.enter(None, later()).await.err(), Some(Full::Server));
        let read = |of: fn(&InFlightCounts) -> &AtomicU64| of(in_flight.counts()).load(Ordering::Relaxed);
        assert_eq!((read(|counts| &counts.in_flight), read(|counts| &counts.waiting)), (3, 0));
        assert_eq!((read(|counts| &counts.refused_principal), read(|counts| &counts.refused_server)), (1, 2));
        drop((places, other));
        assert_eq!(read(|counts| &counts.in_flight), 0);
        assert!(in_flight.enter(Some(&ada), later()).await.is_ok());
    }

    #[tokio::test]
    async fn nothing_is_kept_of_principals_that_have_gone() {
        let in_flight = in_flight(0, 1);
        for number in 0..100 {
            let id: Arc<str> = format!("user {number}").into();
            let place = in_flight.enter(Some(&id), later()).await.unwrap();
            assert!(in_flight.enter(Some(&id), later()).await.is_err());
            drop(place);
        }
        assert_eq!(lock(&in_flight.principals.as_ref().unwrap().gates).len(), 0);
    }

    #[tokio::test]
    async fn without_limits_everybody_is_let_in() {
        let in_flight = in_flight(0, 0);
        let ada: Arc<str> = "ada".into();
        let mut places = Vec::new();
        for _ in 0..1_000 {
            in_flight.look().unwrap();
            places.push(in_flight.enter(Some(&ada), later()).await.unwrap());
        }
        assert_eq!(in_flight.counts().in_flight.load(Ordering::Relaxed), 1_000);
    }
}
