//! Wrong credentials, of which so many may come from one address.

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use governor::Quota;
use moka::sync::Cache;

use super::rate::process::{KeyedLimiter, network_of};

/// How many addresses are remembered.
const MOST_ADDRESSES: u64 = 50_000;

/// Counts wrong credentials. Each process counts for itself: looking is part of every request, and costs nothing here.
pub struct FailedAttempts(Option<Counting>);

struct Counting {
    limiter: KeyedLimiter<IpAddr>,
    /// Those who have to wait, and until when.
    refused: Cache<IpAddr, Instant>,
    turned_away: AtomicU64,
}

impl FailedAttempts {
    /// So many in a minute.
    #[must_use]
    pub fn new(per_minute: Option<NonZeroU32>) -> Self {
        Self(per_minute.map(|attempts| Counting {
            limiter: KeyedLimiter::new(Quota::per_minute(attempts), MOST_ADDRESSES),
            refused: Cache::builder().max_capacity(MOST_ADDRESSES).time_to_live(Duration::from_mins(1)).build(),
            turned_away: AtomicU64::new(0),
        }))
    }

    /// How many requests were turned away so far, whose credentials nobody looked at.
    #[must_use]
    pub fn turned_away(&self) -> u64 {
        self.0.as_ref().map_or(0, |counting| counting.turned_away.load(Ordering::Relaxed))
    }

    /// Whether a request from this address is turned away, and for how long from now on. Most are not.
    #[must_use]
    pub fn turn_away(&self, address: IpAddr) -> Option<Duration> {
        let counting = self.0.as_ref()?;
        let until = counting.refused.get(&network_of(address))?;
        let wait = Some(until.saturating_duration_since(Instant::now())).filter(|wait| !wait.is_zero())?;
        counting.turned_away.fetch_add(1, Ordering::Relaxed);
        Some(wait)
    }

    /// Notes that a credential from this address was wrong.
    pub fn failed(&self, address: IpAddr) {
        let Some(Counting { limiter, refused, .. }) = &self.0 else { return };
        let address = network_of(address);
        if let Err(wait) = limiter.count(&address) {
            refused.insert(address, Instant::now() + wait);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_wrong_too_often_waits_and_nobody_else_does() {
        let attempts = FailedAttempts::new(NonZeroU32::new(3));
        let (one, other): (IpAddr, IpAddr) = ("192.0.2.1".parse().unwrap(), "192.0.2.2".parse().unwrap());
        for _ in 0..3 {
            attempts.failed(one);
            assert_eq!(attempts.turn_away(one), None);
        }
        attempts.failed(one);
        let wait = attempts.turn_away(one).unwrap();
        assert!(wait > Duration::from_secs(10) && wait <= Duration::from_secs(20), "{wait:?}");
        assert_eq!(attempts.turn_away(other), None);
        // Who has a network of IPv6 has more addresses than can be counted.
        let (one, neighbour) = ("2001:db8::1".parse().unwrap(), "2001:db8::ffff:1".parse().unwrap());
        (0..4).for_each(|_| attempts.failed(one));
        assert!(attempts.turn_away(neighbour).is_some());
        assert_eq!(attempts.turned_away(), 2);
        let unlimited = FailedAttempts::new(None);
        (0..100).for_each(|_| unlimited.failed(one));
        assert_eq!(unlimited.turn_away(one), None);
    }
}
