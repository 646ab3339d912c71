//! The statements that all tables share: rows, pages by keyset, and counts, of one list or of many parents' lists.
//!
//! A page is a range of an index: its cost grows with the rows returned, not with the rows stored.

use diesel::backend::Backend;
use diesel::expression::{AppearsOnTable, Expression};
use diesel::pg::Pg;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::query_source::{Column, Table};
use diesel::result::QueryResult;
use diesel::serialize::ToSql;
use diesel::sql_types::{BigInt, Bool, HasSqlType, Untyped};
use diesel::sqlite::Sqlite;
use uuid::Uuid;

use super::order::{Bound, Direction, Order, OrderField, Position, Slice, SortColumn};
use crate::db::conditions::Conditions;
use crate::db::lists::{AnyId, BoxedFragment, Fragment, IdList, any_id};
use crate::db::types::sql;

/// A table whose rows are listed.
pub trait Listed: Table + Send + 'static {
    /// The table's name.
    const NAME: &'static str;
    /// The row's id.
    type Id: Column<Table = Self> + Default + Fragment + 'static;
}

macro_rules! listed {
    ($($table:ident),*) => {$(
        impl Listed for crate::db::schema::$table::table {
            const NAME: &'static str = stringify!($table);
            type Id = crate::db::schema::$table::id;
        }
    )*};
}

listed!(prompts, runs, evaluations, test_results, prompt_templates, api_tokens, audit_log);

/// Rows on one side of a place: a row comparison, which both databases answer with an index range.
struct BeyondBound<T: Listed> {
    column: SortColumn,
    id: T::Id,
    comparison: &'static str,
    bound_key: BoxedFragment,
    bound_id: Uuid,
}

impl<T: Listed> BeyondBound<T> {
    fn new(column: SortColumn, bound: Bound, ascending: bool) -> Self {
        let comparison = match (ascending, bound.inclusive) {
            (true, false) => ") > (",
            (true, true) => ") >= (",
            (false, false) => ") < (",
            (false, true) => ") <= (",
        };
        let Position { key, id } = bound.position;
        Self { column, id: T::Id::default(), comparison, bound_key: key.bind(), bound_id: id }
    }
}

impl<T: Listed> Expression for BeyondBound<T> {
    type SqlType = Bool;
}

impl<T: Listed> AppearsOnTable<T> for BeyondBound<T> {}

impl<T: Listed> QueryFragment<Pg> for BeyondBound<T> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        self.walk_comparison(&mut out)
    }
}

/// SQLite makes a range of a comparison of rows only where an index has the columns themselves. Where it has what stands
/// for a missing value, the first of both is compared once more by itself.
impl<T: Listed> QueryFragment<Sqlite> for BeyondBound<T> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        if self.column.is_optional() {
            self.column.walk(T::NAME, &mut out)?;
            out.push_sql(if self.comparison.contains('>') { " >= " } else { " <= " });
            self.bound_key.walk_ast(out.reborrow())?;
            out.push_sql(" AND ");
        }
        self.walk_comparison(&mut out)
    }
}

impl<T: Listed> BeyondBound<T> {
    fn walk_comparison<'b, DB: Backend + HasSqlType<sql::Uuid>>(
        &'b self,
        out: &mut AstPass<'_, 'b, DB>,
    ) -> QueryResult<()>
    where
        T::Id: QueryFragment<DB>,
        BoxedFragment: QueryFragment<DB>,
        Uuid: ToSql<sql::Uuid, DB>,
    {
        out.push_sql("(");
        self.column.walk(T::NAME, out)?;
        out.push_sql(", ");
        self.id.walk_ast(out.reborrow())?;
        out.push_sql(self.comparison);
        self.bound_key.walk_ast(out.reborrow())?;
        out.push_sql(", ");
        out.push_bind_param::<sql::Uuid, _>(&self.bound_id)?;
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
    column: SortColumn,
    id: T::Id,
    direction: Direction,
    limit: i64,
}

impl<T: Listed, S> Page<T, S> {
    /// The rows of `slice` among those that meet `conditions`.
    pub fn new<F: OrderField>(selection: S, conditions: Conditions<T>, slice: Slice<F>) -> Self {
        let Order { field, direction } = slice.order;
        let (column, ascending) = (field.column(), direction == Direction::Ascending);
        // Of two conditions about the same column, SQLite looks rows up by the first.
        let mut all = Conditions::default();
        all.require_if(slice.after, |bound| BeyondBound::<T>::new(column, bound, ascending));
        all.require_if(slice.before, |bound| BeyondBound::<T>::new(column, bound, !ascending));
        all.append(conditions);
        Self { selection, conditions: all, column, id: T::Id::default(), direction, limit: slice.limit }
    }

    /// The conditions and the order: what follows `WHERE`, up to the limit.
    fn walk_range<'b, DB: Backend>(&'b self, out: &mut AstPass<'_, 'b, DB>) -> QueryResult<()>
    where
        T::Id: QueryFragment<DB>,
        Conditions<T>: QueryFragment<DB>,
    {
        self.conditions.walk_ast(out.reborrow())?;
        let direction = match self.direction {
            Direction::Ascending => " ASC",
            Direction::Descending => " DESC",
        };
        out.push_sql(" ORDER BY ");
        self.column.walk(T::NAME, out)?;
        out.push_sql(direction);
        out.push_sql(", ");
        self.id.walk_ast(out.reborrow())?;
        out.push_sql(direction);
        Ok(())
    }

    fn walk_limit<'b, DB: Backend>(&'b self, out: &mut AstPass<'_, 'b, DB>) -> QueryResult<()>
    where
        i64: ToSql<BigInt, DB>,
    {
        out.push_sql(" LIMIT ");
        out.push_bind_param::<BigInt, _>(&self.limit)
    }

    /// The page as PostgreSQL reads it; `parent` is the column that says whose rows it is of, if it is of a parent's.
    ///
    /// PostgreSQL takes a limit that it does not know for a tenth of all rows. It would then plan each statement anew for
    /// the sake of its limit, or make plans for many rows. A rounded limit is part of the text. Where a list has no index
    /// in its order, or nobody knows how many rows meet the conditions, the same would make it walk past all others until enough have
    /// come.
    fn walk_postgres<'b>(
        &'b self,
        parent: Option<&'b dyn QueryFragment<Pg>>,
        out: &mut AstPass<'_, 'b, Pg>,
    ) -> QueryResult<()>
    where
        S: QueryFragment<Pg>,
    {
        if self.conditions.may_leave_few() {
            // Kept, it would be planned for any words after some with many prompts, and so for most words wrongly.
            out.unsafe_to_cache_prepared();
        }
        let is_walked = !self.column.is_optional() && !self.conditions.may_leave_few();
        out.push_sql(if is_walked { "SELECT * FROM (SELECT " } else { "SELECT " });
        self.selection.walk_ast(out.reborrow())?;
        out.push_sql(" FROM ");
        out.push_identifier(T::NAME)?;
        out.push_sql(" WHERE ");
        if let Some(parent) = parent {
            parent.walk_ast(out.reborrow())?;
            out.push_sql(" = parent.id AND ");
        }
        self.walk_range(out)?;
        if is_walked {
            out.push_sql(" LIMIT ");
            out.push_sql(&self.rounded_limit().to_string());
            out.push_sql(") AS page");
        }
        self.walk_limit(out)
    }

    fn rounded_limit(&self) -> i64 {
        let powers = std::iter::successors(Some(1_i64), |power| power.checked_mul(4));
        powers.into_iter().find(|&power| power >= self.limit).unwrap_or(i64::MAX)
    }
}

impl<T: Listed, S: QueryFragment<Pg>> QueryFragment<Pg> for Page<T, S> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        self.walk_postgres(None, &mut out)
    }
}

impl<T: Listed, S: QueryFragment<Sqlite>> QueryFragment<Sqlite> for Page<T, S> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        out.push_sql("SELECT ");
        self.selection.walk_ast(out.reborrow())?;
        out.push_sql(" FROM ");
        out.push_identifier(T::NAME)?;
        out.push_sql(" WHERE ");
        self.walk_range(&mut out)?;
        self.walk_limit(&mut out)
    }
}

/// The same page of the lists of many parents, cut inside the database. Each row follows its parent's place, counted
/// from 0, in the list of parents, as a [`Child`](crate::db::columns::Child) has it; parents without rows do not appear. The
/// order of rows is not promised.
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
        out.push_sql(") WITH ORDINALITY AS parent (id, place) CROSS JOIN LATERAL (");
        self.page.walk_postgres(Some(&self.parent), &mut out)?;
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
        self.page.walk_limit(&mut out)?;
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
    PagePerParent<T: Listed, S, P> => Untyped;
    Count<T> => BigInt;
    CountPerParent<T, P> => (sql::Uuid, BigInt);
}
