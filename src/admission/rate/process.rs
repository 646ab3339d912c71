//! Buckets in the memory of the process.

use std::hash::Hash;
use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use governor::clock::{Clock as _, MonotonicClock};
use governor::middleware::{StateInformationMiddleware, StateSnapshot};
use governor::nanos::Nanos;
use governor::state::{InMemoryState, NotKeyed, StateStore};
use governor::{Quota, RateLimiter};
use moka::policy::EvictionPolicy;
use moka::sync::Cache;

use super::{Bucket, Charge, Owner, Rate, RateRefusal, Standing};

/// How many buckets of either kind are remembered. One that was not used for the longest time is most likely full, as is one
/// that is not remembered.
const MOST_BUCKETS: u64 = 50_000;

/// How many bits of an IPv6 address say in which network it is. Whoever has one address has all of such a network.
const IPV6_NETWORK_BITS: u32 = 64;

/// The addresses that are taken for one: of IPv6, those of a network.
pub fn network_of(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(address) => {
            IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() >> IPV6_NETWORK_BITS << IPV6_NETWORK_BITS))
        }
    }
}

/// The states of buckets. Their number is bounded, and those that are full again are forgotten.
struct States<K>(Cache<K, Arc<InMemoryState>>);

impl<K: Hash + Eq + Copy + Send + Sync + 'static> StateStore for States<K> {
    type Key = K;

    fn measure_and_replace<T, F, E>(&self, key: &K, measure: F) -> Result<T, E>
    where
        F: Fn(Option<Nanos>) -> Result<(T, Nanos), E>,
    {
        self.0.get_with(*key, Arc::default).measure_and_replace(&NotKeyed::NonKey, measure)
    }
}

/// Buckets of one kind, each with a key.
pub struct KeyedLimiter<K: Hash + Eq + Copy + Send + Sync + 'static>(
    RateLimiter<K, States<K>, MonotonicClock, StateInformationMiddleware>,
);

impl<K: Hash + Eq + Copy + Send + Sync + 'static> KeyedLimiter<K> {
    /// No more than `most` of them are remembered.
    pub fn new(quota: Quota, most: u64) -> Self {
        // A bucket is full by then.
        let idle = quota.burst_size_replenished_in() + Duration::from_secs(1);
        let states = Cache::builder().max_capacity(most).eviction_policy(EvictionPolicy::lru()).time_to_idle(idle);
        Self(RateLimiter::new(quota, States(states.build()), MonotonicClock))
    }

    /// Takes one point, or tells how long it takes until there is one.
    pub fn count(&self, key: &K) -> Result<(), Duration> {
        let counted = self.0.check_key(key);
        counted.map(drop).map_err(|refused| refused.wait_time_from(MonotonicClock.now()))
    }

    /// Takes points. `None` if there never are so many.
    fn take(&self, key: &K, points: NonZeroU32) -> Option<Result<StateSnapshot, Duration>> {
        let taken = self.0.check_key_n(key, points).ok()?;
        Some(taken.map_err(|refused| refused.wait_time_from(MonotonicClock.now())))
    }
}

/// The buckets of this process.
pub struct ProcessRates {
    principals: Option<KeyedLimiter<Owner>>,
    addresses: Option<KeyedLimiter<Owner>>,
}

impl ProcessRates {
    pub fn new(principal: Option<Rate>, address: Option<Rate>) -> Self {
        let limiter = |rate: Rate| {
            let quota = Quota::per_second(rate.per_second).allow_burst(rate.burst);
            KeyedLimiter::new(quota, MOST_BUCKETS)
        };
        Self { principals: principal.map(limiter), addresses: address.map(limiter) }
    }

    /// Takes points from one bucket after the other, and stops at the first that has not enough: whoever has used up what is
    /// theirs takes nothing from the others at their address.
    pub fn charge(&self, buckets: &[Bucket], cost: NonZeroU32) -> Charge {
        let mut charge = Charge { standings: Vec::with_capacity(buckets.len()), refusal: None };
        for Bucket { owner, rate } in buckets {
            let limiter = match owner {
                Owner::Principal(_) => &self.principals,
                Owner::Address(_) => &self.addresses,
            };
            let Some(taken) = limiter.as_ref().and_then(|limiter| limiter.take(owner, cost)) else { continue };
            let (share, rate) = (owner.share(), *rate);
            match taken {
                Ok(after) => {
                    charge.standings.push(Standing { share, rate, remaining: after.remaining_burst_capacity() })
                }
                Err(wait) => {
                    let remaining = cost.get().saturating_sub(rate.points_in(wait)).min(rate.burst.get());
                    charge.standings.push(Standing { share, rate, remaining });
                    charge.refusal = Some(RateRefusal::Later { share, wait });
                    break;
                }
            }
        }
        charge
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_buckets_are_remembered_than_there_is_room_for() {
        let quota = Quota::per_second(NonZeroU32::MIN).allow_burst(NonZeroU32::new(1_000).unwrap());
        let limiter = KeyedLimiter::new(quota, 100);
        for key in 0..10_000_u32 {
            limiter.take(&key, NonZeroU32::MIN).unwrap().unwrap();
        }
        // What the last of them had is known.
        assert_eq!(limiter.take(&9_999, NonZeroU32::MIN).unwrap().unwrap().remaining_burst_capacity(), 998);
        let States(states) = limiter.0.into_state_store();
        states.run_pending_tasks();
        assert!(states.entry_count() <= 100, "{}", states.entry_count());
    }
}
