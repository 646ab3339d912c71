//! The statements that all tables share: rows, pages by keyset, and counts, of one list or of many parents' lists.
//!
//! Every list has the total order `(created_at, id)`, so a row's place in it is that pair, and a page is a range of
//! an index: its cost grows with the rows returned, not with the rows stored.

use diesel::backend::Backend;
use diesel::expression::{AppearsOnTable, Expression};
use diesel::pg::Pg;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::query_source::{Column, Table};
use diesel::result::QueryResult;
use diesel::serialize::ToSql;
use diesel::sql_types::{BigInt, Bool, HasSqlType};
use diesel::sqlite::Sqlite;
use uuid::Uuid;

use super::conditions::Conditions;
use super::lists::{AnyId, Fragment, IdList, any_id};
use super::types::sql;
use crate::domain::Timestamp;

/// A row's place in the order of its list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// When the row was created.
    pub created_at: Timestamp,
    /// The row's id, which tells rows of the same microsecond apart.
    pub id: Uuid,
}

/// A place where a range begins or ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Bound {
    /// The place.
    pub position: Position,
    /// Whether a row at that very place belongs to the range.
    pub inclusive: bool,
}

/// The order of creation time, or its reverse.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Direction {
    /// Oldest first.
    Ascending,
    /// Newest first.
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

/// Which rows of an ordered list are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Slice {
    /// The order in which rows are counted off.
    pub direction: Direction,
    /// Rows later than this in that order.
    pub after: Option<Bound>,
    /// Rows earlier than this in that order.
    pub before: Option<Bound>,
    /// At most so many.
    pub limit: i64,
}

/// A table whose rows are listed by creation time.
pub trait Listed: Table + Send + 'static {
    /// The table's name.
    const NAME: &'static str;
    /// When the row was created.
    type CreatedAt: Column<Table = Self> + Default + Fragment + 'static;
    /// The row's id.
    type Id: Column<Table = Self> + Default + Fragment + 'static;
}

macro_rules! listed {
    ($($table:ident),*) => {$(
        impl Listed for super::schema::$table::table {
            const NAME: &'static str = stringify!($table);
            type CreatedAt = super::schema::$table::created_at;
            type Id = super::schema::$table::id;
        }
    )*};
}

listed!(prompts, runs, evaluations, test_results, prompt_templates);

/// A row that is part of an ordered list.
pub trait Positioned {
    /// The row's place in its list.
    fn position(&self) -> Position;
}

/// What a database must be able to bind for a page.
trait BindsPages: Backend + HasSqlType<sql::Timestamptz> + HasSqlType<sql::Uuid> + HasSqlType<BigInt> {}

impl<DB: Backend + HasSqlType<sql::Timestamptz> + HasSqlType<sql::Uuid> + HasSqlType<BigInt>> BindsPages for DB {}

/// Rows on one side of a place: a row comparison, which both databases answer with an index range.
struct BeyondBound<T: Listed> {
    columns: (T::CreatedAt, T::Id),
    comparison: &'static str,
    position: Position,
}

impl<T: Listed> BeyondBound<T> {
    fn new(bound: Bound, ascending: bool) -> Self {
        let comparison = match (ascending, bound.inclusive) {
            (true, false) => ") > (",
            (true, true) => ") >= (",
            (false, false) => ") < (",
            (false, true) => ") <= (",
        };
        Self { columns: Default::default(), comparison, position: bound.position }
    }
}

impl<T: Listed> Expression for BeyondBound<T> {
    type SqlType = Bool;
}

impl<T: Listed> AppearsOnTable<T> for BeyondBound<T> {}

impl<T: Listed, DB: BindsPages> QueryFragment<DB> for BeyondBound<T>
where
    T::CreatedAt: QueryFragment<DB>,
    T::Id: QueryFragment<DB>,
    Timestamp: ToSql<sql::Timestamptz, DB>,
    Uuid: ToSql<sql::Uuid, DB>,
{
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        out.push_sql("(");
        self.columns.0.walk_ast(out.reborrow())?;
        out.push_sql(", ");
        self.columns.1.walk_ast(out.reborrow())?;
        out.push_sql(self.comparison);
        out.push_bind_param::<sql::Timestamptz, _>(&self.position.created_at)?;
        out.push_sql(", ");
        out.push_bind_param::<sql::Uuid, _>(&self.position.id)?;
        out.push_sql(")");
        Ok(())
    }
}

/// The rows that meet conditions, in no order.
pub struct Rows<T, S> {
    selection: S,
    conditions: Conditions<T>,
}

impl<T, S> Rows<T, S> {
    /// The rows that meet `conditions`.
    pub fn new(selection: S, conditions: Conditions<T>) -> Self {
        Self { selection, conditions }
    }
}

impl<T: Listed, S: QueryFragment<DB>, DB: Backend> QueryFragment<DB> for Rows<T, S>
where
    Conditions<T>: QueryFragment<DB>,
{
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        out.push_sql("SELECT ");
        self.selection.walk_ast(out.reborrow())?;
        out.push_sql(" FROM ");
        out.push_identifier(T::NAME)?;
        out.push_sql(" WHERE ");
        self.conditions.walk_ast(out)
    }
}

/// A page of one list.
pub struct Page<T: Listed, S> {
    selection: S,
    conditions: Conditions<T>,
    direction: Direction,
    limit: i64,
    columns: (T::CreatedAt, T::Id),
}

impl<T: Listed, S> Page<T, S> {
    /// The rows of `slice` among those that meet `conditions`.
    pub fn new(selection: S, mut conditions: Conditions<T>, slice: Slice) -> Self {
        let ascending = slice.direction == Direction::Ascending;
        conditions.require_if(slice.after, |bound| BeyondBound::<T>::new(bound, ascending));
        conditions.require_if(slice.before, |bound| BeyondBound::<T>::new(bound, !ascending));
        Self { selection, conditions, direction: slice.direction, limit: slice.limit, columns: Default::default() }
    }

    /// The conditions, the order and the limit: everything that follows `WHERE`.
    fn walk_range<'b, DB: BindsPages>(&'b self, out: &mut AstPass<'_, 'b, DB>) -> QueryResult<()>
    where
        T::CreatedAt: QueryFragment<DB>,
        T::Id: QueryFragment<DB>,
        Conditions<T>: QueryFragment<DB>,
        i64: ToSql<BigInt, DB>,
    {
        self.conditions.walk_ast(out.reborrow())?;
        let direction = match self.direction {
            Direction::Ascending => " ASC",
            Direction::Descending => " DESC",
        };
        out.push_sql(" ORDER BY ");
        self.columns.0.walk_ast(out.reborrow())?;
        out.push_sql(direction);
        out.push_sql(", ");
        self.columns.1.walk_ast(out.reborrow())?;
        out.push_sql(direction);
        out.push_sql(" LIMIT ");
        out.push_bind_param::<BigInt, _>(&self.limit)
    }
}

impl<T: Listed, S: QueryFragment<DB>, DB: BindsPages> QueryFragment<DB> for Page<T, S>
where
    T::CreatedAt: QueryFragment<DB>,
    T::Id: QueryFragment<DB>,
    Conditions<T>: QueryFragment<DB>,
    i64: ToSql<BigInt, DB>,
{
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        out.push_sql("SELECT ");
        self.selection.walk_ast(out.reborrow())?;
        out.push_sql(" FROM ");
        out.push_identifier(T::NAME)?;
        out.push_sql(" WHERE ");
        self.walk_range(&mut out)
    }
}

/// The same page of the lists of many parents, cut inside the database. Each row follows its parent's place, counted
/// from 0, in the list of parents; parents without rows do not appear. The order of rows is not promised.
pub struct PagePerParent<T: Listed, S, P> {
    page: Page<T, S>,
    parent: P,
    parents: IdList,
}

impl<T: Listed, S, P: Column<Table = T>> PagePerParent<T, S, P> {
    /// `page` of the rows whose column `parent` has each of the values `parents`.
    pub fn new(page: Page<T, S>, parent: P, parents: Vec<Uuid>) -> Self {
        Self { page, parent, parents: IdList::new(parents) }
    }
}

/// A lateral join: the inner query runs once per parent and reads the rows of its page alone.
impl<T: Listed, S: QueryFragment<Pg>, P: QueryFragment<Pg>> QueryFragment<Pg> for PagePerParent<T, S, P> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql("SELECT parent.place - 1, child.* FROM unnest(");
        self.parents.push_array(&mut out)?;
        out.push_sql(") WITH ORDINALITY AS parent (id, place) CROSS JOIN LATERAL (SELECT ");
        self.page.selection.walk_ast(out.reborrow())?;
        out.push_sql(" FROM ");
        out.push_identifier(T::NAME)?;
        out.push_sql(" WHERE ");
        self.parent.walk_ast(out.reborrow())?;
        out.push_sql(" = parent.id AND ");
        self.page.walk_range(&mut out)?;
        out.push_sql(") AS child");
        Ok(())
    }
}

/// SQLite has no lateral join. A correlated subquery finds the row numbers of each parent's page, from an index alone
/// where one covers the conditions, and the rows are looked up by number. The inner table hides the outer one, so the
/// conditions speak about the inner.
impl<T: Listed, S: QueryFragment<Sqlite>, P: QueryFragment<Sqlite>> QueryFragment<Sqlite> for PagePerParent<T, S, P> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        out.push_sql("SELECT parent.key, ");
        self.page.selection.walk_ast(out.reborrow())?;
        out.push_sql(" FROM json_each(");
        self.parents.push_json(&mut out)?;
        out.push_sql(") AS parent CROSS JOIN ");
        out.push_identifier(T::NAME)?;
        out.push_sql(" WHERE ");
        out.push_identifier(T::NAME)?;
        out.push_sql(".rowid IN (SELECT rowid FROM ");
        out.push_identifier(T::NAME)?;
        out.push_sql(" WHERE ");
        self.parent.walk_ast(out.reborrow())?;
        out.push_sql(" = unhex(parent.value) AND ");
        self.page.walk_range(&mut out)?;
        out.push_sql(")");
        Ok(())
    }
}

/// How many rows meet conditions.
pub struct Count<T> {
    conditions: Conditions<T>,
}

impl<T> Count<T> {
    /// The number of rows that meet `conditions`.
    pub fn new(conditions: Conditions<T>) -> Self {
        Self { conditions }
    }
}

impl<T: Listed, DB: Backend> QueryFragment<DB> for Count<T>
where
    Conditions<T>: QueryFragment<DB>,
{
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        out.push_sql("SELECT count(*) FROM ");
        out.push_identifier(T::NAME)?;
        out.push_sql(" WHERE ");
        self.conditions.walk_ast(out)
    }
}

/// How many rows of each parent meet conditions; parents without rows do not appear.
pub struct CountPerParent<T, P> {
    conditions: Conditions<T>,
    parent: P,
    parents: AnyId<P>,
}

impl<T: Listed, P: Column<Table = T> + Copy> CountPerParent<T, P> {
    /// The number of rows that meet `conditions` for each value `parents` of the column `parent`.
    pub fn new(conditions: Conditions<T>, parent: P, parents: Vec<Uuid>) -> Self {
        Self { conditions, parent, parents: any_id(parent, parents) }
    }
}

impl<T: Listed, P: QueryFragment<DB>, DB: Backend> QueryFragment<DB> for CountPerParent<T, P>
where
    Conditions<T>: QueryFragment<DB>,
    AnyId<P>: QueryFragment<DB>,
{
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        out.push_sql("SELECT ");
        self.parent.walk_ast(out.reborrow())?;
        out.push_sql(", count(*) FROM ");
        out.push_identifier(T::NAME)?;
        out.push_sql(" WHERE ");
        self.parents.walk_ast(out.reborrow())?;
        out.push_sql(" AND ");
        self.conditions.walk_ast(out.reborrow())?;
        out.push_sql(" GROUP BY ");
        self.parent.walk_ast(out)
    }
}

/// Declares what the statements above return. Their texts depend on values, so none has an identity as a type:
/// prepared statements are kept by their text.
macro_rules! statements {
    ($($name:ident<$($parameter:ident $(: $bound:ident)?),*> => $type:ty;)*) => {$(
        impl<$($parameter),*> QueryId for $name<$($parameter),*>
        where
            $($($parameter: $bound,)?)*
        {
            type QueryId = ();
            const HAS_STATIC_QUERY_ID: bool = false;
        }

        impl<$($parameter),*> Query for $name<$($parameter),*>
        where
            $($($parameter: $bound,)?)*
        {
            type SqlType = $type;
        }
    )*};
}

statements! {
    Rows<T, S: Expression> => S::SqlType;
    Page<T: Listed, S: Expression> => S::SqlType;
    PagePerParent<T: Listed, S: Expression, P> => (BigInt, S::SqlType);
    Count<T> => BigInt;
    CountPerParent<T, P> => (sql::Uuid, BigInt);
}
