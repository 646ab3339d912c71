//! How much whoever asks may have in a time, by what operations cost and not by their number.
//!
//! The generic cell rate algorithm: a bucket of points that fills up evenly, from which every operation takes what it costs.
//! Where there is a Redis server, the buckets are there and count for all servers together; while it does not answer, each
//! server has its own.

pub(super) mod process;
mod shared;

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use sha2::{Digest as _, Sha256};

use self::process::{ProcessRates, network_of};
use self::shared::SharedRates;
use crate::cache::redis::RedisTier;

/// A bucket: how fast it fills up, and how much it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// Points in a second.
    pub per_second: NonZeroU32,
    /// Points at a time.
    pub burst: NonZeroU32,
}

impl Rate {
    /// How long it takes to come by so many points.
    fn time_for(self, points: u32) -> Duration {
        Duration::from_secs_f64(f64::from(points) / f64::from(self.per_second.get()))
    }

    /// How many points come in this time, the last of them counted as a whole.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "too many are as many as can be told")]
    fn points_in(self, time: Duration) -> u32 {
        (time.as_secs_f64() * f64::from(self.per_second.get())).ceil() as u32
    }

    /// How long an empty bucket takes to be full.
    #[must_use]
    pub fn window(self) -> Duration {
        self.time_for(self.burst.get())
    }
}

/// Whose bucket it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Share {
    /// The principal's.
    Principal,
    /// That of the address that requests come from.
    Address,
}

impl Share {
    /// Its name in headers and errors.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Principal => "principal",
            Self::Address => "address",
        }
    }
}

/// What is in a bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// Whose it is.
    pub share: Share,
    /// The bucket.
    pub rate: Rate,
    /// The points in it.
    pub remaining: u32,
}

impl Standing {
    /// How long it takes until the bucket is full.
    #[must_use]
    pub fn until_full(&self) -> Duration {
        self.rate.time_for(self.rate.burst.get().saturating_sub(self.remaining))
    }
}

/// Why an operation is not executed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RateRefusal {
    /// There is not enough in the bucket, but will be.
    Later {
        /// Whose bucket.
        share: Share,
        /// How long that takes, if nobody else takes anything.
        wait: Duration,
    },
    /// It costs more than the bucket holds.
    Never {
        /// Whose bucket.
        share: Share,
        /// What it holds.
        burst: u32,
    },
}

/// What came of taking points.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Charge {
    /// What is in the buckets after that, as far as they were looked at.
    pub standings: Vec<Standing>,
    /// Why nothing was taken, if nothing was.
    pub refusal: Option<RateRefusal>,
}

/// A bucket that points are taken from.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bucket {
    owner: Owner,
    rate: Rate,
}

/// Whose bucket it is, exactly. Of users the beginning of a hash, so that a long name takes no more room than a short one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Owner {
    Principal([u8; 16]),
    Address(IpAddr),
}

impl Owner {
    fn principal(user_id: &str) -> Self {
        let digest: [u8; 32] = Sha256::digest(user_id).into();
        let mut id = [0; 16];
        id.copy_from_slice(&digest[..16]);
        Self::Principal(id)
    }

    const fn share(self) -> Share {
        match self {
            Self::Principal(_) => Share::Principal,
            Self::Address(_) => Share::Address,
        }
    }
}

/// The limits.
pub struct RateLimits {
    principal: Option<Rate>,
    address: Option<Rate>,
    process: ProcessRates,
    shared: Option<SharedRates>,
    refused_principal: AtomicU64,
    refused_address: AtomicU64,
}

impl RateLimits {
    /// With these buckets, which are in Redis where there is one.
    #[must_use]
    pub fn new(principal: Option<Rate>, address: Option<Rate>, redis: Option<RedisTier>) -> Self {
        let process = ProcessRates::new(principal, address);
        Self {
            principal,
            address,
            process,
            shared: redis.map(SharedRates::new),
            refused_principal: AtomicU64::new(0),
            refused_address: AtomicU64::new(0),
        }
    }

    /// How many operations were refused so far because of a bucket of this kind.
    #[must_use]
    pub fn refused(&self, share: Share) -> u64 {
        self.refusals(share).load(Ordering::Relaxed)
    }

    fn refusals(&self, share: Share) -> &AtomicU64 {
        match share {
            Share::Principal => &self.refused_principal,
            Share::Address => &self.refused_address,
        }
    }

    /// Takes what an operation costs from the buckets of its principal and of its address, or nothing from either.
    pub async fn charge(&self, user_id: &str, address: Option<IpAddr>, cost: NonZeroU32) -> Charge {
        let charge = self.take(user_id, address, cost).await;
        if let Some(RateRefusal::Later { share, .. } | RateRefusal::Never { share, .. }) = charge.refusal {
            self.refusals(share).fetch_add(1, Ordering::Relaxed);
        }
        charge
    }

    async fn take(&self, user_id: &str, address: Option<IpAddr>, cost: NonZeroU32) -> Charge {
        let principal = self.principal.map(|rate| Bucket { owner: Owner::principal(user_id), rate });
        let address = self.address.zip(address);
        let address = address.map(|(rate, address)| Bucket { owner: Owner::Address(network_of(address)), rate });
        let buckets: Vec<Bucket> = principal.into_iter().chain(address).collect();
        if let Some(small) = buckets.iter().find(|bucket| cost > bucket.rate.burst) {
            let refusal = RateRefusal::Never { share: small.owner.share(), burst: small.rate.burst.get() };
            return Charge { standings: Vec::new(), refusal: Some(refusal) };
        }
        if buckets.is_empty() {
            return Charge { standings: Vec::new(), refusal: None };
        }
        if let Some(shared) = &self.shared
            && let Some(charge) = shared.charge(&buckets, cost).await
        {
            return charge;
        }
        self.process.charge(&buckets, cost)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rate(per_second: u32, burst: u32) -> Option<Rate> {
        Some(Rate { per_second: NonZeroU32::new(per_second)?, burst: NonZeroU32::new(burst)? })
    }

    fn points(cost: u32) -> NonZeroU32 {
        NonZeroU32::new(cost).unwrap()
    }

    /// What is left in thousands: while the test runs, a few points come in.
    fn remaining(charge: &Charge) -> Vec<(Share, u32)> {
        charge.standings.iter().map(|standing| (standing.share, standing.remaining / 1_000)).collect()
    }

    #[tokio::test]
    async fn operations_take_what_they_cost_from_both_buckets() {
        let limits = RateLimits::new(rate(1, 100_000), rate(1, 150_000), None);
        let home = Some("192.0.2.1".parse().unwrap());
        let charge = limits.charge("ada", home, points(39_900)).await;
        assert_eq!(charge.refusal, None);
        assert_eq!(remaining(&charge), [(Share::Principal, 60), (Share::Address, 110)]);
        let charge = limits.charge("ada", home, points(70_000)).await;
        let Some(RateRefusal::Later { share: Share::Principal, wait }) = charge.refusal else { panic!("{charge:?}") };
        assert_eq!(wait.as_secs() / 1_000, 9, "{wait:?}");
        assert_eq!(remaining(&charge), [(Share::Principal, 60)]);
        let charge = limits.charge("bob", home, points(99_900)).await;
        assert_eq!(remaining(&charge), [(Share::Principal, 0), (Share::Address, 10)]);
        assert_eq!(charge.standings[0].until_full().as_secs() / 1_000, 99);
        let charge = limits.charge("eve", home, points(20_000)).await;
        assert!(matches!(charge.refusal, Some(RateRefusal::Later { share: Share::Address, .. })), "{charge:?}");
        assert_eq!([Share::Principal, Share::Address].map(|share| limits.refused(share)), [1, 1]);
        // Who comes from elsewhere is not concerned.
        assert_eq!(limits.charge("eve", Some("192.0.2.2".parse().unwrap()), points(20_000)).await.refusal, None);
    }

    #[tokio::test]
    async fn the_addresses_of_a_network_of_ipv6_share_a_bucket() {
        let limits = RateLimits::new(None, rate(1, 100_000), None);
        let from = async |address: &str| limits.charge("ada", Some(address.parse().unwrap()), points(60_000)).await;
        assert_eq!(from("2001:db8::1").await.refusal, None);
        assert!(from("2001:db8:0:0:ffff::2").await.refusal.is_some());
        assert_eq!(from("2001:db8:0:1::1").await.refusal, None);
    }

    #[tokio::test]
    async fn what_costs_more_than_a_bucket_holds_never_passes() {
        let limits = RateLimits::new(rate(1, 100), rate(1, 50), None);
        let charge = limits.charge("ada", Some("::1".parse().unwrap()), points(51)).await;
        assert_eq!(charge.refusal, Some(RateRefusal::Never { share: Share::Address, burst: 50 }));
        assert_eq!(limits.charge("ada", None, points(100)).await.refusal, None);
    }

    #[tokio::test]
    async fn without_limits_nothing_is_counted() {
        let limits = RateLimits::new(None, None, None);
        let charge = limits.charge("ada", Some("::1".parse().unwrap()), NonZeroU32::MAX).await;
        assert_eq!(charge, Charge { standings: Vec::new(), refusal: None });
    }
}
