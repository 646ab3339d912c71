//! Ending the reading of a document from within.

use super::Source;
use crate::ingest::error::ImportError;
use crate::ingest::problem::Problem;

/// Why the reading of a document ends although its JSON is well.
#[derive(Debug)]
pub(in crate::ingest) enum StopReason {
    /// A value cannot be stored.
    Problem(Problem),
    /// Whatever takes the rows has failed.
    Failed(ImportError),
    /// The file is of a kind that is not read here: which, and the way out.
    Unsupported(String),
}

impl StopReason {
    /// What the user is told. The line is left out where the place of a problem begins with it.
    pub fn into_error(self, source: &Source, line: Option<usize>) -> ImportError {
        let file = source.name().to_owned();
        match self {
            Self::Failed(error) => error,
            Self::Problem(Problem { place, problem }) => ImportError::Value { file, line, place, problem },
            Self::Unsupported(problem) => ImportError::Unsupported { file, problem },
        }
    }
}

impl From<Problem> for StopReason {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem)
    }
}

/// Keeps the reason until the parser, which knows only its own errors, has returned.
#[derive(Debug, Default)]
pub(in crate::ingest) struct Stop(Option<StopReason>);

impl Stop {
    /// Makes the parser stop.
    pub fn at(&mut self, reason: impl Into<StopReason>) -> String {
        self.0 = Some(reason.into());
        "stopped".to_owned()
    }

    /// The reason, where there is one; else what the parser returned. The parser knows the line.
    pub fn or(self, source: &Source, parsed: Result<(), ImportError>) -> Result<(), ImportError> {
        let Some(reason) = self.0 else { return parsed };
        let line = match parsed {
            Err(ImportError::Malformed { line, .. }) => Some(line),
            _ => None,
        };
        Err(reason.into_error(source, line))
    }
}
