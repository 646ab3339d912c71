//! Result files of promptfoo: JSON documents of the formats 2 and 3, JSON Lines, and what `promptfoo share` sends.

mod assertions;
mod batch;
mod cases;
mod checks;
mod columns;
mod config;
mod detect;
mod document;
mod file;
mod labels;
mod lines;
mod mapping;
mod metadata;
mod outcome;
mod provider;
mod record;
mod results;
mod survey;
mod table;
mod template;

use std::sync::Arc;

use self::detect::{Kind, detect};
use self::document::{FirstPass, read_frame, read_rows};
use self::file::{Frame, Row, TableRow};
use self::results::{RowPlace, result};
use self::survey::Survey;
use self::table::{Table, complete};
use super::json::fit_id;
use super::places::Places;
use super::prepared::{ImportedFile, Prepared, RowSink, Rows, SecondReading};
use super::problem::Problem;
use super::source::{Source, StopReason};
use super::{ImportError, Options};

/// What every file of promptfoo is.
const EXPECTED_FILE: &str = "one JSON document as `promptfoo eval -o output.json` writes it, one result a line as with \
                             `-o output.jsonl`, or what `promptfoo share` sends";

/// Reads a whole file from memory, without a database. What it takes is in proportion to the file.
///
/// # Errors
/// When it is no file of promptfoo's, or not a sound one.
pub fn read(bytes: &[u8]) -> Result<ImportedFile, ImportError> {
    ImportedFile::collect(prepare(Source::bytes(bytes), &Options::default())?)
}

/// Reads and checks a file.
pub(super) fn prepare(source: Source, options: &Options) -> Result<Prepared, ImportError> {
    match detect(&source)? {
        Kind::Document => prepare_document(source, options.run_id.as_deref()),
        Kind::Lines => lines::prepare(source, options.run_id.as_deref()),
        Kind::Record => record::prepare(source, options.run_id.as_deref()),
        Kind::Batch => batch::prepare(source, options.run_id.as_deref()),
    }
}

fn prepare_document(source: Source, run_id: Option<&str>) -> Result<Prepared, ImportError> {
    let FirstPass { mut frame, survey, replaced } = read_frame(&source)?;
    let of_file = |problem| StopReason::Problem(problem).into_error(&source, None);
    let own_id = ("evalId", frame.eval_id.as_deref());
    let external_id = external_id(own_id, run_id, || source.sha256())?.map_err(of_file)?;
    let is_format_2 = frame.version == Some(2.0);
    let survey = match survey {
        Some(survey) => survey,
        None => survey_again(&source, &frame)?,
    };
    let table = if is_format_2 { std::mem::take(&mut frame.table) } else { Vec::new() };
    let (mut run, places) = mapping::run(frame, survey, external_id).map_err(of_file)?;
    run.warnings.extend(replacement_warning(replaced));
    let rows = DocumentRows { table: is_format_2.then(|| Arc::from(without_outputs(table))) };
    Ok(Prepared { run, places, source, rows: Box::new(rows) })
}

/// What promptfoo calls the run, by the member of the file that says so. The user may say it where the file does not.
fn external_id(
    (place, own): (&str, Option<&str>),
    run_id: Option<&str>,
    hash: impl FnOnce() -> Result<String, ImportError>,
) -> Result<Result<String, Problem>, ImportError> {
    let own = own.filter(|id| !id.trim().is_empty());
    Ok(match (own, run_id) {
        (Some(own), Some(given)) if own != given => {
            let problem = format!("the file is of the run «{own}», not of «{given}» as `--run-id` says");
            Err(Problem::new(place, problem))
        }
        (Some(id), _) | (None, Some(id)) => Ok(fit_id(id.to_owned())),
        (None, None) => Ok(hash()?),
    })
}

/// The results of a document that named them before what is needed to understand them.
fn survey_again(source: &Source, frame: &Frame) -> Result<Survey, ImportError> {
    let mut survey = Survey::of_document(source.progress().clone());
    let mut table = (frame.version == Some(2.0)).then(|| Table::new(&frame.columns, &frame.table));
    read_rows(source, &mut |mut row: Row| {
        let Some(table) = &mut table else { return Ok(survey.take(row)?) };
        let place = RowPlace::Element(survey.places.len());
        let (column, position) = table.place(&row, place)?;
        complete(&mut row, &frame.table, position);
        Ok(survey.add(row, place, (column, position))?)
    })?;
    Ok(survey)
}

fn without_outputs(mut table: Vec<TableRow>) -> Vec<TableRow> {
    table.iter_mut().for_each(|row| row.outputs = None);
    table
}

fn replacement_warning(replaced: usize) -> Option<String> {
    (replaced > 0).then(|| format!("characters that cannot be stored were replaced by U+FFFD: {replaced}"))
}

/// The results of a document.
struct DocumentRows {
    /// The tests, in format 2.
    table: Option<Arc<[TableRow]>>,
}

impl Rows for DocumentRows {
    fn read(&self, source: &Source, places: &Places, sink: &mut RowSink<'_>) -> Result<usize, ImportError> {
        let mut reading = SecondReading::new(places, sink);
        read_rows(source, &mut |mut row: Row| {
            reading.take(|number, place, warnings| {
                if let Some(table) = &self.table {
                    complete(&mut row, table, place.position);
                }
                result(row, RowPlace::Element(number), (place.evaluation, place.position), warnings)
            })
        })?;
        Ok(reading.rows)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(json: &str) -> String {
        read(json.as_bytes()).unwrap_err().to_string()
    }

    #[test]
    fn what_is_not_of_promptfoo_is_refused() {
        for (json, begin) in [
            ("", "input:1:1: the file is empty; expected one JSON document as"),
            ("\n <html>", "input:2:2: this is no JSON object or list; expected one JSON document as"),
            ("5", "input:1:1: this is no JSON object or list; expected"),
            ("PK\u{3}\u{4}", "input: this is a zip archive; if it is a log of Inspect (`.eval`), convert it"),
            ("{\"a\": 1}", "input:1:1: these are not the results of promptfoo; expected"),
            ("{\"config\": {}}", "input:1:14: missing field `results`; expected"),
            ("{\"results\":\n [3]}", "input:2:2: invalid type: sequence; expected an object"),
            ("{\"results\": {\"version\": 3}}", "input: results.results: it is missing; expected a list"),
            ("{\"results\": {}}", "input:1:15: these are not the results of promptfoo: they have no `version`"),
            ("{\"results\": {\"version\": 3}}\n{}", "input:2:1: trailing characters; expected"),
            ("{\"results\": {\"version\": 3},}", "input:1:28: trailing comma; expected"),
            ("{\"results\": {\"ver", "input:1:17: the file ends in the middle of a value: it was cut off; expected"),
            ("{\"version\": 2, \"status\": \"x\", \"eval\": {}}", "input: this looks like a log of Inspect: use"),
        ] {
            assert!(error(json).starts_with(begin), "{begin}: {}", error(json));
        }
    }

    #[test]
    fn other_versions_are_named() {
        let message = error(r#"{"results": {"version": 4, "prompts": 5}}"#);
        assert!(
            message.starts_with("input: format 4 is not known to this release, which reads formats 2"),
            "{message}"
        );
    }

    fn file(prompts: &str, results: &str) -> String {
        format!(
            "{{\"evalId\": \"e\", \"results\": {{\"version\": 3, \"timestamp\": \"2026-11-23T06:13:02Z\",\n\
             \"prompts\": {prompts}, \"results\": {results}}}}}"
        )
    }

    #[test]
    fn values_of_the_wrong_type_are_named() {
        let deep = "[".repeat(200) + &"]".repeat(200);
        for (prompts, results, begin) in [
            ("[]", r#"[{"score": "x"}]"#, "2:40: invalid type: string \"x\"; expected a number"),
            ("[]", r#"[{"score": 1e400}]"#, "2:43: number out of range; expected a number up to about 1.8e308"),
            ("{}", "[]", "2:12: invalid type: map; expected a list"),
            (r#"[{"raw": "a"}]"#, r#"[{"promptIdx": 1}]"#, "2: results.results[0].success: it is missing"),
            (r#"[{"raw": "a"}]"#, r#"[{"promptIdx": 1, "success": true}]"#, " results.results[0].promptIdx: there"),
            ("[]", r#"[{"promptIdx": 1e9, "success": true}]"#, "2: results.results[0].promptIdx: 1000000000 is too"),
            ("[]", &format!(r#"[{{"error": {deep}}}]"#), "2:161: the values are nested too deeply; expected at most"),
        ] {
            let message = error(&file(prompts, results));
            assert!(message.starts_with(&format!("input:{begin}")), "{begin}: {message}");
        }
    }

    #[test]
    fn a_byte_order_mark_and_unstorable_characters_do_no_harm() {
        let json = "\u{feff}{\"results\": {\"version\": 3, \"timestamp\": \"2026-11-23T06:13:02Z\", \
                    \"prompts\": [{\"raw\": \"a\\u0000\"}], \"results\": []}}";
        let run = read(json.as_bytes()).unwrap().run;
        assert_eq!(run.prompts[0].content, "a\u{fffd}");
        assert_eq!(run.warnings, ["characters that cannot be stored were replaced by U+FFFD: 1"]);
        assert_eq!(run.external_id.len(), 64);
    }

    #[test]
    fn a_table_of_too_many_columns_or_cells_is_refused() {
        let table = |columns: usize, rows: usize| {
            let head = format!(r#""head": {{"prompts": [{}]}}"#, vec![r#"{"raw": ""}"#; columns].join(","));
            let body = format!(r#""body": [{}]"#, vec!["{}"; rows].join(","));
            [format!("{head}, {body}"), format!("{body}, {head}")]
        };
        for (columns, rows, problem) in
            [(10_001, 1, "there are more than 10000 prompts"), (5_000, 1_001, "has more than 5000000 cells")]
        {
            for table in table(columns, rows) {
                let message =
                    error(&format!(r#"{{"results": {{"version": 2, "table": {{{table}}}, "results": []}}}}"#));
                assert!(message.contains(problem), "{message}");
            }
        }
    }

    #[test]
    fn the_order_of_the_members_does_not_matter() {
        let rows = r#"[{"promptIdx": 0, "testIdx": 1, "success": true, "score": 1, "id": "b"},
            {"promptIdx": 0, "testIdx": 0, "success": false, "score": 0, "id": "a"}]"#;
        let usual = file(r#"[{"raw": "a"}]"#, rows);
        let (begin, end) = usual.split_at(usual.find("\"prompts\"").unwrap());
        let (prompts, results) = end.split_once(", \"results\"").unwrap();
        let results = results.trim_end_matches('}');
        let begin = begin.replace("\"version\": 3, ", "");
        let turned = format!("{begin}\"results\"{results}, {prompts}, \"version\": 3}}}}");
        let [usual, turned] = [usual, turned].map(|json| read(json.as_bytes()).unwrap());
        assert_eq!(format!("{usual:?}"), format!("{turned:?}"));
        let ids: Vec<_> = turned.results[0].iter().map(|result| result.external_id.as_str()).collect();
        assert_eq!(ids, ["a", "b"]);
    }

    #[test]
    fn what_is_not_kept_may_be_of_any_size() {
        let long = "x".repeat(usize::try_from(super::super::source::VALUE_LIMIT).unwrap() + 100_000);
        let whole =
            file("[]", "[]").replacen('{', &format!("{{\"vars\": \"{long}\", \"blobAssets\": [\"{long}\"],"), 1);
        assert_eq!(read(whole.as_bytes()).unwrap().run.warnings.len(), 1);
        let message = error(&file("[]", &format!("[{{\"error\": \"{long}\"}}]")));
        assert!(message.starts_with("input: byte 103: the value that begins here is longer than 1 MiB"), "{message}");
    }
}
