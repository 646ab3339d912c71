//! Running one statement on whichever database a connection leads to.

/// Evaluates `$body` with `$inner` bound to the connection inside a [`DbConnection`](super::DbConnection).
///
/// The body is compiled once per database: a statement is written once and checked for both.
///
/// How many rows a statement returned is told to the trace of whoever asked.
macro_rules! on_backend {
    ($connection:expr, |$inner:ident| $statement:ident.load($same:ident).await) => {
        $crate::db::backend::on_backend!($connection, |$inner| {
            $statement.load($same).await.inspect(|rows: &Vec<_>| $crate::telemetry::rows_returned(rows.len()))
        })
    };
    ($connection:expr, |$inner:ident| $statement:ident.get_result($same:ident).await) => {
        $crate::db::backend::on_backend!($connection, |$inner| {
            $statement.get_result($same).await.inspect(|_| $crate::telemetry::rows_returned(1))
        })
    };
    ($connection:expr, |$inner:ident| $body:expr) => {
        match $connection {
            $crate::db::DbConnection::Postgres(connection) => {
                let $inner = connection.inner();
                $body
            }
            $crate::db::DbConnection::Sqlite(connection) => {
                let $inner = connection.inner();
                $body
            }
        }
    };
}

pub(crate) use on_backend;
