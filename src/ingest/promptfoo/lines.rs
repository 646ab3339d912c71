//! JSON Lines: one result a line, and nothing else. What a document says about the run, its prompts and its totals is
//! missing, or found in the results.

use std::io;
use std::rc::Rc;

use serde_json::{Map, Value};

use super::file::{Column, Row};
use super::mapping::{Columns, warn_of_shared_names};
use super::results::{RowPlace, column, result};
use super::survey::Survey;
use super::template::template;
use super::{EXPECTED_FILE, replacement_warning};
use crate::domain::{EvaluationStatus, RunSource, Timestamp};
use crate::ingest::json::{NAME_LIMIT, cut, fit_id, text_form};
use crate::ingest::places::Places;
use crate::ingest::prepared::{Prepared, RowSink, Rows, SecondReading};
use crate::ingest::problem::Problem;
use crate::ingest::source::{Meter, Source, StopReason, TextReader, Unpacked};
use crate::ingest::{ImportError, ImportedRun};

/// Paths that promptfoo puts into labels: those of files that prompts are read from.
const PROMPT_FILES: [&str; 16] = [
    "*.txt", "*.md", "*.j2", "*.njk", "*.json", "*.jsonl", "*.yaml", "*.yml", "*.csv", "*.js", "*.cjs", "*.mjs",
    "*.ts", "*.py", "*.xml", "*.html",
];

/// Reads and checks a file.
pub(super) fn prepare(source: Source, run_id: Option<&str>) -> Result<Prepared, ImportError> {
    let mut survey = Survey::of_document(source.progress().clone());
    let mut columns: Vec<Option<Column>> = Vec::new();
    let mut replaced = 0;
    let mut lines = Lines::new(&source);
    while let Some((row, line)) = lines.next_row()? {
        let place = RowPlace::Line(line);
        let taken = survey.place(&row, place).and_then(|(column, position)| {
            if columns.len() <= column {
                columns.resize_with(column + 1, || None);
            }
            if let Some(missing @ None) = columns.get_mut(column) {
                *missing = Some(column_of(&row));
            }
            survey.add(row, place, (column, position))
        });
        taken.map_err(|problem| value_error(&source, problem))?;
        replaced = lines.meter.replaced();
    }
    let external_id = match run_id {
        Some(id) => fit_id(id.to_owned()),
        None => source.sha256()?,
    };
    let (mut run, places) =
        run(&source, columns, survey, external_id, run_id).map_err(|problem| value_error(&source, problem))?;
    run.warnings.extend(replacement_warning(replaced));
    Ok(Prepared { run, places, source, rows: Box::new(LineRows) })
}

/// The place begins with the line.
fn value_error(source: &Source, problem: Problem) -> ImportError {
    StopReason::Problem(problem).into_error(source, None)
}

/// The prompt and the provider of a row, as a document would have them.
fn column_of(row: &Row) -> Column {
    let prompt = row.prompt.as_ref();
    let label = prompt.and_then(|prompt| text_form(prompt.label.as_ref()?)).unwrap_or_default();
    let rendered = prompt.and_then(|prompt| prompt.raw.as_deref()).unwrap_or_default();
    let found = template(&label, rendered);
    Column {
        raw: found.unwrap_or(&label).to_owned(),
        content_is_label: found.is_none(),
        provider: row.provider.as_ref().and_then(provider_name).map(str::to_owned),
        label: Some(Value::from(label)),
        ..Column::default()
    }
}

fn provider_name(provider: &Value) -> Option<&str> {
    let label = provider["label"].as_str().filter(|label| !label.is_empty());
    provider.as_str().or(label).or_else(|| provider["id"].as_str())
}

fn run(
    source: &Source,
    columns: Vec<Option<Column>>,
    survey: Survey,
    external_id: String,
    run_id: Option<&str>,
) -> Result<(ImportedRun, Places), Problem> {
    let is_complete = survey.is_complete();
    let Survey { mut places, columns: facts, mut warnings, .. } = survey;
    let config = Value::Null;
    let paths = PROMPT_FILES.map(str::to_owned).to_vec();
    let mut mapped = Columns::new(&external_id, &config, paths);
    let mut numbers = Vec::new();
    for (position, (column, facts)) in columns.into_iter().zip(facts).enumerate() {
        numbers.push(mapped.evaluations.len());
        // Nothing is known of a column as long as there is no result of it.
        if let Some(column) = column {
            mapped.add(position, column, facts)?;
        }
    }
    places.renumber(&numbers);
    let Columns { prompts, mut evaluations, .. } = mapped;
    let status = if is_complete { EvaluationStatus::Completed } else { EvaluationStatus::Running };
    for evaluation in &mut evaluations {
        (evaluation.status, evaluation.metrics) = (status, None);
    }
    if !is_complete {
        warnings.add("not every prompt has a result for every test: the run is stored as one that is still running");
    }
    warn_of_shared_names(&prompts, &mut warnings);
    let run = ImportedRun {
        source: RunSource::Promptfoo,
        source_version: None,
        name: run_id.map_or_else(|| name_of(source), |id| cut(id, NAME_LIMIT)),
        external_id,
        description: None,
        tags: Map::new(),
        metadata: Map::new(),
        config: Value::Object(Map::new()),
        git: None,
        status,
        declared: None,
        started_at: source.modified().unwrap_or_else(Timestamp::now),
        duration_ms: None,
        prompts,
        evaluations,
        warnings: warnings.into_texts(),
        is_batch: false,
    };
    Ok((run, places.arrange()))
}

/// The name of the file, or the word for standard input.
fn name_of(source: &Source) -> String {
    cut(&source.name().file_name().unwrap_or_default().to_string_lossy(), NAME_LIMIT)
}

/// The results of a file, line by line.
struct LineRows;

impl Rows for LineRows {
    fn read(&self, source: &Source, places: &Places, sink: &mut RowSink<'_>) -> Result<usize, ImportError> {
        let mut reading = SecondReading::new(places, sink);
        let mut lines = Lines::new(source);
        while let Some((row, line)) = lines.next_row()? {
            let taken = reading.take(|_, place, warnings| {
                let column = column(&row);
                result(row, RowPlace::Line(line), (column, place.position), warnings)
            });
            taken.map_err(|reason| reason.into_error(source, None))?;
        }
        Ok(reading.rows)
    }
}

/// Reads a row a line; empty lines are passed over.
struct Lines<'a> {
    source: &'a Source,
    text: TextReader<Unpacked>,
    meter: Rc<Meter>,
    line: Vec<u8>,
    /// Lines that were read.
    number: usize,
}

impl<'a> Lines<'a> {
    fn new(source: &'a Source) -> Self {
        let text = source.text(false);
        Self { source, meter: text.meter(), text, line: Vec::new(), number: 0 }
    }

    /// The next row and the number of its line.
    fn next_row(&mut self) -> Result<Option<(Row, usize)>, ImportError> {
        loop {
            let is_complete = self.read_line().map_err(|cause| self.source.fault(cause))?;
            let line = self.line.trim_ascii_end();
            if !line.is_empty() {
                let row = serde_json::from_slice(line).map_err(|error| self.malformed(error, is_complete))?;
                return Ok(Some((row, self.number)));
            }
            if !is_complete {
                return Ok(None);
            }
        }
    }

    /// Reads the next line, and says whether an end of it was found.
    fn read_line(&mut self) -> io::Result<bool> {
        self.line.clear();
        self.meter.begin_value();
        self.number += 1;
        loop {
            let available = self.text.fill()?;
            if available.is_empty() {
                return Ok(false);
            }
            let end = available.iter().position(|&byte| byte == b'\n');
            let count = end.map_or(available.len(), |end| end + 1);
            self.line.extend_from_slice(&available[..count]);
            self.text.consume(count);
            if end.is_some() {
                return Ok(true);
            }
        }
    }

    fn malformed(&self, error: serde_json::Error, is_complete: bool) -> ImportError {
        let error = self.source.malformed(error, self.number - 1, EXPECTED_FILE);
        match error {
            ImportError::Malformed { file, column, problem, .. }
                if is_complete && problem.starts_with("the file ends") =>
            {
                let (problem, expected) = ("the line ends in the middle of a value", "one result a line");
                let line = self.number;
                ImportError::Malformed {
                    file,
                    line,
                    column,
                    problem: problem.to_owned(),
                    expected: expected.to_owned(),
                }
            }
            other => other,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::domain::EvaluationStatus;
    use crate::ingest::prepared::ImportedFile;
    use crate::ingest::promptfoo::read;
    use crate::ingest::source::Source;

    fn row(column: usize, test: usize) -> String {
        let prompt = json!({"raw": "Say a", "label": "p: prompts/p.txt: Say {{x}}"});
        json!({"promptIdx": column, "testIdx": test, "success": true, "score": 1, "vars": {"x": "a"}, "prompt": prompt,
            "provider": {"id": "openai:chat:m", "label": ""}})
        .to_string()
    }

    fn file(lines: &[String]) -> ImportedFile {
        read(lines.join("\n").as_bytes()).unwrap()
    }

    #[test]
    fn prompts_and_providers_are_found_in_the_rows() {
        let file = file(&[row(0, 1), String::new(), row(0, 0)]);
        let prompt = &file.run.prompts[0];
        assert_eq!((prompt.name.as_str(), prompt.content.as_str()), ("p", "Say {{x}}"));
        let evaluation = &file.run.evaluations[0];
        assert_eq!((evaluation.provider.as_deref(), evaluation.model.as_deref()), (Some("openai"), Some("m")));
        assert_eq!((evaluation.totals.tests, evaluation.status), (2, EvaluationStatus::Completed));
        let repetitions: Vec<_> = file.results[0].iter().map(|result| (result.position, result.repetition)).collect();
        assert_eq!(repetitions, [(0, 0), (1, 1)]);
        assert_eq!((file.run.external_id.len(), file.run.name.as_str()), (64, "input"));
    }

    #[test]
    fn a_file_that_grows_is_of_a_run_that_is_running() {
        let file = file(&[row(0, 0), row(0, 1), row(2, 0)]);
        assert_eq!(file.run.status, EvaluationStatus::Running);
        assert!(file.run.warnings[0].starts_with("not every prompt has a result"), "{:?}", file.run.warnings);
        let ids: Vec<_> = file.run.evaluations.iter().map(|evaluation| evaluation.external_id.clone()).collect();
        assert_eq!(ids, [0, 2].map(|column| format!("{}#{column}", file.run.external_id)));
        assert_eq!(file.results[1][0].external_id, "0:2");
    }

    #[test]
    fn the_id_that_is_given_names_the_run() {
        let run = super::prepare(Source::bytes(row(0, 0).as_bytes()), Some("nightly")).unwrap().run;
        assert_eq!((run.external_id.as_str(), run.name.as_str()), ("nightly", "nightly"));
    }

    #[test]
    fn a_run_is_running_while_a_single_result_is_missing() {
        let complete = file(&[row(0, 0), row(0, 1), row(1, 0), row(1, 1)]);
        assert_eq!(complete.run.status, EvaluationStatus::Completed);
        let growing = file(&[row(0, 0), row(0, 1), row(1, 0)]);
        assert_eq!(growing.run.status, EvaluationStatus::Running);
    }

    #[test]
    fn lines_that_are_wrong_are_told_by_number() {
        for (lines, begin) in [
            (vec![row(0, 0), "{\"promptIdx\": ".to_owned()], "input:2:13: the file ends in the middle of a value"),
            (vec!["{\"promptIdx\": ".to_owned(), row(0, 0)], "input:1:13: the line ends in the middle of a value"),
            (vec![row(0, 0), "[]".to_owned()], "input:2:"),
            (vec![row(0, 0), row(0, 1) + "}"], "input:2:"),
            (vec![row(0, 0), r#"{"promptIdx": -1}"#.to_owned()], "input: line 2: promptIdx: found -1, expected"),
        ] {
            let error = read(lines.join("\n").as_bytes()).unwrap_err().to_string();
            assert!(error.starts_with(begin), "{begin}: {error}");
        }
    }

    #[test]
    fn what_looks_like_a_name_is_one_where_the_template_is_missing() {
        let prompt = json!({"raw": "[{\"role\": \"user\"}]", "label": "triage-chat"});
        let row = json!({"promptIdx": 0, "success": true, "prompt": prompt}).to_string();
        let file = file(&[row]);
        let prompt = &file.run.prompts[0];
        assert_eq!((prompt.name.as_str(), prompt.content.as_str()), ("triage-chat", "triage-chat"));
        assert_eq!(prompt.metadata["promptfoo"]["contentIsLabel"], true);
    }
}
