//! Choosing at run time which wide columns a statement reads.
//!
//! Long texts and JSON documents are most of a row's bytes and are seldom asked for. A statement names such a column
//! only when the request selected its field, and `NULL` in its place otherwise: the shape of the row stays the same.

use std::ops::BitOr;

use diesel::backend::Backend;
use diesel::expression::{AppearsOnTable, Expression, SelectableExpression, ValidGrouping, is_aggregate};
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::result::QueryResult;
use diesel::sql_types::IntoNullable;

/// A set of one table's wide columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct ColumnSet(u16);

impl ColumnSet {
    /// No wide column.
    pub const NONE: Self = Self(0);
    /// Every wide column.
    pub const ALL: Self = Self(u16::MAX);

    /// The set of one column: the one with this number.
    #[must_use]
    pub const fn single(number: u8) -> Self {
        Self(1 << number)
    }

    /// Whether all columns of `other` are in this set.
    #[must_use]
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

impl BitOr for ColumnSet {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl FromIterator<ColumnSet> for ColumnSet {
    fn from_iter<I: IntoIterator<Item = ColumnSet>>(sets: I) -> Self {
        sets.into_iter().fold(Self::NONE, BitOr::bitor)
    }
}

/// A column where it was selected, `NULL` where not.
#[derive(Debug, Clone, Copy)]
pub struct IfSelected<C> {
    column: C,
    selected: bool,
}

impl<C> IfSelected<C> {
    /// The column when `wanted` contains it.
    pub fn new(column: C, number: ColumnSet, wanted: ColumnSet) -> Self {
        Self { column, selected: wanted.contains(number) }
    }
}

impl<C> Expression for IfSelected<C>
where
    C: Expression,
    C::SqlType: IntoNullable,
    <C::SqlType as IntoNullable>::Nullable: diesel::expression::TypedExpressionType,
{
    type SqlType = <C::SqlType as IntoNullable>::Nullable;
}

impl<C, QS> AppearsOnTable<QS> for IfSelected<C>
where
    Self: Expression,
    C: AppearsOnTable<QS>,
{
}

impl<C, QS> SelectableExpression<QS> for IfSelected<C>
where
    Self: AppearsOnTable<QS>,
    C: SelectableExpression<QS>,
{
}

impl<C> ValidGrouping<()> for IfSelected<C> {
    type IsAggregate = is_aggregate::No;
}

// The text depends on `selected`: statements are told apart by their text, not by their type.
impl<C> QueryId for IfSelected<C> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<C, DB> QueryFragment<DB> for IfSelected<C>
where
    C: QueryFragment<DB>,
    DB: Backend,
{
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        if self.selected {
            self.column.walk_ast(out)
        } else {
            out.push_sql("NULL");
            Ok(())
        }
    }
}

/// Declares a table's row, its wide columns and the selection that reads it.
///
/// `wide` columns are read only on demand: they are `None` when they were not asked for (or are null).
macro_rules! row {
    (
        $(#[$doc:meta])*
        pub struct $row:ident of $table:ident {
            $($(#[$field_doc:meta])* $field:ident: $type:ty,)*
        }
        wide $columns:ident {
            $($(#[$wide_doc:meta])* $wide:ident / $constant:ident = $number:literal: $wide_type:ty,)*
        }
    ) => {
        $(#[$doc])*
        #[derive(Debug, Clone, diesel::Queryable)]
        pub struct $row {
            $($(#[$field_doc])* pub $field: $type,)*
            $($(#[$wide_doc])* pub $wide: Option<$wide_type>,)*
        }

        /// The wide columns of the table.
        pub mod $columns {
            use crate::db::columns::ColumnSet;
            $($(#[$wide_doc])* pub const $constant: ColumnSet = ColumnSet::single($number);)*
        }

        /// What a statement reads of the table.
        pub type Selection = (
            $($table::$field,)*
            $($crate::db::columns::IfSelected<$table::$wide>,)*
        );

        /// The selection that reads the narrow columns and those `wanted` of the wide ones.
        pub(in crate::db) fn selection(wanted: $crate::db::columns::ColumnSet) -> Selection {
            (
                $($table::$field,)*
                $($crate::db::columns::IfSelected::new($table::$wide, $columns::$constant, wanted),)*
            )
        }
    };
}

pub(crate) use row;
