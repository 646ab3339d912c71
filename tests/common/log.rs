//! What the process under test logs.

use std::io::Write;
use std::sync::{Mutex, OnceLock};

use tracing_subscriber::Layer as _;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use super::recorder::Recorder;

/// What the process has logged so far. Tests look for their own requests in it.
static LOG: Mutex<Vec<u8>> = Mutex::new(Vec::new());

struct Capture;

impl Write for Capture {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        LOG.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// From now on, the log is kept, and statements are recorded where that was asked for.
pub fn capture_log() {
    static STARTED: OnceLock<()> = OnceLock::new();
    STARTED.get_or_init(|| {
        let lines = tracing_subscriber::fmt::layer().json().flatten_event(true).with_writer(|| Capture);
        tracing_subscriber::registry().with(lines.with_filter(LevelFilter::INFO)).with(Recorder::asked_for()).init();
    });
}

/// The log lines about a request.
pub fn lines_about(request_id: &str) -> Vec<serde_json::Value> {
    let log = LOG.lock().unwrap();
    let lines = std::str::from_utf8(&log).unwrap().lines().map(|line| serde_json::from_str(line).unwrap());
    lines.filter(|line: &serde_json::Value| line["request_id"] == request_id).collect()
}
