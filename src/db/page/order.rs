//! The orders of lists.
//!
//! Every order is total: rows are compared by one column and, where that is equal, by their ids. A row's place in it is
//! that pair, and a page is a range of an index. A value that is missing is less than any other: a number stands for it,
//! so that the range needs no condition of its own.

use std::hash::Hash;

use diesel::IntoSql as _;
use diesel::backend::Backend;
use diesel::query_builder::AstPass;
use diesel::result::QueryResult;
use diesel::sql_types::{Double, Integer, Text};
use uuid::Uuid;

use crate::db::lists::BoxedFragment;
use crate::db::types::sql;
use crate::domain::{FiniteFloat, Timestamp};

/// Stands for a count that is missing: counts are never negative.
const MISSING_COUNT: i32 = -1;
const MISSING_COUNT_SQL: &str = "-1";
/// Stands for a score that is missing: there is no lower one.
const MISSING_SCORE: FiniteFloat = FiniteFloat::MIN;
const MISSING_SCORE_SQL: &str = "-1.7976931348623157e308";

/// What a row is compared by.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SortKey {
    /// A point in time.
    Time(Timestamp),
    /// A text, compared by code point.
    Text(String),
    /// How many, or how long; −1 when that is not known.
    Count(i32),
    /// Any number.
    Score(FiniteFloat),
}

impl From<Timestamp> for SortKey {
    fn from(time: Timestamp) -> Self {
        Self::Time(time)
    }
}

impl From<String> for SortKey {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<i32> for SortKey {
    fn from(count: i32) -> Self {
        Self::Count(count)
    }
}

impl From<Option<i32>> for SortKey {
    fn from(count: Option<i32>) -> Self {
        Self::Count(count.unwrap_or(MISSING_COUNT))
    }
}

impl From<f64> for SortKey {
    fn from(score: f64) -> Self {
        Self::from(Some(score))
    }
}

impl From<Option<f64>> for SortKey {
    fn from(score: Option<f64>) -> Self {
        // No table takes a number that is not finite.
        Self::Score(score.and_then(|score| FiniteFloat::try_from(score).ok()).unwrap_or(MISSING_SCORE))
    }
}

impl SortKey {
    /// The key as a parameter.
    pub(super) fn bind(self) -> BoxedFragment {
        match self {
            Self::Time(time) => BoxedFragment::new(time.into_sql::<sql::Timestamptz>()),
            Self::Text(text) => BoxedFragment::new(text.into_sql::<Text>()),
            Self::Count(count) => BoxedFragment::new(count.into_sql::<Integer>()),
            Self::Score(score) => BoxedFragment::new(score.get().into_sql::<Double>()),
        }
    }
}

/// The kind of a column that rows are compared by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SortKind {
    /// Points in time.
    Time,
    /// Texts.
    Text,
    /// How many, or how long.
    Count,
    /// The same, and it may be missing.
    OptionalCount,
    /// Any numbers.
    Score,
    /// The same, and they may be missing.
    OptionalScore,
}

/// A column that rows are compared by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SortColumn {
    /// Its name.
    pub name: &'static str,
    /// What is in it.
    pub kind: SortKind,
}

impl SortColumn {
    /// Whether values may be missing.
    pub(super) const fn is_optional(self) -> bool {
        matches!(self.kind, SortKind::OptionalCount | SortKind::OptionalScore)
    }

    /// Writes the value that is compared. The same expression stands in the indexes.
    pub(super) fn walk<DB: Backend>(self, table: &str, out: &mut AstPass<'_, '_, DB>) -> QueryResult<()> {
        let missing = match self.kind {
            SortKind::OptionalCount => Some(MISSING_COUNT_SQL),
            SortKind::OptionalScore => Some(MISSING_SCORE_SQL),
            _ => None,
        };
        if missing.is_some() {
            out.push_sql("coalesce(");
        }
        out.push_identifier(table)?;
        out.push_sql(".");
        out.push_identifier(self.name)?;
        if let Some(missing) = missing {
            out.push_sql(", ");
            out.push_sql(missing);
            out.push_sql(")");
        }
        Ok(())
    }
}

/// What the rows of a table can be ordered by; when they were created, if nothing is said.
pub trait OrderField: Copy + Default + Eq + Hash + Send + Sync + 'static {
    /// Its column.
    fn column(self) -> SortColumn;
}

/// A row that is part of ordered lists.
pub trait Positioned {
    /// What it can be ordered by.
    type Field: OrderField;

    /// The row's id.
    fn id(&self) -> Uuid;

    /// The row's place in the order by this field.
    fn position(&self, field: Self::Field) -> Position;
}

/// A row's place in the order of its list.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// What the row is compared by.
    pub key: SortKey,
    /// The row's id, which tells rows of the same key apart.
    pub id: Uuid,
}

/// A place where a range begins or ends.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Bound {
    /// The place.
    pub position: Position,
    /// Whether a row at that very place belongs to the range.
    pub inclusive: bool,
}

/// From which end a list is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Direction {
    /// The smallest or oldest first.
    Ascending,
    /// The greatest or newest first.
    Descending,
}

impl Direction {
    /// The other direction.
    #[must_use]
    pub const fn reversed(self) -> Self {
        match self {
            Self::Ascending => Self::Descending,
            Self::Descending => Self::Ascending,
        }
    }
}

/// The order of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Order<F> {
    /// What rows are compared by.
    pub field: F,
    /// In which direction.
    pub direction: Direction,
}

impl<F> Order<F> {
    /// The smallest or oldest first.
    pub const fn ascending(field: F) -> Self {
        Self { field, direction: Direction::Ascending }
    }

    /// The greatest or newest first.
    pub const fn descending(field: F) -> Self {
        Self { field, direction: Direction::Descending }
    }

    /// The same order from its other end.
    #[must_use]
    pub fn reversed(self) -> Self {
        Self { direction: self.direction.reversed(), ..self }
    }
}

/// Which rows of an ordered list are wanted.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Slice<F> {
    /// The order in which rows are counted off.
    pub order: Order<F>,
    /// Rows later than this in that order.
    pub after: Option<Bound>,
    /// Rows earlier than this in that order.
    pub before: Option<Bound>,
    /// At most so many.
    pub limit: i64,
}

impl<F> Slice<F> {
    /// So many rows from the beginning.
    pub const fn first(limit: i64, order: Order<F>) -> Self {
        Self { order, after: None, before: None, limit }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_less_than_anything_else() {
        assert!(SortKey::from(None::<i32>) < SortKey::from(0));
        assert!(SortKey::from(None::<f64>) < SortKey::from(-1e308));
        assert_eq!(MISSING_COUNT_SQL.parse(), Ok(MISSING_COUNT));
        assert_eq!(MISSING_SCORE_SQL.parse(), Ok(MISSING_SCORE.get()));
    }

    #[test]
    fn equal_keys_are_told_apart_by_id() {
        let position = |score: f64, id: u128| Position { key: score.into(), id: Uuid::from_u128(id) };
        assert!(position(-0.0, 1) < position(0.0, 2));
        assert!(position(1.0, 1) < position(2.0, 0));
    }
}
