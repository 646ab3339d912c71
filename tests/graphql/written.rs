//! Answers that are written while they are executed are those that async-graphql puts together.

use std::sync::LazyLock;

use async_graphql::parser::parse_schema;
use async_graphql::parser::types::{BaseType, FieldDefinition, TypeKind, TypeSystemDefinition};
use evalgraph::domain::TestOutcome;
use serde_json::{Value, json};

use crate::common::{
    EvaluationBuilder, PromptBuilder, ResultBuilder, RunBuilder, TemplateBuilder, TestDatabase, TestServer,
    on_both_databases,
};

/// What a request is sent with so that its answer has objects to merge, which are never written.
const MERGED: &str = "merged: serviceConfig { maxDepth } merged: serviceConfig { maxAliases }";
/// The same work without anything to merge.
const ALONE: &str = "merged: serviceConfig { maxDepth maxAliases }";

/// The fields of the object types without arguments and without fields of their own, by type.
static PLAIN_FIELDS: LazyLock<Vec<(String, String)>> = LazyLock::new(|| {
    let document = parse_schema(evalgraph::graphql::sdl()).unwrap();
    let types: Vec<_> = document
        .definitions
        .into_iter()
        .filter_map(|definition| match definition {
            TypeSystemDefinition::Type(definition) => Some(definition.node),
            _ => None,
        })
        .collect();
    let has_fields = |name: &str| {
        let found = types.iter().find(|definition| definition.name.node == name);
        found.is_some_and(|definition| !matches!(definition.kind, TypeKind::Scalar | TypeKind::Enum(_)))
    };
    let is_plain = |field: &FieldDefinition| {
        let mut base = &field.ty.node.base;
        while let BaseType::List(inner) = base {
            base = &inner.base;
        }
        let BaseType::Named(name) = base else { return false };
        field.arguments.is_empty() && !has_fields(name)
    };
    let fields = types.iter().filter_map(|definition| match &definition.kind {
        TypeKind::Object(object) => Some((definition.name.node.to_string(), &object.fields)),
        _ => None,
    });
    fields
        .map(|(name, fields)| {
            let plain = fields.iter().filter(|field| is_plain(&field.node));
            (name, plain.map(|field| field.node.name.node.as_str()).collect::<Vec<_>>().join(" "))
        })
        .collect()
});

/// All plain fields of a type, as a selection.
fn plain(object_type: &str) -> &'static str {
    let found = PLAIN_FIELDS.iter().find(|(name, _)| name == object_type);
    found.map(|(_, fields)| fields.as_str()).unwrap_or_else(|| panic!("no type {object_type}"))
}

/// A lineage with evaluations in a run and results of all kinds.
pub async fn fill(database: &TestDatabase) {
    let template = TemplateBuilder::new().insert(database).await;
    let run = RunBuilder::new().name("A run with \"quotes\" and \u{1F980}\n").insert(database).await;
    let root = PromptBuilder::new().name("lineage").tags(["a", "b"]).template(&template).insert(database).await;
    let prompt = PromptBuilder::new().version_of(&root).template(&template).insert(database).await;
    for (position, prompt) in [&root, &prompt, &prompt].into_iter().enumerate() {
        let evaluation = EvaluationBuilder::of(prompt).run(&run, position as i32).provider("openai", "gpt").score(0.25);
        let evaluation = evaluation.tests(1, 1, 1).insert(database).await;
        for outcome in [TestOutcome::Passed, TestOutcome::Failed, TestOutcome::Errored] {
            let name = format!("{outcome:?} \\ \u{2028}");
            ResultBuilder::of(&evaluation).name(&name).outcome(outcome).latency_ms(7).insert(database).await;
        }
    }
}

/// The answers to a selection of the root: written, and put together.
async fn both(server: &TestServer, selection: &str, fragments: &str) -> (Value, Value) {
    let ask = async |also: &str| {
        let mut body = server.send(&format!("{{ {also} {selection} }} {fragments}"), json!({})).await.body;
        if let Some(errors) = body.get_mut("errors").and_then(Value::as_array_mut) {
            for error in errors {
                // The second field is further to the right; every request has an id of its own.
                error.as_object_mut().unwrap().remove("locations");
                error["extensions"].as_object_mut().unwrap().remove("requestId");
            }
        }
        body.as_object_mut().unwrap().remove("extensions");
        body
    };
    (ask(ALONE).await, ask(MERGED).await)
}

/// Everything that lists have, nested.
fn everything() -> String {
    let (prompt, evaluation, result) = (plain("Prompt"), plain("Evaluation"), plain("TestResult"));
    let (run, template, page) = (plain("Run"), plain("PromptTemplate"), plain("PageInfo"));
    format!(
        "prompts(first: 10) {{
           totalCount
           pageInfo {{ {page} }}
           edges {{ cursor node {{ __typename {prompt} }} }}
           nodes {{
             kind: __typename {prompt} text: content text2: content content content
             parent {{ {prompt} }}
             template {{ {template} }}
             latestEvaluation {{ {evaluation} }}
             evaluations(first: 2) {{
               totalCount
               nodes {{
                 {evaluation}
                 run {{ {run} }}
                 failed: testResults(filter: {{ passed: false }}) {{ nodes {{ {result} evaluation {{ id }} }} }}
                 testResults(first: 1) {{ edges {{ cursor node {{ {result} }} }} }}
               }}
             }}
           }}
         }}
         runs {{ nodes {{ {run} }} }}
         promptTemplates {{ edges {{ node {{ {template} }} }} }}"
    )
}

/// Fragments on the type itself, on an interface, on another type, within one another.
const FRAGMENTS: &str = "
    fragment OfPrompt on Prompt { title ...OfNode ... on Node { __typename } ... @include(if: true) { version } }
    fragment OfNode on Node { id ... on Prompt { status evaluations(first: 1) { nodes { ...OfEvaluation } } } ... on Run { name } }
    fragment OfEvaluation on Evaluation { model status id id }";

on_both_databases! {
    async fn every_field_is_the_same_either_way(database: TestDatabase) {
        fill(&database).await;
        let server = TestServer::start(&database).await;
        let (written, merged) = both(&server, &everything(), "").await;
        assert!(written.get("errors").is_none(), "{written:#}");
        assert_eq!(written["data"]["prompts"]["nodes"][0]["evaluations"]["totalCount"], 2);
        assert_eq!(written.to_string(), merged.to_string());
    }

    async fn fragments_are_the_same_either_way(database: TestDatabase) {
        fill(&database).await;
        let server = TestServer::start(&database).await;
        for selection in [
            "prompts { nodes { ...OfPrompt title } }",
            "prompts { edges { node { ... on Prompt { ...OfPrompt } id } } }",
            "prompts { nodes { ... @skip(if: true) { title } id ...OfPrompt @include(if: false) } }",
        ] {
            let (written, merged) = both(&server, selection, FRAGMENTS).await;
            assert!(written.get("errors").is_none(), "{written:#}");
            assert_eq!(written["data"].to_string(), merged["data"].to_string(), "{selection}");
        }
    }

    async fn objects_of_one_name_are_still_merged(database: TestDatabase) {
        fill(&database).await;
        let server = TestServer::start(&database).await;
        let data = server
            .data(
                "{ prompts(first: 1) { nodes { title evaluations(first: 1) { nodes { id } } } }
                   prompts(first: 1) { nodes { evaluations(first: 1) { nodes { status } } } } }",
            )
            .await;
        let node = &data["prompts"]["nodes"][0];
        assert!(node["title"].is_string(), "{data:#}");
        let evaluation = &node["evaluations"]["nodes"][0];
        assert!(evaluation["id"].is_string() && evaluation["status"] == "COMPLETED", "{data:#}");
    }

    async fn failures_are_the_same_either_way(database: TestDatabase) {
        fill(&database).await;
        // A total beyond GraphQL's numbers is an error of a field that may be null; tags that are no texts are one of a
        // field that may not, and so of the list of prompts.
        database.execute("UPDATE evaluations SET total_tokens = 3000000000").await;
        let server = TestServer::start(&database).await;
        let tokens = "prompts { nodes { title evaluations { nodes { id totalTokens } edges { node { totalTokens } } } } }";
        let (written, merged) = both(&server, tokens, "").await;
        assert_eq!(written["errors"].as_array().map(Vec::len), Some(6), "{written:#}");
        assert!(written["data"]["prompts"]["nodes"][0]["title"].is_string());
        assert_eq!(sorted(written), sorted(merged));

        database.execute("UPDATE prompts SET tags = '[1]'").await;
        for selection in ["prompts { nodes { title tags } }", "prompts { edges { node { tags title } } }"] {
            let (written, merged) = both(&server, selection, "").await;
            assert_eq!(written["errors"].as_array().map(Vec::len), Some(1), "{written:#}");
            // async-graphql's path ends at the last list; that of what is written goes on.
            let path = |body: &Value| body["errors"][0]["path"].as_array().unwrap().clone();
            assert!(path(&written).starts_with(&path(&merged)), "{written:#}");
            assert_eq!(without_paths(written), without_paths(merged), "{selection}");
        }
    }
}

/// Errors come in the order in which they happened, which is nobody's promise.
fn sorted(mut body: Value) -> Value {
    if let Some(errors) = body["errors"].as_array_mut() {
        errors.sort_by_key(Value::to_string);
    }
    body
}

fn without_paths(mut body: Value) -> Value {
    for error in body["errors"].as_array_mut().into_iter().flatten() {
        error.as_object_mut().unwrap().remove("path");
    }
    body
}
