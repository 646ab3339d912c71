//! The command line.

mod import;
mod migrate;
mod schema;
mod serve;

use std::io::IsTerminal as _;
use std::path::PathBuf;

use clap::{Parser, Subcommand};
use tracing_subscriber::EnvFilter;

use crate::config::{LogFormat, Settings};
use crate::db::pool::DatabaseLocation;
use crate::domain::Principal;

/// A self-hosted GraphQL server over LLM prompts, the evaluations run on them and the result of every test case.
#[derive(Debug, Parser)]
#[command(version, about)]
pub struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    settings: Settings,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve GraphQL (what happens without a command)
    Serve {
        /// Load a demo data set first, unless it is there
        #[arg(long)]
        demo: bool,
    },
    /// Bring the database to the schema of this release
    Migrate {
        /// Take back the last N migrations instead
        #[arg(long, value_name = "N")]
        revert: Option<usize>,
    },
    /// Print the GraphQL schema
    Schema,
    /// Import result files of other tools
    Import {
        #[command(subcommand)]
        format: ImportFormat,
    },
}

#[derive(Debug, Subcommand)]
enum ImportFormat {
    /// Result files of promptfoo: JSON, format 3
    Promptfoo {
        /// The files
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
        /// Who owns what is imported
        #[arg(long, value_name = "ID", default_value = Principal::LOCAL_USER)]
        user: String,
    },
}

impl Cli {
    /// Carries out the command.
    ///
    /// # Errors
    /// With a message for the user.
    pub async fn run(self) -> anyhow::Result<()> {
        self.settings.validate()?;
        start_logging(&self.settings);
        let command = self.command.unwrap_or(Command::Serve { demo: false });
        if let Command::Schema = command {
            return schema::run();
        }
        let location = database(&self.settings)?;
        match command {
            Command::Serve { demo } => serve::run(&self.settings, &location, demo).await,
            Command::Migrate { revert } => migrate::run(&location, revert).await,
            Command::Schema => schema::run(),
            Command::Import { format: ImportFormat::Promptfoo { files, user } } => {
                import::run(&self.settings, &location, crate::ingest::Format::Promptfoo, &files, &user).await
            }
        }
    }
}

fn database(settings: &Settings) -> anyhow::Result<DatabaseLocation> {
    Ok(settings.database(std::env::var("DATABASE_URL").ok())?)
}

/// Logs go to standard error: standard output is for what was asked for.
fn start_logging(settings: &Settings) {
    let filter = EnvFilter::try_new(&settings.log).unwrap_or_else(|_| EnvFilter::new("info"));
    let colours = std::io::stderr().is_terminal();
    let logging = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(colours);
    match settings.log_format {
        LogFormat::Text => logging.init(),
        LogFormat::Json => logging.json().flatten_event(true).init(),
    }
}
