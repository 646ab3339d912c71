//! `evalgraph cache`.

use std::io::Write as _;

use clap::Subcommand;

use crate::config::Settings;
use crate::db::outbox::{self, CacheState};
use crate::db::pool::DatabaseLocation;
use crate::db::{Database, StatementCount};

/// What to do about the caches of all servers of a database.
#[derive(Debug, Subcommand)]
pub enum CacheCommand {
    /// Tell whether the shared cache is in force, and how many changes not all servers have read
    Stats,
    /// Make all servers forget what they remember, within a second
    Clear,
}

/// Reads or writes what the servers agree on. They follow it by themselves.
pub async fn run(settings: &Settings, location: &DatabaseLocation, command: CacheCommand) -> anyhow::Result<()> {
    let database = Database::open(location, &settings.command_pool()).await?;
    let count = StatementCount::default();
    match command {
        CacheCommand::Stats => {
            let read = database.read(&count, |connection| {
                Box::pin(async move { Ok((outbox::state(connection).await?, outbox::length(connection).await?)) })
            });
            let (state, changes) = read.await?;
            say(&format!("shared cache: {}\nchanges that not all servers have read: {changes}", describe(&state)))
        }
        CacheCommand::Clear => {
            database.write(&count, |connection| Box::pin(outbox::clear(connection))).await?;
            say("servers that use this database forget what they remember within a second")
        }
    }
}

fn describe(state: &CacheState) -> String {
    let seconds = state.age.as_secs();
    match (state.namespace, state.refused, state.abandoned) {
        (Some(_), _, true) => "not used by any server".to_owned(),
        (Some(namespace), ..) => format!("in force for {seconds} s, as {}", namespace.simple()),
        (None, true, _) => format!("not in force for {seconds} s: a server cannot reach it, or it was cleared"),
        (None, false, _) => format!("not in force for {seconds} s: no server uses one"),
    }
}

fn say(text: &str) -> anyhow::Result<()> {
    writeln!(std::io::stdout(), "{text}")?;
    Ok(())
}
