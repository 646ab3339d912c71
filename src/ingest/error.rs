//! Why a file was not imported.

use std::fmt;
use std::io;
use std::path::PathBuf;

use thiserror::Error;

use crate::db::DbError;

/// Why a file was not imported. Nothing of it is stored then.
#[derive(Debug, Error)]
pub enum ImportError {
    /// The file cannot be read.
    #[error("{}: the file cannot be read: {cause}", file.display())]
    Read {
        /// The file.
        file: PathBuf,
        /// What the system says.
        cause: io::Error,
    },
    /// The file is not what it should be at some place of its text.
    #[error("{}:{line}:{column}: {problem}; expected {expected}", file.display())]
    Malformed {
        /// The file.
        file: PathBuf,
        /// The line, counted from 1.
        line: usize,
        /// The column, counted from 1 in bytes.
        column: usize,
        /// What was found.
        problem: String,
        /// What should be there.
        expected: String,
    },
    /// The bytes of the file are not what they should be.
    #[error("{}: byte {byte}: {problem}; expected {expected}", file.display())]
    Damaged {
        /// The file.
        file: PathBuf,
        /// The byte, counted from 0; of the unpacked text, where it is the text that is at fault.
        byte: u64,
        /// What was found.
        problem: String,
        /// What should be there.
        expected: String,
    },
    /// The file is of a version of the format, or of a tool, that is not read here.
    #[error("{}: {problem}", file.display())]
    Unsupported {
        /// The file.
        file: PathBuf,
        /// The version that was found, and the way out.
        problem: String,
    },
    /// The file is JSON of the right form, and a value in it cannot be stored.
    #[error("{}{}: {place}: {problem}", file.display(), Line(*line))]
    Value {
        /// The file.
        file: PathBuf,
        /// The line of the value or of its end, counted from 1, where it is known.
        line: Option<usize>,
        /// The path of the value within the document.
        place: String,
        /// What was found and what was expected.
        problem: String,
    },
    /// The database failed.
    #[error("{}: nothing was stored: {cause}", file.display())]
    Store {
        /// The file.
        file: PathBuf,
        /// What the database says.
        cause: DbError,
    },
    /// The file changed between two looks at it.
    #[error("{}: nothing was stored: the file changed while it was read", file.display())]
    Changed {
        /// The file.
        file: PathBuf,
    },
    /// The user asked for the import to end.
    #[error("{}: nothing was stored: the import was interrupted", file.display())]
    Cancelled {
        /// The file.
        file: PathBuf,
    },
    /// The work on the file ended early.
    #[error("{}: reading the file ended early: {cause}", file.display())]
    Interrupted {
        /// The file.
        file: PathBuf,
        /// Why.
        cause: String,
    },
}

/// A line number after a file's name.
struct Line(Option<usize>);

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.map_or(Ok(()), |line| write!(f, ":{line}"))
    }
}
