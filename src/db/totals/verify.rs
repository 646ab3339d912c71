//! Comparing totals with what they should be.

use super::difference::Difference;
use super::pages::{Pages, Subject};
use crate::db::{Database, DbError};

/// What was compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Verified {
    /// Evaluations with their results.
    pub evaluations: u64,
    /// Prompts, and models on them, with their evaluations.
    pub prompts: u64,
    /// Totals that are not what they should be.
    pub differences: u64,
}

/// Compares the totals of all evaluations with their results, and those of all prompts, and of the models on them, with
/// the evaluations. `report` is told of every difference.
///
/// Each page is compared within one statement, so that transactions that are going on make no difference.
///
/// # Errors
/// When there is no connection or a statement fails.
pub async fn verify(database: &Database, mut report: impl FnMut(&Difference)) -> Result<Verified, DbError> {
    let mut pages = Pages::of(database);
    while let Some((_, differences)) = pages.next().await? {
        differences.iter().for_each(&mut report);
    }
    Ok(pages.verified)
}

impl Verified {
    /// Adds a page.
    pub(super) fn count(&mut self, subject: Subject, rows: usize, differences: usize) {
        let number = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
        match subject {
            Subject::Evaluations => self.evaluations += number(rows),
            Subject::Prompts => self.prompts += number(rows),
        }
        self.differences += number(differences);
    }
}
