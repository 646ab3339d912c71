//! The trace of a request, as it was recorded.

use std::fmt::Write as _;
use std::time::Duration;

use opentelemetry::trace::SpanId;
use opentelemetry_sdk::trace::SpanData;
use serde_json::{Value, json};

use crate::common::log::recorded_spans;
use crate::common::{Reply, TestServer, eventually};

/// What is in no span, wherever it is put.
pub const MARKER: &str = "marker-of-a-secret";

/// The span of the client that began a trace.
const OF_CLIENT: &str = "00f067aa0ba902b7";

/// A trace that a client began, and its header.
pub struct Trace {
    pub id: String,
    pub header: String,
}

impl Trace {
    fn new(flags: &str) -> Self {
        recorded_spans();
        let id = format!("{:032x}", uuid::Uuid::now_v7().as_u128());
        Self { header: format!("00-{id}-{OF_CLIENT}-{flags}"), id }
    }

    pub fn sampled() -> Self {
        Self::new("01")
    }

    pub fn unsampled() -> Self {
        Self::new("00")
    }

    pub fn request(&self, server: &TestServer) -> reqwest::RequestBuilder {
        server.client.post(server.url("/graphql")).header("traceparent", &self.header)
    }

    pub async fn send(&self, server: &TestServer, query: &str, variables: Value) -> Reply {
        Reply::of(self.request(server).json(&json!({ "query": query, "variables": variables }))).await
    }

    pub fn spans(&self) -> Vec<SpanData> {
        let all = recorded_spans().into_iter();
        all.filter(|span| span.span_context.trace_id().to_string() == self.id).collect()
    }

    pub fn span(&self, name: &str) -> SpanData {
        let spans = self.spans();
        let names: Vec<_> = spans.iter().map(|span| span.name.clone()).collect();
        spans.into_iter().find(|span| span.name == name).unwrap_or_else(|| panic!("no {name} in {names:?}"))
    }

    /// The spans, each below its parent. The last is the request's own, so it is waited for.
    pub async fn tree(&self) -> String {
        let is_whole = async || self.spans().iter().any(|span| span.name.ends_with("/graphql"));
        eventually(Duration::from_secs(10), "the request's span ends", is_whole).await;
        let mut spans = self.spans();
        spans.sort_by_key(|span| span.start_time);
        let mut tree = String::new();
        write_below(&mut tree, &spans, OF_CLIENT, 0);
        tree
    }
}

/// An attribute of a span.
pub fn attribute(span: &SpanData, name: &str) -> Option<String> {
    span.attributes.iter().find(|attribute| attribute.key.as_str() == name).map(|found| found.value.to_string())
}

fn write_below(tree: &mut String, spans: &[SpanData], parent: &str, depth: usize) {
    let below = spans.iter().filter(|span| span.parent_span_id.to_string() == parent);
    // PostgreSQL and SQLite differ in what comes before a statement.
    for span in below.filter(|span| !["BEGIN", "COMMIT"].iter().any(|verb| span.name.starts_with(verb))) {
        let _ = write!(tree, "{:1$}{2}", "", depth * 2, span.name);
        for name in [
            "graphql.selection.path",
            "evalgraph.field.arguments",
            "graphql.dataloader.batch.size",
            "graphql.dataloader.cache.hit_count",
            "evalgraph.cache.process.hit_count",
            "graphql.operation.name",
            "evalgraph.operation.complexity",
            "db.response.returned_rows",
            "http.response.status_code",
            "evalgraph.request.cancelled",
            "error.type",
        ] {
            // Nothing of it is the usual case.
            if let Some(value) = attribute(span, name).filter(|value| value != "0") {
                let _ =
                    write!(tree, " {}={value}", name.trim_start_matches("graphql.").trim_start_matches("evalgraph."));
            }
        }
        for link in &span.links.links {
            let coordinate = link.attributes.first().map(|attribute| attribute.value.to_string()).unwrap_or_default();
            assert!(is_known(spans, link.span_context.span_id()), "a link leads to no span: {coordinate}");
            let _ = write!(tree, " <-{coordinate}");
        }
        for event in &span.events.events {
            let attributes: Vec<_> = event.attributes.iter().map(|attribute| attribute.value.to_string()).collect();
            let _ = write!(tree, " !{} {}", event.name, attributes.join(" "));
        }
        tree.push('\n');
        write_below(tree, spans, &span.span_context.span_id().to_string(), depth + 1);
    }
}

fn is_known(spans: &[SpanData], id: SpanId) -> bool {
    spans.iter().any(|span| span.span_context.span_id() == id)
}
