//! The instruments that requests use.

use opentelemetry::metrics::{Counter, Histogram, Meter};

use super::definitions::{self as metric, Definition};
use super::exemplars::Exemplars;
use super::names::OperationNames;

/// Bounds of durations of requests, in seconds: from what a cache answers to what runs out of time.
const REQUEST_BOUNDS: &[f64] =
    &[0.0005, 0.001, 0.0025, 0.005, 0.01, 0.02, 0.05, 0.1, 0.15, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0];
/// Bounds of parts of a request.
const PHASE_BOUNDS: &[f64] = &[0.00001, 0.000025, 0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.01, 0.05, 0.25];
/// Bounds of statements and of what waits for them.
const STATEMENT_BOUNDS: &[f64] =
    &[0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0];
/// Bounds of numbers of keys.
const KEY_BOUNDS: &[f64] = &[1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1_000.0, 5_000.0];
/// Bounds of numbers of statements and errors, in which one more matters.
const COUNT_BOUNDS: &[f64] = &[0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0, 15.0, 20.0, 30.0, 50.0];

/// What is counted and measured on the way of a request.
pub struct Instruments {
    pub request_duration: Histogram<f64>,
    pub parse_duration: Histogram<f64>,
    pub validate_duration: Histogram<f64>,
    pub plan_duration: Histogram<f64>,
    pub execute_duration: Histogram<f64>,
    pub response_errors: Histogram<u64>,
    pub errors: Counter<u64>,
    pub request_statements: Histogram<u64>,
    pub field_duration: Histogram<f64>,
    pub batch_size: Histogram<u64>,
    pub batch_duration: Histogram<f64>,
    pub loader_answers: Counter<u64>,
    pub http_duration: Histogram<f64>,
    pub query_duration: Histogram<f64>,
    pub queries: Counter<u64>,
    pub slow_statements: Counter<u64>,
    pub pool_wait: Histogram<f64>,
    pub pool_timeouts: Counter<u64>,
    /// Which names of operations are labels.
    pub names: OperationNames,
    /// Traces of which values are examples.
    pub exemplars: Exemplars,
}

impl Instruments {
    /// Makes all of them.
    pub fn new(meter: &Meter, names: OperationNames) -> Self {
        let durations = |definition, bounds| durations(meter, definition, bounds);
        let numbers = |definition, bounds| numbers(meter, definition, bounds);
        let counter = |definition| counter(meter, definition);
        Self {
            request_duration: durations(metric::REQUEST_DURATION, REQUEST_BOUNDS),
            parse_duration: durations(metric::PARSE_DURATION, PHASE_BOUNDS),
            validate_duration: durations(metric::VALIDATE_DURATION, PHASE_BOUNDS),
            plan_duration: durations(metric::PLAN_DURATION, PHASE_BOUNDS),
            execute_duration: durations(metric::EXECUTE_DURATION, REQUEST_BOUNDS),
            response_errors: numbers(metric::RESPONSE_ERRORS, COUNT_BOUNDS),
            errors: counter(metric::ERRORS),
            request_statements: numbers(metric::REQUEST_STATEMENTS, COUNT_BOUNDS),
            field_duration: durations(metric::FIELD_DURATION, STATEMENT_BOUNDS),
            batch_size: numbers(metric::BATCH_SIZE, KEY_BOUNDS),
            batch_duration: durations(metric::BATCH_DURATION, STATEMENT_BOUNDS),
            loader_answers: counter(metric::LOADER_ANSWERS),
            http_duration: durations(metric::HTTP_DURATION, REQUEST_BOUNDS),
            query_duration: durations(metric::QUERY_DURATION, STATEMENT_BOUNDS),
            queries: counter(metric::QUERIES),
            slow_statements: counter(metric::SLOW_STATEMENTS),
            pool_wait: durations(metric::POOL_WAIT, STATEMENT_BOUNDS),
            pool_timeouts: counter(metric::POOL_TIMEOUTS),
            names,
            exemplars: Exemplars::default(),
        }
    }
}

fn durations(meter: &Meter, definition: Definition, bounds: &[f64]) -> Histogram<f64> {
    let builder = meter.f64_histogram(definition.name).with_unit(definition.unit);
    builder.with_description(definition.meaning).with_boundaries(bounds.to_vec()).build()
}

fn numbers(meter: &Meter, definition: Definition, bounds: &[f64]) -> Histogram<u64> {
    let builder = meter.u64_histogram(definition.name).with_unit(definition.unit);
    builder.with_description(definition.meaning).with_boundaries(bounds.to_vec()).build()
}

fn counter(meter: &Meter, definition: Definition) -> Counter<u64> {
    meter.u64_counter(definition.name).with_unit(definition.unit).with_description(definition.meaning).build()
}
