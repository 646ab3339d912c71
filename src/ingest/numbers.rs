//! Numbers of a file, made fit for their columns.

use serde_json::{Value, json};

use super::problem::Problem;
use super::warnings::Warnings;

const NEGATIVE: &str = "a negative number was left out";

/// The integers that columns have.
pub(super) trait Whole: TryFrom<i64> {
    /// The greatest of them.
    const GREATEST: i64;
}

impl Whole for i32 {
    const GREATEST: i64 = i32::MAX as i64;
}

impl Whole for i64 {
    const GREATEST: i64 = i64::MAX;
}

/// The number, rounded. A negative one is left out with a warning: what is counted or measured here never is.
pub(super) fn count<T: Whole>(
    value: Option<f64>,
    warnings: &mut Warnings,
    place: impl Fn() -> String,
) -> Result<Option<T>, Problem> {
    let Some(value) = value else { return Ok(None) };
    if value < 0.0 {
        warnings.add_at(NEGATIVE, place);
        return Ok(None);
    }
    whole(value, place).map(Some)
}

/// The number, unless it is negative: then it is left out with a warning.
pub(super) fn amount(value: Option<f64>, warnings: &mut Warnings, place: impl Fn() -> String) -> Option<f64> {
    if value.is_some_and(|value| value < 0.0) {
        warnings.add_at(NEGATIVE, place);
        return None;
    }
    value
}

/// The number, rounded; an error unless it is 0 or greater and fits.
pub(super) fn index(value: f64, place: impl Fn() -> String) -> Result<i32, Problem> {
    if value < 0.0 || value.fract() != 0.0 {
        return Err(Problem::new(place(), format!("found {value}, expected a whole number of at least 0")));
    }
    whole(value, place)
}

fn whole<T: Whole>(value: f64, place: impl Fn() -> String) -> Result<T, Problem> {
    let rounded = value.round();
    let too_large =
        || Problem::new(place(), format!("{value} is too large: expected a number of at most {}", T::GREATEST));
    // The greatest 64-bit integer is no `f64`; the next one, 2^63, does not fit.
    if rounded >= T::GREATEST as f64 + 1.0 {
        return Err(too_large());
    }
    T::try_from(rounded as i64).map_err(|_| too_large())
}

/// The number as JSON without a fraction, where it has none.
pub(super) fn without_fraction(number: f64) -> Value {
    if number.fract() == 0.0 && number.abs() < 9e15 { json!(number as i64) } else { json!(number) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn here() -> String {
        "here".to_owned()
    }

    #[test]
    fn fractions_are_rounded_and_negatives_left_out() {
        let mut warnings = Warnings::default();
        assert_eq!(count::<i32>(Some(1.5), &mut warnings, here), Ok(Some(2)));
        assert_eq!(count::<i32>(None, &mut warnings, here), Ok(None));
        assert!(warnings.into_texts().is_empty());
        let mut warnings = Warnings::default();
        assert_eq!(count::<i32>(Some(-0.1), &mut warnings, here), Ok(None));
        assert_eq!(warnings.into_texts(), ["a negative number was left out: here"]);
    }

    #[test]
    fn what_is_too_large_is_an_error_that_names_the_place() {
        let mut warnings = Warnings::default();
        assert_eq!(count::<i32>(Some(2_147_483_647.4), &mut warnings, here), Ok(Some(i32::MAX)));
        let error = count::<i32>(Some(2_147_483_647.5), &mut warnings, here).unwrap_err();
        assert_eq!(error.place, "here");
        assert_eq!(error.problem, "2147483647.5 is too large: expected a number of at most 2147483647");
        assert!(count::<i64>(Some(1e300), &mut warnings, here).is_err());
        assert!(count::<i64>(Some(9_223_372_036_854_775_808.0), &mut warnings, here).is_err());
    }

    #[test]
    fn indices_are_whole() {
        assert_eq!(index(3.0, here), Ok(3));
        assert!(index(3.5, here).is_err());
        assert!(index(-1.0, here).is_err());
    }
}
