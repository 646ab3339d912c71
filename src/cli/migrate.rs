//! `evalgraph migrate`.

use std::io::Write as _;

use anyhow::Context as _;

use crate::db::migrate;
use crate::db::pool::DatabaseLocation;

/// Applies the migrations that are missing, or takes back the last `revert`.
pub async fn run(location: &DatabaseLocation, revert: Option<usize>) -> anyhow::Result<()> {
    let (versions, done) = match revert {
        Some(steps) => (migrate::revert(location, steps).await?, "reverted"),
        None => (migrate::migrate(location).await?, "applied"),
    };
    let mut text: String = versions.iter().map(|version| format!("{done} {version}\n")).collect();
    if versions.is_empty() {
        text.push_str("nothing to do\n");
    }
    let written = std::io::stdout().write_all(text.as_bytes());
    written.context("the schema is as it should be, but standard output cannot be written")
}
