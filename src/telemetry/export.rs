//! Where spans and metrics are sent, as the standard variables of OpenTelemetry say
//! (<https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/>).

use std::sync::LazyLock;
use std::time::Duration;

use opentelemetry::KeyValue;
use opentelemetry_otlp::SpanExporter;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::resource::{EnvResourceDetector, TelemetryResourceDetector};
use opentelemetry_sdk::trace::SdkTracerProvider;
use thiserror::Error;
use tracing::Subscriber;
use tracing_subscriber::Layer;
use tracing_subscriber::registry::LookupSpan;
use uuid::Uuid;

use super::dropping::Gate;
use super::sampler::{self, OnDemand};

/// How long the end of the process waits for the last spans to be sent.
const FLUSH_LIMIT: Duration = Duration::from_secs(5);

/// By which name spans and metrics know this process.
static INSTANCE: LazyLock<Uuid> = LazyLock::new(Uuid::now_v7);

/// How many spans wait to be sent, where the variable does not say it.
const QUEUE: usize = 2048;
const QUEUE_SIZE: &str = "OTEL_BSP_MAX_QUEUE_SIZE";

/// The protocols that spans are sent in.
const PROTOCOLS: [&str; 2] = ["grpc", "http/protobuf"];

/// Why spans cannot be sent as the variables say.
#[derive(Debug, Error)]
pub enum TelemetryError {
    /// A variable has a value that means nothing here.
    #[error("{variable} is «{value}»: it must be {expected}")]
    Variable {
        /// The variable.
        variable: &'static str,
        /// Its value.
        value: String,
        /// What it may be.
        expected: String,
    },
    /// The endpoint, the headers or another variable cannot be used.
    #[error("{0} cannot be exported as the variables OTEL_EXPORTER_OTLP_* say: {1}")]
    Exporter(&'static str, String),
}

/// Sends spans, in the background, until it is finished.
#[derive(Debug)]
pub struct Exporting(SdkTracerProvider);

impl Exporting {
    /// Begins to export where the variables name an endpoint or an exporter. A full queue drops spans; nobody waits for it.
    ///
    /// # Errors
    /// When a variable cannot be used.
    pub fn start(
        environment: &'static str,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Option<Self>, TelemetryError> {
        if !is_wanted(Signal::Traces, &variable)? {
            return Ok(None);
        }
        let exporter = match protocol(Signal::Traces, &variable)? {
            Protocol::Grpc => SpanExporter::builder().with_tonic().build(),
            Protocol::Http => SpanExporter::builder().with_http().build(),
        };
        let exporter = exporter.map_err(|error| TelemetryError::Exporter("traces", error.to_string()))?;
        let provider = SdkTracerProvider::builder()
            .with_sampler(OnDemand(sampler::configured(|name| given(&variable, name))?))
            .with_resource(resource(environment, &variable))
            .with_span_processor(Gate::new(exporter, queue_size(&variable)?))
            .build();
        Ok(Some(Self(provider)))
    }

    /// What makes spans to be sent: see [`layer`](super::layer).
    pub fn layer<S: Subscriber + for<'a> LookupSpan<'a>>(&self) -> impl Layer<S> + use<S> {
        super::layer(&self.0)
    }

    /// Sends what is left, for some seconds at most.
    pub async fn finish(self) {
        let ended = tokio::task::spawn_blocking(move || self.0.shutdown_with_timeout(FLUSH_LIMIT)).await;
        if let Ok(Err(error)) = ended {
            tracing::warn!(%error, "the last spans could not be sent");
        }
    }
}

fn given(variable: &impl Fn(&str) -> Option<String>, name: &str) -> Option<String> {
    variable(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty())
}

/// Whether the variables ask for a signal to be sent.
pub(super) fn is_wanted(signal: Signal, variable: &impl Fn(&str) -> Option<String>) -> Result<bool, TelemetryError> {
    if given(variable, "OTEL_SDK_DISABLED").is_some_and(|value| value.eq_ignore_ascii_case("true")) {
        return Ok(false);
    }
    match given(variable, signal.exporter()).as_deref() {
        Some("otlp") => Ok(true),
        Some("none") => Ok(false),
        Some(other) => Err(TelemetryError::Variable {
            variable: signal.exporter(),
            value: other.to_owned(),
            expected: "otlp or none".to_owned(),
        }),
        None => {
            Ok(["OTEL_EXPORTER_OTLP_ENDPOINT", signal.endpoint()].iter().any(|name| given(variable, name).is_some()))
        }
    }
}

fn queue_size(variable: &impl Fn(&str) -> Option<String>) -> Result<usize, TelemetryError> {
    let Some(value) = given(variable, QUEUE_SIZE) else { return Ok(QUEUE) };
    value.parse().ok().filter(|&size| size > 0).ok_or(TelemetryError::Variable {
        variable: QUEUE_SIZE,
        value,
        expected: "a number of spans, 1 or more".to_owned(),
    })
}

/// What is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Signal {
    /// Spans.
    Traces,
    /// Metrics.
    Metrics,
}

impl Signal {
    fn exporter(self) -> &'static str {
        match self {
            Self::Traces => "OTEL_TRACES_EXPORTER",
            Self::Metrics => "OTEL_METRICS_EXPORTER",
        }
    }

    fn endpoint(self) -> &'static str {
        match self {
            Self::Traces => "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
            Self::Metrics => "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT",
        }
    }

    fn protocol(self) -> &'static str {
        match self {
            Self::Traces => "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL",
            Self::Metrics => "OTEL_EXPORTER_OTLP_METRICS_PROTOCOL",
        }
    }
}

/// How it is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Protocol {
    Grpc,
    Http,
}

/// The protocol that the variables ask for.
pub(super) fn protocol(signal: Signal, variable: &impl Fn(&str) -> Option<String>) -> Result<Protocol, TelemetryError> {
    for name in [signal.protocol(), "OTEL_EXPORTER_OTLP_PROTOCOL"] {
        match given(variable, name).as_deref() {
            Some("grpc") => return Ok(Protocol::Grpc),
            Some("http/protobuf") => return Ok(Protocol::Http),
            Some(other) => {
                return Err(TelemetryError::Variable {
                    variable: name,
                    value: other.to_owned(),
                    expected: PROTOCOLS.join(" or "),
                });
            }
            None => {}
        }
    }
    Ok(Protocol::Http)
}

/// What sends it. The variables come last, so that they have the last word.
pub(super) fn resource(environment: &'static str, variable: &impl Fn(&str) -> Option<String>) -> Resource {
    let resource = Resource::builder_empty()
        .with_attributes([
            KeyValue::new("service.name", "evalgraph"),
            KeyValue::new("service.version", env!("CARGO_PKG_VERSION")),
            KeyValue::new("service.instance.id", INSTANCE.to_string()),
            KeyValue::new("deployment.environment.name", environment),
        ])
        .with_detectors(&[Box::new(TelemetryResourceDetector), Box::new(EnvResourceDetector::new())]);
    match given(variable, "OTEL_SERVICE_NAME") {
        Some(name) => resource.with_service_name(name).build(),
        None => resource.build(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variables(given: &[(&str, &str)]) -> impl Fn(&str) -> Option<String> {
        let given: Vec<_> = given.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect();
        move |name| given.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone())
    }

    #[test]
    fn tracing_is_off_without_an_endpoint_or_an_exporter() {
        assert!(!is_wanted(Signal::Traces, &variables(&[])).unwrap());
        assert!(!is_wanted(Signal::Traces, &variables(&[("OTEL_EXPORTER_OTLP_ENDPOINT", "")])).unwrap());
        assert!(
            is_wanted(Signal::Traces, &variables(&[("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4318")])).unwrap()
        );
        assert!(is_wanted(Signal::Traces, &variables(&[("OTEL_TRACES_EXPORTER", "otlp")])).unwrap());
        let endpoint = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://collector:4318/v1/traces");
        assert!(!is_wanted(Signal::Traces, &variables(&[endpoint, ("OTEL_TRACES_EXPORTER", "none")])).unwrap());
        assert!(!is_wanted(Signal::Traces, &variables(&[endpoint, ("OTEL_SDK_DISABLED", "true")])).unwrap());
        assert!(!is_wanted(Signal::Metrics, &variables(&[endpoint])).unwrap());
        assert!(is_wanted(Signal::Metrics, &variables(&[("OTEL_METRICS_EXPORTER", "otlp")])).unwrap());
    }

    #[test]
    fn an_exporter_or_protocol_that_is_not_known_is_an_error_that_names_it() {
        let error = is_wanted(Signal::Traces, &variables(&[("OTEL_TRACES_EXPORTER", "zipkin")])).unwrap_err();
        assert_eq!(error.to_string(), "OTEL_TRACES_EXPORTER is «zipkin»: it must be otlp or none");
        let error = protocol(Signal::Traces, &variables(&[("OTEL_EXPORTER_OTLP_PROTOCOL", "http/json")])).unwrap_err();
        assert_eq!(error.to_string(), "OTEL_EXPORTER_OTLP_PROTOCOL is «http/json»: it must be grpc or http/protobuf");
    }

    #[test]
    fn the_protocol_of_traces_goes_before_that_of_everything() {
        let both = [("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "grpc"), ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf")];
        assert_eq!(protocol(Signal::Traces, &variables(&both)).unwrap(), Protocol::Grpc);
        assert_eq!(protocol(Signal::Traces, &variables(&[])).unwrap(), Protocol::Http);
    }
}
