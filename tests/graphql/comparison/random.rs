//! Many small evaluations made at random, in which names, hashes and places meet as often as they can.

use evalgraph::db::evaluations::NewEvaluation;
use evalgraph::db::test_results::NewTestResult;
use evalgraph::domain::{TestCaseChange, TestOutcome};
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use serde_json::Value;

use super::{COUNTS, compare, evaluations, model, store};
use crate::common::{ResultBuilder, TestServer, on_both_databases};

const PAIRS: usize = 40;

const CHANGES: [(TestCaseChange, &str); 7] = [
    (TestCaseChange::Fixed, "fixed"),
    (TestCaseChange::Regressed, "regressed"),
    (TestCaseChange::UnchangedPass, "unchangedPass"),
    (TestCaseChange::UnchangedFail, "unchangedFail"),
    (TestCaseChange::Errored, "errored"),
    (TestCaseChange::Added, "added"),
    (TestCaseChange::Removed, "removed"),
];

/// What a result is made of.
#[derive(Debug, Clone)]
struct Draw {
    name: usize,
    hash: Option<usize>,
    repetition: i32,
    position: Option<i32>,
    outcome: TestOutcome,
    score: i32,
    latency: Option<i32>,
}

fn draws() -> impl Strategy<Value = Vec<Draw>> {
    let outcome = prop_oneof![
        5 => Just(TestOutcome::Passed),
        3 => Just(TestOutcome::Failed),
        1 => Just(TestOutcome::Errored),
        1 => Just(TestOutcome::Skipped),
    ];
    let numbers = (prop::option::of(0..5), 0..5, prop::option::of(0..1_000));
    (2..8_usize).prop_flat_map(move |names| {
        // The hash that most cases of the name have, none, or that of another: so they match in every way there is.
        let case = (0..names).prop_flat_map(move |name| {
            let hash = prop_oneof![6 => Just(Some(name)), 1 => Just(None), 2 => (0..names).prop_map(Some)];
            (Just(name), hash)
        });
        let draw = (case, 0..3, outcome.clone(), numbers.clone());
        let draw = draw.prop_map(|((name, hash), repetition, outcome, (position, score, latency))| Draw {
            name,
            hash,
            repetition,
            position,
            outcome,
            score,
            latency,
        });
        prop::collection::vec(draw, 0..20)
    })
}

fn result(evaluation: &NewEvaluation, draw: &Draw) -> NewTestResult {
    let result = ResultBuilder::of(evaluation).name(&format!("case {}", draw.name)).outcome(draw.outcome);
    let result = result.score(f64::from(draw.score) / 4.0).with(|row| {
        row.case_hash = draw.hash.map(|hash| format!("hash {hash}"));
        (row.repetition, row.position, row.latency_ms) = (draw.repetition, draw.position, draw.latency);
    });
    result.build()
}

/// Two evaluations, and what comparing them must show.
struct Comparison<'a> {
    server: &'a TestServer,
    evaluations: [NewEvaluation; 2],
    expected: Vec<(TestCaseChange, Value)>,
}

impl Comparison<'_> {
    async fn ask(&self, selection: &str) -> Value {
        let [baseline, candidate] = &self.evaluations;
        compare(self.server, baseline, candidate, selection).await
    }

    /// The cases with the wanted changes, in pages of `size`.
    async fn walk(&self, changes: Option<&[TestCaseChange]>, size: usize) {
        let is_wanted = |change| changes.is_none_or(|changes| changes.contains(&change));
        let expected: Vec<_> = self.expected.iter().filter(|case| is_wanted(case.0)).map(|case| &case.1).collect();
        let filter = changes.map_or_else(String::new, |changes| {
            let names: Vec<_> = changes.iter().map(|change| change.as_str().to_uppercase()).collect();
            format!("change: [{}] ", names.join(" "))
        });
        let (mut found, mut after) = (Vec::new(), String::new());
        loop {
            let case = model::SELECTION;
            let selection = format!(
                "cases({filter}first: {size}{after}) {{ totalCount nodes {{ {case} }} edges {{ cursor node {{ {case} }} }}
                 pageInfo {{ hasNextPage hasPreviousPage startCursor endCursor }} }}"
            );
            let mut page = self.ask(&selection).await["cases"].take();
            assert_eq!(page["totalCount"], expected.len());
            assert_eq!(page["pageInfo"]["hasPreviousPage"], !found.is_empty());
            let edges = page["edges"].as_array().unwrap();
            assert!(edges.iter().map(|edge| &edge["node"]).eq(page["nodes"].as_array().unwrap()), "{page:#}");
            for (end, edge) in [("startCursor", edges.first()), ("endCursor", edges.last())] {
                assert_eq!(page["pageInfo"][end], edge.map_or(Value::Null, |edge| edge["cursor"].clone()));
            }
            after = format!(" after: {}", page["pageInfo"]["endCursor"]);
            let has_next = page["pageInfo"]["hasNextPage"] == true;
            let Value::Array(nodes) = page["nodes"].take() else { panic!("{page:#}") };
            assert!(nodes.len() == size || !has_next, "{page:#}");
            found.extend(nodes);
            assert!(found.len() <= expected.len(), "{changes:?}\n{found:#?}\nbut\n{expected:#?}");
            if !has_next {
                break;
            }
        }
        assert!(found.iter().eq(expected.iter().copied()), "{changes:?}\n{found:#?}\nbut\n{expected:#?}");
    }
}

on_both_databases! {
    async fn the_statements_say_what_the_model_says(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        let mut runner = TestRunner::deterministic();
        let mut seen = [0; 7];
        for number in 0..PAIRS {
            let evaluations = evaluations(&database).await;
            let draws = (draws(), draws()).new_tree(&mut runner).unwrap().current();
            let before: Vec<_> = draws.0.iter().map(|draw| result(&evaluations[0], draw)).collect();
            let after: Vec<_> = draws.1.iter().map(|draw| result(&evaluations[1], draw)).collect();
            let expected = model::compare(&before, &after);
            store(&database, [before, after].concat()).await;
            let comparison = Comparison { server: &server, evaluations, expected };
            comparison.walk(None, number % 3 + 1).await;
            let counts = comparison.ask(COUNTS).await;
            for (index, (change, field)) in CHANGES.into_iter().enumerate() {
                comparison.walk(Some(&[change]), 2).await;
                let count = comparison.expected.iter().filter(|case| case.0 == change).count();
                assert_eq!(counts[field], count, "{field} of {draws:#?}");
                seen[index] += count;
            }
            comparison.walk(Some(&[TestCaseChange::Added, TestCaseChange::Fixed, TestCaseChange::Added]), 3).await;
            comparison.walk(Some(&[]), 1).await;
        }
        // Chance has left nothing out.
        assert!(seen.iter().all(|&count| count >= 10), "{seen:?}");
    }
}
