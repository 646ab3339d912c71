//! `evalgraph import`.

use std::path::PathBuf;

use crate::config::Settings;
use crate::db::pool::DatabaseLocation;
use crate::db::{Database, migrate};
use crate::graphql::run_id;
use crate::ingest::{Format, import_file};

/// Imports files, one after the other; each is stored as a whole or not at all.
pub async fn run(
    settings: &Settings,
    location: &DatabaseLocation,
    format: Format,
    files: &[PathBuf],
    user: &str,
) -> anyhow::Result<()> {
    migrate::migrate(location).await?;
    let database = Database::open(location, &settings.pool()).await?;
    let mut last = None;
    for file in files {
        let report = import_file(&database, format, file, user).await?;
        println!("{}: {report}", file.display());
        last = Some(report.run_id);
    }
    if let Some(run) = last {
        println!("\nTo see the result, start the server and send:\n{}", query(&run_id(run)));
    }
    Ok(())
}

fn query(run: &str) -> String {
    format!(
        "{{ run(id: \"{run}\") {{ name evaluations(first: 10) {{ nodes {{ prompt {{ name version }} model passRate \
         testResults(first: 3, filter: {{ passed: false }}) {{ totalCount nodes {{ testCaseName reason }} }} }} }} }} }}"
    )
}
