//! Floating-point numbers that can be keys.

use std::cmp::Ordering;
use std::hash::{Hash, Hasher};

use thiserror::Error;

/// A number that is neither NaN nor infinite, so that it is equal to itself and can be part of a key.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FiniteFloat(f64);

/// NaN or an infinity where a finite number is needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("must be a finite number")]
pub struct NotFinite;

impl FiniteFloat {
    /// The lowest number.
    pub const MIN: Self = Self(f64::MIN);

    /// The number.
    #[must_use]
    pub fn get(self) -> f64 {
        self.0
    }
}

impl TryFrom<f64> for FiniteFloat {
    type Error = NotFinite;

    fn try_from(value: f64) -> Result<Self, NotFinite> {
        // `+ 0.0` turns −0 into 0: equal numbers must have equal hashes.
        if value.is_finite() { Ok(Self(value + 0.0)) } else { Err(NotFinite) }
    }
}

impl Eq for FiniteFloat {}

impl Ord for FiniteFloat {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.total_cmp(&other.0)
    }
}

impl PartialOrd for FiniteFloat {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Hash for FiniteFloat {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.to_bits().hash(state);
    }
}

/// `part` of `whole` as a number from 0 to 1; none of nothing.
#[must_use]
#[allow(clippy::cast_precision_loss, reason = "counts stay far below 2^53")]
pub fn rate(part: i64, whole: i64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_finite_numbers_are_accepted() {
        assert_eq!(FiniteFloat::try_from(-2.0).map(FiniteFloat::get), Ok(-2.0));
        for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            assert_eq!(FiniteFloat::try_from(bad), Err(NotFinite));
        }
        assert_eq!(FiniteFloat::try_from(-0.0).map(|zero| zero.get().to_bits()), Ok(0));
    }
}
