//! Reading a document of promptfoo in passes, without holding its results.
//!
//! Format 3 names the prompts before the results and is understood in one pass. Format 2 has the table that says which
//! result is which after the results, and tools may have put the members of either in another order: then the results
//! are passed over first.

use std::rc::Rc;

use serde::de::{Error as _, MapAccess};
use serde_json::Value;

use super::EXPECTED_FILE;
use super::config::ConfigReader;
use super::file::{Column, Frame, Row, TableRow, Trace};
use super::survey::Survey;
use crate::ingest::ImportError;
use crate::ingest::places::RESULT_LIMIT;
use crate::ingest::source::{Each, Meter, Object, ObjectReader, Presence, Source, Stop, StopReason};

/// Columns that a file may have.
pub(super) const COLUMN_LIMIT: usize = 10_000;
/// Traces whose ids are kept.
const TRACE_LIMIT: usize = 10_000;
/// What promptfoo's formats are.
const VERSIONS: [f64; 2] = [2.0, 3.0];

/// What a first pass over a document found out.
pub(super) struct FirstPass {
    pub frame: Frame,
    /// The results, unless they were passed over.
    pub survey: Option<Survey>,
    /// Characters that were replaced.
    pub replaced: usize,
}

/// Reads everything but the results, and the results too where it is possible already.
pub(super) fn read_frame(source: &Source) -> Result<FirstPass, ImportError> {
    let text = source.text(false);
    let meter = text.meter();
    let mut reader = FrameReader {
        meter: Rc::clone(&meter),
        frame: Frame::default(),
        rows: RowsSeen::No,
        survey: Survey::of_document(source.progress().clone()),
        stop: Stop::default(),
    };
    let parsed = source.parse(text, Object::new(&mut reader), EXPECTED_FILE);
    let FrameReader { frame, rows, survey, stop, .. } = reader;
    stop.or(source, parsed)?;
    let survey = match rows {
        RowsSeen::PassedOver => None,
        RowsSeen::Taken => Some(survey),
        RowsSeen::No => {
            let (file, place) = (source.name().to_owned(), "results.results".to_owned());
            let problem = "it is missing; expected a list".to_owned();
            return Err(ImportError::Value { file, line: None, place, problem });
        }
    };
    Ok(FirstPass { frame, survey, replaced: meter.replaced() })
}

/// Reads the results alone.
pub(super) fn read_rows(
    source: &Source,
    take: &mut dyn FnMut(Row) -> Result<(), StopReason>,
) -> Result<(), ImportError> {
    let text = source.text(false);
    let mut reader = RowsReader { meter: text.meter(), take, stop: Stop::default() };
    let parsed = source.parse(text, Object::new(&mut reader), EXPECTED_FILE);
    let RowsReader { stop, .. } = reader;
    stop.or(source, parsed)
}

/// What has become of the results.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum RowsSeen {
    No,
    Taken,
    PassedOver,
}

struct FrameReader {
    meter: Rc<Meter>,
    frame: Frame,
    rows: RowsSeen,
    survey: Survey,
    stop: Stop,
}

impl<'de> ObjectReader<'de> for FrameReader {
    fn member<A: MapAccess<'de>>(&mut self, name: &str, map: &mut A) -> Result<(), A::Error> {
        self.meter.begin_value();
        let frame = &mut self.frame;
        match name {
            "evalId" => frame.eval_id = map.next_value()?,
            "results" => {
                map.next_value_seed(Object::new(&mut SummaryReader { document: self }))?;
                if self.frame.version.is_none() {
                    return Err(A::Error::custom("these are not the results of promptfoo: they have no `version`"));
                }
            }
            "config" => map.next_value_seed(Object::nullable(&mut ConfigReader { meter: &self.meter, frame }))?,
            "shareableUrl" => frame.shareable_url = map.next_value()?,
            "metadata" => frame.metadata = map.next_value::<Option<_>>()?.unwrap_or_default(),
            "runtimeOptions" => frame.runtime_options = map.next_value::<Option<_>>()?.unwrap_or_default(),
            "traces" => map.next_value_seed(traces(&self.meter, &mut frame.trace_ids))?,
            "blobAssets" => {
                self.meter.begin_unlimited();
                frame.has_blobs = map.next_value::<Presence>()?.0;
            }
            _ => self.meter.pass_over(map)?,
        }
        self.meter.begin_value();
        Ok(())
    }

    fn end(&self) -> Option<&'static str> {
        self.frame.version.is_none().then_some("missing field `results`")
    }
}

/// Reads `results`.
struct SummaryReader<'a> {
    document: &'a mut FrameReader,
}

impl<'de> ObjectReader<'de> for SummaryReader<'_> {
    fn member<A: MapAccess<'de>>(&mut self, name: &str, map: &mut A) -> Result<(), A::Error> {
        let FrameReader { meter, frame, stop, .. } = &mut *self.document;
        meter.begin_value();
        match name {
            "version" => {
                let version = map.next_value::<Value>()?.as_f64();
                if let Some(unknown) = version.filter(|version| !VERSIONS.contains(version)) {
                    let problem = format!(
                        "format {unknown} is not known to this release, which reads formats 2 and 3 \
                         (`results.version`)"
                    );
                    return Err(A::Error::custom(stop.at(StopReason::Unsupported(problem))));
                }
                frame.version = version;
            }
            "timestamp" => frame.timestamp = map.next_value()?,
            "prompts" => map.next_value_seed(columns(meter, &mut frame.columns))?,
            "results" => self.rows(map)?,
            "stats" => frame.stats = map.next_value::<Option<_>>()?.unwrap_or_default(),
            "table" => map.next_value_seed(Object::nullable(&mut TableReader { meter, frame }))?,
            _ => meter.pass_over(map)?,
        }
        self.document.meter.begin_value();
        Ok(())
    }
}

impl SummaryReader<'_> {
    fn rows<'de, A: MapAccess<'de>>(&mut self, map: &mut A) -> Result<(), A::Error> {
        let FrameReader { meter, frame, rows, survey, stop } = &mut *self.document;
        if *rows != RowsSeen::No {
            return Err(A::Error::custom("duplicate field `results`"));
        }
        if frame.version != Some(3.0) {
            *rows = RowsSeen::PassedOver;
            return meter.pass_over(map);
        }
        *rows = RowsSeen::Taken;
        map.next_value_seed(Each::new(|row: Row| {
            meter.begin_value();
            survey.take(row).map_err(|problem| stop.at(problem))
        }))
    }
}

/// Takes the ids of traces.
pub(super) fn traces<'a>(
    meter: &'a Meter,
    ids: &'a mut Vec<String>,
) -> Each<Trace, impl FnMut(Trace) -> Result<(), String>> {
    Each::new(|trace: Trace| {
        meter.begin_value();
        let id = trace.trace_id.as_ref().and_then(Value::as_str).map(str::to_owned);
        ids.extend(id.filter(|_| ids.len() < TRACE_LIMIT));
        Ok(())
    })
}

/// Takes columns, so many at most.
pub(super) fn columns<'a>(
    meter: &'a Meter,
    columns: &'a mut Vec<Column>,
) -> Each<Column, impl FnMut(Column) -> Result<(), String>> {
    Each::new(|column: Column| {
        meter.begin_value();
        if columns.len() == COLUMN_LIMIT {
            return Err(format!("there are more than {COLUMN_LIMIT} prompts"));
        }
        columns.push(column);
        Ok(())
    })
}

/// Reads `results.table` of format 2.
struct TableReader<'a> {
    meter: &'a Meter,
    frame: &'a mut Frame,
}

impl<'de> ObjectReader<'de> for TableReader<'_> {
    fn member<A: MapAccess<'de>>(&mut self, name: &str, map: &mut A) -> Result<(), A::Error> {
        self.meter.begin_value();
        match name {
            "head" => {
                let Self { meter, frame } = &mut *self;
                frame.columns.clear();
                map.next_value_seed(Object::nullable(&mut TableHeadReader { meter, columns: &mut frame.columns }))?;
            }
            "body" => map.next_value_seed(Each::new(|row: TableRow| {
                self.meter.begin_value();
                self.frame.table.push(row);
                if self.has_too_many_cells() { Err(too_many_cells()) } else { Ok(()) }
            }))?,
            _ => self.meter.pass_over(map)?,
        }
        // The head may come after the body.
        if self.has_too_many_cells() {
            return Err(A::Error::custom(too_many_cells()));
        }
        self.meter.begin_value();
        Ok(())
    }
}

impl TableReader<'_> {
    /// Each row takes memory for each column, whether the file has a cell there or not.
    fn has_too_many_cells(&self) -> bool {
        self.frame.table.len().saturating_mul(self.frame.columns.len().max(1)) > RESULT_LIMIT
    }
}

fn too_many_cells() -> String {
    format!("`results.table` has more than {RESULT_LIMIT} cells (its rows times its columns)")
}

/// Reads `results.table.head` of format 2.
struct TableHeadReader<'a> {
    meter: &'a Meter,
    columns: &'a mut Vec<Column>,
}

impl<'de> ObjectReader<'de> for TableHeadReader<'_> {
    fn member<A: MapAccess<'de>>(&mut self, name: &str, map: &mut A) -> Result<(), A::Error> {
        self.meter.begin_value();
        match name {
            "prompts" => map.next_value_seed(columns(self.meter, self.columns)),
            _ => self.meter.pass_over(map),
        }
    }
}

/// Reads `results.results` of a document whose other parts are known.
struct RowsReader<'a> {
    meter: Rc<Meter>,
    take: &'a mut dyn FnMut(Row) -> Result<(), StopReason>,
    stop: Stop,
}

impl<'de> ObjectReader<'de> for RowsReader<'_> {
    fn member<A: MapAccess<'de>>(&mut self, name: &str, map: &mut A) -> Result<(), A::Error> {
        if name != "results" {
            return self.meter.pass_over(map);
        }
        map.next_value_seed(Object::new(&mut ResultsReader { document: self }))
    }
}

struct ResultsReader<'a, 'b> {
    document: &'a mut RowsReader<'b>,
}

impl<'de> ObjectReader<'de> for ResultsReader<'_, '_> {
    fn member<A: MapAccess<'de>>(&mut self, name: &str, map: &mut A) -> Result<(), A::Error> {
        let RowsReader { meter, take, stop } = &mut *self.document;
        if name != "results" {
            return meter.pass_over(map);
        }
        meter.begin_value();
        map.next_value_seed(Each::new(|row: Row| {
            meter.begin_value();
            take(row).map_err(|reason| stop.at(reason))
        }))
    }
}
