//! `evalgraph cache`.

use std::io::Write as _;

use clap::Subcommand;
use reqwest::Method;
use serde_json::Value;

use super::admin::RunningServer;
use crate::config::Settings;
use crate::db::outbox::{self, CacheState};
use crate::db::pool::DatabaseLocation;
use crate::db::{Database, StatementCount};

/// What to do about the caches of all servers of a database.
#[derive(Debug, Subcommand)]
pub enum CacheCommand {
    /// Tell whether the shared cache is in force, how many changes not all servers have read, and what the server at
    /// --admin-listen did with its caches
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
            say(&format!("shared cache: {}\nchanges that not all servers have read: {changes}", describe(&state)))?;
            say(&of_the_server(settings).await)
        }
        CacheCommand::Clear => {
            database.write(&count, |connection| Box::pin(outbox::clear(connection))).await?;
            say("servers that use this database forget what they remember within a second")
        }
    }
}

/// What the server did that runs here, if one does. The rest is of use without it.
async fn of_the_server(settings: &Settings) -> String {
    let told = async {
        let server = RunningServer::of(settings)?;
        let report = server.ask(Method::GET, "/cache/stats", None).await?;
        let report: Value = serde_json::from_str(&report)?;
        anyhow::Ok(format!("the server at {}: {report:#}", server.base()))
    };
    told.await.unwrap_or_else(|error| format!("no server was asked for its own figures: {error:#}"))
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
