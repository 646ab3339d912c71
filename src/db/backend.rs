//! Running one statement on whichever database a connection leads to.

/// Evaluates `$body` with `$inner` bound to the connection inside a [`DbConnection`](super::DbConnection).
///
/// The body is compiled once per database: a statement is written once and checked for both.
macro_rules! on_backend {
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
