//! Many rows in one statement of PostgreSQL: each column is one parameter, an array of all its values, so that the text of
//! the statement does not depend on the number of rows and is prepared once.

use std::marker::PhantomData;

use diesel::expression::Expression;
use diesel::pg::Pg;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::result::QueryResult;
use diesel::serialize::ToSql;
use diesel::sql_types::is_nullable::NotNull;
use diesel::sql_types::{Array, HasSqlType, Nullable, SqlType};

use super::types::sql;

/// How many rows a statement has at most: what they take up a second time, on their way to the database, stays small.
pub(super) const ROWS_PER_STATEMENT: usize = 1_000;

/// A column of many rows.
pub(super) type ArrayColumn = Box<dyn QueryFragment<Pg> + Send + Sync>;

/// The values of the column `C`.
pub(super) fn array<C, T>(values: Vec<T>) -> ArrayColumn
where
    C: Expression,
    C::SqlType: ArrayType + Send + Sync + 'static,
    T: Send + Sync + 'static,
    Vec<T>: ToSql<Array<C::SqlType>, Pg>,
    Pg: HasSqlType<Array<C::SqlType>>,
{
    Box::new(ArrayParameter::<C::SqlType, T> { values, sql_type: PhantomData })
}

struct ArrayParameter<ST, T> {
    values: Vec<T>,
    sql_type: PhantomData<fn() -> ST>,
}

impl<ST: ArrayType + 'static, T> QueryFragment<Pg> for ArrayParameter<ST, T>
where
    Vec<T>: ToSql<Array<ST>, Pg>,
    Pg: HasSqlType<Array<ST>>,
{
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_bind_param::<Array<ST>, _>(&self.values)?;
        out.push_sql(ST::CAST);
        Ok(())
    }
}

/// What the array of a column is: its text alone does not say which of the functions named `unnest` is meant.
pub(super) trait ArrayType {
    /// The cast of a parameter to it.
    const CAST: &'static str;
}

impl<ST: ArrayType + SqlType<IsNull = NotNull>> ArrayType for Nullable<ST> {
    const CAST: &'static str = ST::CAST;
}

macro_rules! array_types {
    ($($sql_type:ty = $cast:literal;)*) => {$(
        impl ArrayType for $sql_type {
            const CAST: &'static str = $cast;
        }
    )*};
}

array_types! {
    sql::Uuid = "::uuid[]";
    sql::Timestamptz = "::timestamptz[]";
    sql::Jsonb = "::jsonb[]";
    sql::Text = "::text[]";
    sql::Bool = "::boolean[]";
    sql::Int4 = "::integer[]";
    sql::Int8 = "::bigint[]";
    sql::Float8 = "::double precision[]";
}

/// A statement about the rows of `unnest(…)`.
pub(super) struct Unnested {
    /// What comes before the columns.
    pub before: &'static str,
    /// The columns.
    pub columns: Vec<ArrayColumn>,
    /// What comes after them.
    pub after: &'static str,
}

impl QueryFragment<Pg> for Unnested {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql(self.before);
        out.push_sql("unnest(");
        for (place, column) in self.columns.iter().enumerate() {
            if place > 0 {
                out.push_sql(", ");
            }
            column.walk_ast(out.reborrow())?;
        }
        out.push_sql(")");
        out.push_sql(self.after);
        Ok(())
    }
}

impl QueryId for Unnested {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

/// `"one", "other"`
macro_rules! quoted_names {
    ($first:ident $(, $column:ident)*) => {
        concat!("\"", stringify!($first), "\"" $(, ", \"", stringify!($column), "\"")*)
    };
}

/// `"one" = new."one", "other" = new."other"`
macro_rules! new_values {
    ($first:ident $(, $column:ident)*) => {
        concat!(
            "\"", stringify!($first), "\" = new.\"", stringify!($first), "\""
            $(, ", \"", stringify!($column), "\" = new.\"", stringify!($column), "\"")*
        )
    };
}

/// The rows of a chunk as a statement about their columns.
macro_rules! unnested {
    ($table:ident, $rows:expr, $before:expr, [$($column:ident),*], $after:expr) => {{
        $(let mut $column = Vec::new();)*
        for row in $rows {
            $($column.push(row.$column);)*
        }
        $crate::db::arrays::Unnested {
            before: $before,
            columns: vec![$($crate::db::arrays::array::<$crate::db::schema::$table::$column, _>($column)),*],
            after: $after,
        }
    }};
}

/// Declares functions that store many rows in a table.
macro_rules! insert_functions {
    ($($(#[$doc:meta])* $name:ident: $row:ty { $($column:ident),* $(,)? } in $table:ident;)*) => {$(
        $(#[$doc])*
        ///
        /// # Errors
        /// When a row breaks a rule of the table. Use it in a transaction: earlier rows are stored then.
        pub async fn $name(connection: &mut DbConnection, rows: Vec<$row>) -> QueryResult<()> {
            match connection {
                DbConnection::Postgres(connection) => {
                    let mut rows = rows.into_iter();
                    while rows.len() > 0 {
                        let statement = $crate::db::arrays::unnested!(
                            $table,
                            rows.by_ref().take($crate::db::arrays::ROWS_PER_STATEMENT),
                            concat!(
                                "INSERT INTO ", stringify!($table), " (",
                                $crate::db::arrays::quoted_names!($($column),*), ") SELECT * FROM "
                            ),
                            [$($column),*],
                            ""
                        );
                        diesel_async::RunQueryDsl::execute(statement, connection.inner()).await?;
                    }
                    Ok(())
                }
                DbConnection::Sqlite(connection) => {
                    connection
                        .inner()
                        .spawn_blocking(move |connection| {
                            for row in rows {
                                let insert = diesel::insert_into($table::table).values(row);
                                diesel::RunQueryDsl::execute(insert, connection)?;
                            }
                            Ok(())
                        })
                        .await
                }
            }
        }
    )*};
}

/// Declares a function that replaces values of many rows, each known by its `id`.
macro_rules! replace_function {
    ($(#[$doc:meta])* $name:ident: $row:ty { $($column:ident),* $(,)? } in $table:ident) => {
        $(#[$doc])*
        ///
        /// # Errors
        /// When a row breaks a rule of the table. Use it in a transaction: earlier rows are changed then.
        pub async fn $name(connection: &mut DbConnection, rows: Vec<$row>) -> QueryResult<()> {
            match connection {
                DbConnection::Postgres(connection) => {
                    let mut rows = rows.into_iter();
                    while rows.len() > 0 {
                        let statement = $crate::db::arrays::unnested!(
                            $table,
                            rows.by_ref().take($crate::db::arrays::ROWS_PER_STATEMENT),
                            concat!(
                                "UPDATE ", stringify!($table), " SET ",
                                $crate::db::arrays::new_values!($($column),*), " FROM "
                            ),
                            [id, $($column),*],
                            concat!(
                                " AS new (", $crate::db::arrays::quoted_names!(id, $($column),*), ") WHERE ",
                                stringify!($table), ".id = new.id"
                            )
                        );
                        diesel_async::RunQueryDsl::execute(statement, connection.inner()).await?;
                    }
                    Ok(())
                }
                DbConnection::Sqlite(connection) => {
                    connection
                        .inner()
                        .spawn_blocking(move |connection| {
                            for row in rows {
                                let update = diesel::update($table::table.find(row.id)).set(row);
                                diesel::RunQueryDsl::execute(update, connection)?;
                            }
                            Ok(())
                        })
                        .await
                }
            }
        }
    };
}

pub(super) use {insert_functions, new_values, quoted_names, replace_function, unnested};
