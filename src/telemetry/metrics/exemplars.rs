//! Examples: the last sampled trace of each bucket of a histogram.
//!
//! The SDK has types for them and collects none. Only OpenMetrics has a place for them: `/metrics` shows them to whoever
//! accepts that. Requests that are not sampled have none, and pay nothing.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use opentelemetry::KeyValue;
use opentelemetry::trace::{SpanContext, SpanId, TraceId};

/// A value and the trace that it is of.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Exemplar {
    /// The value.
    pub value: f64,
    /// The trace.
    pub trace_id: TraceId,
    /// The span in it.
    pub span_id: SpanId,
    /// When it was measured.
    pub at: SystemTime,
}

/// A series that would not be among so many others has no examples. There are bounds on all labels, so there are fewer.
const MOST_SERIES: usize = 2_000;

/// The values of the labels of a series, sorted by name.
type Series = (&'static str, Vec<KeyValue>);

/// The last examples of each series.
#[derive(Debug, Default)]
pub struct Exemplars(Mutex<HashMap<Series, Vec<Exemplar>>>);

/// How many a series keeps. Two in one bucket are one too many, but a bucket with none shows none.
const KEPT: usize = 32;

impl Exemplars {
    /// Keeps a value of a sampled trace as an example.
    pub fn keep(&self, metric: &'static str, labels: &[KeyValue], value: f64, of: &SpanContext) {
        let exemplar = Exemplar { value, trace_id: of.trace_id(), span_id: of.span_id(), at: SystemTime::now() };
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let series = (metric, sorted(labels.to_vec()));
        if !all.contains_key(&series) && all.len() >= MOST_SERIES {
            return;
        }
        let kept = all.entry(series).or_default();
        if kept.len() >= KEPT {
            kept.remove(0);
        }
        kept.push(exemplar);
    }

    /// The last example of a series in a bucket: above one bound, and not above the other.
    pub fn in_bucket(&self, metric: &str, labels: &[KeyValue], above: f64, to: f64) -> Option<Exemplar> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let labels = sorted(labels.to_vec());
        let kept = all.iter().find(|((name, known), _)| *name == metric && *known == labels)?.1;
        kept.iter().rev().find(|exemplar| exemplar.value > above && exemplar.value <= to).copied()
    }
}

fn sorted(mut labels: Vec<KeyValue>) -> Vec<KeyValue> {
    labels.sort_by(|one, other| one.key.cmp(&other.key));
    labels
}

#[cfg(test)]
mod tests {
    use opentelemetry::trace::{TraceFlags, TraceState};

    use super::*;

    #[test]
    fn the_last_of_a_bucket_is_its_example() {
        let span = |id: u8| {
            let ids = (TraceId::from_bytes([id; 16]), SpanId::from_bytes([id; 8]));
            SpanContext::new(ids.0, ids.1, TraceFlags::SAMPLED, false, TraceState::NONE)
        };
        let exemplars = Exemplars::default();
        let labels = [KeyValue::new("b", "2"), KeyValue::new("a", "1")];
        for (value, id) in [(0.2, 1), (0.3, 2), (5.0, 3)] {
            exemplars.keep("m", &labels, value, &span(id));
        }
        let [one, other] = labels;
        let of = |above, to| exemplars.in_bucket("m", &[other.clone(), one.clone()], above, to);
        assert_eq!(of(0.1, 0.5).map(|found| found.value), Some(0.3));
        assert_eq!(of(0.5, f64::INFINITY).map(|found| found.trace_id), Some(TraceId::from_bytes([3; 16])));
        assert_eq!(of(0.0, 0.1), None);
        for _ in 0..100 {
            exemplars.keep("m", &[one.clone(), other.clone()], 9.0, &span(4));
        }
        assert_eq!(of(0.1, 0.5), None);
    }
}
