//! Lines of the log about work whose trace is recorded say which trace it is.

use std::fmt;

use opentelemetry::Context;
use opentelemetry::trace::TraceContextExt as _;
use tracing::{Event, Metadata, Subscriber};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

use super::span::TARGET;

/// Whether something is for the log: not a span that is for traces, whatever the log is told to have.
#[must_use]
pub fn is_no_span(metadata: &Metadata<'_>) -> bool {
    metadata.target() != TARGET
}

/// Writes lines as `format` does, and adds the ids of the span that the work belongs to.
#[derive(Debug)]
pub struct WithTraceIds<F> {
    /// What writes the rest of the line.
    pub format: F,
    /// Whether a line is a JSON object.
    pub is_json: bool,
}

impl<S, N, F> FormatEvent<S, N> for WithTraceIds<F>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
    F: FormatEvent<S, N>,
{
    fn format_event(&self, context: &FmtContext<'_, S, N>, mut writer: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        let ids = Context::map_current(|context| {
            let ids = context.span().span_context().clone();
            ids.is_sampled().then_some(ids)
        });
        let Some(ids) = ids else { return self.format.format_event(context, writer, event) };
        let mut line = String::new();
        self.format.format_event(context, Writer::new(&mut line), event)?;
        let (trace_id, span_id) = (ids.trace_id(), ids.span_id());
        let line = line.trim_end();
        match line.strip_suffix('}').filter(|_| self.is_json) {
            Some(open) => writeln!(writer, "{open},\"trace_id\":\"{trace_id}\",\"span_id\":\"{span_id}\"}}"),
            None => writeln!(writer, "{line} trace_id={trace_id} span_id={span_id}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use opentelemetry_sdk::trace::{InMemorySpanExporter, SdkTracerProvider};
    use tracing_subscriber::filter::{FilterExt as _, filter_fn};
    use tracing_subscriber::fmt::format::Format;
    use tracing_subscriber::layer::SubscriberExt as _;
    use tracing_subscriber::{EnvFilter, Layer as _};

    use super::*;
    use crate::telemetry;
    use crate::telemetry::captured::Captured;

    /// Logs outside of a span, in one and in one below it, with a filter that would have everything; returns the log and
    /// the ids of the spans.
    fn log(is_json: bool, filter: &str) -> (String, Vec<String>) {
        let log = Captured::default();
        let writer = log.clone();
        let provider = SdkTracerProvider::builder().with_simple_exporter(InMemorySpanExporter::default()).build();
        let filter = EnvFilter::new(filter).and(filter_fn(is_no_span));
        let lines = tracing_subscriber::fmt::layer().with_writer(move || writer.clone()).without_time();
        let lines = match is_json {
            true => {
                let lines = lines.json().flatten_event(true);
                lines.map_event_format(|format| WithTraceIds { format, is_json }).with_filter(filter).boxed()
            }
            false => {
                let plain = |format: Format<_, _>| WithTraceIds { format: format.with_ansi(false), is_json };
                lines.map_event_format(plain).with_filter(filter).boxed()
            }
        };
        let subscriber = tracing_subscriber::registry().with(lines).with(telemetry::layer(&provider));
        let ids = tracing::subscriber::with_default(subscriber, || {
            tracing::info!(number = 1, "outside");
            let outer = telemetry::root("outer").expect("everything is recorded");
            let in_outer = outer.place();
            let _in_outer = in_outer.enter();
            tracing::info!(number = 2, "in the outer");
            let inner = telemetry::child("inner").expect("the outer is recorded");
            let in_inner = inner.place();
            let _in_inner = in_inner.enter();
            tracing::info!(number = 3, "in the inner");
            vec![
                outer.ids().trace_id().to_string(),
                outer.ids().span_id().to_string(),
                inner.ids().span_id().to_string(),
            ]
        });
        (log.text(), ids)
    }

    #[test]
    fn lines_have_the_ids_of_their_span_and_the_spans_are_not_in_them() {
        for filter in ["info", "trace", "evalgraph=trace", "evalgraph::trace=trace,info"] {
            let (log, ids) = log(false, filter);
            let [trace, outer, inner] = &ids[..] else { panic!("{ids:?}") };
            let place = "INFO evalgraph::telemetry::line::tests:";
            let expected = format!(
                " {place} outside number=1\n {place} in the outer number=2 trace_id={trace} span_id={outer}\n \
                 {place} in the inner number=3 trace_id={trace} span_id={inner}\n"
            );
            assert_eq!(log, expected, "{filter}");
        }
    }

    #[test]
    fn lines_of_json_are_objects_with_the_ids() {
        let (log, ids) = log(true, "trace");
        let lines: Vec<serde_json::Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!((&lines[0]["number"], &lines[0]["trace_id"]), (&1.into(), &serde_json::Value::Null));
        for (line, span) in [(&lines[1], &ids[1]), (&lines[2], &ids[2])] {
            assert_eq!((&line["trace_id"], &line["span_id"]), (&ids[0].as_str().into(), &span.as_str().into()));
            assert!(line.get("span").is_none() && line.get("spans").is_none(), "{line}");
        }
    }

    #[test]
    fn a_log_that_has_nothing_does_not_switch_spans_off() {
        let (log, ids) = log(false, "off");
        assert_eq!(log, "");
        assert_eq!(ids.len(), 3);
    }
}
