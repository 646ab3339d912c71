//! Chance that repeats itself, and the calendar it is spread over.

use rand::{Rng as _, RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use uuid::{Builder, Uuid};

use crate::domain::Timestamp;

/// Chosen once; another number makes other demo data.
const SEED: u64 = 0x6576_616c_6465_6d6f;

const DAY: i64 = 24 * HOUR;
const HOUR: i64 = 3_600_000_000;

/// The generator of everything that looks accidental.
pub(super) struct Random(ChaCha8Rng);

impl Random {
    /// The generator at its beginning.
    pub(super) fn new() -> Self {
        Self(ChaCha8Rng::seed_from_u64(SEED))
    }

    /// A UUID of version 7 for a row that was created at `micros`.
    pub(super) fn id(&mut self, micros: i64) -> Uuid {
        let mut bytes = [0; 10];
        self.0.fill_bytes(&mut bytes);
        let millis = u64::try_from(micros / 1_000).unwrap_or_default();
        Builder::from_unix_timestamp_millis(millis, &bytes).into_uuid()
    }

    /// A number from `low` up to `high`.
    pub(super) fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.0.random::<f64>()
    }

    /// A whole number from `low` up to but without `high`, which must be greater.
    pub(super) fn whole(&mut self, low: i64, high: i64) -> i64 {
        self.0.random_range(low..high)
    }

    /// True with this probability.
    pub(super) fn chance(&mut self, probability: f64) -> bool {
        self.0.random::<f64>() < probability
    }

    /// One of the items, of which there must be some.
    pub(super) fn pick<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[self.0.random_range(0..items.len())]
    }

    /// Puts the items in an accidental order.
    pub(super) fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.0.random_range(0..=last));
        }
    }

    /// A number whose logarithm is normally distributed, as latencies about are.
    pub(super) fn log_normal(&mut self, median: f64, spread: f64) -> f64 {
        // Twelve uniform numbers add up to a bell curve of variance 1.
        let normal: f64 = (0..12).map(|_| self.0.random::<f64>()).sum::<f64>() - 6.0;
        median * (spread * normal).exp()
    }

    /// So many hexadecimal digits.
    pub(super) fn hex(&mut self, digits: usize) -> String {
        (0..digits).map(|_| char::from(b"0123456789abcdef"[self.0.random_range(0..16)])).collect()
    }
}

/// The days before now.
#[derive(Debug, Clone, Copy)]
pub(super) struct Calendar {
    now: i64,
}

impl Calendar {
    /// The calendar that ends now.
    pub(super) fn new(now: Timestamp) -> Self {
        Self { now: now.micros() }
    }

    /// The present, in microseconds.
    pub(super) fn now(self) -> i64 {
        self.now
    }

    /// A time so many hours into the day (UTC) that began so many days before today.
    pub(super) fn at(self, days_ago: i64, hours: f64) -> i64 {
        let today = self.now - self.now.rem_euclid(DAY);
        today - days_ago * DAY + (hours * HOUR as f64) as i64
    }
}

/// The timestamp of this many microseconds; every time of the demo is in the calendar's range.
pub(super) fn timestamp(micros: i64) -> Timestamp {
    Timestamp::from_micros(micros).unwrap_or_else(|| Timestamp::from(chrono::DateTime::UNIX_EPOCH))
}

/// The day of this time, like `2026-11-20`.
pub(super) fn date(micros: i64) -> String {
    let mut text = timestamp(micros).to_string();
    text.truncate(10);
    text
}
