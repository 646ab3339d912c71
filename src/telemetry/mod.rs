//! The log, [`metrics`], slow statements, and tracing: spans of requests, operations, batches and statements, and where they are sent.
//!
//! Whether a trace is recorded is decided once, at its head. The span that work belongs to is OpenTelemetry's current
//! context; where that has none, [`child`] makes none either, and everything runs as if there was no tracing.

mod batch;
mod export;
mod field;
mod logging;
pub mod metrics;
mod request;
pub mod slow;
mod span;
mod statement;

use std::sync::OnceLock;

use opentelemetry::trace::TracerProvider as _;
use opentelemetry_sdk::trace::{SdkTracer, SdkTracerProvider};

pub use batch::{BatchFacts, batch};
pub use export::{Exporting, TelemetryError};
pub use field::{FieldLink, FieldSpan, FieldSpans};
pub use logging::{LogFilterError, log_filter, set_log_filter, start_logging};
pub use request::RequestSpan;
pub use span::{Span, attached, child, current, describe, fail, phase, root, within};
pub use statement::StatementSpan;

/// What makes spans; there is none while tracing is off.
static TRACER: OnceLock<SdkTracer> = OnceLock::new();

/// Switches tracing on, with spans for this provider. Tells whether it was off before: it stays as it is otherwise.
pub fn install(provider: &SdkTracerProvider) -> bool {
    TRACER.set(provider.tracer("evalgraph")).is_ok()
}
