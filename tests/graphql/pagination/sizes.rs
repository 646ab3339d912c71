//! How large pages are, and how long lists.

use serde_json::json;

use crate::common::{EvaluationBuilder, PromptBuilder, ResultBuilder, TestServer, on_both_databases};
use crate::global_id;
use crate::world::{List, fill};
use evalgraph::domain::TestOutcome;

on_both_databases! {
    async fn a_page_has_twenty_objects_unless_asked_otherwise(database: TestDatabase) {
        let prompt = PromptBuilder::new().insert(&database).await;
        let evaluation = EvaluationBuilder::of(&prompt).insert(&database).await;
        for _ in 0..119 {
            ResultBuilder::of(&evaluation).insert(&database).await;
        }
        let server = TestServer::start(&database).await;
        let parent = Some(global_id("Evaluation", evaluation.id));
        let list = List { coordinate: "Evaluation.testResults", parent, ids: vec![] };
        let cases = [("", 20), ("first: null", 20), ("first: 100", 100), ("last: 100", 100), ("last: 7", 7)];
        for (arguments, size) in cases {
            let page = list.page(&server, arguments).await;
            assert_eq!((page.ids.len(), page.total), (size, 119), "{arguments}");
            assert!(page.has_next != arguments.starts_with("last"));
        }
    }

    async fn the_length_of_a_list_does_not_depend_on_the_page(database: TestDatabase) {
        let lists = fill(&database).await;
        let server = TestServer::start(&database).await;
        for list in &lists {
            let cursor = list.page(&server, "").await.cursors.remove(3);
            let arguments =
                ["first: 0".to_owned(), format!("last: 1, before: {cursor:?}"), format!("after: {cursor:?}")];
            for arguments in arguments {
                let page = list.select(&server, &arguments, "totalCount").await;
                assert_eq!(page, json!({ "totalCount": list.ids.len() }), "{} {arguments}", list.coordinate);
            }
        }
    }

    async fn the_length_of_a_list_follows_its_filter(database: TestDatabase) {
        let prompts = [PromptBuilder::new().insert(&database).await, PromptBuilder::new().insert(&database).await];
        for (prompt, failed) in prompts.iter().zip([2, 3]) {
            let evaluation = EvaluationBuilder::of(prompt).insert(&database).await;
            for number in 0..6 {
                let outcome = if number < failed { TestOutcome::Failed } else { TestOutcome::Passed };
                ResultBuilder::of(&evaluation).outcome(outcome).insert(&database).await;
            }
        }
        let server = TestServer::start(&database).await;
        let counts = server
            .data(
                "{ evaluations { nodes { all: testResults(first: 1) { totalCount nodes { id } }
                                         failed: testResults(first: 1, filter: { outcome: FAILED }) { totalCount }
                                         passed: testResults(last: 0, filter: { passed: true }) { totalCount } } } }",
            )
            .await;
        let counts = counts["evaluations"]["nodes"].as_array().unwrap();
        let total = |evaluation: usize, list: &str| counts[evaluation][list]["totalCount"].as_u64().unwrap();
        // The newest evaluation comes first.
        assert_eq!((total(0, "all"), total(0, "failed"), total(0, "passed")), (6, 3, 3));
        assert_eq!((total(1, "all"), total(1, "failed"), total(1, "passed")), (6, 2, 4));
        let none = server.data("{ runs(filter: { name: \"none\" }) { totalCount } }").await;
        assert_eq!(none, json!({ "runs": { "totalCount": 0 } }));
    }
}
