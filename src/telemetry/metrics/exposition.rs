//! Metrics as text, in the two formats that Prometheus reads: its own, and OpenMetrics, which has a place for examples
//! (<https://prometheus.io/docs/instrumenting/exposition_formats/>,
//! <https://github.com/prometheus/OpenMetrics/blob/v1.0.0/specification/OpenMetrics.md>).
//!
//! How names become Prometheus' follows
//! <https://opentelemetry.io/docs/specs/otel/compatibility/prometheus_and_openmetrics/>.

use std::fmt::Write as _;
use std::time::UNIX_EPOCH;

use opentelemetry::{KeyValue, Value};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::metrics::data::{AggregatedMetrics, HistogramDataPoint, Metric, MetricData, ResourceMetrics};

use super::definitions::{ALL, Definition, Kind};
use super::exemplars::Exemplars;

/// A format of metrics as text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TextFormat {
    /// That of Prometheus.
    Prometheus,
    /// That of OpenMetrics, with examples.
    OpenMetrics,
}

impl TextFormat {
    /// The one that a header `Accept` asks for.
    #[must_use]
    pub fn negotiate(accept: &str) -> Self {
        match accept.contains("application/openmetrics-text") {
            true => Self::OpenMetrics,
            false => Self::Prometheus,
        }
    }

    /// What it is sent as.
    #[must_use]
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Prometheus => "text/plain; version=0.0.4; charset=utf-8",
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        }
    }
}

/// What is written so far.
pub(super) struct Page<'a> {
    pub format: TextFormat,
    pub exemplars: Option<&'a Exemplars>,
    pub text: String,
}

impl Page<'_> {
    /// Writes all that was collected.
    pub fn write(mut self, collected: &ResourceMetrics) -> String {
        self.target(collected.resource());
        for metric in collected.scope_metrics().flat_map(|scope| scope.metrics()) {
            if let Some(definition) = ALL.iter().find(|known| known.name == metric.name()) {
                self.metric(definition, metric);
            }
        }
        if self.format == TextFormat::OpenMetrics {
            self.text += "# EOF\n";
        }
        self.text
    }

    /// Who tells: what a collector gets as the resource.
    fn target(&mut self, resource: &Resource) {
        let labels: Vec<KeyValue> =
            resource.iter().map(|(key, value)| KeyValue::new(key.clone(), value.clone())).collect();
        let (name, kind) = match self.format {
            TextFormat::Prometheus => ("target_info", "gauge"),
            TextFormat::OpenMetrics => ("target", "info"),
        };
        let _ = writeln!(self.text, "# HELP {name} What tells these metrics.\n# TYPE {name} {kind}");
        self.sample("target_info", &labels, None, 1.0);
        self.text.push('\n');
    }

    fn metric(&mut self, definition: &Definition, metric: &Metric) {
        let family = definition.family();
        let (kind, suffix) = match definition.kind {
            Kind::Counter => ("counter", "_total"),
            Kind::UpDownCounter | Kind::Gauge => ("gauge", ""),
            Kind::Histogram => ("histogram", ""),
        };
        // Prometheus' own format has no families: a counter is called what its one sample is called.
        let described = match self.format {
            TextFormat::Prometheus => format!("{family}{suffix}"),
            TextFormat::OpenMetrics => family.clone(),
        };
        let meaning = definition.meaning.replace('\\', "\\\\").replace('\n', "\\n").replace(
            '"',
            match self.format {
                TextFormat::Prometheus => "\"",
                TextFormat::OpenMetrics => "\\\"",
            },
        );
        let _ = writeln!(self.text, "# HELP {described} {meaning}\n# TYPE {described} {kind}");
        let sampled = format!("{family}{suffix}");
        match metric.data() {
            AggregatedMetrics::F64(data) => self.points(definition, &family, &sampled, data),
            AggregatedMetrics::U64(data) => self.points(definition, &family, &sampled, data),
            AggregatedMetrics::I64(data) => self.points(definition, &family, &sampled, data),
        }
    }

    fn points<T: Number>(&mut self, definition: &Definition, family: &str, sampled: &str, data: &MetricData<T>) {
        match data {
            MetricData::Gauge(gauge) => gauge.data_points().for_each(|point| {
                let labels = sorted(point.attributes());
                self.line(sampled, &labels, point.value().as_float());
            }),
            MetricData::Sum(sum) => sum.data_points().for_each(|point| {
                let labels = sorted(point.attributes());
                self.line(sampled, &labels, point.value().as_float());
            }),
            MetricData::Histogram(histogram) => {
                histogram.data_points().for_each(|point| self.histogram(definition, family, point));
            }
            // No instrument is one.
            MetricData::ExponentialHistogram(_) => {}
        }
    }

    fn histogram<T: Number>(&mut self, definition: &Definition, family: &str, point: &HistogramDataPoint<T>) {
        let labels = sorted(point.attributes());
        let bounds = point.bounds().chain([f64::INFINITY]);
        let (mut below, mut count) = (f64::NEG_INFINITY, 0);
        for (bound, in_bucket) in bounds.zip(point.bucket_counts()) {
            count += in_bucket;
            self.sample(&format!("{family}_bucket"), &labels, Some(bound), count as f64);
            self.example(definition, &labels, below, bound);
            self.text.push('\n');
            below = bound;
        }
        self.line(&format!("{family}_sum"), &labels, point.sum().as_float());
        self.line(&format!("{family}_count"), &labels, point.count() as f64);
    }

    fn example(&mut self, definition: &Definition, labels: &[KeyValue], above: f64, to: f64) {
        let Some(exemplars) = self.exemplars.filter(|_| self.format == TextFormat::OpenMetrics) else { return };
        if let Some(example) = exemplars.in_bucket(definition.name, labels, above, to) {
            let at = example.at.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64();
            let (trace_id, span_id, value) = (example.trace_id, example.span_id, example.value);
            let _ = write!(self.text, " # {{trace_id=\"{trace_id}\",span_id=\"{span_id}\"}} {value} {at:.3}");
        }
    }

    fn line(&mut self, name: &str, labels: &[KeyValue], value: f64) {
        self.sample(name, labels, None, value);
        self.text.push('\n');
    }

    fn sample(&mut self, name: &str, labels: &[KeyValue], bound: Option<f64>, value: f64) {
        self.text += name;
        let mut separator = '{';
        for KeyValue { key, value, .. } in labels {
            let name = key.as_str().replace(|character: char| !character.is_ascii_alphanumeric(), "_");
            let _ = write!(self.text, "{separator}{name}=\"{}\"", escaped(value));
            separator = ',';
        }
        if let Some(bound) = bound {
            let bound = if bound.is_infinite() { "+Inf".to_owned() } else { number(bound) };
            let _ = write!(self.text, "{separator}le=\"{bound}\"");
            separator = ',';
        }
        if separator == ',' {
            self.text.push('}');
        }
        let _ = write!(self.text, " {}", number(value));
    }
}

/// In one order, whoever recorded them in whichever.
fn sorted<'a>(labels: impl Iterator<Item = &'a KeyValue>) -> Vec<KeyValue> {
    let mut labels: Vec<KeyValue> = labels.cloned().collect();
    labels.sort_by(|one, other| one.key.cmp(&other.key));
    labels
}

fn escaped(value: &Value) -> String {
    value.as_str().replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

/// Bounds are floats in OpenMetrics, also where they are whole.
fn number(value: f64) -> String {
    format!("{value:?}")
}

/// The types of values.
trait Number: Copy {
    fn as_float(self) -> f64;
}

impl Number for f64 {
    fn as_float(self) -> f64 {
        self
    }
}

impl Number for u64 {
    fn as_float(self) -> f64 {
        self as f64
    }
}

impl Number for i64 {
    fn as_float(self) -> f64 {
        self as f64
    }
}
