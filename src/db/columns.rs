//! Choosing at run time which columns a statement reads.
//!
//! A request asks for a few fields of an object as a rule. Only their columns are read, sent and decoded: each row begins
//! with the set of the columns that follow, so that one type of row serves all statements.

use std::fmt::Display;
use std::ops::BitOr;
use std::sync::Arc;

use diesel::backend::Backend;
use diesel::deserialize::{self, FromSql, QueryableByName};
use diesel::expression::Expression;
use diesel::query_builder::{AstPass, QueryFragment};
use diesel::result::QueryResult;
use diesel::row::{Field as _, NamedRow, Row};
use diesel::sql_types::{BigInt, Integer, Untyped};

/// A set of those columns of a table that are read on demand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct ColumnSet(u32);

impl ColumnSet {
    /// No column.
    pub const NONE: Self = Self(0);
    /// Every column.
    pub const ALL: Self = Self(u32::MAX);

    /// The set of one column: the one with this number.
    #[must_use]
    pub const fn single(number: u8) -> Self {
        Self(1 << number)
    }

    /// The set of the columns from the first up to this many.
    #[must_use]
    pub const fn first(count: u8) -> Self {
        // SQL has no unsigned numbers.
        assert!(count < i32::BITS as u8, "more columns than a set can tell apart");
        Self((1 << count) - 1)
    }

    /// Both sets in one.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
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
        self.and(other)
    }
}

impl FromIterator<ColumnSet> for ColumnSet {
    fn from_iter<I: IntoIterator<Item = ColumnSet>>(sets: I) -> Self {
        sets.into_iter().fold(Self::NONE, BitOr::bitor)
    }
}

/// The columns of a table that rows are read from.
#[derive(Debug)]
pub struct TableColumns {
    /// The table.
    pub table: &'static str,
    /// Those that every row has.
    pub always: &'static [&'static str],
    /// Those that are read on demand, each with the number that is its place here.
    pub on_demand: &'static [&'static str],
}

/// What a statement reads of a table, written as SQL: the set of the columns on demand, the columns that every row has,
/// and those of the set.
#[derive(Debug, Clone, Copy)]
pub struct Selection {
    columns: &'static TableColumns,
    wanted: ColumnSet,
}

impl Selection {
    /// Reads `wanted` of the columns on demand.
    pub fn new(columns: &'static TableColumns, wanted: ColumnSet) -> Self {
        let count = u8::try_from(columns.on_demand.len()).unwrap_or(u8::MAX);
        Self { columns, wanted: ColumnSet(wanted.0 & ColumnSet::first(count).0) }
    }

    fn names(&self) -> impl Iterator<Item = &'static str> {
        let on_demand = self
            .columns
            .on_demand
            .iter()
            .zip(0..)
            .filter(|&(_, number)| self.wanted.contains(ColumnSet::single(number)));
        self.columns.always.iter().chain(on_demand.map(|(name, _)| name)).copied()
    }
}

/// Which columns there are is known when the rows are read.
impl Expression for Selection {
    type SqlType = Untyped;
}

impl<DB: Backend> QueryFragment<DB> for Selection {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        out.push_sql(&self.wanted.0.to_string());
        for name in self.names() {
            out.push_sql(", ");
            out.push_identifier(self.columns.table)?;
            out.push_sql(".");
            out.push_identifier(name)?;
        }
        Ok(())
    }
}

/// A row of a table, read from what a [`Selection`] of it returns.
pub trait SelectedRow<DB: Backend>: Sized {
    /// Reads a row from the columns of `row` that begin at this place.
    ///
    /// # Errors
    /// When a value is not what the column is declared to hold.
    fn read<'a>(row: &impl Row<'a, DB>, place: usize) -> deserialize::Result<Self>;
}

/// Reads the columns of a row one after the other.
pub struct ColumnReader<'r, R> {
    row: &'r R,
    place: usize,
    present: ColumnSet,
}

impl<'r, R> ColumnReader<'r, R> {
    /// A reader that begins at this place, where no selection is.
    pub fn at(row: &'r R, place: usize) -> Self {
        Self { row, place, present: ColumnSet::NONE }
    }

    /// A reader of the selection that begins at this place.
    ///
    /// # Errors
    /// When no selection begins there.
    pub fn of_selection<'a, DB>(row: &'r R, place: usize) -> deserialize::Result<Self>
    where
        DB: Backend,
        R: Row<'a, DB>,
        i32: FromSql<Integer, DB>,
    {
        let mut reader = Self::at(row, place);
        reader.present = ColumnSet(reader.always::<DB, Integer, i32>()?.cast_unsigned());
        Ok(reader)
    }

    /// The value of a column that every row has.
    ///
    /// # Errors
    /// When the value is not of the type.
    pub fn always<'a, DB, ST, T>(&mut self) -> deserialize::Result<T>
    where
        DB: Backend,
        R: Row<'a, DB>,
        T: FromSql<ST, DB>,
    {
        let field = self.row.get(self.place).ok_or("the row ends before its columns do")?;
        self.place += 1;
        T::from_nullable_sql(field.value()).map_err(|error| named(field.field_name(), &*error))
    }

    /// The value of a column on demand; none when it was not asked for, or is null.
    ///
    /// # Errors
    /// When the value is not of the type.
    pub fn on_demand<'a, DB, ST, T>(&mut self, column: ColumnSet) -> deserialize::Result<Option<T>>
    where
        DB: Backend,
        R: Row<'a, DB>,
        Option<T>: FromSql<ST, DB>,
    {
        if self.present.contains(column) { self.always() } else { Ok(None) }
    }
}

fn named(column: Option<&str>, error: &dyn Display) -> Box<dyn std::error::Error + Send + Sync> {
    format!("the column {}: {error}", column.unwrap_or("without a name")).into()
}

/// A row as statements return it: shared from the beginning.
pub struct Shared<R>(Arc<R>);

/// The rows that a statement returned.
pub fn shared<R>(rows: Vec<Shared<R>>) -> Vec<Arc<R>> {
    rows.into_iter().map(|row| row.0).collect()
}

/// The same, after the place of its parent in the list of parents.
pub struct Child<R> {
    /// The place, from 0.
    pub place: i64,
    /// The row.
    pub row: Arc<R>,
}

/// The row that a statement returned, if it did.
pub fn one_shared<R>(rows: Vec<Shared<R>>) -> Option<Arc<R>> {
    rows.into_iter().next().map(|row| row.0)
}

impl<R: SelectedRow<DB>, DB: Backend> QueryableByName<DB> for Shared<R> {
    fn build<'a>(row: &impl NamedRow<'a, DB>) -> deserialize::Result<Self> {
        R::read(row, 0).map(|row| Self(Arc::new(row)))
    }
}

impl<R: SelectedRow<DB>, DB: Backend> QueryableByName<DB> for Child<R>
where
    i64: FromSql<BigInt, DB>,
{
    fn build<'a>(row: &impl NamedRow<'a, DB>) -> deserialize::Result<Self> {
        let place = ColumnReader::at(row, 0).always::<DB, BigInt, i64>()?;
        Ok(Self { place, row: Arc::new(R::read(row, 1)?) })
    }
}

/// Declares a table's row, its columns and the selection that reads them.
///
/// Columns `on demand` are `None` when they were not asked for, or are null. The others are those that lists are ordered by,
/// and the id.
macro_rules! row {
    (
        $(#[$doc:meta])*
        pub struct $row:ident of $table:ident {
            $($(#[$field_doc:meta])* $field:ident: $type:ty,)*
        }
        on demand $columns:ident {
            $($(#[$demand_doc:meta])* $demand:ident / $constant:ident: $demand_type:ty,)*
        }
    ) => {
        $(#[$doc])*
        #[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
        pub struct $row {
            $($(#[$field_doc])* pub $field: $type,)*
            $($(#[$demand_doc])* pub $demand: Option<$demand_type>,)*
        }

        /// The columns of the table that are read on demand.
        pub mod $columns {
            use crate::db::columns::ColumnSet;

            #[allow(clippy::upper_case_acronyms, non_camel_case_types, reason = "named like the constants")]
            enum Place {
                $($constant,)*
            }

            $($(#[$demand_doc])* pub const $constant: ColumnSet = ColumnSet::single(Place::$constant as u8);)*
        }

        /// The selection that reads those `wanted` of the columns on demand.
        pub(in crate::db) fn selection(wanted: $crate::db::columns::ColumnSet) -> $crate::db::columns::Selection {
            use diesel::query_source::Column;
            const COLUMNS: &$crate::db::columns::TableColumns = &$crate::db::columns::TableColumns {
                table: stringify!($table),
                always: &[$(<$table::$field as Column>::NAME,)*],
                on_demand: &[$(<$table::$demand as Column>::NAME,)*],
            };
            $crate::db::columns::Selection::new(COLUMNS, wanted)
        }

        $crate::db::columns::row!(@read diesel::pg::Pg, $row, $table, $columns, [$($field)*], [$($demand / $constant)*]);
        $crate::db::columns::row!(@read diesel::sqlite::Sqlite, $row, $table, $columns, [$($field)*], [$($demand / $constant)*]);
    };
    (
        @read $db:ty, $row:ident, $table:ident, $columns:ident,
        [$($field:ident)*], [$($demand:ident / $constant:ident)*]
    ) => {
        impl $crate::db::columns::SelectedRow<$db> for $row {
            fn read<'a>(
                row: &impl diesel::row::Row<'a, $db>,
                place: usize,
            ) -> diesel::deserialize::Result<Self> {
                use diesel::dsl::SqlTypeOf;
                use diesel::sql_types::IntoNullable;
                let mut columns = $crate::db::columns::ColumnReader::of_selection(row, place)?;
                Ok(Self {
                    $($field: columns.always::<$db, SqlTypeOf<$table::$field>, _>()?,)*
                    $($demand: columns.on_demand::<
                        $db,
                        <SqlTypeOf<$table::$demand> as IntoNullable>::Nullable,
                        _,
                    >($columns::$constant)?,)*
                })
            }
        }
    };
}

pub(crate) use row;
