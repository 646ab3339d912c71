//! The demo data: what `evalgraph serve --demo` puts into an empty store, so that there is something to ask for.
//!
//! It is made by a program and always the same: prompts of thirteen teams over three months, evaluated in nightly
//! runs, reviews and comparisons of models. Only the times move with the day on which it is loaded.

mod catalog;
mod generate;
mod random;
#[cfg(test)]
mod tests;

use diesel::result::{DatabaseErrorKind, Error as DieselError, QueryResult};
use futures_util::future::BoxFuture;

pub use generate::generate;

use crate::db::changes::Changes;
use crate::db::evaluations::NewEvaluation;
use crate::db::prompts::NewPrompt;
use crate::db::runs::{NewRun, find_imported};
use crate::db::templates::NewTemplate;
use crate::db::test_results::NewTestResult;
use crate::db::transaction::write_transaction;
use crate::db::{Database, DbConnection, DbError, StatementCount, audit, insert, totals};
use crate::domain::{Deed, Principal, RunSource, Timestamp};

/// What the external ids of the demo's own runs begin with.
const MARKER_PREFIX: &str = "evalgraph-demo-";
/// The run by which the demo data is recognised.
const MARKER: &str = "evalgraph-demo-1";

/// All rows of the demo data, ready to be stored.
#[derive(Debug, Clone, Default)]
pub struct DemoData {
    /// The templates.
    pub templates: Vec<NewTemplate>,
    /// The prompt versions, each after its parent.
    pub prompts: Vec<NewPrompt>,
    /// The runs, the oldest first.
    pub runs: Vec<NewRun>,
    /// The evaluations, by run and position.
    pub evaluations: Vec<NewEvaluation>,
    /// The test results, by evaluation and position.
    pub test_results: Vec<NewTestResult>,
}

impl DemoData {
    /// How many rows there are of each kind.
    #[must_use]
    pub fn summary(&self) -> DemoSummary {
        DemoSummary {
            templates: self.templates.len(),
            prompts: self.prompts.len(),
            runs: self.runs.len(),
            evaluations: self.evaluations.len(),
            test_results: self.test_results.len(),
        }
    }

    /// The objects, but for results, which their evaluations stand for.
    fn changes(&self) -> Changes {
        Changes {
            prompts: self.prompts.iter().map(|row| row.id).collect(),
            templates: self.templates.iter().map(|row| row.id).collect(),
            runs: self.runs.iter().map(|row| row.id).collect(),
            evaluations: self.evaluations.iter().map(|row| row.id).collect(),
            ..Changes::default()
        }
    }
}

/// How many rows were stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DemoSummary {
    /// Templates.
    pub templates: usize,
    /// Prompt versions.
    pub prompts: usize,
    /// Runs.
    pub runs: usize,
    /// Evaluations.
    pub evaluations: usize,
    /// Test results.
    pub test_results: usize,
}

/// Stores the demo data for the user `local`, unless it is there already; then the answer is `None`. Either all of it
/// is stored or nothing.
///
/// # Errors
/// When the store cannot be reached, or has templates or prompts of other origin with the demo's names.
pub async fn load_once(database: &Database, now: Timestamp) -> Result<Option<DemoSummary>, DbError> {
    let count = StatementCount::default();
    // Spares the work of making the data. What decides is the look inside the transaction.
    if database.write(&count, |connection| is_loaded(connection)).await? {
        return Ok(None);
    }
    let data = tokio::task::spawn_blocking(move || generate(now))
        .await
        .map_err(|error| DbError::Interrupted(error.to_string()))?;
    let stored = database
        .write(&count, |connection| {
            Box::pin(write_transaction(connection, |connection| Box::pin(store(connection, data))))
        })
        .await;
    match stored {
        // On PostgreSQL another instance that began at the same time is invisible until it commits; then its run with
        // our marker refuses ours.
        Err(DbError::Statement(DieselError::DatabaseError(DatabaseErrorKind::UniqueViolation, information))) => {
            if database.write(&count, |connection| is_loaded(connection)).await? {
                return Ok(None);
            }
            let error = DieselError::DatabaseError(DatabaseErrorKind::UniqueViolation, information);
            Err(DbError::Statement(error))
        }
        stored => stored,
    }
}

fn is_loaded(connection: &mut DbConnection) -> BoxFuture<'_, QueryResult<bool>> {
    Box::pin(async {
        let marker = find_imported(connection, Principal::LOCAL_USER, RunSource::Api, MARKER).await?;
        Ok(marker.is_some())
    })
}

async fn store(connection: &mut DbConnection, data: DemoData) -> QueryResult<Option<DemoSummary>> {
    if is_loaded(connection).await? {
        return Ok(None);
    }
    let (summary, changes) = (data.summary(), data.changes());
    // The runs go first: an instance that does the same waits here, before it has stored anything.
    insert::runs(connection, data.runs).await?;
    insert::templates(connection, data.templates).await?;
    insert::prompts(connection, data.prompts).await?;
    let prompts: Vec<_> = data.evaluations.iter().map(|evaluation| evaluation.prompt_id).collect();
    insert::evaluations(connection, data.evaluations).await?;
    insert::test_results(connection, data.test_results).await?;
    totals::refresh(connection, prompts).await?;
    audit::record(connection, &Deed::command("serve --demo", Principal::LOCAL_USER), &changes).await?;
    Ok(Some(summary))
}
