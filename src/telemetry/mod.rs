//! The log, [`metrics`], slow statements, and tracing: spans of requests, operations, batches and statements, and where they are sent.
//!
//! Whether a trace is recorded is decided once, at its head. What work belongs to is OpenTelemetry's current context, which
//! follows `tracing`'s current span; where it has no span that is recorded, [`child`] makes none either, and everything runs
//! as if there was no tracing.

mod batch;
#[cfg(test)]
pub(crate) mod captured;
mod dropping;
mod export;
mod field;
mod headers;
mod late;
mod line;
mod logging;
pub mod metrics;
mod operation;
mod redis;
mod request;
mod sampler;
pub mod slow;
mod span;
mod statement;
mod summary;

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use opentelemetry::trace::TracerProvider as _;
use opentelemetry_sdk::trace::{SdkTracer, SdkTracerProvider};
use tracing::Subscriber;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::registry::LookupSpan;

pub use batch::{BatchFacts, batch, tell_tier_hits};
pub use dropping::{ExportCounts, export_counts};
pub use export::{Exporting, TelemetryError};
pub use field::{FieldLink, FieldName, FieldSpan, FieldSpans, field};
pub use late::{OperationNote, OperationNotes};
pub use line::{WithTraceIds, is_no_span};
pub use logging::{LogFilterError, log_filter, set_log_filter, start_logging};
pub use operation::{ErrorFacts, OperationFacts};
pub use redis::{RedisCommands, redis};
pub use request::{RequestTrace, method_name, tell_client};
pub use sampler::{Demanded, OnDemand};
pub use span::{
    Place, Span, TARGET, at, beside, child, current_ids, describe, fail, is_recording, place, root, service, within,
};
pub use statement::{rows_returned, statement_answered, statement_begins, with_statements};

/// What makes spans of requests that are over. There is none while tracing is off.
static TRACER: OnceLock<SdkTracer> = OnceLock::new();

/// What of a request goes into its trace.
#[derive(Debug, Clone)]
pub struct TraceSettings {
    /// A request that takes so long has spans though its trace is not recorded.
    pub slow: Duration,
    /// Whether every resolver has a span, and not those alone that load.
    pub all_resolvers: bool,
    /// Which entries of the client's baggage are recorded.
    pub baggage: Arc<[String]>,
}

impl Default for TraceSettings {
    fn default() -> Self {
        Self { slow: Duration::from_secs(1), all_resolvers: false, baggage: Arc::default() }
    }
}

/// Switches tracing on: the layer that makes spans for this provider. The first of a process counts.
pub fn layer<S: Subscriber + for<'a> LookupSpan<'a>>(provider: &SdkTracerProvider) -> impl Layer<S> + use<S> {
    let tracer = provider.tracer("evalgraph");
    let _ = TRACER.set(tracer.clone());
    tracing_opentelemetry::layer()
        .with_tracer(tracer)
        // Of each span, what is told of it here and nothing else.
        .with_location(false)
        .with_threads(false)
        .with_target(false)
        .with_tracked_inactivity(false)
        // Of the spans that are made here, whatever the log is told to have; and no events, for the messages of errors may
        // have values in them.
        .with_filter(Targets::new().with_target(TARGET, LevelFilter::INFO))
}
