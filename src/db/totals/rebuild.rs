//! Putting totals right.

use std::collections::BTreeSet;

use diesel::result::QueryResult;
use diesel_async::RunQueryDsl as _;
use uuid::Uuid;

use super::columns::{assignments, evaluation_columns};
use super::lines::compare;
use super::pages::{Pages, Subject};
use super::verify::Verified;
use super::{figures, refresh};
use crate::db::backend::on_backend;
use crate::db::connection::DbConnection;
use crate::db::raw::Raw;
use crate::db::transaction::write_transaction;
use crate::db::types::sql;
use crate::db::{Database, DbError, StatementCount};
use crate::domain::PromptId;

/// What was compared, and what of it put right.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Rebuilt {
    /// What was compared; its differences are those that were found.
    pub verified: Verified,
    /// Evaluations whose totals were computed anew.
    pub evaluations: u64,
    /// Prompts whose totals were.
    pub prompts: u64,
}

/// Computes the totals anew of everything that has wrong ones: of evaluations from their results, then of prompts, and
/// of the models on them, from the evaluations. Every page is a transaction of its own, so others write in between.
///
/// Scores are not results added up (tools state them), so those of evaluations stay.
///
/// # Errors
/// When there is no connection or a statement fails; pages that were put right stay so.
pub async fn rebuild(database: &Database) -> Result<Rebuilt, DbError> {
    let mut pages = Pages::of(database);
    let (mut evaluations, mut prompts) = (0, 0);
    while let Some((subject, differences)) = pages.next().await? {
        let wrong: BTreeSet<Uuid> = differences.into_iter().map(|difference| difference.id).collect();
        if wrong.is_empty() {
            continue;
        }
        let repaired = u64::try_from(wrong.len()).unwrap_or(u64::MAX);
        match subject {
            Subject::Evaluations => evaluations += repaired,
            Subject::Prompts => prompts += repaired,
        }
        repair(database, subject, wrong.into_iter().collect()).await?;
    }
    Ok(Rebuilt { verified: pages.verified, evaluations, prompts })
}

async fn repair(database: &Database, subject: Subject, ids: Vec<Uuid>) -> Result<(), DbError> {
    let count = StatementCount::default();
    let repaired = database.write(&count, move |connection| {
        Box::pin(write_transaction(connection, move |connection| {
            Box::pin(async move {
                match subject {
                    Subject::Evaluations => repair_evaluations(connection, ids).await,
                    Subject::Prompts => refresh(connection, ids.into_iter().map(PromptId::from)).await,
                }
            })
        }))
    });
    repaired.await
}

/// The evaluations are locked first, as everybody does who adds results to them, and looked at again.
async fn repair_evaluations(connection: &mut DbConnection, ids: Vec<Uuid>) -> QueryResult<()> {
    if let DbConnection::Postgres(connection) = connection {
        let lock: Raw<sql::Uuid> =
            Raw::new("SELECT id FROM evaluations WHERE ").any_id("id", ids.clone()).sql(" ORDER BY id FOR UPDATE");
        lock.load::<Uuid>(connection.inner()).await?;
    }
    let wrong = compare(connection, Subject::Evaluations, &ids).await?;
    let statement: Raw<()> =
        Raw::new(concat!("UPDATE evaluations SET ", evaluation_columns!(assignments from computed), " FROM ("));
    let wrong = wrong.iter().map(|difference| difference.id).collect();
    let statement = figures::of_evaluations(statement, wrong).sql(") AS computed WHERE computed.id = evaluations.id");
    on_backend!(connection, |inner| statement.execute(inner).await)?;
    let prompts: Raw<sql::Uuid> = Raw::new("SELECT DISTINCT prompt_id FROM evaluations WHERE ").any_id("id", ids);
    let prompts: Vec<PromptId> = on_backend!(connection, |inner| prompts.load(inner).await)?;
    refresh(connection, prompts).await
}
