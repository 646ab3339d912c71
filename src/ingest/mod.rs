//! Importing the result files of other tools.
//!
//! A format is a module that reads a file twice, in pieces: first to check all of it and to find out what it says about
//! the run and where each result belongs, then to store the results. So a file of any size takes little memory, and
//! what is wrong with it is known before anything is written. Storing is the same for all formats and can be repeated:
//! what is there already stays as it is, and only what is missing is written.

mod differences;
mod error;
pub mod inspect;
mod json;
mod members;
mod model;
mod numbers;
mod places;
mod prepared;
mod problem;
mod progress;
pub mod promptfoo;
mod redact;
mod report;
mod rows;
mod source;
mod store;
mod versions;
mod warnings;

use crate::db::Database;
use crate::domain::totals;

pub use crate::domain::{ScoreSum, Totals};
pub use error::ImportError;
pub use model::{ImportedEvaluation, ImportedPrompt, ImportedResult, ImportedRun, ImportedTokens};
pub use prepared::ImportedFile;
pub use progress::Progress;
pub use report::ImportReport;
pub use source::Input;

use self::prepared::Prepared;
use self::source::Source;

/// The kinds of files that can be imported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// What `promptfoo eval -o` writes into a JSON or JSON Lines file.
    Promptfoo,
    /// What Inspect writes as a log, in JSON.
    Inspect,
}

/// How a file is imported.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// What the tool calls the run, where the file does not say.
    pub run_id: Option<String>,
    /// Whether everything that was stored is taken back in the end.
    pub dry_run: bool,
}

/// Reads the input and stores, for the user, what of it is not stored yet: all of it or, after an error, nothing.
///
/// # Errors
/// When the input cannot be read or understood, or the database fails.
pub async fn import(
    database: &Database,
    format: Format,
    input: &Input,
    user_id: &str,
    options: &Options,
    progress: &Progress,
) -> Result<ImportReport, ImportError> {
    let (opened, options, progress) = (input.clone(), options.clone(), progress.clone());
    let dry_run = options.dry_run;
    // Reading takes long, and would hold up others on an asynchronous thread.
    let reading = tokio::task::spawn_blocking(move || prepare(format, &opened, &options, progress));
    let prepared = match reading.await {
        Ok(prepared) => prepared?,
        Err(cause) => return Err(ImportError::Interrupted { file: input.name(), cause: cause.to_string() }),
    };
    store::store(database, prepared, user_id, dry_run).await
}

fn prepare(format: Format, input: &Input, options: &Options, progress: Progress) -> Result<Prepared, ImportError> {
    let source = Source::open(input, progress)?;
    match format {
        Format::Promptfoo => promptfoo::prepare(source, options),
        Format::Inspect => inspect::prepare(source),
    }
}
