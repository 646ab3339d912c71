//! How the databases go about statements: they say so themselves.

use std::marker::PhantomData;

use diesel::backend::Backend;
use diesel::pg::Pg;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::result::QueryResult;
use diesel::sql_types::{Integer, Text};
use diesel::sqlite::Sqlite;

use super::{Kind, TestDatabase, sql};

/// The plan of a statement in place of its answer.
struct Explain<S, T> {
    words: &'static str,
    statement: S,
    returns: PhantomData<T>,
}

impl<S, T> Explain<S, T> {
    fn new(words: &'static str, statement: S) -> Self {
        Self { words, statement, returns: PhantomData }
    }
}

impl<S: QueryFragment<DB>, T, DB: Backend> QueryFragment<DB> for Explain<S, T> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        out.push_sql(self.words);
        self.statement.walk_ast(out)
    }
}

impl<S, T> QueryId for Explain<S, T> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<S, T> Query for Explain<S, T> {
    type SqlType = T;
}

impl<S, T, C> diesel::RunQueryDsl<C> for Explain<S, T> {}

/// How the database goes about a statement, a line for each step.
pub async fn plan<S>(database: &TestDatabase, statement: S) -> String
where
    S: QueryFragment<Pg> + QueryFragment<Sqlite> + Send,
{
    let lines: Vec<String> = match database.kind {
        Kind::Sqlite => {
            let explain = Explain::<_, (Integer, Integer, Integer, Text)>::new("EXPLAIN QUERY PLAN ", statement);
            let mut connection = sql::sqlite(&database.location);
            let rows: Vec<(i32, i32, i32, String)> = diesel::RunQueryDsl::load(explain, &mut connection).unwrap();
            rows.into_iter().map(|row| row.3).collect()
        }
        Kind::Postgres => {
            let explain = Explain::<_, Text>::new("EXPLAIN ", statement);
            let mut connection = sql::postgres(&database.location).await;
            diesel_async::RunQueryDsl::load(explain, &mut connection).await.unwrap()
        }
    };
    lines.join("\n")
}
