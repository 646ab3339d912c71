//! Who is let in: how many requests are worked on at a time, and how much whoever asks may have in a time.

mod attempts;
mod gate;
mod in_flight;
mod rate;

use std::num::NonZeroU32;

pub use attempts::FailedAttempts;
pub use gate::Patience;
pub use in_flight::{Full, InFlight, InFlightCounts, Place};
pub use rate::{Charge, Rate, RateLimits, RateRefusal, Share, Standing};

use crate::cache::redis::RedisTier;

/// How many, and how much.
#[derive(Debug, Clone)]
pub struct AdmissionSettings {
    /// How many requests are worked on at a time.
    pub in_flight: Option<NonZeroU32>,
    /// How many of one principal.
    pub in_flight_per_principal: Option<NonZeroU32>,
    /// How long requests wait for others to end.
    pub patience: Patience,
    /// What a principal may have.
    pub principal_rate: Option<Rate>,
    /// What may go to one address.
    pub address_rate: Option<Rate>,
    /// How many wrong credentials may come from one address in a minute.
    pub failed_attempts_per_minute: Option<NonZeroU32>,
}

impl AdmissionSettings {
    /// Everybody is let in.
    pub const NONE: Self = Self {
        in_flight: None,
        in_flight_per_principal: None,
        patience: Patience::USUAL,
        principal_rate: None,
        address_rate: None,
        failed_attempts_per_minute: None,
    };
}

/// What lets requests in.
pub struct Admission {
    /// How many are worked on.
    pub in_flight: InFlight,
    /// How much they may have.
    pub rates: RateLimits,
    /// How often credentials were wrong.
    pub attempts: FailedAttempts,
}

impl Admission {
    /// With these settings; what was had is counted in Redis for all servers together, where there is one.
    #[must_use]
    pub fn new(settings: &AdmissionSettings, redis: Option<RedisTier>) -> Self {
        Self {
            in_flight: InFlight::new(settings.in_flight, settings.in_flight_per_principal, settings.patience),
            rates: RateLimits::new(settings.principal_rate, settings.address_rate, redis),
            attempts: FailedAttempts::new(settings.failed_attempts_per_minute),
        }
    }
}
