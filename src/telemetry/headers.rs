//! Headers, for whoever reads from them what a client says of its trace.

use std::collections::HashMap;

use axum::http::HeaderMap;
use opentelemetry::propagation::Extractor;

/// The headers of a request: those of one name are one list (W3C Trace Context, section 3.3.1.1).
pub struct Headers(HashMap<&'static str, String>);

impl Headers {
    /// Those of the headers that are about traces.
    pub fn new(headers: &HeaderMap) -> Self {
        let joined = |name: &'static str| {
            let values: Vec<_> = headers.get_all(name).iter().filter_map(|value| value.to_str().ok()).collect();
            (!values.is_empty()).then(|| (name, values.join(",")))
        };
        Self(["traceparent", "tracestate", "baggage"].into_iter().filter_map(joined).collect())
    }
}

impl Extractor for Headers {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).map(String::as_str)
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys().copied().collect()
    }
}
