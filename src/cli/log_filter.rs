//! `evalgraph log-filter`.

use std::io::Write as _;

use reqwest::Method;

use super::admin::RunningServer;
use crate::config::Settings;

/// Tells or changes what a server logs that runs.
pub async fn run(settings: &Settings, filter: Option<String>) -> anyhow::Result<()> {
    let server = RunningServer::of(settings)?;
    let method = if filter.is_some() { Method::PUT } else { Method::GET };
    let in_force = server.ask(method, "/log-filter", filter).await?;
    std::io::stdout().write_all(in_force.as_bytes())?;
    Ok(())
}
