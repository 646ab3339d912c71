//! Logs of Inspect, as JSON.
//!
//! A log is one task with one model: one evaluation. Several logs of one `inspect eval` share a run.

mod checks;
mod document;
mod log;
mod mapping;
mod samples;
mod scores;
mod survey;

use std::sync::Arc;

use self::document::{FirstPass, read_frame, read_samples};
use self::log::Sample;
use self::samples::Reader;
use super::ImportError;
use super::places::Places;
use super::prepared::{ImportedFile, Prepared, RowSink, Rows};
use super::problem::Problem;
use super::source::{Source, StopReason};
use super::warnings::Warnings;

/// What every log is.
const EXPECTED_FILE: &str = "one JSON document as Inspect writes it with `--log-format json`";

/// Reads a whole log from memory, without a database. What it takes is in proportion to the log.
///
/// # Errors
/// When it is no log of Inspect, or not a sound one.
pub fn read(bytes: &[u8]) -> Result<ImportedFile, ImportError> {
    ImportedFile::collect(prepare(Source::bytes(bytes))?)
}

/// Reads and checks a log.
pub(super) fn prepare(source: Source) -> Result<Prepared, ImportError> {
    source.check_begin(EXPECTED_FILE)?;
    let FirstPass { frame, survey, replaced } = read_frame(&source)?;
    let of_file = |Problem { place, problem }| {
        let file = source.name().to_owned();
        ImportError::Value { file, line: None, place, problem }
    };
    let reader = Arc::new(Reader::new(&frame).map_err(of_file)?);
    let mut survey = survey;
    read_samples(&source, &mut |sample: Sample| Ok(survey.take(sample, &reader)?))?;
    let (mut run, places) = mapping::run(frame, survey, &reader).map_err(of_file)?;
    if replaced > 0 {
        run.warnings.push(format!("characters that cannot be stored were replaced by U+FFFD: {replaced}"));
    }
    Ok(Prepared { run, places, source, rows: Box::new(Samples { reader }) })
}

/// The samples of a log.
struct Samples {
    reader: Arc<Reader>,
}

impl Rows for Samples {
    fn read(&self, source: &Source, places: &Places, sink: &mut RowSink<'_>) -> Result<usize, ImportError> {
        let mut number = 0;
        // They were told when the log was checked.
        let mut warnings = Warnings::default();
        read_samples(source, &mut |sample: Sample| {
            number += 1;
            let Some(known) = places.of(number - 1) else { return Ok(()) };
            let result = self.reader.result(sample, number - 1, known.position, &mut warnings)?;
            sink(result).map_err(StopReason::Failed)
        })?;
        Ok(number)
    }
}
