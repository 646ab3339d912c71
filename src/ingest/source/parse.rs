//! Reading JSON from a source, and saying what is wrong with it.

use std::io::Read;

use serde::de::DeserializeSeed;
use serde_json::error::Category;

use super::{Source, TextReader};
use crate::ingest::error::ImportError;

/// What zip archives begin with.
const ZIP: &[u8] = b"PK\x03\x04";

impl Source {
    /// Makes sure that the text begins with one of these brackets, before anything is said about what is in them, and
    /// says with which.
    pub fn check_begin(&self, brackets: &[u8], expected: &str) -> Result<u8, ImportError> {
        if self.begins_with(ZIP).map_err(|cause| self.fault(cause))? {
            let problem = "this is a zip archive; if it is a log of Inspect (`.eval`), convert it with `inspect log \
                           convert --to json --output-dir DIRECTORY FILE` and import the result";
            return Err(ImportError::Unsupported { file: self.name().to_owned(), problem: problem.to_owned() });
        }
        let mut text = self.text(false);
        let (mut line, mut column) = (1, 1);
        loop {
            let begin = text.fill().map_err(|cause| self.fault(cause))?.first().copied();
            let problem = match begin {
                Some(bracket) if brackets.contains(&bracket) => return Ok(bracket),
                Some(b'\n') => {
                    (line, column) = (line + 1, 1);
                    text.consume(1);
                    continue;
                }
                Some(byte) if byte.is_ascii_whitespace() => {
                    column += 1;
                    text.consume(1);
                    continue;
                }
                Some(_) if brackets.contains(&b'[') => "this is no JSON object or list",
                Some(_) => "this is no JSON object",
                None => "the file is empty",
            };
            let (file, problem, expected) = (self.name().to_owned(), problem.to_owned(), expected.to_owned());
            return Err(ImportError::Malformed { file, line, column, problem, expected });
        }
    }

    /// Reads one JSON document from its text. `expected` says what the whole of it should be.
    pub fn parse<'de, R: Read, S: DeserializeSeed<'de>>(
        &self,
        text: TextReader<R>,
        seed: S,
        expected: &str,
    ) -> Result<S::Value, ImportError> {
        let mut deserializer = serde_json::Deserializer::from_reader(text);
        let value = seed.deserialize(&mut deserializer);
        let value = value.and_then(|value| deserializer.end().map(|()| value));
        value.map_err(|error| self.malformed(error, 0, expected))
    }

    /// What an error in the JSON means that begins after so many lines.
    pub fn malformed(&self, error: serde_json::Error, lines_before: usize, expected: &str) -> ImportError {
        if error.classify() == Category::Io {
            return self.fault(error.into());
        }
        let message = error.to_string();
        let position = format!(" at line {} column {}", error.line(), error.column());
        let message = message.strip_suffix(&position).unwrap_or(&message);
        let (problem, expected) = explain(error.classify(), message, expected);
        ImportError::Malformed {
            file: self.name().to_owned(),
            line: error.line().max(1) + lines_before,
            column: error.column().max(1),
            problem: problem.to_owned(),
            expected: expected.to_owned(),
        }
    }
}

fn explain<'a>(category: Category, message: &'a str, expected: &'a str) -> (&'a str, &'a str) {
    if category == Category::Eof {
        return ("the file ends in the middle of a value: it was cut off", "the rest of the JSON document");
    }
    match (category, message.rsplit_once(", expected ")) {
        (Category::Data, Some((problem, expected))) => (problem, in_json_words(expected)),
        _ => match message {
            "number out of range" => (message, "a number up to about 1.8e308"),
            "expected value" | "expected ident" => ("this is no JSON value", expected),
            "recursion limit exceeded" => ("the values are nested too deeply", "at most 127 levels"),
            _ => (message, expected),
        },
    }
}

/// What serde expects, in the words of JSON.
fn in_json_words(expected: &str) -> &str {
    match expected {
        "f64" => "a number",
        "a sequence" => "a list",
        "a map" => "an object",
        _ if expected.starts_with("struct ") => "an object",
        other => other,
    }
}
