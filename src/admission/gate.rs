//! Places, and the way of waiting for one.
//!
//! A queue makes good for moments in which more comes than can be done, and for clients each of which asks again when it was
//! answered. When more comes than can be done all the time, a queue only makes everybody late. Which of the two it is shows when somebody has
//! waited in vain: from then on nobody waits for long, until that has not happened for a while. Now and then it is tried
//! anew whether waiting helps: clients that ask again at once when they are refused would keep the overload up otherwise.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout_at};

/// How long is waited for a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// How long a request waits while none has waited in vain.
    pub usual: Duration,
    /// How long it waits after that.
    pub hurried: Duration,
    /// After so long without a request that waited in vain, the usual patience is back.
    pub calm_after: Duration,
    /// After so long it is back in any case.
    pub again_after: Duration,
    /// How many requests may wait.
    pub most_waiting: usize,
}

impl Patience {
    /// A second is what people hardly notice, and a crowd that comes once is served in it; docs/decisions.md says more.
    pub const USUAL: Self = Self {
        usual: Duration::from_secs(1),
        hurried: Duration::from_millis(5),
        calm_after: Duration::from_secs(5),
        again_after: Duration::from_secs(60),
        most_waiting: 1_000,
    };
}

/// There is no place, and none is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoPlace;

/// So many places.
#[derive(Debug)]
pub struct Gate {
    places: Arc<Semaphore>,
    most: usize,
    patience: Patience,
    waiting: AtomicUsize,
    overload: Mutex<Option<Overload>>,
}

/// A time in which requests wait in vain.
#[derive(Debug, Clone, Copy)]
struct Overload {
    began: Instant,
    last: Instant,
}

/// One more that waits, as long as it lives.
struct Waiting<'a>(&'a AtomicUsize);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Gate {
    pub fn new(places: usize, patience: Patience) -> Self {
        let most = places.min(Semaphore::MAX_PERMITS);
        let overload = Mutex::new(None);
        Self { places: Arc::new(Semaphore::new(most)), most, patience, waiting: AtomicUsize::new(0), overload }
    }

    /// How many wait.
    pub fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }

    /// Whether whoever comes now need not even tell what it wants: there is an overload, and as many wait as there are places.
    pub fn look(&self) -> Result<(), NoPlace> {
        let is_hopeless =
            self.places.available_permits() == 0 && self.waiting() >= self.most && self.is_overloaded(Instant::now());
        if is_hopeless { Err(self.refuse()) } else { Ok(()) }
    }

    /// A place, which may be waited for until this time, though never for longer than the patience lasts.
    pub async fn enter(&self, until: Instant) -> Result<OwnedSemaphorePermit, NoPlace> {
        // Those who wait go first: their places are never free.
        if let Ok(place) = Arc::clone(&self.places).try_acquire_owned() {
            return Ok(place);
        }
        let now = Instant::now();
        let patience = if self.is_overloaded(now) { self.patience.hurried } else { self.patience.usual };
        let waiting_before = self.waiting.fetch_add(1, Ordering::Relaxed);
        let _waiting = Waiting(&self.waiting);
        if waiting_before >= self.patience.most_waiting {
            return Err(self.refuse());
        }
        let place = timeout_at(until.min(now + patience), Arc::clone(&self.places).acquire_owned()).await;
        place.ok().and_then(Result::ok).ok_or_else(|| self.refuse())
    }

    fn refuse(&self) -> NoPlace {
        let now = Instant::now();
        let mut overload = self.overload.lock().unwrap_or_else(PoisonError::into_inner);
        let began = overload.filter(|overload| self.lasts(*overload, now)).map_or(now, |overload| overload.began);
        *overload = Some(Overload { began, last: now });
        NoPlace
    }

    fn is_overloaded(&self, now: Instant) -> bool {
        let overload = *self.overload.lock().unwrap_or_else(PoisonError::into_inner);
        overload.is_some_and(|overload| self.lasts(overload, now))
    }

    fn lasts(&self, overload: Overload, now: Instant) -> bool {
        now.duration_since(overload.last) < self.patience.calm_after
            && now.duration_since(overload.began) < self.patience.again_after
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_mins(1);
    const SHORT: Duration = Duration::from_millis(20);

    fn gate(patience: Patience) -> Gate {
        Gate::new(1, patience)
    }

    fn patience() -> Patience {
        Patience { usual: SHORT, hurried: Duration::ZERO, calm_after: LONG, again_after: LONG, most_waiting: 2 }
    }

    fn later() -> Instant {
        Instant::now() + LONG
    }

    #[tokio::test]
    async fn a_place_that_becomes_free_goes_to_whoever_waits() {
        let gate = Arc::new(gate(Patience { usual: LONG, ..patience() }));
        let first = gate.enter(later()).await.unwrap();
        let waiting = tokio::spawn({
            let gate = Arc::clone(&gate);
            async move { gate.enter(later()).await }
        });
        while gate.waiting() == 0 {
            tokio::task::yield_now().await;
        }
        drop(first);
        let second = waiting.await.unwrap().unwrap();
        assert_eq!(gate.waiting(), 0);
        drop(second);
        assert!(gate.enter(later()).await.is_ok());
    }

    #[tokio::test]
    async fn once_somebody_has_waited_in_vain_nobody_waits_until_it_is_calm() {
        let gate = gate(patience());
        let place = gate.enter(later()).await.unwrap();
        assert!(!gate.is_overloaded(Instant::now()));
        assert_eq!(gate.enter(later()).await.unwrap_err(), NoPlace);
        assert!(gate.is_overloaded(Instant::now()));
        // It would take a minute if it waited.
        assert_eq!(gate.enter(later()).await.unwrap_err(), NoPlace);
        let calm = Instant::now() + LONG;
        assert!(!gate.is_overloaded(calm));
        drop(place);
        assert!(gate.enter(later()).await.is_ok());
    }

    #[tokio::test]
    async fn a_lasting_overload_is_doubted_now_and_then() {
        let gate = gate(Patience { calm_after: LONG * 3, ..patience() });
        let _place = gate.enter(later()).await.unwrap();
        let began = Instant::now();
        assert!(gate.enter(later()).await.is_err());
        assert!(gate.is_overloaded(began));
        assert!(!gate.is_overloaded(began + LONG * 2));
    }

    #[tokio::test]
    async fn only_so_many_wait() {
        let gate = Arc::new(gate(Patience { usual: LONG, ..patience() }));
        let _place = gate.enter(later()).await.unwrap();
        let mut waiting = tokio::task::JoinSet::new();
        for _ in 0..2 {
            let gate = Arc::clone(&gate);
            waiting.spawn(async move { gate.enter(later()).await });
        }
        while gate.waiting() < 2 {
            tokio::task::yield_now().await;
        }
        assert_eq!(gate.look(), Ok(()), "nobody has waited in vain yet");
        assert_eq!(gate.enter(later()).await.unwrap_err(), NoPlace);
        assert_eq!(gate.look(), Err(NoPlace));
        // Who leaves is waited for no more.
        waiting.shutdown().await;
        assert_eq!(gate.waiting(), 0);
    }

    #[tokio::test]
    async fn nobody_waits_longer_than_the_request_may_take() {
        let gate = gate(Patience { usual: LONG, ..patience() });
        let _place = gate.enter(later()).await.unwrap();
        assert!(gate.enter(Instant::now()).await.is_err());
    }
}
