//! `evalgraph slow-queries`.

use std::fmt::Write as _;
use std::io::Write as _;

use anyhow::Context as _;
use reqwest::Method;
use serde_json::Value;

use super::admin::RunningServer;
use crate::config::Settings;
use crate::domain::shortened;

/// How much of a statement is shown to people.
const LONGEST_SHOWN: usize = 600;

/// Tells which statements of a server took long.
pub async fn run(settings: &Settings, plans: bool, json: bool) -> anyhow::Result<()> {
    let server = RunningServer::of(settings)?;
    let path = if plans { "/slow-statements?plans=true" } else { "/slow-statements" };
    let text = server.ask(Method::GET, path, None).await?;
    let report: Value = serde_json::from_str(&text).context("the answer is not of an evalgraph server")?;
    let shown = if json { format!("{report:#}\n") } else { for_people(&report) };
    std::io::stdout().write_all(shown.as_bytes())?;
    Ok(())
}

fn for_people(report: &Value) -> String {
    let number = |name: &str| report[name].as_f64().unwrap_or_default();
    let (kept, most) = (number("kept"), number("most"));
    let mut shown =
        format!("{kept} statements took {} ms or longer (the last {most} are kept)\n", number("thresholdMs"));
    let groups = |name: &str| report[name].as_array().cloned().unwrap_or_default();
    for table in groups("tables") {
        let _ = write!(shown, "\n{} {}: {}", text(&table, "operation"), text(&table, "table"), figures(&table));
    }
    shown.push('\n');
    for statement in groups("statements") {
        let _ =
            write!(shown, "\n{}\n  {}\n", figures(&statement), shortened(text(&statement, "statement"), LONGEST_SHOWN));
        for line in text(&statement, "plan").lines() {
            let _ = writeln!(shown, "    {line}");
        }
    }
    shown
}

fn figures(group: &Value) -> String {
    let ms = |name: &str| group[name].as_f64().unwrap_or_default();
    let mut figures = format!(
        "{} times, {:.1} ms in all, {:.1} on average, {:.1} at most",
        group["count"],
        ms("totalMs"),
        ms("meanMs"),
        ms("maxMs"),
    );
    for (what, name) in [("operation", "lastOperationName"), ("request", "lastRequestId"), ("trace", "lastTraceId")] {
        if let Some(last) = group[name].as_str() {
            let _ = write!(figures, ", last {what} {last}");
        }
    }
    figures
}

fn text<'a>(group: &'a Value, name: &str) -> &'a str {
    group[name].as_str().unwrap_or_default()
}
