//! The command line.

mod admin;
mod cache;
mod completions;
mod config;
mod help;
mod import;
mod log_filter;
mod migrate;
mod open_files;
mod purge;
mod schema;
mod serve;
mod slow_queries;
mod stop_signals;
mod token;
mod totals;
mod user;

use std::ffi::OsString;
use std::path::PathBuf;

use clap::error::ErrorKind;
use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand};
use clap_complete::Shell;
use thiserror::Error;

use crate::config::{Effective, Faults, Layers, Settings, without_variables};
use crate::db::DbError;
use crate::ingest::ImportError;
use crate::telemetry::{self, Exporting};

/// A self-hosted GraphQL server over LLM prompts, the evaluations run on them and the result of every test case.
#[derive(Debug, Parser)]
#[command(version, about)]
pub struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    /// TOML file with settings, under the names that `evalgraph config` prints. None is read unless it is named
    #[arg(long, global = true, env = CONFIG_VARIABLE, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(flatten)]
    settings: Settings,
    /// The settings again, with their origins.
    #[arg(skip)]
    effective: Effective,
}

/// The variable that names the configuration file.
const CONFIG_VARIABLE: &str = "EVALGRAPH_CONFIG";

/// Why there is nothing to run.
#[derive(Debug, Error)]
pub enum Refusal {
    /// The arguments make no sense, or ask for help.
    #[error(transparent)]
    Usage(#[from] clap::Error),
    /// The configuration does not.
    #[error(transparent)]
    Configuration(#[from] Faults),
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
    /// Print the settings in effect and where each comes from
    ///
    /// The output is a configuration file with the same effect, but for passwords. Fails when the settings cannot be used.
    Config {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Print the script that teaches a shell to complete arguments
    Completions {
        /// The shell
        shell: Shell,
    },
    /// Import result files of other tools
    Import {
        #[command(subcommand)]
        command: import::ImportCommand,
    },
    /// Remove prompts for good that were deleted, with their evaluations and the results of those
    ///
    /// Prompts that a baseline needs are kept and listed; the command fails then.
    Purge {
        #[command(flatten)]
        arguments: purge::PurgeArguments,
    },
    /// Look at what the servers of the database share to remember, or make them forget it
    Cache {
        #[command(subcommand)]
        command: cache::CacheCommand,
    },
    /// Tell what the server at --admin-listen logs, or change it until that server ends
    LogFilter {
        /// A level, or levels by module: info,evalgraph::db=debug
        filter: Option<String>,
    },
    /// Tell which statements of the server at --admin-listen took long, by statement and by table
    SlowQueries {
        /// Tell how PostgreSQL would carry out those that took the most time
        #[arg(long)]
        plans: bool,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Make, list and revoke API tokens, with which programs identify themselves
    Token {
        #[command(subcommand)]
        command: token::TokenCommand,
    },
    /// Check the totals that are kept of prompts and evaluations, or compute them anew
    Totals {
        #[command(subcommand)]
        command: totals::TotalsCommand,
    },
}

impl Cli {
    /// Reads the arguments, the variables and the configuration file.
    ///
    /// # Errors
    /// When one of them cannot be used, or help is asked for.
    pub fn read(arguments: &[OsString], variable: impl Fn(&str) -> Option<OsString>) -> Result<Self, Refusal> {
        let definition = || help::arranged(without_variables(Self::command()));
        let matches = definition().try_get_matches_from(arguments).map_err(|error| with_variables(error, arguments))?;
        let mut cli = Self::from_arg_matches(&matches)?;
        if cli.command.as_ref().is_some_and(Command::needs_no_settings) {
            return Ok(cli);
        }
        let named = || variable(CONFIG_VARIABLE).filter(|path| !path.is_empty()).map(PathBuf::from);
        let layers = Layers::read(cli.config.take().or_else(named).as_deref(), variable, &matches)?;
        let command = help::arranged(layers.apply(without_variables(Self::command())));
        let matches = command.try_get_matches_from(arguments)?;
        let mut cli = Self::from_arg_matches(&matches)?;
        cli.effective = layers.effective(&matches, &cli.settings);
        Ok(cli)
    }

    /// The settings.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Carries out the command.
    ///
    /// # Errors
    /// With a message for the user.
    pub async fn run(mut self) -> anyhow::Result<()> {
        let command = self.command.take().unwrap_or(Command::Serve { demo: false });
        if command.needs_no_store() {
            return self.carry_out(command).await;
        }
        self.settings.validate()?;
        let exporting = Exporting::start(self.settings.env.as_str(), |name| std::env::var(name).ok())?;
        telemetry::start_logging(&self.settings.log, self.settings.log_format(), exporting.as_ref());
        let done = telemetry::within(command.traced_as().and_then(telemetry::root), self.carry_out(command)).await;
        if let Some(exporting) = exporting {
            exporting.finish().await;
        }
        done
    }

    async fn carry_out(self, command: Command) -> anyhow::Result<()> {
        match command {
            Command::Schema => schema::run(),
            Command::Completions { shell } => completions::run(help::arranged(Self::command()), shell),
            Command::Config { json } => config::run(&self.settings, &self.effective, json),
            Command::Serve { demo } => serve::run(&self.settings, &self.settings.database()?, demo).await,
            Command::Migrate { revert } => migrate::run(&self.settings.database()?, revert).await,
            Command::Import { command } => {
                import::run(&self.settings, &self.settings.database()?, command).await.map_err(with_way_out)
            }
            Command::Purge { arguments } => {
                purge::run(&self.settings, &self.settings.database()?, arguments).await.map_err(with_way_out)
            }
            Command::Cache { command } => {
                cache::run(&self.settings, &self.settings.database()?, command).await.map_err(with_way_out)
            }
            Command::SlowQueries { plans, json } => slow_queries::run(&self.settings, plans, json).await,
            Command::LogFilter { filter } => log_filter::run(&self.settings, filter).await,
            Command::Token { command } => {
                token::run(&self.settings, &self.settings.database()?, command).await.map_err(with_way_out)
            }
            Command::Totals { command } => {
                totals::run(&self.settings, &self.settings.database()?, command).await.map_err(with_way_out)
            }
        }
    }
}

impl Command {
    /// Whether it works whatever the configuration says.
    fn needs_no_settings(&self) -> bool {
        matches!(self, Self::Schema | Self::Completions { .. })
    }

    /// Whether it reads and writes no data.
    fn needs_no_store(&self) -> bool {
        self.needs_no_settings()
            || matches!(self, Self::Config { .. } | Self::LogFilter { .. } | Self::SlowQueries { .. })
    }

    /// The span of the whole command. A server has one for each request instead.
    fn traced_as(&self) -> Option<&'static str> {
        match self {
            Self::Migrate { .. } => Some("evalgraph migrate"),
            Self::Import { .. } => Some("evalgraph import"),
            Self::Purge { .. } => Some("evalgraph purge"),
            Self::Token { .. } => Some("evalgraph token"),
            Self::Totals { .. } => Some("evalgraph totals"),
            _ => None,
        }
    }
}

/// Tells what helps against the time limit of commands, where that was the cause.
fn with_way_out(error: anyhow::Error) -> anyhow::Error {
    let cause = error.chain().find_map(|cause| match cause.downcast_ref::<ImportError>() {
        Some(ImportError::Store { cause, .. }) => Some(cause),
        _ => cause.downcast_ref::<DbError>(),
    });
    match cause {
        Some(cause) if cause.is_time_limit() => {
            error.context("the database took longer than --command-timeout-ms allows")
        }
        _ => error,
    }
}

/// Help tells the variables, which the arguments are not read from otherwise.
fn with_variables(error: clap::Error, arguments: &[OsString]) -> clap::Error {
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            help::arranged(Cli::command()).try_get_matches_from(arguments).err().unwrap_or(error)
        }
        _ => error,
    }
}
