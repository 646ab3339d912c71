//! The first look at all samples.

use std::collections::HashMap;

use serde_json::Value;

use super::log::Sample;
use super::samples::Reader;
use crate::domain::TestOutcome;
use crate::ingest::json::text_form;
use crate::ingest::places::{Added, PlaceCollector, RESULT_LIMIT};
use crate::ingest::problem::Problem;
use crate::ingest::progress::Progress;
use crate::ingest::totals::{Figures, Totals};
use crate::ingest::warnings::Warnings;

/// What the samples of a log say about it.
#[derive(Debug, Default)]
pub(super) struct Survey {
    progress: Progress,
    pub places: PlaceCollector,
    pub totals: Totals,
    pub warnings: Warnings,
    /// Samples that the data set does not name, in the order in which they came up.
    others: HashMap<String, i32>,
    /// Samples without a score, among those that were answered.
    pub unscored: usize,
}

impl Survey {
    /// Nothing as yet.
    pub fn new(progress: Progress) -> Self {
        Self { progress, ..Self::default() }
    }

    /// Takes the next sample.
    pub fn take(&mut self, sample: Sample, reader: &Reader) -> Result<(), Problem> {
        let number = self.places.len();
        let position = reader.position(&sample).unwrap_or_else(|| self.other_position(&sample.id, reader));
        let result = reader.result(sample, number, position, &mut self.warnings)?;
        match self.places.add(0, &result, Some(result.repetition)) {
            Added::Result => {
                self.unscored += usize::from(result.outcome == TestOutcome::Skipped);
                self.totals.add(Figures::from(&result));
            }
            Added::Duplicate => {
                let message = "a sample repeats the id and the epoch of another and was left out";
                self.warnings.add_at(message, || format!("samples[{number}].id"));
            }
            Added::TooMany => {
                let problem = format!("there are more than {RESULT_LIMIT} samples");
                return Err(Problem::new(format!("samples[{number}]"), problem));
            }
        }
        self.progress.add_result();
        Ok(())
    }

    fn other_position(&mut self, id: &Option<Value>, reader: &Reader) -> i32 {
        let id = id.as_ref().and_then(text_form).unwrap_or_default();
        let others = i32::try_from(self.others.len()).unwrap_or(i32::MAX);
        let next = reader.known_positions().saturating_add(others);
        *self.others.entry(id).or_insert(next)
    }
}
