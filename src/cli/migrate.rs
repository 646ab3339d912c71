//! `evalgraph migrate`.

use crate::db::migrate;
use crate::db::pool::DatabaseLocation;

/// Applies the migrations that are missing, or takes back the last `revert`.
pub async fn run(location: &DatabaseLocation, revert: Option<usize>) -> anyhow::Result<()> {
    let (versions, done) = match revert {
        Some(steps) => (migrate::revert(location, steps).await?, "reverted"),
        None => (migrate::migrate(location).await?, "applied"),
    };
    for version in &versions {
        println!("{done} {version}");
    }
    if versions.is_empty() {
        println!("nothing to do");
    }
    Ok(())
}
