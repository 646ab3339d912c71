//! Result files of promptfoo: JSON, format 3.

mod assertions;
mod cases;
mod checks;
mod columns;
mod file;
mod labels;
mod mapping;
mod metadata;
mod numbers;
mod outcome;
mod provider;
mod results;

use std::path::Path;

use serde_json::error::Category;
use serde_json::value::RawValue;

use self::file::{OutputFile, Probe, VersionProbe};
use super::json::repair_escapes;
use super::{ImportError, ImportedRun};
use crate::domain::sha256_hex;

/// What every file of promptfoo is.
const EXPECTED_FILE: &str = "one JSON document as `promptfoo eval -o output.json` writes it, with `results.version` 3";

/// Reads a file that contains `bytes`.
pub(super) fn parse(path: &Path, mut bytes: Vec<u8>) -> Result<ImportedRun, ImportError> {
    let replaced = repair_escapes(&mut bytes);
    let json = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(&bytes);
    check_version(path, json)?;
    let file: OutputFile = serde_json::from_slice(json).map_err(|error| malformed(path, &error))?;
    let mut run = mapping::run(file, || sha256_hex(json)).map_err(|problem| ImportError::Value {
        file: path.to_owned(),
        place: problem.place,
        problem: problem.problem,
    })?;
    if replaced > 0 {
        run.warnings.push(format!("characters that cannot be stored were replaced by U+FFFD: {replaced}"));
    }
    Ok(run)
}

/// Makes sure that the file is one of promptfoo's and of the version that can be read, before anything else is
/// expected of it.
fn check_version(path: &Path, json: &[u8]) -> Result<(), ImportError> {
    let begin = json.iter().position(|byte| !byte.is_ascii_whitespace());
    match begin {
        None => return Err(malformed_at(path, json, 0, "the file is empty")),
        Some(begin) if json[begin] != b'{' => return Err(malformed_at(path, json, begin, "this is no JSON object")),
        Some(_) => {}
    }
    let probe: Probe<'_> = serde_json::from_slice(json).map_err(|error| malformed(path, &error))?;
    let version = version_of(probe.results).ok_or_else(|| {
        let begin = probe.results.get().as_ptr() as usize - json.as_ptr() as usize;
        malformed_at(path, json, begin, "these are not the results of promptfoo")
    })?;
    let problem = match version {
        3.0 => return Ok(()),
        2.0 => "format 2 is not supported yet; export it again with a newer promptfoo, which writes format 3 \
                (0.123.1 is known to)"
            .to_owned(),
        _ => format!("format {version} is not known to this release, which reads format 3 (`results.version`)"),
    };
    Err(ImportError::Unsupported { file: path.to_owned(), problem })
}

fn version_of(results: &RawValue) -> Option<f64> {
    // Of an array serde would read the first element as the version.
    let probe: VersionProbe =
        results.get().starts_with('{').then(|| serde_json::from_str(results.get()).ok()).flatten()?;
    probe.version.as_f64()
}

fn malformed_at(path: &Path, json: &[u8], offset: usize, problem: &str) -> ImportError {
    let before = &json[..offset];
    let line_begin = before.iter().rposition(|&byte| byte == b'\n').map_or(0, |newline| newline + 1);
    ImportError::Malformed {
        file: path.to_owned(),
        line: before.iter().filter(|&&byte| byte == b'\n').count() + 1,
        column: offset - line_begin + 1,
        problem: problem.to_owned(),
        expected: EXPECTED_FILE.to_owned(),
    }
}

fn malformed(path: &Path, error: &serde_json::Error) -> ImportError {
    let message = error.to_string();
    let position = format!(" at line {} column {}", error.line(), error.column());
    let message = message.strip_suffix(&position).unwrap_or(&message);
    let (problem, expected) = match (error.classify(), message.rsplit_once(", expected ")) {
        (Category::Eof, _) => {
            ("the file ends in the middle of a value: it was cut off", "the rest of the JSON document")
        }
        (Category::Data, Some((problem, expected))) => (problem, in_json_words(expected)),
        _ if message == "number out of range" => (message, "a number up to about 1.8e308"),
        _ => (message, EXPECTED_FILE),
    };
    ImportError::Malformed {
        file: path.to_owned(),
        line: error.line().max(1),
        column: error.column().max(1),
        problem: problem.to_owned(),
        expected: expected.to_owned(),
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

#[cfg(test)]
mod tests {
    use super::*;

    fn error(json: &str) -> String {
        parse(Path::new("o.json"), json.as_bytes().to_vec()).unwrap_err().to_string()
    }

    #[test]
    fn what_is_not_of_promptfoo_is_refused() {
        for (json, begin) in [
            ("", "o.json:1:1: the file is empty; expected one JSON document as"),
            ("\n <html>", "o.json:2:2: this is no JSON object; expected one JSON document as"),
            ("[1]", "o.json:1:1: this is no JSON object; expected"),
            ("{\"a\": 1}", "o.json:1:8: missing field `results`; expected"),
            ("{\"results\":\n [3]}", "o.json:2:2: these are not the results of promptfoo; expected"),
            ("{\"results\": {}}\n{}", "o.json:2:1: trailing characters; expected"),
            ("{\"results\": {},}", "o.json:1:16: trailing comma; expected"),
            ("{\"results\": {\"ver", "o.json:1:17: the file ends in the middle of a value: it was cut off; expected"),
        ] {
            assert!(error(json).starts_with(begin), "{}", error(json));
        }
    }

    #[test]
    fn other_versions_are_named() {
        let message = error(r#"{"results": {"version": 2, "results": [1]}}"#);
        assert!(message.starts_with("o.json: format 2 is not supported yet; export it again with"), "{message}");
        let message = error(r#"{"results": {"version": 4}}"#);
        assert!(message.starts_with("o.json: format 4 is not known"), "{message}");
    }

    #[test]
    fn values_of_the_wrong_type_are_named() {
        let file = |prompts: &str, results: &str| {
            format!(
                "{{\"evalId\": \"e\", \"results\": {{\"version\": 3, \"timestamp\": \"2026-11-23T06:13:02Z\",\n\
                 \"prompts\": {prompts}, \"results\": {results}}}}}"
            )
        };
        let message = error(&file("[]", r#"[{"score": "x"}]"#));
        assert_eq!(message, "o.json:2:40: invalid type: string \"x\"; expected a number");
        let message = error(&file("[]", r#"[{"score": 1e400}]"#));
        assert_eq!(message, "o.json:2:42: number out of range; expected a number up to about 1.8e308");
        let message = error(&file("{}", "[]"));
        assert_eq!(message, "o.json:2:11: invalid type: map; expected a list");
        let message = error(&file(r#"[{"raw": "a"}]"#, r#"[{"promptIdx": 1}]"#));
        assert!(message.starts_with("o.json: results.results[0].promptIdx: "), "{message}");
    }

    #[test]
    fn a_byte_order_mark_and_unstorable_characters_do_no_harm() {
        let json = "\u{feff}{\"results\": {\"version\": 3, \"timestamp\": \"2026-11-23T06:13:02Z\", \
                    \"prompts\": [{\"raw\": \"a\\u0000\"}], \"results\": []}}";
        let run = parse(Path::new("o.json"), json.as_bytes().to_vec()).unwrap();
        assert_eq!(run.prompts[0].content, "a\u{fffd}");
        assert_eq!(run.warnings, ["characters that cannot be stored were replaced by U+FFFD: 1"]);
        assert_eq!(run.external_id.len(), 64);
    }
}
