//! Which traces are recorded.

use opentelemetry::trace::{Link, SpanKind, TraceContextExt as _, TraceId};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::trace::{Sampler, SamplingDecision, SamplingResult, ShouldSample};

use super::export::TelemetryError;

/// What is in the context of a trace that is recorded whatever the sampler says.
#[derive(Debug, Clone, Copy)]
pub struct Demanded;

/// Records what is demanded, and of the rest what another sampler wants.
#[derive(Debug, Clone)]
pub struct OnDemand<S>(pub S);

impl<S: ShouldSample + Clone + 'static> ShouldSample for OnDemand<S> {
    fn should_sample(
        &self,
        parent: Option<&Context>,
        trace_id: TraceId,
        name: &str,
        kind: &SpanKind,
        attributes: &[KeyValue],
        links: &[Link],
    ) -> SamplingResult {
        match parent.filter(|parent| parent.get::<Demanded>().is_some()) {
            None => self.0.should_sample(parent, trace_id, name, kind, attributes, links),
            Some(parent) => SamplingResult {
                decision: SamplingDecision::RecordAndSample,
                attributes: Vec::new(),
                trace_state: parent.span().span_context().trace_state().clone(),
            },
        }
    }
}

const SAMPLER: &str = "OTEL_TRACES_SAMPLER";
const ARGUMENT: &str = "OTEL_TRACES_SAMPLER_ARG";

/// The samplers that the variable may name.
const SAMPLERS: &str =
    "always_on, always_off, traceidratio, parentbased_always_on, parentbased_always_off or parentbased_traceidratio";

/// The sampler that the variables name. The library's own reading takes no notice of what it does not understand.
pub fn configured(variable: impl Fn(&str) -> Option<String>) -> Result<Sampler, TelemetryError> {
    let parent_based = |root: Sampler| Sampler::ParentBased(Box::new(root));
    let ratio = || ratio(variable(ARGUMENT));
    match variable(SAMPLER).as_deref() {
        None | Some("parentbased_always_on") => Ok(parent_based(Sampler::AlwaysOn)),
        Some("parentbased_always_off") => Ok(parent_based(Sampler::AlwaysOff)),
        Some("parentbased_traceidratio") => ratio().map(parent_based),
        Some("always_on") => Ok(Sampler::AlwaysOn),
        Some("always_off") => Ok(Sampler::AlwaysOff),
        Some("traceidratio") => ratio(),
        Some(other) => {
            Err(TelemetryError::Variable { variable: SAMPLER, value: other.to_owned(), expected: SAMPLERS.to_owned() })
        }
    }
}

fn ratio(given: Option<String>) -> Result<Sampler, TelemetryError> {
    let Some(given) = given else { return Ok(Sampler::TraceIdRatioBased(1.0)) };
    match given.parse::<f64>() {
        Ok(ratio) if (0.0..=1.0).contains(&ratio) => Ok(Sampler::TraceIdRatioBased(ratio)),
        _ => Err(TelemetryError::Variable {
            variable: ARGUMENT,
            value: given,
            expected: "a part of all traces, from 0 to 1".to_owned(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sampler(name: &str, argument: &str) -> Result<Sampler, String> {
        let variable = |asked: &str| Some(if asked == SAMPLER { name.to_owned() } else { argument.to_owned() });
        configured(variable).map_err(|error| error.to_string())
    }

    fn records(sampler: &impl ShouldSample, parent: &Context) -> bool {
        let result = sampler.should_sample(Some(parent), TraceId::from(u128::MAX), "", &SpanKind::Server, &[], &[]);
        result.decision == SamplingDecision::RecordAndSample
    }

    #[test]
    fn the_variables_name_a_sampler() {
        let no_parent = Context::new();
        assert!(records(&configured(|_| None).unwrap(), &no_parent));
        for (name, argument, is_recorded) in [
            ("always_on", "", true),
            ("always_off", "", false),
            ("traceidratio", "1", true),
            ("parentbased_traceidratio", "0", false),
            ("parentbased_always_on", "", true),
            ("parentbased_always_off", "", false),
        ] {
            assert_eq!(records(&sampler(name, argument).unwrap(), &no_parent), is_recorded, "{name}");
        }
    }

    #[test]
    fn a_sampler_that_is_not_known_is_an_error_that_names_it() {
        let error = sampler("parentbased_jaeger_remote", "").unwrap_err();
        assert!(
            error.starts_with("OTEL_TRACES_SAMPLER is «parentbased_jaeger_remote»: it must be always_on, "),
            "{error}"
        );
        for argument in ["1 %", "-0.1", "NaN", "1.5"] {
            let error = sampler("traceidratio", argument).unwrap_err();
            let expected =
                format!("OTEL_TRACES_SAMPLER_ARG is «{argument}»: it must be a part of all traces, from 0 to 1");
            assert_eq!(error, expected);
        }
    }

    #[test]
    fn what_is_demanded_is_recorded() {
        let sampler = OnDemand(Sampler::AlwaysOff);
        assert!(!records(&sampler, &Context::new()));
        assert!(records(&sampler, &Context::new().with_value(Demanded)));
    }
}
