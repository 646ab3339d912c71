//! What pages of cases cost, and where they begin and end.

use evalgraph::domain::TestOutcome;
use serde_json::json;

use super::{COUNTS, compare, evaluations, query, store};
use crate::common::{Reply, ResultBuilder, TestServer, on_both_databases};
use crate::{global_id, texts};

/// Everything that a comparison has.
const EVERYTHING: &str = "scoreDelta baseline { model metrics } candidate { errorMessage }
    cases(first: 100) { totalCount pageInfo { hasNextPage endCursor } nodes { change scoreDelta
        baseline { outcome actualOutput } candidate { reason inputData evaluation { id } } } }
    lost: cases(change: [REGRESSED]) { totalCount }";

on_both_databases! {
    async fn one_case_and_a_hundred_cost_the_same(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        let mut replies: Vec<Reply> = Vec::new();
        for cases in [1, 2, 100] {
            let [baseline, candidate] = evaluations(&database).await;
            let case = |evaluation, number: i32| {
                let result = ResultBuilder::of(evaluation).name(&format!("case {number}"));
                result.with(|row| row.actual_output = Some("an answer".to_owned())).build()
            };
            store(&database, (0..cases).flat_map(|number| [case(&baseline, number), case(&candidate, number)]).collect())
                .await;
            let reply = server.send(&query(&baseline, &candidate, &format!("{COUNTS} {EVERYTHING}")), json!({})).await;
            assert!(reply.body.get("errors").is_none(), "{:#}", reply.body);
            let found = &reply.body["data"]["compareEvaluations"]["cases"];
            assert_eq!(found["nodes"].as_array().unwrap().len(), usize::try_from(cases).unwrap());
            assert_eq!((&found["totalCount"], &found["pageInfo"]["hasNextPage"]), (&json!(cases), &json!(false)));
            for node in found["nodes"].as_array().unwrap() {
                assert_eq!(node["baseline"], json!({ "outcome": "PASSED", "actualOutput": "an answer" }));
                assert_eq!(node["candidate"]["evaluation"]["id"], global_id("Evaluation", candidate.id));
            }
            // The results of both sides come together.
            assert_eq!(reply.loader("testResultById"), (1, 2 * u64::try_from(cases).unwrap()));
            replies.push(reply);
        }
        // The evaluations, the counts, the cases, their results, and the evaluation of those.
        assert_eq!(replies.iter().map(Reply::statements).collect::<Vec<_>>(), [5; 3]);
    }

    async fn what_is_not_selected_costs_nothing(database: TestDatabase) {
        let [baseline, candidate] = evaluations(&database).await;
        let case = |evaluation| ResultBuilder::of(evaluation).build();
        store(&database, vec![case(&baseline), case(&candidate)]).await;
        let server = TestServer::start(&database).await;
        for (selection, statements) in [
            ("scoreDelta baseline { id metrics } candidate { model }", 1),
            ("matched fixed added", 2),
            ("cases { totalCount }", 2),
            ("matched cases { totalCount } others: cases(change: [ADDED]) { totalCount }", 2),
            ("cases { nodes { change scoreDelta latencyDeltaMs baselineOutcome } }", 2),
            ("cases { pageInfo { hasNextPage hasPreviousPage } edges { cursor } }", 2),
            ("cases { nodes { change } } same: cases { nodes { testCaseName } }", 2),
            ("cases { nodes { baseline { id } candidate { id } } }", 3),
        ] {
            let reply = server.send(&query(&baseline, &candidate, selection), json!({})).await;
            assert!(reply.body.get("errors").is_none(), "{selection}: {:#}", reply.body);
            assert_eq!(reply.statements(), statements, "{selection}");
        }
    }

    async fn cases_stand_in_the_order_of_the_tests(database: TestDatabase) {
        let [baseline, candidate] = evaluations(&database).await;
        let case = |evaluation, name: &str, position: Option<i32>| {
            ResultBuilder::of(evaluation).name(name).outcome(TestOutcome::Failed).with(|row| row.position = position).build()
        };
        let results = vec![
            case(&baseline, "unplaced", None),
            case(&baseline, "unplaced too", None),
            case(&baseline, "last", Some(i32::MAX)),
            case(&baseline, "second", Some(2)),
            case(&baseline, "first", Some(1)),
            case(&candidate, "second", Some(0)),
            case(&candidate, "new", None),
            case(&candidate, "new and placed", Some(7)),
            case(&candidate, "unplaced", Some(0)),
        ];
        store(&database, results).await;
        let server = TestServer::start(&database).await;
        let comparison = compare(&server, &baseline, &candidate, "cases { nodes { testCaseName } }").await;
        assert_eq!(
            texts(&comparison["cases"]["nodes"], "testCaseName"),
            ["first", "second", "last", "unplaced", "unplaced too", "new and placed", "new"],
        );
    }

    async fn a_page_has_the_usual_size(database: TestDatabase) {
        let [baseline, candidate] = evaluations(&database).await;
        let case = |number| ResultBuilder::of(&baseline).name(&format!("case {number}")).build();
        store(&database, (0..101).map(case).collect()).await;
        let server = TestServer::start(&database).await;
        for (arguments, size) in [("", 20), ("(first: 0)", 0), ("(first: 7)", 7), ("(first: 100)", 100)] {
            let selection = format!("cases{arguments} {{ nodes {{ change }} pageInfo {{ hasNextPage }} }}");
            let cases = compare(&server, &baseline, &candidate, &selection).await["cases"].take();
            assert_eq!(cases["nodes"].as_array().unwrap().len(), size, "{arguments}");
            assert_eq!(cases["pageInfo"]["hasNextPage"], true, "{arguments}");
        }
    }
}
