//! Plain SQL over a connection of its own, apart from the pools under test: what another client sees and does.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use diesel_async::{AsyncConnection as _, AsyncPgConnection, SimpleAsyncConnection as _};
use evalgraph::db::pool::DatabaseLocation;

/// Runs one or more statements.
pub async fn execute(location: &DatabaseLocation, sql: &str) {
    match location {
        DatabaseLocation::Sqlite(_) => diesel::connection::SimpleConnection::batch_execute(&mut sqlite(location), sql),
        DatabaseLocation::Postgres(_) => postgres(location).await.batch_execute(sql).await,
    }
    .unwrap_or_else(|error| panic!("{sql}: {error}"));
}

/// The texts in the column `value`.
pub async fn texts(location: &DatabaseLocation, sql: &str) -> Vec<String> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = Text)]
        value: String,
    }
    rows::<Row>(location, sql).await.into_iter().map(|row| row.value).collect()
}

/// The 64-bit integers in the column `value`.
pub async fn numbers(location: &DatabaseLocation, sql: &str) -> Vec<i64> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = BigInt)]
        value: i64,
    }
    rows::<Row>(location, sql).await.into_iter().map(|row| row.value).collect()
}

async fn rows<R>(location: &DatabaseLocation, sql: &str) -> Vec<R>
where
    R: QueryableByName<diesel::pg::Pg> + QueryableByName<diesel::sqlite::Sqlite> + Send + 'static,
{
    let query = diesel::sql_query(sql);
    match location {
        DatabaseLocation::Sqlite(_) => diesel::RunQueryDsl::load(query, &mut sqlite(location)),
        DatabaseLocation::Postgres(_) => diesel_async::RunQueryDsl::load(query, &mut postgres(location).await).await,
    }
    .unwrap_or_else(|error| panic!("{sql}: {error}"))
}

/// Keeps everybody else from changing runs and totals, in SQLite from changing anything, until it is dropped.
pub struct WriteLock(#[allow(dead_code, reason = "it is closed when it is dropped")] Box<dyn Send>);

impl WriteLock {
    pub async fn take(location: &DatabaseLocation) -> Self {
        match location {
            DatabaseLocation::Sqlite(_) => {
                let mut connection = sqlite(location);
                diesel::connection::SimpleConnection::batch_execute(&mut connection, "BEGIN IMMEDIATE").unwrap();
                Self(Box::new(connection))
            }
            DatabaseLocation::Postgres(_) => {
                let mut connection = postgres(location).await;
                let lock = "BEGIN; LOCK TABLE runs, prompt_totals IN EXCLUSIVE MODE";
                connection.batch_execute(lock).await.unwrap();
                Self(Box::new(connection))
            }
        }
    }
}

/// A connection to a SQLite database.
pub fn sqlite(location: &DatabaseLocation) -> diesel::SqliteConnection {
    let DatabaseLocation::Sqlite(path) = location else { panic!("{location:?} is no SQLite database") };
    let mut connection = diesel::SqliteConnection::establish(path.to_str().unwrap()).unwrap();
    diesel::connection::SimpleConnection::batch_execute(&mut connection, "PRAGMA busy_timeout = 5000").unwrap();
    connection
}

/// A connection to a PostgreSQL database.
pub async fn postgres(location: &DatabaseLocation) -> AsyncPgConnection {
    let DatabaseLocation::Postgres(url) = location else { panic!("{location:?} is no PostgreSQL database") };
    AsyncPgConnection::establish(url).await.unwrap_or_else(|error| panic!("{url}: {error}"))
}
