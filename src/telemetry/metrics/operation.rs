//! Requests: over HTTP, and as operations of GraphQL.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use opentelemetry::{KeyValue, StringValue};

use super::definitions::{self as metric, label};
use super::instruments::Instruments;
use super::{instruments, seconds};
use crate::telemetry::current_ids;

/// The kinds of operations, as labels have them.
pub(super) const OPERATION_TYPES: [&str; 3] = ["query", "mutation", "subscription"];

/// How many operations of each kind are being executed.
pub(super) static ACTIVE_OPERATIONS: [AtomicI64; 3] = [const { AtomicI64::new(0) }; 3];
/// How many HTTP requests are being worked on.
pub(super) static ACTIVE_HTTP: AtomicI64 = AtomicI64::new(0);

/// One more of something, for as long as it lives: what is cancelled is dropped.
#[derive(Debug)]
struct Active(&'static AtomicI64);

impl Active {
    fn begin(count: &'static AtomicI64) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(count)
    }
}

impl Drop for Active {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// An HTTP request that is being worked on.
#[derive(Debug)]
pub struct ActiveHttpRequest(#[expect(dead_code, reason = "it is there to be dropped")] Active);

impl ActiveHttpRequest {
    /// Counts it until it is dropped.
    #[must_use]
    pub fn begin() -> Self {
        Self(Active::begin(&ACTIVE_HTTP))
    }
}

/// What is told of an HTTP request.
#[derive(Debug, Clone, Copy)]
pub struct HttpFacts<'a> {
    /// Its method, from a closed list.
    pub method: &'static str,
    /// The route that its address leads to; there are any number of addresses that lead nowhere.
    pub route: Option<&'a str>,
    /// The status of the answer; none where the client left before.
    pub status: Option<u16>,
    /// How long it took.
    pub took: Duration,
}

/// Measures an HTTP request that has ended.
pub fn http_answered(facts: HttpFacts<'_>) {
    let Some(instruments) = instruments() else { return };
    let method = KeyValue::new(label::METHOD, facts.method);
    let route = KeyValue::new(label::ROUTE, facts.route.unwrap_or("other").to_owned());
    let took = facts.took.as_secs_f64();
    match facts.status {
        Some(status) => {
            let status = KeyValue::new(label::STATUS_CODE, i64::from(status));
            instruments.http_duration.record(took, &[method, route, status]);
        }
        None => instruments.http_duration.record(took, &[method, route]),
    }
}

/// How long the parts of a request took that come before its execution.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phases {
    /// Checking the text and parsing it.
    Parse,
    /// Checking the document.
    Validate,
    /// Choosing the operation.
    Plan,
}

impl Phases {
    /// Does a part of a request, and measures it.
    pub fn measure<T, E>(self, work: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
        let Some(instruments) = instruments() else { return work() };
        let begun = Instant::now();
        let result = work();
        let histogram = match self {
            Self::Parse => &instruments.parse_duration,
            Self::Validate => &instruments.validate_duration,
            Self::Plan => &instruments.plan_duration,
        };
        match &result {
            Ok(_) => histogram.record(seconds(begun), &[]),
            Err(_) => histogram.record(seconds(begun), &[KeyValue::new(label::ERROR_TYPE, "REFUSED")]),
        }
        result
    }
}

/// An operation on its way. One that is dropped before its end belongs to a client that has left.
#[derive(Debug)]
pub struct OperationMeter {
    begun: Instant,
    executing_since: Option<Instant>,
    operation_type: Option<&'static str>,
    name: Option<Box<str>>,
    _active: Option<Active>,
    is_ended: bool,
}

impl OperationMeter {
    /// Begins to measure, where somebody may read it.
    #[must_use]
    pub fn begin() -> Option<Self> {
        instruments()?;
        Some(Self {
            begun: Instant::now(),
            executing_since: None,
            operation_type: None,
            name: None,
            _active: None,
            is_ended: false,
        })
    }

    /// Notes which operation it is, once that is known and it is about to be executed.
    pub fn executes(&mut self, operation_type: &'static str, name: Option<&str>) {
        self.operation_type = Some(operation_type);
        self.name = name.map(Into::into);
        let place = OPERATION_TYPES.iter().position(|known| *known == operation_type);
        self._active = place.map(|place| Active::begin(&ACTIVE_OPERATIONS[place]));
        self.executing_since = Some(Instant::now());
    }

    /// Measures its end, with the codes of the errors in the answer and the number of statements that it sent.
    pub fn end(mut self, codes: &[String], statements: u64) {
        let Some(instruments) = instruments() else { return };
        self.is_ended = true;
        // What the schema has no place for was no operation of anybody's who knows the server.
        let labels = self.labels(instruments, codes.first().is_none_or(|code| code != "GRAPHQL_VALIDATION_FAILED"));
        instruments.response_errors.record(codes.len() as u64, &labels);
        instruments.request_statements.record(statements, &labels);
        for code in codes {
            instruments.errors.add(1, &[KeyValue::new(label::ERROR_TYPE, code.clone())]);
        }
        self.record(instruments, labels, codes.first().map(|code| StringValue::from(code.clone())));
    }

    fn labels(&self, instruments: &Instruments, makes_sense: bool) -> Vec<KeyValue> {
        let mut labels = Vec::with_capacity(3);
        labels.extend(self.operation_type.map(|operation_type| KeyValue::new(label::OPERATION_TYPE, operation_type)));
        if let Some(name) = &self.name {
            labels.push(KeyValue::new(label::OPERATION_NAME, instruments.names.label(name, makes_sense)));
        }
        labels
    }

    fn record(&self, instruments: &Instruments, mut labels: Vec<KeyValue>, error: Option<StringValue>) {
        let error = error.map(|error| KeyValue::new(label::ERROR_TYPE, error));
        if let Some(since) = self.executing_since {
            let mut of_execution = Vec::with_capacity(2);
            of_execution.extend(labels.first().cloned());
            of_execution.extend(error.clone());
            instruments.execute_duration.record(seconds(since), &of_execution);
        }
        labels.extend(error);
        let took = seconds(self.begun);
        instruments.request_duration.record(took, &labels);
        if let Some(span) = current_ids() {
            instruments.exemplars.keep(metric::REQUEST_DURATION.name, &labels, took, &span);
        }
    }
}

impl Drop for OperationMeter {
    fn drop(&mut self) {
        if let Some(instruments) = instruments().filter(|_| !self.is_ended) {
            let labels = self.labels(instruments, true);
            self.record(instruments, labels, Some(StringValue::from("cancelled")));
        }
    }
}
