//! Statements in SQL of our own, where Diesel's language has no words for them.

use std::marker::PhantomData;

use diesel::backend::Backend;
use diesel::pg::Pg;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::result::QueryResult;
use diesel::sql_types::BigInt;
use diesel::sqlite::Sqlite;
use uuid::Uuid;

use super::lists::{AnyId, BoxedFragment, Fragment, any_id};
use super::types::sql;
use crate::domain::Timestamp;

/// A statement put together from pieces, whose rows have the SQL type `ST`.
///
/// Values are parameters. Like all statements it is prepared once for each text; `diesel::sql_query` never is.
pub struct Raw<ST> {
    pieces: Vec<BoxedFragment>,
    sql_type: PhantomData<fn() -> ST>,
}

impl<ST> Raw<ST> {
    /// The beginning of a statement.
    pub fn new(sql: &'static str) -> Self {
        Self { pieces: Vec::new(), sql_type: PhantomData }.sql(sql)
    }

    /// Adds SQL.
    pub fn sql(self, sql: &'static str) -> Self {
        self.fragment(Sql(sql))
    }

    /// Adds what depends on the database.
    pub fn dialects(self, postgres: &'static str, sqlite: &'static str) -> Self {
        self.fragment(Dialects { postgres, sqlite })
    }

    /// Adds a piece in Diesel's language, such as conditions or a selection.
    pub fn fragment(mut self, fragment: impl Fragment + 'static) -> Self {
        self.pieces.push(BoxedFragment::new(fragment));
        self
    }

    /// Adds the condition that `column` is one of `ids`.
    pub fn any_id(self, column: &'static str, ids: Vec<Uuid>) -> Self {
        let condition: AnyId<Sql> = any_id(Sql(column), ids);
        self.fragment(condition)
    }

    /// Adds a number.
    pub fn number(self, number: i64) -> Self {
        self.fragment(Number(number))
    }

    /// Adds a point in time.
    pub fn time(self, time: Timestamp) -> Self {
        self.fragment(Time(time))
    }

    /// Adds an identifier.
    pub fn id(self, id: Uuid) -> Self {
        self.fragment(Id(id))
    }
}

impl<ST> QueryId for Raw<ST> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<ST> Query for Raw<ST> {
    type SqlType = ST;
}

impl<ST, DB: Backend> QueryFragment<DB> for Raw<ST>
where
    BoxedFragment: QueryFragment<DB>,
{
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        self.pieces.iter().try_for_each(|piece| piece.walk_ast(out.reborrow()))
    }
}

#[derive(Debug, Clone, Copy)]
struct Sql(&'static str);

impl<DB: Backend> QueryFragment<DB> for Sql {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        out.push_sql(self.0);
        Ok(())
    }
}

struct Dialects {
    postgres: &'static str,
    sqlite: &'static str,
}

impl QueryFragment<Pg> for Dialects {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql(self.postgres);
        Ok(())
    }
}

impl QueryFragment<Sqlite> for Dialects {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        out.push_sql(self.sqlite);
        Ok(())
    }
}

macro_rules! values {
    ($($name:ident($value:ty) as $sql_type:ty;)*) => {$(
        struct $name($value);

        impl QueryFragment<Pg> for $name {
            fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
                out.push_bind_param::<$sql_type, _>(&self.0)
            }
        }

        impl QueryFragment<Sqlite> for $name {
            fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
                out.push_bind_param::<$sql_type, _>(&self.0)
            }
        }
    )*};
}

values! {
    Number(i64) as BigInt;
    Time(Timestamp) as sql::Timestamptz;
    Id(Uuid) as sql::Uuid;
}
