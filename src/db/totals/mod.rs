//! What prompts, and models on prompts, come to over their evaluations.
//!
//! Every transaction that stores, changes or removes evaluations calls [`refresh`] with their prompts, as the last thing
//! it does. The totals are computed anew from an index that has all they need, and not counted up: sums do not drift,
//! and whatever was wrong is right afterwards.

mod columns;
mod difference;
mod figures;
mod lines;
mod pages;
mod read;
mod rebuild;
mod verify;

use diesel::result::QueryResult;
use diesel_async::RunQueryDsl as _;
use uuid::Uuid;

pub use difference::Difference;
pub(in crate::db) use figures::{FIGURES, OF_MODELS, SUMS_OF_TOTALS, mean};
pub use read::{EvaluationSums, PromptTotals, RunTotals, of_prompts, of_runs};
pub use rebuild::{Rebuilt, rebuild};
pub use verify::{Verified, verify};

use self::columns::{assignments, model_columns, names, prompt_columns};

use super::backend::on_backend;
use super::connection::DbConnection;
use super::raw::Raw;
use crate::domain::PromptId;

/// Computes the totals of these prompts anew.
///
/// Call it at the end of a transaction. From then until the commit, others who write evaluations of the same prompts
/// wait, so that the last of them sees what all of them wrote: on PostgreSQL their rows in the table of totals are
/// locked first, in the order of the ids, and a statement that begins afterwards sees what was committed meanwhile.
/// SQLite has one writer at a time.
///
/// # Errors
/// When a statement fails.
pub async fn refresh(connection: &mut DbConnection, prompts: impl IntoIterator<Item = PromptId>) -> QueryResult<()> {
    let mut ids: Vec<Uuid> = prompts.into_iter().map(Uuid::from).collect();
    ids.sort_unstable();
    ids.dedup();
    if ids.is_empty() {
        return Ok(());
    }
    if let DbConnection::Postgres(connection) = connection {
        lock(&ids).execute(connection.inner()).await?;
    }
    for statement in [compute(ids.clone()), forget_models(ids.clone()), compute_models(ids)] {
        on_backend!(connection, |inner| statement.execute(inner).await)?;
    }
    Ok(())
}

/// Locks the rows of these prompts in the order of their ids. One that is missing is made: there is nothing else that
/// two who make it could wait for.
fn lock(ids: &[Uuid]) -> Raw<()> {
    Raw::new(
        "INSERT INTO prompt_totals (prompt_id, user_id, evaluation_count, completed_count, scored_count, total_tests, \
         passed_tests, failed_tests, errored_tests) SELECT id, user_id, 0, 0, 0, 0, 0, 0, 0 FROM prompts WHERE ",
    )
    .any_id("id", ids.to_vec())
    .sql(" ORDER BY id ON CONFLICT (prompt_id) DO UPDATE SET user_id = excluded.user_id")
}

fn compute(ids: Vec<Uuid>) -> Raw<()> {
    let statement = Raw::new(concat!(
        "INSERT INTO prompt_totals (prompt_id, ",
        prompt_columns!(names),
        ") SELECT prompt_id, ",
        prompt_columns!(names),
        " FROM ("
    ));
    // Without a condition SQLite takes `ON` for that of a join.
    figures::of_prompts(statement, ids).sql(concat!(
        ") AS computed WHERE TRUE ON CONFLICT (prompt_id) DO UPDATE SET ",
        prompt_columns!(assignments from excluded)
    ))
}

fn forget_models(ids: Vec<Uuid>) -> Raw<()> {
    Raw::new("DELETE FROM prompt_model_totals WHERE ").any_id("prompt_id", ids)
}

fn compute_models(ids: Vec<Uuid>) -> Raw<()> {
    let statement = Raw::new(concat!(
        "INSERT INTO prompt_model_totals (prompt_id, provider, model, ",
        model_columns!(names),
        ") SELECT prompt_id, provider, model, ",
        model_columns!(names),
        " FROM ("
    ));
    figures::of_models(statement, ids).sql(") AS computed")
}
