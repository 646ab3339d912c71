//! The number of statements depends on the shape of a query, never on its data.

mod common;

use common::{
    EvaluationBuilder, PromptBuilder, Reply, ResultBuilder, RunBuilder, TemplateBuilder, TestDatabase, TestServer,
    on_both_databases,
};
use evalgraph::domain::{EvaluationStatus, TestOutcome};
use serde_json::json;

/// Everything nested, down to the failed results and back up again, of `N` prompts.
const NESTED: &str = "{ prompts(first: N) { nodes {
  title
  parent { title }
  template { name }
  evaluations(first: 3) { totalCount nodes {
    model
    run { name }
    testResults(first: 5, filter: {passed: false}) { totalCount nodes { testCaseName evaluation { prompt { id } } } }
  } }
  latestEvaluation { overallScore }
  averageScore
  passRate
  evaluationCount
  versions(first: 2) { totalCount nodes { version } }
} } }";

/// One statement for each of: prompts, parents, templates, pages of evaluations, their counts, runs, pages of results,
/// their counts, the results' evaluations, the evaluations' prompts, latest evaluations, what prompts come to, pages of
/// versions, their counts.
const STATEMENTS_OF_NESTED: u64 = 14;

/// Prompts in their second version, the newest of all, each with a template, four evaluations in runs, and failed results.
async fn fill(database: &TestDatabase, prompts: usize) {
    let run = RunBuilder::new().insert(database).await;
    let mut parents = Vec::new();
    for _ in 0..prompts {
        parents.push(PromptBuilder::new().insert(database).await);
    }
    let mut position = 0;
    for parent in parents {
        let template = TemplateBuilder::new().insert(database).await;
        let prompt = PromptBuilder::new().version_of(&parent).template(&template).insert(database).await;
        for _ in 0..4 {
            let evaluation = EvaluationBuilder::of(&prompt).run(&run, position).provider("openai", "gpt");
            let evaluation = evaluation.score(0.5).tests(1, 2, 1).insert(database).await;
            position += 1;
            for outcome in [TestOutcome::Passed, TestOutcome::Failed, TestOutcome::Failed, TestOutcome::Errored] {
                ResultBuilder::of(&evaluation).outcome(outcome).insert(database).await;
            }
        }
    }
}

/// Asks for so many prompts. No branch of the answer is empty.
async fn nested(server: &TestServer, first: usize) -> Reply {
    let query = NESTED.replace("first: N", &format!("first: {first}"));
    let reply = server.send(&query, json!({})).await;
    assert!(reply.body.get("errors").is_none(), "{:#}", reply.body);
    let prompts = reply.body["data"]["prompts"]["nodes"].as_array().unwrap();
    assert_eq!(prompts.len(), first);
    for prompt in prompts {
        assert!(prompt["parent"]["title"].is_string() && prompt["template"]["name"].is_string(), "{prompt:#}");
        assert_eq!(prompt["evaluations"]["totalCount"], 4);
        assert_eq!((&prompt["evaluationCount"], &prompt["averageScore"]), (&json!(4), &json!(0.5)));
        assert_eq!((&prompt["passRate"], &prompt["latestEvaluation"]["overallScore"]), (&json!(0.25), &json!(0.5)));
        assert_eq!(prompt["versions"]["totalCount"], 2);
        assert_eq!(prompt["versions"]["nodes"].as_array().unwrap().len(), 2);
        let evaluations = prompt["evaluations"]["nodes"].as_array().unwrap();
        assert_eq!(evaluations.len(), 3);
        for evaluation in evaluations {
            assert!(evaluation["model"].is_string() && evaluation["run"]["name"].is_string(), "{evaluation:#}");
            assert_eq!(evaluation["testResults"]["totalCount"], 3);
            let results = evaluation["testResults"]["nodes"].as_array().unwrap();
            assert_eq!(results.len(), 3);
            assert!(results.iter().all(|result| result["evaluation"]["prompt"]["id"].is_string()), "{results:#?}");
        }
    }
    reply
}

on_both_databases! {
    async fn one_ten_and_a_hundred_prompts_cost_the_same(database: TestDatabase) {
        fill(&database, 100).await;
        let server = TestServer::start(&database).await;
        for first in [1, 10, 100] {
            assert_eq!(nested(&server, first).await.statements(), STATEMENTS_OF_NESTED, "{first} prompts");
        }
    }

    async fn siblings_with_the_same_arguments_share_a_batch(database: TestDatabase) {
        fill(&database, 3).await;
        let server = TestServer::start(&database).await;
        let reply = server
            .send(
                "{ prompts(first: 3, filter: { latestVersionOnly: true }) { nodes {
                     a: evaluations(first: 2) { nodes { id } }
                     b: evaluations(first: 2) { nodes { model metrics } }
                     other: evaluations(first: 1) { nodes { id } }
                   } }
                   again: prompts(first: 3, filter: { latestVersionOnly: true }) { nodes { content } } }",
                json!({}),
            )
            .await;
        assert!(reply.body.get("errors").is_none(), "{:#}", reply.body);
        // Two arguments: two statements in one batch. What the siblings select makes no difference.
        assert_eq!(reply.loader("evaluationsByPrompt").0, 1);
        assert_eq!(reply.loader("prompts").0, 1);
        assert_eq!(reply.statements(), 3);
        let node = &reply.body["data"]["prompts"]["nodes"][0];
        assert_eq!(node["a"]["nodes"][0]["id"], node["other"]["nodes"][0]["id"]);
        assert_eq!(node["b"]["nodes"][0]["metrics"], json!({}));
    }

    async fn the_latest_evaluations_of_all_prompts_are_one_statement(database: TestDatabase) {
        let mut expected = Vec::new();
        for _ in 0..3 {
            let prompt = PromptBuilder::new().insert(&database).await;
            for (model, status) in [("first", EvaluationStatus::Completed), ("second", EvaluationStatus::Failed)] {
                EvaluationBuilder::of(&prompt).provider("openai", model).status(status).insert(&database).await;
            }
            expected.push(json!({ "latest": { "model": "second" }, "completed": { "model": "first", "metrics": {} } }));
        }
        PromptBuilder::new().insert(&database).await;
        expected.insert(0, json!({ "latest": null, "completed": null }));
        let server = TestServer::start(&database).await;
        let query = "{ prompts { nodes {
            latest: latestEvaluation { model }
            completed: latestEvaluation(status: COMPLETED) { model metrics }
        } } }";
        let reply = server.send(query, json!({})).await;
        assert_eq!(reply.body["data"]["prompts"]["nodes"], json!(expected));
        // One for the prompts, and one for each of the two arguments.
        assert_eq!(reply.statements(), 3);
    }

    async fn the_courses_of_all_prompts_are_one_statement_for_each_set_of_arguments(database: TestDatabase) {
        fill(&database, 10).await;
        let server = TestServer::start(&database).await;
        for first in [1, 10] {
            let query = format!(
                "{{ prompts(first: {first}) {{ nodes {{
                      scoreTrend {{ at }} again: scoreTrend(interval: DAY) {{ averageScore }}
                      weeks: scoreTrend(interval: WEEK) {{ at }} }} }}
                    promptLeaderboard(minEvaluations: 1, limit: {first}) {{ prompt {{ title averageScore }} }} }}"
            );
            // The prompts, two courses, the best prompts, and what the best come to.
            let reply = server.send(&query, json!({})).await;
            assert!(reply.body.get("errors").is_none(), "{:#}", reply.body);
            assert_eq!(reply.statements(), 5);
        }
    }

    async fn what_is_not_selected_costs_nothing(database: TestDatabase) {
        fill(&database, 2).await;
        let server = TestServer::start(&database).await;
        let statements = async |query: &str| server.send(query, json!({})).await.statements();
        assert_eq!(statements("{ prompts { nodes { title } } }").await, 1);
        assert_eq!(statements("{ prompts { totalCount } }").await, 1);
        assert_eq!(statements("{ prompts { totalCount edges { cursor } } }").await, 2);
        assert_eq!(statements("{ prompts(first: 1) { nodes { id } pageInfo { hasNextPage endCursor } } }").await, 1);
        assert_eq!(statements("{ viewer { userId } }").await, 0);
    }

    async fn the_report_is_given_only_to_those_who_ask(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        let request = server.client.post(server.url("/graphql")).json(&json!({ "query": "{ viewer { userId } }" }));
        assert_eq!(Reply::of(request).await.body, json!({ "data": { "viewer": { "userId": "local" } } }));
        let reply = server.send("{ runs { totalCount nodes { id } } }", json!({})).await;
        assert_eq!(
            reply.body["extensions"]["evalgraph"],
            json!({
                "statements": 2,
                "loaders": {
                    "runs": { "batches": 1, "keys": 1, "hits": 0 },
                    "runCount": { "batches": 1, "keys": 1, "hits": 0 },
                },
            }),
        );
    }
}
