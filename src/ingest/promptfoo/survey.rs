//! The first look at all rows: is each of them sound, where does it belong, and what do they add up to?

use std::iter;

use serde_json::Value;

use super::document::COLUMN_LIMIT;
use super::file::Row;
use super::results::{RowPlace, result};
use crate::ingest::numbers::index;
use crate::ingest::places::{Added, PlaceCollector, RESULT_LIMIT};
use crate::ingest::problem::Problem;
use crate::ingest::progress::Progress;
use crate::ingest::totals::{Figures, Totals};
use crate::ingest::warnings::Warnings;

/// What the rows of a file say about it.
#[derive(Debug, Default)]
pub(super) struct Survey {
    progress: Progress,
    pub places: PlaceCollector,
    pub columns: Vec<ColumnFacts>,
    pub warnings: Warnings,
}

/// What the rows of one column say about it.
#[derive(Debug, Clone, Default)]
pub(super) struct ColumnFacts {
    /// Its rows, those included that are left out.
    rows: usize,
    /// Where the first of them is.
    first: Option<RowPlace>,
    /// Its greatest position.
    pub last_position: Option<i32>,
    pub totals: Totals,
    /// Who answered, as a row has it.
    pub provider: Option<Value>,
}

impl Survey {
    /// Nothing as yet.
    pub fn of_document(progress: Progress) -> Self {
        Self { progress, ..Self::default() }
    }

    /// Takes the next row of a document, which says itself where it belongs.
    pub fn take(&mut self, row: Row) -> Result<(), Problem> {
        let place = RowPlace::Element(self.places.len());
        let (column, position) = self.place(&row, place)?;
        self.add(row, place, (column, position))
    }

    /// Where a row belongs: its column, and its position there.
    pub fn place(&mut self, row: &Row, place: RowPlace) -> Result<(usize, i32), Problem> {
        let here = || place.member("promptIdx");
        let Some(column) = row.prompt_idx else {
            return Err(Problem::new(here(), "it is missing; expected the index of an entry of `results.prompts`"));
        };
        let column = usize::try_from(index(column, here)?).unwrap_or(usize::MAX);
        if column >= COLUMN_LIMIT {
            return Err(Problem::new(here(), format!("{column} is too large: expected less than {COLUMN_LIMIT}")));
        }
        let position = match row.test_idx {
            Some(test) => index(test, || place.member("testIdx"))?,
            None => self.columns.get(column).map_or(0, |facts| i32::try_from(facts.rows).unwrap_or(i32::MAX)),
        };
        Ok((column, position))
    }

    /// Takes a row that belongs into this column at this position.
    pub fn add(&mut self, row: Row, place: RowPlace, (column, position): (usize, i32)) -> Result<(), Problem> {
        let missing = (column + 1).saturating_sub(self.columns.len());
        self.columns.extend(iter::repeat_n(ColumnFacts::default(), missing));
        let Some(facts) = self.columns.get_mut(column) else { return Ok(()) };
        facts.rows += 1;
        facts.first = facts.first.or(Some(place));
        facts.last_position = facts.last_position.max(Some(position));
        if facts.provider.is_none() {
            facts.provider.clone_from(&row.provider);
        }
        let result = result(row, place, (column, position), &mut self.warnings)?;
        match self.places.add(column, &result, None) {
            Added::Result => facts.totals.add(Figures::from(&result)),
            Added::Duplicate => {
                let message = "a result repeats the id of another and was left out";
                self.warnings.add_at(message, || place.member("id"));
            }
            Added::TooMany => {
                let problem = format!("there are more than {RESULT_LIMIT} results");
                return Err(Problem::new(place.member("id"), problem));
            }
        }
        self.progress.add_result();
        Ok(())
    }

    /// Makes sure that there are so many columns at most, and that none is missing.
    pub fn fit_columns(&mut self, count: usize) -> Result<(), Problem> {
        let beyond = self.columns.iter().skip(count).find_map(|facts| facts.first);
        if let Some(place) = beyond {
            let problem = format!("there are only {count} entries in `results.prompts`");
            return Err(Problem::new(place.member("promptIdx"), problem));
        }
        self.columns.resize(count, ColumnFacts::default());
        Ok(())
    }

    /// Whether every column has a row for every test.
    pub fn is_complete(&self) -> bool {
        let last = self.columns.iter().filter_map(|facts| facts.last_position).max();
        let tests = last.map_or(0, |last| usize::try_from(last).unwrap_or(0) + 1);
        self.columns.iter().all(|facts| facts.rows >= tests)
    }
}
