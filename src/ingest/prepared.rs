//! A file after the first pass over it.

use super::error::ImportError;
use super::model::{ImportedResult, ImportedRun};
use super::places::{Place, Places};
use super::source::{Source, StopReason};
use super::warnings::Warnings;

/// A file that was read and checked as a whole: everything about it but its results, which are read once more to be
/// stored.
pub(super) struct Prepared {
    /// The run.
    pub run: ImportedRun,
    /// Where each of its rows belongs.
    pub places: Places,
    /// The file.
    pub source: Source,
    /// Reads the rows.
    pub rows: Box<dyn Rows>,
}

/// Takes the rows of a file, in its order. An error ends the reading.
pub(super) type RowSink<'a> = dyn FnMut(ImportedResult) -> Result<(), ImportError> + 'a;

/// The rows of a file as results, as often as needed.
pub(super) trait Rows: Send + Sync {
    /// Reads all rows that have a place and gives their results, as yet without their repetitions, to `sink`. Says how
    /// many rows there are, those included that are left out.
    fn read(&self, source: &Source, places: &Places, sink: &mut RowSink<'_>) -> Result<usize, ImportError>;
}

/// The second reading of a file: counts the rows, leaves out those without a place, and gives the results of the others to
/// the sink.
pub(super) struct SecondReading<'a, 's> {
    places: &'a Places,
    sink: &'a mut RowSink<'s>,
    /// They were told when the file was checked.
    warnings: Warnings,
    /// Rows so far.
    pub rows: usize,
}

impl<'a, 's> SecondReading<'a, 's> {
    /// Before the first row.
    pub fn new(places: &'a Places, sink: &'a mut RowSink<'s>) -> Self {
        Self { places, sink, warnings: Warnings::default(), rows: 0 }
    }

    /// Takes the next row. `result` makes a result of it, and is told its number, counted from 0, and its place.
    pub fn take<E: Into<StopReason>>(
        &mut self,
        result: impl FnOnce(usize, Place, &mut Warnings) -> Result<ImportedResult, E>,
    ) -> Result<(), StopReason> {
        let number = self.rows;
        self.rows += 1;
        let Some(place) = self.places.of(number) else { return Ok(()) };
        let result = result(number, place, &mut self.warnings).map_err(Into::into)?;
        (self.sink)(result).map_err(StopReason::Failed)
    }
}

impl Prepared {
    /// Reads the results once more, in the order of the file, and gives each to `sink` with its place.
    pub fn results(
        &self,
        mut sink: impl FnMut(Place, ImportedResult) -> Result<(), ImportError>,
    ) -> Result<(), ImportError> {
        let mut row = 0;
        let count = self.rows.read(&self.source, &self.places, &mut |mut result| {
            // Those that are left out do not come.
            while self.places.of(row).is_none() && row < self.places.rows() {
                row += 1;
            }
            let place = self.places.of(row).filter(|_| self.places.is_same_case(row, &result));
            let place = place.ok_or_else(|| self.source.changed())?;
            result.repetition = place.repetition;
            self.source.progress().add_result();
            row += 1;
            sink(place, result)
        })?;
        if count != self.places.rows() {
            return Err(self.source.changed());
        }
        self.source.check_unchanged()
    }
}

/// A file as it was read, without a database.
#[derive(Debug)]
pub struct ImportedFile {
    /// The run.
    pub run: ImportedRun,
    /// The results by evaluation, in the order of the tests.
    pub results: Vec<Vec<ImportedResult>>,
}

impl ImportedFile {
    /// Reads all results into memory.
    pub(super) fn collect(prepared: Prepared) -> Result<Self, ImportError> {
        let mut placed: Vec<Vec<(usize, ImportedResult)>> =
            prepared.run.evaluations.iter().map(|_| Vec::new()).collect();
        prepared.results(|place, result| {
            let evaluation = placed.get_mut(place.evaluation).ok_or_else(|| prepared.source.changed())?;
            evaluation.push((place.rank, result));
            Ok(())
        })?;
        let in_order = |mut results: Vec<(usize, ImportedResult)>| {
            results.sort_unstable_by_key(|&(rank, _)| rank);
            results.into_iter().map(|(_, result)| result).collect()
        };
        Ok(Self { run: prepared.run, results: placed.into_iter().map(in_order).collect() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ingest::{Options, promptfoo};

    /// The rows of a file that has lost them.
    struct Gone;

    impl Rows for Gone {
        fn read(&self, _: &Source, _: &Places, _: &mut RowSink<'_>) -> Result<usize, ImportError> {
            Ok(0)
        }
    }

    #[test]
    fn rows_that_are_gone_when_they_are_read_again_are_missed() {
        let file = r#"{"results": {"version": 3, "timestamp": "2026-11-23T06:13:02Z", "prompts": [{"raw": "a"}],
            "results": [{"promptIdx": 0, "success": true, "score": 1}]}}"#;
        let prepared = promptfoo::prepare(Source::bytes(file.as_bytes()), &Options::default()).unwrap();
        let prepared = Prepared { rows: Box::new(Gone), ..prepared };
        let error = prepared.results(|_, _| Ok(())).unwrap_err().to_string();
        assert!(error.ends_with("the file changed while it was read"), "{error}");
    }
}
