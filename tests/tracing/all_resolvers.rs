//! Spans of all resolvers, where somebody wants them: the answers are the same.

use evalgraph::domain::Principal;
use evalgraph::telemetry::TraceSettings;
use serde_json::json;

use crate::common::{EvaluationBuilder, PromptBuilder, TestDatabase, TestServer, on_both_databases, sql};
use crate::recorded::{Trace, attribute};

/// With a list that is written, one that is merged, an alias, a fragment, an introspection field and objects in objects.
const QUERIES: [&str; 4] = [
    "{ prompts { totalCount pageInfo { hasNextPage } nodes { id name: title __typename evaluations(first: 1) { nodes { ...E } } } } }
     fragment E on Evaluation { id status prompt { title } }",
    "{ prompts { edges { cursor node { id } } nodes { title } nodes { status } } }",
    "{ viewer { userId } __schema { queryType { name } } }",
    "{ prompts(after: \"no cursor\") { nodes { id } } unknown: prompt(id: \"no id\") { id } }",
];

async fn servers(database: &TestDatabase) -> (TestServer, TestServer) {
    let app = TestServer::app(database.database.clone());
    let all = TraceSettings { all_resolvers: true, ..TraceSettings::default() };
    let with_all = TestServer::with(app.clone().with_tracing(all), Principal::local()).await;
    (TestServer::with(app, Principal::local()).await, with_all)
}

on_both_databases! {
    async fn every_field_has_a_span_below_that_of_its_object(database: TestDatabase) {
        for _ in 0..2 {
            let prompt = PromptBuilder::new().insert(&database).await;
            EvaluationBuilder::of(&prompt).insert(&database).await;
        }
        let (_, server) = servers(&database).await;
        let trace = Trace::sampled();
        let reply = trace.send(&server, QUERIES[0], json!({})).await;
        assert!(reply.body.get("errors").is_none(), "{:#}", reply.body);
        insta::assert_snapshot!("all_resolvers", trace.tree().await);
    }

    async fn answers_are_the_same(database: TestDatabase) {
        let prompt = PromptBuilder::new().insert(&database).await;
        EvaluationBuilder::of(&prompt).insert(&database).await;
        let (few, all) = servers(&database).await;
        for query in QUERIES {
            let expected = few.send(query, json!({})).await.body;
            let trace = Trace::sampled();
            let mut answer = trace.send(&all, query, json!({})).await.body;
            if expected["extensions"].is_object() {
                answer["extensions"] = expected["extensions"].clone();
            }
            for error in answer.get_mut("errors").and_then(|errors| errors.as_array_mut()).into_iter().flatten() {
                error["extensions"].as_object_mut().map(|extensions| extensions.remove("requestId"));
            }
            assert_eq!(answer, expected, "{query}");
        }
    }

    async fn a_field_that_fails_is_marked(database: TestDatabase) {
        PromptBuilder::new().insert(&database).await;
        sql::execute(&database.location, "ALTER TABLE evaluations RENAME TO hidden_evaluations").await;
        let (few, all) = servers(&database).await;
        let query = "{ prompts { nodes { title evaluations { nodes { id } } } } }";
        let trace = Trace::sampled();
        let answer = trace.send(&all, query, json!({})).await.body;
        let expected = few.send(query, json!({})).await.body;
        assert_eq!(answer["errors"][0]["path"], expected["errors"][0]["path"]);
        trace.tree().await;
        assert_eq!(attribute(&trace.span("Prompt.evaluations"), "error.type").as_deref(), Some("LOAD_FAILED"));
        assert_eq!(attribute(&trace.span("Prompt.title"), "error.type"), None);
    }
}
