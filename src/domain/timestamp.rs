//! Points in time.

use std::fmt;

use chrono::{DateTime, Datelike as _, SecondsFormat, TimeDelta, Utc};

/// A point in time in UTC with the precision that both databases keep: microseconds.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    serde::Serialize,
    serde::Deserialize,
    diesel::expression::AsExpression,
    diesel::deserialize::FromSqlRow,
)]
#[diesel(sql_type = crate::db::types::sql::Timestamptz)]
#[serde(try_from = "i64")]
pub struct Timestamp(i64);

impl TryFrom<i64> for Timestamp {
    type Error = &'static str;

    fn try_from(micros: i64) -> Result<Self, Self::Error> {
        Self::from_micros(micros).ok_or("a time outside of the calendar")
    }
}

impl Timestamp {
    /// The beginning of the calendar: of the year 0.
    pub const MIN: Self = Self(-62_167_219_200_000_000);

    /// The current time.
    #[must_use]
    pub fn now() -> Self {
        Self::from(Utc::now())
    }

    /// The time that lies `micros` microseconds after the beginning of 1970; `None` outside of the years 0 to 9999, the
    /// range of RFC 3339, in which every database can keep it.
    #[must_use]
    pub fn from_micros(micros: i64) -> Option<Self> {
        DateTime::from_timestamp_micros(micros).filter(|time| (0..=9999).contains(&time.year())).map(Self::from)
    }

    /// Microseconds since the beginning of 1970.
    #[must_use]
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// Reads RFC 3339; digits beyond microseconds are cut off.
    ///
    /// # Errors
    /// When the text is no RFC 3339 time.
    pub fn parse(text: &str) -> Result<Self, chrono::ParseError> {
        DateTime::parse_from_rfc3339(text).map(|time| Self::from(time.to_utc()))
    }

    /// The time so many milliseconds later (earlier when negative); clamped to the range of the calendar.
    #[must_use]
    pub fn plus_millis(self, millis: i64) -> Self {
        let time = self.to_utc();
        TimeDelta::try_milliseconds(millis).and_then(|delta| time.checked_add_signed(delta)).map_or(self, Self::from)
    }

    /// The time that follows at once, a microsecond later.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }

    fn to_utc(self) -> DateTime<Utc> {
        DateTime::from_timestamp_micros(self.0).unwrap_or_default()
    }
}

impl From<DateTime<Utc>> for Timestamp {
    fn from(time: DateTime<Utc>) -> Self {
        Self(time.timestamp_micros())
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_utc().to_rfc3339_opts(SecondsFormat::Micros, true))
    }
}

#[cfg(test)]
mod tests {
    use super::Timestamp;

    #[test]
    fn the_calendar_begins_with_the_year_0() {
        assert_eq!(Timestamp::MIN.to_string(), "0000-01-01T00:00:00.000000Z");
        assert_eq!(Timestamp::from_micros(Timestamp::MIN.micros()), Some(Timestamp::MIN));
        assert_eq!(Timestamp::from_micros(Timestamp::MIN.micros() - 1), None);
    }

    #[test]
    fn reads_and_writes_rfc_3339() {
        let time = Timestamp::parse("2026-11-23T10:00:00.1234567+01:00").unwrap();
        assert_eq!(time.to_string(), "2026-11-23T09:00:00.123456Z");
        assert_eq!(time.next().to_string(), "2026-11-23T09:00:00.123457Z");
        assert_eq!(time.plus_millis(-1_123).to_string(), "2026-11-23T08:59:59.000456Z");
        assert!(Timestamp::parse("yesterday").is_err());
    }
}
