//! The log: how its lines look, and which of them are written, which can be changed while the server runs.

use std::io::IsTerminal as _;
use std::sync::{Mutex, OnceLock, PoisonError};

use thiserror::Error;
use tracing_subscriber::filter::{FilterExt as _, filter_fn};
use tracing_subscriber::fmt::format::Format;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer, Registry, reload};

use super::export::Exporting;
use super::line::{WithTraceIds, is_no_span};
use crate::config::LogFormat;

/// What no filter lets through, however much it asks for: libraries that write values of statements, commands or headers into
/// their lines. Targets so narrow go before those that a filter names.
const NEVER: [&str; 4] = ["tokio_postgres::query=info", "tokio_postgres::simple_query=info", "fred=info", "h2=info"];

/// The filter in force; there is none before logging was started.
static FILTER: OnceLock<LogFilter> = OnceLock::new();

/// Why the filter of the log was not changed.
#[derive(Debug, Error)]
pub enum LogFilterError {
    /// It means nothing.
    #[error("{0}")]
    Unreadable(String),
    /// The log of this process was started by somebody else.
    #[error("the log of this process cannot be changed")]
    NotOurs,
}

struct LogFilter {
    text: Mutex<String>,
    handle: reload::Handle<EnvFilter, Registry>,
}

fn parse(filter: &str) -> Result<EnvFilter, String> {
    let mut parsed = EnvFilter::try_new(filter).map_err(|error| error.to_string())?;
    for never in NEVER {
        parsed = parsed.add_directive(never.parse().map_err(|error| format!("{error}"))?);
    }
    Ok(parsed)
}

/// Begins to log. Lines go to standard error: standard output is for what was asked for. Spans go where they are exported.
pub fn start_logging(filter: &str, format: LogFormat, exporting: Option<&Exporting>) {
    let parsed = parse(filter).unwrap_or_else(|_| EnvFilter::new("info"));
    // Of this layer alone: spans are not for the filter to choose.
    let (reloadable, handle) = reload::Layer::new(parsed);
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    let lines: Box<dyn Layer<Registry> + Send + Sync> = match format {
        LogFormat::Text => {
            let colours = std::io::stderr().is_terminal();
            let with_ids = |format: Format| WithTraceIds { format: format.with_ansi(colours), is_json: false };
            lines.with_ansi(colours).map_event_format(with_ids).boxed()
        }
        LogFormat::Json => {
            let lines = lines.json().flatten_event(true).with_current_span(false).with_span_list(false);
            lines.map_event_format(|format| WithTraceIds { format, is_json: true }).boxed()
        }
    };
    let lines = lines.with_filter(reloadable.and(filter_fn(is_no_span)));
    tracing_subscriber::registry().with(lines).with(exporting.map(Exporting::layer)).init();
    let _ = FILTER.set(LogFilter { text: Mutex::new(filter.to_owned()), handle });
}

/// The filter in force.
#[must_use]
pub fn log_filter() -> Option<String> {
    FILTER.get().map(|filter| filter.text.lock().unwrap_or_else(PoisonError::into_inner).clone())
}

/// Puts another filter into force, at once. Returns the one that was in force.
///
/// # Errors
/// When it cannot be read; nothing is changed then.
pub fn set_log_filter(text: &str) -> Result<String, LogFilterError> {
    let parsed = parse(text).map_err(LogFilterError::Unreadable)?;
    let filter = FILTER.get().ok_or(LogFilterError::NotOurs)?;
    let mut current = filter.text.lock().unwrap_or_else(PoisonError::into_inner);
    filter.handle.reload(parsed).map_err(|error| LogFilterError::Unreadable(error.to_string()))?;
    Ok(std::mem::replace(&mut *current, text.to_owned()))
}
