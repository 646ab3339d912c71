//! `evalgraph import`.

mod bar;

use std::io::Write as _;
use std::path::PathBuf;

use anyhow::{Context as _, bail};
use clap::{Args, Subcommand};

use self::bar::Bar;
use super::stop_signals::StopSignals;
use super::user;
use crate::config::Settings;
use crate::db::pool::DatabaseLocation;
use crate::db::{Database, migrate, planner};
use crate::domain::Principal;
use crate::graphql::run_id;
use crate::ingest::{Format, ImportError, ImportReport, Input, Options, Progress, import};

/// The tools whose files can be imported.
#[derive(Debug, Subcommand)]
pub enum ImportCommand {
    /// Result files of promptfoo: JSON of the formats 2 and 3, JSON Lines, and what `promptfoo share` sends
    Promptfoo {
        #[command(flatten)]
        arguments: ImportArguments,
        /// The run that the file is of, where the file does not say: JSON Lines never do
        #[arg(long, value_name = "ID", value_parser = user::name)]
        run_id: Option<String>,
    },
    /// Logs of Inspect, as JSON (`inspect log convert --to json`)
    Inspect {
        #[command(flatten)]
        arguments: ImportArguments,
    },
}

/// What every import needs to know.
#[derive(Debug, Args)]
pub struct ImportArguments {
    /// The files, compressed with gzip or not; `-` is standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Who owns what is imported, and has imported it for the audit log
    #[arg(long, value_name = "ID", default_value = Principal::LOCAL_USER, value_parser = user::name)]
    user: String,
    /// Say what would be stored, and store nothing
    #[arg(long)]
    dry_run: bool,
}

/// Imports files, one after the other; each is stored as a whole or not at all, whatever becomes of the others.
pub async fn run(settings: &Settings, location: &DatabaseLocation, command: ImportCommand) -> anyhow::Result<()> {
    let (format, arguments, run_id) = match command {
        ImportCommand::Promptfoo { arguments, run_id } => (Format::Promptfoo, arguments, run_id),
        ImportCommand::Inspect { arguments } => (Format::Inspect, arguments, None),
    };
    let ImportArguments { files, user, dry_run } = arguments;
    let inputs: Vec<_> = files.into_iter().map(Input::from_argument).collect();
    if run_id.is_some() && inputs.len() > 1 {
        bail!("--run-id is for one file: each of several has a run of its own");
    }
    if inputs.iter().filter(|input| **input == Input::StandardInput).count() > 1 {
        bail!("standard input (`-`) can be read only once");
    }
    migrate::migrate(location).await?;
    let database = Database::open(location, &settings.command_pool()).await?;
    let import = Import { database, format, user, options: Options { run_id, dry_run } };
    import.all(&inputs).await
}

/// The import of one or more files.
struct Import {
    database: Database,
    format: Format,
    user: String,
    options: Options,
}

impl Import {
    async fn all(&self, inputs: &[Input]) -> anyhow::Result<()> {
        let mut stop_signals = StopSignals::catch()?;
        let (mut last, mut failed, mut stored) = (None, Vec::new(), 0);
        for input in inputs {
            let (imported, is_stopped) = self.one(input, &mut stop_signals).await;
            match imported {
                Ok(report) => {
                    say(&format!("{input}: {report}"))?;
                    last = Some(report.run_id);
                    stored += if report.dry_run { 0 } else { report.new_results };
                }
                // The others are left alone too.
                Err(error @ ImportError::Cancelled { .. }) => {
                    self.notice_growth(stored).await;
                    return Err(error.into());
                }
                Err(error) if inputs.len() == 1 => return Err(error.into()),
                Err(error) => {
                    eprintln!("evalgraph: {error}");
                    failed.push(input.to_string());
                }
            }
            if is_stopped {
                self.notice_growth(stored).await;
                bail!("told to stop after {input}: the files after it were not imported");
            }
        }
        self.notice_growth(stored).await;
        if let Some(run) = last.filter(|_| !self.options.dry_run) {
            say(&format!("\nTo see the result, start the server and send:\n{}", query(&run_id(run))))?;
        }
        if failed.is_empty() {
            return Ok(());
        }
        bail!("{} of {} files were not imported: {}", failed.len(), inputs.len(), failed.join(", "));
    }

    /// What is stored is stored, whether or not the database could be told.
    async fn notice_growth(&self, results: usize) {
        if results > 0
            && let Err(error) = planner::notice_growth(&self.database, results).await
        {
            tracing::warn!(%error, "PostgreSQL could not be told to look at its tables: queries are slower for a while");
        }
    }

    /// Imports one file, and says whether a signal came meanwhile. Ctrl-C and SIGTERM end the import, unless it is all
    /// but complete; a second one ends the process at once.
    async fn one(&self, input: &Input, stop_signals: &mut StopSignals) -> (Result<ImportReport, ImportError>, bool) {
        let progress = Progress::default();
        let _bar = Bar::show(input, &progress);
        let import = import(&self.database, self.format, input, &self.user, &self.options, &progress);
        tokio::pin!(import);
        tokio::select! {
            report = &mut import => return (report, false),
            () = stop_signals.next() => progress.cancel(),
        }
        tokio::select! {
            report = import => (report, true),
            () = stop_signals.next() => std::process::exit(130),
        }
    }
}

/// Writes to standard output, which may have been closed.
fn say(text: &str) -> anyhow::Result<()> {
    writeln!(std::io::stdout(), "{text}").context("what was imported cannot be told: standard output cannot be written")
}

fn query(run: &str) -> String {
    format!(
        "{{ run(id: \"{run}\") {{ name evaluations(first: 10) {{ nodes {{ prompt {{ name version }} model passRate \
         testResults(first: 3, filter: {{ passed: false }}) {{ totalCount nodes {{ testCaseName reason }} }} }} }} }} }}"
    )
}
