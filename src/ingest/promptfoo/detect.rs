//! What kind of file it is.

use serde::de::{DeserializeSeed as _, Error as _, MapAccess};

use super::EXPECTED_FILE;
use crate::ingest::ImportError;
use crate::ingest::source::{Object, ObjectReader, Skipped, Source};

/// The kinds of files that promptfoo writes and that are read here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// One JSON document for a whole run.
    Document,
    /// One result a line.
    Lines,
    /// What `promptfoo share` sends first: a run without its results.
    Record,
    /// What it sends then: a list of results.
    Batch,
}

/// What the first object of a file looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Looks {
    Promptfoo(Kind),
    Inspect,
}

/// Looks at the beginning of the file.
pub(super) fn detect(source: &Source) -> Result<Kind, ImportError> {
    if source.check_begin(b"{[", EXPECTED_FILE)? == b'[' {
        return Ok(Kind::Batch);
    }
    let mut keys = Keys { looks: None };
    let text = source.text(false);
    text.meter().begin_unlimited();
    let mut deserializer = serde_json::Deserializer::from_reader(text);
    let read = Object::new(&mut keys).deserialize(&mut deserializer);
    match (keys.looks, read) {
        (Some(Looks::Promptfoo(kind)), _) => Ok(kind),
        (Some(Looks::Inspect), _) => Err(ImportError::Unsupported {
            file: source.name().to_owned(),
            problem: "this looks like a log of Inspect: use `evalgraph import inspect`".to_owned(),
        }),
        (None, Ok(())) => {
            let error = serde_json::Error::custom("these are not the results of promptfoo");
            Err(source.malformed(error, 0, EXPECTED_FILE))
        }
        (None, Err(error)) => Err(source.malformed(error, 0, EXPECTED_FILE)),
    }
}

/// Looks at the names of members until one of them tells.
struct Keys {
    looks: Option<Looks>,
}

impl<'de> ObjectReader<'de> for Keys {
    fn member<A: MapAccess<'de>>(&mut self, name: &str, map: &mut A) -> Result<(), A::Error> {
        self.looks = match name {
            "createdAt" => Some(Looks::Promptfoo(Kind::Record)),
            "evalId" | "results" | "config" => Some(Looks::Promptfoo(Kind::Document)),
            "promptIdx" | "testIdx" | "promptId" | "testCase" | "gradingResult" | "failureReason" | "latencyMs"
            | "namedScores" | "success" => Some(Looks::Promptfoo(Kind::Lines)),
            "eval" | "plan" | "samples" => Some(Looks::Inspect),
            _ => return map.next_value::<Skipped>().map(drop),
        };
        // There is no other way to stop.
        Err(A::Error::custom("enough was seen"))
    }
}
