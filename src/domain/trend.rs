//! The pieces into which time is cut.

use async_graphql::Enum;

/// How much time a point of a trend stands for, by the calendar of UTC.
#[derive(Enum, Debug, Default, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TrendInterval {
    /// An hour.
    Hour,
    /// A day, from midnight to midnight.
    #[default]
    Day,
    /// A week, which begins on Monday.
    Week,
    /// A month of the calendar.
    Month,
}
