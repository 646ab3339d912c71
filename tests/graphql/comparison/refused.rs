//! Comparisons that are not made.

use evalgraph::app::App;
use evalgraph::domain::{Principal, TestOutcome};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{COUNTS, compare, evaluations, query, results, store};
use crate::common::{EvaluationBuilder, PromptBuilder, TestDatabase, TestServer, on_both_databases};
use crate::global_id;

/// The message and the argument of the one error of a query, whose field is null then.
async fn refusal(server: &TestServer, query: &str) -> (String, Option<String>) {
    let reply = server.send(query, json!({})).await;
    assert_eq!(reply.body["data"], json!({ "compareEvaluations": null }), "{query}");
    let (message, code, argument) = server.error(query).await;
    assert_eq!(code, "BAD_USER_INPUT", "{query}");
    (message, argument)
}

on_both_databases! {
    async fn a_comparison_with_what_is_hidden_is_as_one_with_nothing(database: TestDatabase) {
        let of = async |user: &str| {
            let prompt = PromptBuilder::new().user(user).insert(&database).await;
            EvaluationBuilder::of(&prompt).insert(&database).await
        };
        let (alices, bobs) = (of("alice").await, of("bob").await);
        for evaluation in [&alices, &bobs] {
            store(&database, results(evaluation, &[("a", "1", TestOutcome::Passed)])).await;
        }
        let missing = EvaluationBuilder::of(&PromptBuilder::new().build()).build();
        let alice = TestServer::for_principal(&database, Principal::user("alice")).await;
        let local = TestServer::start(&database).await;
        let selection = format!("{COUNTS} baseline {{ id }} cases {{ totalCount nodes {{ change }} }}");
        let ask = async |baseline, candidate| alice.send(&query(baseline, candidate, &selection), json!({})).await.body;
        for other in [&bobs, &missing] {
            for (baseline, candidate) in [(&alices, other), (other, &alices), (other, other)] {
                let mut body = ask(baseline, candidate).await;
                body.as_object_mut().unwrap().remove("extensions");
                assert_eq!(body, json!({ "data": { "compareEvaluations": null } }));
            }
        }
        assert_eq!(ask(&alices, &alices).await["data"]["compareEvaluations"]["matched"], 1);
        assert_eq!(compare(&local, &bobs, &alices, "matched").await, json!({ "matched": 1 }));
    }

    async fn arguments_that_are_wrong_are_told(database: TestDatabase) {
        let [baseline, candidate] = evaluations(&database).await;
        let server = TestServer::start(&database).await;
        for (cases, argument, message) in [
            ("(first: -1)", "first", "must be from 0 to 100, not -1"),
            ("(first: 101)", "first", "must be from 0 to 100, not 101"),
            ("(after: \"\")", "after", "is not a cursor; take one from `pageInfo` or `edges`"),
            ("(after: \"größe\")", "after", "is not a cursor"),
        ] {
            let found = refusal(&server, &query(&baseline, &candidate, &format!("cases{cases} {{ totalCount }}"))).await;
            assert!(found.0.contains(message), "{found:?}");
            assert_eq!(found.1.as_deref(), Some(argument), "{found:?}");
        }
        let evaluation = global_id("Evaluation", baseline.id);
        let prompt = global_id("Prompt", Uuid::now_v7());
        for (baseline, candidate, argument, message) in [
            (prompt.as_str(), evaluation.as_str(), "baseline", "is the id of a Prompt, not of a Evaluation"),
            (&evaluation, &prompt, "candidate", "is the id of a Prompt, not of a Evaluation"),
            (&evaluation, "", "candidate", "«» is not an id"),
        ] {
            let query = format!("{{ compareEvaluations(baseline: {baseline:?}, candidate: {candidate:?}) {{ matched }} }}");
            let found = refusal(&server, &query).await;
            assert!(found.0.contains(message), "{found:?}");
            assert_eq!(found.1.as_deref(), Some(argument), "{found:?}");
        }
    }

    async fn a_cursor_belongs_to_its_pair(database: TestDatabase) {
        let [baseline, candidate] = evaluations(&database).await;
        for evaluation in [&baseline, &candidate] {
            store(&database, results(evaluation, &[("a", "1", TestOutcome::Passed)])).await;
        }
        let server = TestServer::start(&database).await;
        let comparison = compare(&server, &baseline, &candidate, "cases { edges { cursor } }").await;
        let cursor = comparison["cases"]["edges"][0]["cursor"].as_str().unwrap().to_owned();
        let prompts = server.data("{ prompts { edges { cursor } } }").await;
        let foreign = prompts["prompts"]["edges"][0]["cursor"].as_str().unwrap();
        let pages = |cursor: &str| format!("cases(after: {cursor:?}) {{ nodes {{ change }} }}");
        for (baseline, candidate, cursor) in [
            (&candidate, &baseline, cursor.as_str()),
            (&baseline, &baseline, cursor.as_str()),
            (&baseline, &candidate, foreign),
        ] {
            let found = refusal(&server, &query(baseline, candidate, &pages(cursor))).await;
            let message = "after: is a cursor of another list or another order than this of EvaluationComparison.cases";
            assert_eq!(found, (message.to_owned(), Some("after".to_owned())));
        }
        let foreign = server.error(&format!("{{ prompts(after: {cursor:?}) {{ totalCount }} }}")).await;
        assert_eq!(foreign.1, "BAD_USER_INPUT");
        // In its own place, and whatever the filter, it is good.
        for filter in ["", "change: [FIXED] "] {
            let selection = format!("cases({filter}after: {cursor:?}) {{ nodes {{ change }} }}");
            let comparison = compare(&server, &baseline, &candidate, &selection).await;
            assert_eq!(comparison["cases"]["nodes"], json!([]));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_of_cases_has_its_price() {
    let database = TestDatabase::sqlite().await;
    let [baseline, candidate] = evaluations(&database).await;
    let mut limits = TestServer::app(database.database.clone()).limits;
    // The comparison, its cases, and for each of five: itself, its change, a result and that one's id.
    limits.queries.max_complexity = 2 + 5 * 4;
    let server = TestServer::with(App::with_limits(database.database.clone(), limits), Principal::local()).await;
    let selection = |first: usize| format!("cases(first: {first}) {{ nodes {{ change baseline {{ id }} }} }}");
    compare(&server, &baseline, &candidate, &selection(5)).await;
    let reply = server.send(&query(&baseline, &candidate, &selection(6)), json!({})).await;
    let extensions = &reply.body["errors"][0]["extensions"];
    assert_eq!((&extensions["limitName"], &extensions["value"]), (&json!("maxComplexity"), &json!(26)));
    assert_eq!(reply.body.get("data"), None::<&Value>);
}
