//! Going through everything that has totals, page by page.

use diesel::result::QueryResult;
use diesel_async::RunQueryDsl as _;
use uuid::Uuid;

use super::difference::Difference;
use super::lines::compare;
use super::verify::Verified;
use crate::db::backend::on_backend;
use crate::db::connection::DbConnection;
use crate::db::raw::Raw;
use crate::db::types::sql;
use crate::db::{Database, DbError, StatementCount};

/// How many evaluations are looked at in one statement: each may have thousands of results.
const EVALUATIONS: i64 = 100;
/// How many prompts are looked at in one statement.
const PROMPTS: i64 = 200;

/// What has totals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Subject {
    /// Evaluations, of their results.
    Evaluations,
    /// Prompts and the models on them, of the evaluations.
    Prompts,
}

/// All evaluations and then, as their totals are made of those, all prompts: a page at a time, in the order of the ids.
pub(super) struct Pages<'a> {
    database: &'a Database,
    /// What comes next, and the id after which it begins.
    next: Option<(Subject, Uuid)>,
    /// What was compared so far.
    pub verified: Verified,
}

impl<'a> Pages<'a> {
    /// Before the first page.
    pub fn of(database: &'a Database) -> Self {
        Self { database, next: Some((Subject::Evaluations, Uuid::nil())), verified: Verified::default() }
    }

    /// Compares the totals on the next page with what they should be: whose totals they are, and the differences.
    pub async fn next(&mut self) -> Result<Option<(Subject, Vec<Difference>)>, DbError> {
        while let Some((subject, last)) = self.next {
            let (ids, differences) = compare_page(self.database, subject, last).await?;
            self.next = match (ids.last(), subject) {
                (Some(&last), subject) => Some((subject, last)),
                (None, Subject::Evaluations) => Some((Subject::Prompts, Uuid::nil())),
                (None, Subject::Prompts) => None,
            };
            if !ids.is_empty() {
                self.verified.count(subject, ids.len(), differences.len());
                return Ok(Some((subject, differences)));
            }
        }
        Ok(None)
    }
}

/// The ids of the page after `last` and the differences on it, all as of one moment. After the last page there are no ids.
async fn compare_page(
    database: &Database,
    subject: Subject,
    last: Uuid,
) -> Result<(Vec<Uuid>, Vec<Difference>), DbError> {
    let count = StatementCount::default();
    let page = database.snapshot(&count, move |connection| {
        Box::pin(async move {
            let ids = page_after(connection, subject, last).await?;
            let differences = if ids.is_empty() { Vec::new() } else { compare(connection, subject, &ids).await? };
            Ok((ids, differences))
        })
    });
    page.await
}

async fn page_after(connection: &mut DbConnection, subject: Subject, last: Uuid) -> QueryResult<Vec<Uuid>> {
    let (begin, limit) = match subject {
        Subject::Evaluations => ("SELECT id FROM evaluations WHERE id > ", EVALUATIONS),
        Subject::Prompts => ("SELECT id FROM prompts WHERE id > ", PROMPTS),
    };
    let statement: Raw<sql::Uuid> = Raw::new(begin).id(last).sql(" ORDER BY id LIMIT ").number(limit);
    on_backend!(connection, |inner| statement.load(inner).await)
}
