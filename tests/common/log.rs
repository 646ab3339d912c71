//! What the process under test logs.

use std::io::Write;
use std::sync::{Mutex, OnceLock};

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

/// From now on, the log is kept.
pub fn capture_log() {
    static STARTED: OnceLock<()> = OnceLock::new();
    STARTED.get_or_init(|| tracing_subscriber::fmt().json().flatten_event(true).with_writer(|| Capture).init());
}

/// The log lines about a request.
pub fn lines_about(request_id: &str) -> Vec<serde_json::Value> {
    let log = LOG.lock().unwrap();
    let lines = std::str::from_utf8(&log).unwrap().lines().map(|line| serde_json::from_str(line).unwrap());
    lines.filter(|line: &serde_json::Value| line["request_id"] == request_id).collect()
}
