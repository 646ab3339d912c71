//! The comparison once more, in memory and step by step, to hold the statements against.

use std::collections::BTreeMap;

use evalgraph::db::test_results::NewTestResult;
use evalgraph::domain::{TestCaseChange, TestOutcome};
use serde_json::{Value, json};

use crate::global_id;

/// A case in one evaluation.
struct Case<'a> {
    name: &'a str,
    hash: Option<&'a str>,
    outcome: TestOutcome,
    /// What stands for it.
    result: &'a NewTestResult,
}

type Pair<'a> = (Option<Case<'a>>, Option<Case<'a>>);

/// The compared cases of two evaluations in their order: their changes, and as clients see them.
pub fn compare(baseline: &[NewTestResult], candidate: &[NewTestResult]) -> Vec<(TestCaseChange, Value)> {
    let mut pairs: Vec<_> =
        matched(cases(baseline), cases(candidate)).into_iter().filter_map(without_skipped).collect();
    pairs.sort_by_key(|(baseline, candidate)| {
        let shown = baseline.as_ref().or(candidate.as_ref()).unwrap().result;
        (baseline.is_none(), shown.position.is_none(), shown.position, shown.id)
    });
    pairs.iter().map(|pair| (change(pair), shown(pair))).collect()
}

/// Puts repetitions together.
fn cases(results: &[NewTestResult]) -> Vec<Case<'_>> {
    let mut repetitions: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for result in results {
        repetitions.entry((result.test_case_name.as_str(), result.case_hash.as_deref())).or_default().push(result);
    }
    repetitions.into_iter().map(|((name, hash), results)| case(name, hash, results)).collect()
}

fn case<'a>(name: &'a str, hash: Option<&'a str>, mut results: Vec<&'a NewTestResult>) -> Case<'a> {
    results.sort_by_key(|result| (result.repetition, result.position.is_none(), result.position, result.id));
    let ran = results.iter().find(|result| result.outcome != TestOutcome::Skipped);
    Case { name, hash, outcome: majority(&results), result: ran.unwrap_or(&results[0]) }
}

fn majority(results: &[&NewTestResult]) -> TestOutcome {
    let count = |outcome| results.iter().filter(|result| result.outcome == outcome).count();
    let [passed, failed, errored] = [TestOutcome::Passed, TestOutcome::Failed, TestOutcome::Errored].map(count);
    match () {
        () if passed + failed + errored == 0 => TestOutcome::Skipped,
        () if passed > failed.max(errored) => TestOutcome::Passed,
        () if errored > failed.max(passed) => TestOutcome::Errored,
        () => TestOutcome::Failed,
    }
}

fn matched<'a>(mut baseline: Vec<Case<'a>>, mut candidate: Vec<Case<'a>>) -> Vec<Pair<'a>> {
    let mut pairs = Vec::new();
    pairs.extend(take_pairs(&mut baseline, &mut candidate, |case| Some((Some(case.name), case.hash))));
    pairs.extend(take_pairs(&mut baseline, &mut candidate, |case| Some((Some(case.name), None))));
    pairs.extend(take_pairs(&mut baseline, &mut candidate, |case| case.hash.map(|hash| (None, Some(hash)))));
    pairs.extend(baseline.into_iter().map(|case| (Some(case), None)));
    pairs.extend(candidate.into_iter().map(|case| (None, Some(case))));
    pairs
}

type Key<'a> = (Option<&'a str>, Option<&'a str>);

/// Takes out those that one case on each side has the same key as, and no other.
fn take_pairs<'a>(
    baseline: &mut Vec<Case<'a>>,
    candidate: &mut Vec<Case<'a>>,
    key: impl Fn(&Case<'a>) -> Option<Key<'a>>,
) -> Vec<Pair<'a>> {
    let alone = |cases: &[Case<'a>]| -> Vec<Key<'a>> {
        let keys: Vec<_> = cases.iter().filter_map(&key).collect();
        keys.iter().filter(|one| keys.iter().filter(|other| other == one).count() == 1).copied().collect()
    };
    let (ours, theirs) = (alone(baseline), alone(candidate));
    let mut pairs = Vec::new();
    for shared in ours.into_iter().filter(|key| theirs.contains(key)) {
        let take = |cases: &mut Vec<Case<'a>>| {
            let place = cases.iter().position(|case| key(case) == Some(shared));
            place.map(|place| cases.remove(place))
        };
        pairs.push((take(baseline), take(candidate)));
    }
    pairs
}

fn without_skipped((baseline, candidate): Pair<'_>) -> Option<Pair<'_>> {
    let [baseline, candidate] =
        [baseline, candidate].map(|case| case.filter(|case| case.outcome != TestOutcome::Skipped));
    (baseline.is_some() || candidate.is_some()).then_some((baseline, candidate))
}

fn change((baseline, candidate): &Pair<'_>) -> TestCaseChange {
    use TestOutcome::{Errored, Failed, Passed};
    match (baseline.as_ref().map(|case| case.outcome), candidate.as_ref().map(|case| case.outcome)) {
        (_, None) => TestCaseChange::Removed,
        (None, _) => TestCaseChange::Added,
        (Some(Errored), _) | (_, Some(Errored)) => TestCaseChange::Errored,
        (Some(Passed), Some(Passed)) => TestCaseChange::UnchangedPass,
        (Some(Failed), Some(Passed)) => TestCaseChange::Fixed,
        (Some(Passed), _) => TestCaseChange::Regressed,
        _ => TestCaseChange::UnchangedFail,
    }
}

/// What [`SELECTION`] returns of a case.
fn shown(pair: &Pair<'_>) -> Value {
    let (baseline, candidate) = (pair.0.as_ref(), pair.1.as_ref());
    let result = |case: Option<&Case<'_>>| case.map(|case| json!({ "id": global_id("TestResult", case.result.id) }));
    let outcome = |case: Option<&Case<'_>>| case.map(|case| case.outcome.as_str().to_uppercase());
    let both = baseline.zip(candidate).map(|(baseline, candidate)| (baseline.result, candidate.result));
    json!({
        "testCaseName": candidate.or(baseline).unwrap().name,
        "change": change(pair).as_str().to_uppercase(),
        "baseline": result(baseline),
        "candidate": result(candidate),
        "baselineOutcome": outcome(baseline),
        "candidateOutcome": outcome(candidate),
        "scoreDelta": both.map(|(baseline, candidate)| candidate.score - baseline.score),
        "latencyDeltaMs": both.and_then(|(baseline, candidate)| Some(candidate.latency_ms? - baseline.latency_ms?)),
    })
}

/// All that is said of a case.
pub const SELECTION: &str = "testCaseName change baseline { id } candidate { id } baselineOutcome candidateOutcome
                             scoreDelta latencyDeltaMs";
