//! `evalgraph totals`.

use std::io::Write as _;

use anyhow::{Context as _, bail};
use clap::Subcommand;

use crate::config::Settings;
use crate::db::pool::DatabaseLocation;
use crate::db::totals::{Verified, rebuild, verify};
use crate::db::{Database, DbError};

/// What to do about totals.
#[derive(Debug, Subcommand)]
pub enum TotalsCommand {
    /// Compare all totals with what they are totals of, and list those that are wrong; fails when there are any
    Verify,
    /// Compute those anew that are wrong
    Rebuild,
}

/// What may help when a statement fails.
const ADVICE: &str = "not all totals could be read: `evalgraph migrate` makes the tables where they are missing";

/// A failure with what may help, unless the time limit was its cause.
fn advised(error: DbError) -> anyhow::Error {
    let is_time_limit = error.is_time_limit();
    let error = anyhow::Error::new(error);
    if is_time_limit { error } else { error.context(ADVICE) }
}

/// Compares, or puts right. Neither migrates the database, which another release may be using.
pub async fn run(settings: &Settings, location: &DatabaseLocation, command: TotalsCommand) -> anyhow::Result<()> {
    let database = Database::open(location, &settings.command_pool()).await?;
    match command {
        TotalsCommand::Verify => {
            let mut told = Ok(());
            let verified = verify(&database, |difference| {
                if told.is_ok() {
                    told = say(&difference.to_string());
                }
            });
            let verified = verified.await.map_err(advised)?;
            told?;
            say(&compared(&verified))?;
            match verified.differences {
                0 => Ok(()),
                _ => bail!("there are wrong totals: `evalgraph totals rebuild` computes them anew"),
            }
        }
        TotalsCommand::Rebuild => {
            let rebuilt = rebuild(&database).await.map_err(advised)?;
            let (evaluations, prompts) = (rebuilt.evaluations, rebuilt.prompts);
            say(&format!(
                "{}\ncomputed anew: {evaluations} evaluations, {prompts} prompts",
                compared(&rebuilt.verified)
            ))
        }
    }
}

fn compared(verified: &Verified) -> String {
    let Verified { evaluations, prompts, differences } = verified;
    format!("compared: {evaluations} evaluations, {prompts} prompts; wrong totals: {differences}")
}

fn say(text: &str) -> anyhow::Result<()> {
    writeln!(std::io::stdout(), "{text}").context("standard output cannot be written")
}
