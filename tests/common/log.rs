//! What the process under test logs.

use std::io::Write;
use std::sync::{Mutex, OnceLock};

use evalgraph::telemetry::{OnDemand, WithTraceIds, is_no_span};
use opentelemetry_sdk::trace::{InMemorySpanExporter, Sampler, SdkTracerProvider, SpanData};
use tracing_subscriber::Layer as _;
use tracing_subscriber::filter::{FilterExt as _, LevelFilter, filter_fn};
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

/// From now on, the log is kept, and statements are recorded where that was asked for. So are the spans of traces that a
/// client wants to have, and of requests that fail or are slow.
pub fn capture_log() {
    SPANS.get_or_init(|| {
        let lines = tracing_subscriber::fmt::layer().json().flatten_event(true).with_writer(|| Capture);
        let lines = lines.map_event_format(|format| WithTraceIds { format, is_json: true });
        let exporter = InMemorySpanExporter::default();
        let sampler = OnDemand(Sampler::ParentBased(Box::new(Sampler::AlwaysOff)));
        let provider =
            SdkTracerProvider::builder().with_sampler(sampler).with_simple_exporter(exporter.clone()).build();
        tracing_subscriber::registry()
            .with(lines.with_filter(LevelFilter::INFO.and(filter_fn(is_no_span))))
            .with(Recorder::asked_for())
            .with(evalgraph::telemetry::layer(&provider))
            .init();
        (provider, exporter)
    });
}

/// What is recorded of traces. The provider records as long as it lives.
static SPANS: OnceLock<(SdkTracerProvider, InMemorySpanExporter)> = OnceLock::new();

/// The spans that were recorded so far.
pub fn recorded_spans() -> Vec<SpanData> {
    capture_log();
    SPANS.get().map(|(_, exporter)| exporter.get_finished_spans().unwrap()).unwrap_or_default()
}

/// The log lines about a request.
pub fn lines_about(request_id: &str) -> Vec<serde_json::Value> {
    let log = LOG.lock().unwrap();
    let lines = std::str::from_utf8(&log).unwrap().lines().map(|line| serde_json::from_str(line).unwrap());
    lines.filter(|line: &serde_json::Value| line["request_id"] == request_id).collect()
}
