//! `evalgraph purge`.

use std::io::Write as _;

use anyhow::{Context as _, bail};
use clap::Args;

use super::user;
use crate::config::Settings;
use crate::db::Database;
use crate::db::pool::DatabaseLocation;
use crate::db::purge::{Kept, Reason, purge};
use crate::domain::{Deed, Principal, Timestamp};

/// What is to be removed, and who wants it.
#[derive(Debug, Args)]
pub struct PurgeArguments {
    /// Only those that were deleted before this time (2026-11-23T09:30:00Z), or before this day in UTC (2026-11-23)
    #[arg(long, value_name = "TIME", value_parser = time)]
    deleted_before: Timestamp,
    /// Who does it, for the audit log
    #[arg(long, value_name = "ID", default_value = Principal::LOCAL_USER, value_parser = user::name)]
    user: String,
    /// Remove nothing, and tell what would be removed
    #[arg(long)]
    dry_run: bool,
}

/// Reads a time, or a day: its beginning in UTC.
pub fn time(text: &str) -> Result<Timestamp, String> {
    Timestamp::parse(text)
        .or_else(|_| Timestamp::parse(&format!("{text}T00:00:00Z")))
        .map_err(|_| "must be a time such as 2026-11-23T09:30:00Z, or a day such as 2026-11-23".to_owned())
}

/// Removes the prompts that were deleted before this time, or tells what that would be. Does not migrate the database, which
/// another release may be using.
pub async fn run(settings: &Settings, location: &DatabaseLocation, arguments: PurgeArguments) -> anyhow::Result<()> {
    let PurgeArguments { deleted_before, user, dry_run } = arguments;
    let database = Database::open(location, &settings.command_pool()).await?;
    let (mut told, mut of_baselines) = (Ok(()), 0_u64);
    let purged = purge(&database, Deed::command("purge", &user), deleted_before, dry_run, |kept| {
        of_baselines += u64::from(matches!(kept.reason, Reason::Baseline(_)));
        if told.is_ok() {
            told = say(&line(kept));
        }
    });
    let purged = purged.await.context("not all that was deleted could be removed; what was removed stays so")?;
    told?;
    let deed = if dry_run { "would be removed" } else { "removed" };
    let (prompts, evaluations, results) = (purged.prompts, purged.evaluations, purged.test_results);
    say(&format!("{deed}: {prompts} prompts, {evaluations} evaluations, {results} test results"))?;
    if of_baselines > 0 {
        bail!("baselines need {of_baselines} of the deleted prompts: `setRunBaseline` lets go of a run");
    }
    Ok(())
}

fn line(kept: &Kept) -> String {
    let Kept { id, title, version, reason } = kept;
    let reason = match reason {
        Reason::Baseline(run) => format!("the baseline «{run}» needs it"),
        Reason::FirstVersion => "it is the first of versions that stay".to_owned(),
    };
    format!("kept: prompt {id} «{title}», version {version}: {reason}")
}

fn say(text: &str) -> anyhow::Result<()> {
    writeln!(std::io::stdout(), "{text}").context("standard output cannot be written")
}

#[cfg(test)]
mod tests {
    use super::time;

    #[test]
    fn a_day_begins_at_midnight() {
        assert_eq!(time("2026-11-23").unwrap().to_string(), "2026-11-23T00:00:00.000000Z");
        assert_eq!(time("2026-11-23T10:00:00+01:00").unwrap().to_string(), "2026-11-23T09:00:00.000000Z");
        assert!(time("yesterday").unwrap_err().contains("2026-11-23"));
    }
}
