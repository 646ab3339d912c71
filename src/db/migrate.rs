//! Bringing a database to the schema that this binary knows, and back.

use std::collections::BTreeSet;
use std::fs::{File, TryLockError};
use std::path::Path;
use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection as _;
use diesel::migration::{Migration, MigrationSource};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Text};
use diesel_async::{AsyncMigrationHarness, AsyncPgConnection};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};
use thiserror::Error;

use super::error::DbError;
use super::planner;
use super::pool::{DatabaseLocation, postgres_target};
use super::sqlite::{self, Missing};
use crate::telemetry::{self, Place};

const POSTGRES: EmbeddedMigrations = embed_migrations!("migrations/postgres");
const SQLITE: EmbeddedMigrations = embed_migrations!("migrations/sqlite");

/// Identifies the advisory lock under which instances migrate a PostgreSQL database one after the other.
const ADVISORY_LOCK: i64 = 0x6576_616c_6772_6170;
/// How often an instance that waits for another looks again.
const LOCK_PAUSE: Duration = Duration::from_millis(50);
/// How long it waits: migrations of large tables take their time.
const LONGEST_WAIT: Duration = Duration::from_mins(30);

/// Why a database could not be migrated.
#[derive(Debug, Error)]
pub enum MigrateError {
    /// There is no way to the database.
    #[error(transparent)]
    Database(#[from] DbError),
    /// The directory or the file beside the database cannot be used.
    #[error("{path}: {cause}")]
    File {
        /// The directory or file.
        path: String,
        /// What the system says.
        cause: std::io::Error,
    },
    /// The database was migrated by a newer release.
    #[error(
        "the database is newer than this release: it has the migrations {0}, which are unknown here. Use the release \
         that made it, or a later one."
    )]
    Newer(String),
    /// The database contains the tables of something else.
    #[error(
        "the database belongs to another application (it contains {0}): name an empty database, or one of evalgraph's"
    )]
    Foreign(String),
    /// Another instance is migrating, and does not come to an end.
    #[error("another instance has been migrating the database for more than {0:?}: see whether it still works")]
    Locked(Duration),
    /// A migration failed; what came before it is in effect.
    #[error("the migration failed: {0}")]
    Failed(String),
}

/// Applies the migrations that are missing and returns their names. Several instances may do so at once: one works,
/// the others wait for it and find nothing left to do.
///
/// # Errors
/// When the database cannot be reached, is not ours, is newer than this binary, or a migration fails.
pub async fn migrate(location: &DatabaseLocation) -> Result<Vec<String>, MigrateError> {
    change(location, Change::Apply).await
}

/// Takes back the last `steps` migrations and returns their names.
///
/// # Errors
/// As for [`migrate`].
pub async fn revert(location: &DatabaseLocation, steps: usize) -> Result<Vec<String>, MigrateError> {
    change(location, Change::Revert(steps)).await
}

#[derive(Debug, Clone, Copy)]
enum Change {
    Apply,
    Revert(usize),
}

async fn change(location: &DatabaseLocation, change: Change) -> Result<Vec<String>, MigrateError> {
    match location {
        DatabaseLocation::Sqlite(path) => {
            let path = path.clone();
            off_the_runtime(move || change_sqlite(&path, change)).await
        }
        DatabaseLocation::Postgres(url) => change_postgres(url, change).await,
    }
}

/// Diesel's migrations block their thread.
async fn off_the_runtime<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, MigrateError> + Send + 'static,
) -> Result<T, MigrateError> {
    let place = telemetry::place();
    let work = move || {
        let _entered = place.as_ref().map(Place::enter);
        work()
    };
    tokio::task::spawn_blocking(work).await.map_err(|error| MigrateError::Failed(error.to_string()))?
}

fn file_error(path: &Path) -> impl FnOnce(std::io::Error) -> MigrateError {
    let path = path.display().to_string();
    move |cause| MigrateError::File { path, cause }
}

fn change_sqlite(path: &Path, change: Change) -> Result<Vec<String>, MigrateError> {
    if let Some(directory) = path.parent().filter(|directory| !directory.as_os_str().is_empty()) {
        std::fs::create_dir_all(directory).map_err(file_error(directory))?;
    }
    // Opening a file that is not there creates it: only one instance may look for an empty database at a time.
    let lock_path = path.with_extension("lock");
    let lock =
        File::options().create(true).truncate(false).write(true).open(&lock_path).map_err(file_error(&lock_path))?;
    lock_in_time(&lock, &lock_path)?;

    let unusable = |error: &dyn std::fmt::Display| DbError::Unreachable(format!("{}: {error}", path.display()));
    let mut connection = sqlite::open_as_it_is(path, Missing::IsMade).map_err(|error| unusable(&error))?;
    // Rebuilding a table, SQLite's way of changing it, must not cascade.
    connection.batch_execute("PRAGMA foreign_keys = OFF").map_err(failed)?;
    let tables = diesel::sql_query(
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite!_%' ESCAPE '!' ORDER BY name",
    )
    .load::<TableName>(&mut connection)
    .map_err(|error| unusable(&error))?;
    let changed = check_and_run(&mut connection, || SQLITE, tables, change)?;
    let told = match change {
        Change::Apply => planner::instruct(&mut connection),
        Change::Revert(_) => planner::forget(&mut connection),
    };
    // What was changed holds either way; the next start tries again.
    if let Err(error) = told {
        tracing::warn!(%error, "SQLite could not be told what to plan by: some queries may be slow");
    }
    Ok(changed)
}

async fn change_postgres(url: &str, change: Change) -> Result<Vec<String>, MigrateError> {
    // Migrations take as long as they take.
    let mut connection = postgres_target(url, Duration::ZERO)?
        .connect_plain()
        .await
        .map_err(|error| DbError::Unreachable(error.to_string()))?;
    take_advisory_lock(&mut connection).await?;
    let tables = diesel_async::RunQueryDsl::load::<TableName>(
        diesel::sql_query(
            "SELECT tablename::text AS name FROM pg_tables WHERE schemaname = current_schema() ORDER BY tablename",
        ),
        &mut connection,
    )
    .await
    .map_err(failed)?;
    off_the_runtime(move || check_and_run(&mut AsyncMigrationHarness::new(connection), || POSTGRES, tables, change))
        .await
}

/// Takes the lock, which ends with the connection, as soon as nobody else has it.
async fn take_advisory_lock(connection: &mut AsyncPgConnection) -> Result<(), MigrateError> {
    #[derive(QueryableByName)]
    struct Taken {
        #[diesel(sql_type = Bool)]
        taken: bool,
    }
    let begun = Instant::now();
    loop {
        let attempt = diesel::sql_query("SELECT pg_try_advisory_lock($1) AS taken").bind::<BigInt, _>(ADVISORY_LOCK);
        let attempt: Taken = diesel_async::RunQueryDsl::get_result(attempt, connection).await.map_err(failed)?;
        if attempt.taken {
            return Ok(());
        }
        wait_for_another(begun)?;
        tokio::time::sleep(LOCK_PAUSE).await;
    }
}

fn lock_in_time(lock: &File, path: &Path) -> Result<(), MigrateError> {
    let begun = Instant::now();
    loop {
        match lock.try_lock() {
            Ok(()) => return Ok(()),
            Err(TryLockError::WouldBlock) => wait_for_another(begun)?,
            Err(TryLockError::Error(error)) => return Err(file_error(path)(error)),
        }
        std::thread::sleep(LOCK_PAUSE);
    }
}

/// Says once that another instance is migrating, and gives up when that takes too long.
fn wait_for_another(begun: Instant) -> Result<(), MigrateError> {
    let waited = begun.elapsed();
    if waited > LONGEST_WAIT {
        return Err(MigrateError::Locked(waited));
    }
    if waited < LOCK_PAUSE {
        tracing::info!("another instance is migrating the database: waiting for it");
    }
    Ok(())
}

#[derive(QueryableByName)]
struct TableName {
    #[diesel(sql_type = Text)]
    name: String,
}

fn failed(error: diesel::result::Error) -> MigrateError {
    MigrateError::Failed(error.to_string())
}

/// Where Diesel notes which migrations were applied.
const JOURNAL: &str = "__diesel_schema_migrations";

fn check_and_run<DB: diesel::backend::Backend>(
    harness: &mut impl MigrationHarness<DB>,
    migrations: fn() -> EmbeddedMigrations,
    tables: Vec<TableName>,
    change: Change,
) -> Result<Vec<String>, MigrateError> {
    let failed = |error: Box<dyn std::error::Error + Send + Sync>| MigrateError::Failed(error.to_string());
    let has_journal = tables.iter().any(|table| table.name == JOURNAL);
    if !has_journal && let Some(table) = tables.first() {
        return Err(MigrateError::Foreign(format!("the table {}", table.name)));
    }
    let known: BTreeSet<String> = MigrationSource::<DB>::migrations(&migrations())
        .map_err(failed)?
        .iter()
        .map(|migration| migration.name().version().to_string())
        .collect();
    let applied: BTreeSet<String> =
        harness.applied_migrations().map_err(failed)?.iter().map(ToString::to_string).collect();
    let unknown: Vec<_> = applied.difference(&known).cloned().collect();
    if !unknown.is_empty() {
        let unknown = unknown.join(", ");
        return Err(if applied.is_disjoint(&known) {
            MigrateError::Foreign(format!("the migrations {unknown}"))
        } else {
            MigrateError::Newer(unknown)
        });
    }
    match change {
        Change::Apply => {
            let pending = harness.pending_migrations(migrations()).map_err(failed)?;
            let apply = |migration: Box<dyn Migration<DB>>| {
                let _span = telemetry::child(&format!("migration {}", migration.name()));
                harness.run_migration(&*migration).map(|version| version.to_string())
            };
            pending.into_iter().map(apply).collect::<Result<_, _>>().map_err(failed)
        }
        Change::Revert(steps) => {
            let steps = steps.min(applied.len());
            (0..steps)
                .map(|_| harness.revert_last_migration(migrations()).map(|version| version.to_string()))
                .collect::<Result<_, _>>()
                .map_err(failed)
        }
    }
}
