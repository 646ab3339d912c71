//! Who reads the metrics: the page of the operators' listener, and an exporter where the variables of OpenTelemetry ask for one.

use std::sync::{Arc, Weak};
use std::time::Duration;

use opentelemetry::metrics::MeterProvider as _;
use opentelemetry_otlp::MetricExporter;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::metrics::data::ResourceMetrics;
use opentelemetry_sdk::metrics::reader::MetricReader;
use opentelemetry_sdk::metrics::{InstrumentKind, ManualReader, Pipeline, SdkMeterProvider, Temporality};

use super::exposition::{Page, TextFormat};
use super::instruments::Instruments;
use super::names::OperationNames;
use super::observed::{Observed, observe};
use super::{INSTRUMENTS, instruments};
use crate::telemetry::export::{self, Protocol, Signal, TelemetryError};

/// How long the end of the process waits for the last metrics to be sent: the spans are waited for after them, and who stops a
/// process often kills it after ten seconds.
const FLUSH_LIMIT: Duration = Duration::from_secs(2);
/// A page has some hundred series of some hundred bytes.
const USUAL_PAGE: usize = 64 << 10;

/// What bounds the labels.
#[derive(Debug, Clone, Default)]
pub struct MetricsSettings {
    /// Names of operations that are labels in any case.
    pub operation_names: Vec<String>,
    /// How many more may become labels: those that are seen first.
    pub more_operation_names: usize,
}

/// The metrics of the process.
#[derive(Debug)]
pub struct Metrics {
    provider: SdkMeterProvider,
    page: Pulled,
}

/// A reader that is asked for the page.
#[derive(Debug, Clone)]
struct Pulled(Arc<ManualReader>);

impl MetricReader for Pulled {
    fn register_pipeline(&self, pipeline: Weak<Pipeline>) {
        self.0.register_pipeline(pipeline);
    }

    fn collect(&self, metrics: &mut ResourceMetrics) -> OTelSdkResult {
        self.0.collect(metrics)
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.0.force_flush()
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.0.shutdown_with_timeout(timeout)
    }

    fn temporality(&self, kind: InstrumentKind) -> Temporality {
        self.0.temporality(kind)
    }
}

impl Metrics {
    /// Begins to count and to measure in this process, where somebody may read it: the page, or a collector that the variables
    /// name an endpoint or an exporter for.
    ///
    /// # Errors
    /// When a variable cannot be used.
    pub fn start(
        environment: &'static str,
        settings: MetricsSettings,
        has_page: bool,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Option<Self>, TelemetryError> {
        let is_exported = export::is_wanted(Signal::Metrics, &variable)?;
        if !has_page && !is_exported {
            return Ok(None);
        }
        let page = Pulled(Arc::new(ManualReader::default()));
        let mut provider = SdkMeterProvider::builder()
            .with_resource(export::resource(environment, &variable))
            .with_reader(page.clone());
        if is_exported {
            let exporter = match export::protocol(Signal::Metrics, &variable)? {
                Protocol::Grpc => MetricExporter::builder().with_tonic().build(),
                Protocol::Http => MetricExporter::builder().with_http().build(),
            };
            let exporter = exporter.map_err(|error| TelemetryError::Exporter("metrics", error.to_string()))?;
            provider = provider.with_periodic_exporter(exporter);
        }
        let provider = provider.build();
        let names = OperationNames::new(settings.operation_names, settings.more_operation_names);
        let _ = INSTRUMENTS.set(Instruments::new(&provider.meter("evalgraph"), names));
        Ok(Some(Self { provider, page }))
    }

    /// Has everybody who reads look at the pools and the cache, too.
    pub fn observe(&self, observed: Observed) {
        observe(&self.provider.meter("evalgraph"), &Arc::new(observed));
    }

    /// All metrics as text.
    #[must_use]
    pub fn page(&self, format: TextFormat) -> String {
        let mut collected = ResourceMetrics::default();
        if let Err(error) = self.page.collect(&mut collected) {
            tracing::error!(%error, "the metrics could not be read");
        }
        let exemplars = instruments().map(|instruments| &instruments.exemplars);
        Page { format, exemplars, text: String::with_capacity(USUAL_PAGE) }.write(&collected)
    }

    /// Sends what is left, for some seconds at most.
    pub async fn finish(&self) {
        let provider = self.provider.clone();
        // The library has a limit of its own, which takes no notice of this one.
        let flushing = tokio::task::spawn_blocking(move || provider.shutdown_with_timeout(FLUSH_LIMIT));
        match tokio::time::timeout(FLUSH_LIMIT, flushing).await {
            Ok(Ok(Err(error))) => tracing::warn!(%error, "the last metrics could not be sent"),
            Err(_) => tracing::warn!("the last metrics could not be sent in time"),
            Ok(Ok(Ok(())) | Err(_)) => {}
        }
    }
}
