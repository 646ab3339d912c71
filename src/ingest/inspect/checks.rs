//! Comparing what a log claims with the samples that are in it.

use super::log::{Frame, Results};
use super::samples::Reader;
use super::survey::Survey;
use crate::ingest::differences::{Differences, number_differs};

/// The metrics that are the mean of all scores.
const MEANS: [&str; 2] = ["accuracy", "mean"];

/// Warns when the totals of the log and of its samples differ.
pub(super) fn compare(frame: &Frame, reader: &Reader, survey: &mut Survey) {
    let Some(results) = &frame.results else { return };
    let found = f64::from(survey.totals.tests);
    if let Some(declared) = results.total_samples.filter(|&declared| declared != found) {
        survey.warnings.add(number_differs(declared, found));
        return;
    }
    let mut differences = Differences::default();
    let model = frame.eval.as_ref().and_then(|eval| eval.model.as_ref());
    let usage = model.and_then(|model| frame.stats.model_usage.as_ref()?.get(model));
    let tokens = usage.and_then(|usage| usage["total_tokens"].as_f64());
    differences.count("tokens", tokens, survey.totals.tokens.unwrap_or(0));
    if is_mean_of_all(frame, survey) && survey.totals.tests > 0 {
        let mean = survey.totals.score / f64::from(survey.totals.tests);
        differences.measure("mean score", declared_mean(results, reader), mean);
    }
    differences.warn("results", &mut survey.warnings);
}

/// Whether the metrics are computed over all samples alike: none is missing, and their epochs were reduced by the mean.
fn is_mean_of_all(frame: &Frame, survey: &Survey) -> bool {
    let config = frame.eval.as_ref().and_then(|eval| eval.config.as_ref());
    let reducers = config.and_then(|config| config["epochs_reducer"].as_array());
    let by_mean = reducers.is_none_or(|reducers| reducers.iter().all(|reducer| reducer == "mean"));
    by_mean && survey.unscored == 0 && survey.totals.errored == 0
}

fn declared_mean(results: &Results, reader: &Reader) -> Option<f64> {
    let is_own = |name: &Option<String>| name.is_some() && *name == reader.headline.scorer;
    let aggregate = results.scores.iter().flatten().find(|aggregate| {
        is_own(&aggregate.scorer) && (aggregate.name == reader.headline.member || aggregate.name == aggregate.scorer)
    })?;
    let metrics = aggregate.metrics.as_ref()?;
    MEANS.iter().find_map(|name| metrics.get(*name)?["value"].as_f64())
}
