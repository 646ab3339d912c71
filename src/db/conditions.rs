//! Conditions that are put together at run time, typed by the table they are about.

use std::marker::PhantomData;

use diesel::backend::Backend;
use diesel::expression::{AppearsOnTable, Expression, SelectableExpression, ValidGrouping, is_aggregate};
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::query_source::{AppearsInFromClause, Once};
use diesel::result::QueryResult;
use diesel::sql_types::{Bool, BoolOrNullableBool};

use super::lists::{BoxedFragment, Fragment};

/// Conditions on rows of `T` that must all hold. Without any, every row is meant.
///
/// They are written in Diesel's typed language and serve both databases; Diesel's boxed statements serve one.
pub struct Conditions<T> {
    all: Vec<BoxedFragment>,
    may_leave_few: bool,
    table: PhantomData<fn() -> T>,
}

impl<T> Default for Conditions<T> {
    fn default() -> Self {
        Self { all: Vec::new(), may_leave_few: false, table: PhantomData }
    }
}

impl<T> Conditions<T> {
    /// Adds a condition.
    pub fn require<E>(&mut self, condition: E)
    where
        E: AppearsOnTable<T> + Fragment + 'static,
        E::SqlType: BoolOrNullableBool,
    {
        self.all.push(BoxedFragment::new(condition));
    }

    /// Adds a condition that hardly any row may meet, or most of them: no planner can know.
    pub fn require_unforeseeable<E>(&mut self, condition: E)
    where
        E: AppearsOnTable<T> + Fragment + 'static,
        E::SqlType: BoolOrNullableBool,
    {
        self.may_leave_few = true;
        self.require(condition);
    }

    /// Whether hardly any row may meet the conditions though a planner believes something else.
    pub(super) const fn may_leave_few(&self) -> bool {
        self.may_leave_few
    }

    /// Adds others after these.
    pub fn append(&mut self, mut others: Self) {
        self.all.append(&mut others.all);
        self.may_leave_few |= others.may_leave_few;
    }

    /// Adds what `condition` makes of the value, if there is one.
    pub fn require_if<V, E>(&mut self, value: Option<V>, condition: impl FnOnce(V) -> E)
    where
        E: AppearsOnTable<T> + Fragment + 'static,
        E::SqlType: BoolOrNullableBool,
    {
        if let Some(value) = value {
            self.require(condition(value));
        }
    }
}

impl<T> Expression for Conditions<T> {
    type SqlType = Bool;
}

impl<T, QS: AppearsInFromClause<T, Count = Once>> AppearsOnTable<QS> for Conditions<T> {}

impl<T, QS: AppearsInFromClause<T, Count = Once>> SelectableExpression<QS> for Conditions<T> {}

impl<T, GB> ValidGrouping<GB> for Conditions<T> {
    type IsAggregate = is_aggregate::No;
}

impl<T> QueryId for Conditions<T> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<T, DB: Backend> QueryFragment<DB> for Conditions<T>
where
    BoxedFragment: QueryFragment<DB>,
{
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        if self.all.is_empty() {
            out.push_sql("TRUE");
        }
        for (index, condition) in self.all.iter().enumerate() {
            out.push_sql(if index == 0 { "(" } else { " AND (" });
            condition.walk_ast(out.reborrow())?;
            out.push_sql(")");
        }
        Ok(())
    }
}
