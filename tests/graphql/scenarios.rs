//! Whole answers, compared with snapshots in `tests/snapshots`. Scalar fields are taken from the schema, so that none
//! is forgotten.

use std::collections::HashMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::common::{TestServer, on_both_databases};
use crate::global_id;
use crate::story::Story;

/// The scalar fields of a type, as the schema has them.
async fn scalars(server: &TestServer, object_type: &str) -> String {
    let kind = "kind ofType { kind ofType { kind ofType { kind } } }";
    let query =
        format!("{{ __type(name: {object_type:?}) {{ fields {{ name args {{ name }} type {{ {kind} }} }} }} }}");
    let data = server.data(&query).await;
    let fields = data["__type"]["fields"].as_array().unwrap();
    let is_scalar = |field: &&Value| {
        let mut field_type = &field["type"];
        while field_type["ofType"].is_object() {
            field_type = &field_type["ofType"];
        }
        matches!(field_type["kind"].as_str(), Some("SCALAR" | "ENUM")) && field["args"] == json!([])
    };
    let names: Vec<_> = fields.iter().filter(is_scalar).map(|field| field["name"].as_str().unwrap()).collect();
    names.join(" ")
}

/// For an object of each type the ways that lead to it, with `ALL` where its fields are selected.
fn ways(story: &Story) -> [(&'static str, String, Vec<String>); 5] {
    let prompt = global_id("Prompt", story.prompt.id);
    let run = global_id("Run", story.run.id);
    let evaluation = global_id("Evaluation", story.evaluation.id);
    let result = global_id("TestResult", story.results[0].id);
    let template = global_id("PromptTemplate", story.template.id);
    let to_prompt = vec![
        format!("prompt(id: {prompt:?}) ALL"),
        "promptByName(name: \"support/greeting\", version: 2) ALL".to_owned(),
        "prompts { nodes ALL }".to_owned(),
        "prompts { edges { node ALL } }".to_owned(),
        format!("evaluation(id: {evaluation:?}) {{ prompt ALL }}"),
        format!("prompt(id: {prompt:?}) {{ children {{ nodes {{ parent ALL }} }} }}"),
        format!("prompt(id: {prompt:?}) {{ parent {{ children {{ nodes ALL }} }} }}"),
        format!("prompt(id: {prompt:?}) {{ versions {{ edges {{ node ALL }} }} }}"),
        format!("promptTemplate(id: {template:?}) {{ prompts {{ nodes ALL }} }}"),
    ];
    let to_run = vec![
        format!("run(id: {run:?}) ALL"),
        "run(externalId: \"eval-42\", source: PROMPTFOO) ALL".to_owned(),
        "runs { nodes ALL }".to_owned(),
        "runs { edges { node ALL } }".to_owned(),
        format!("evaluation(id: {evaluation:?}) {{ run ALL }}"),
    ];
    let to_evaluation = vec![
        format!("evaluation(id: {evaluation:?}) ALL"),
        "evaluations { nodes ALL }".to_owned(),
        "evaluations { edges { node ALL } }".to_owned(),
        format!("prompt(id: {prompt:?}) {{ evaluations {{ nodes ALL }} }}"),
        format!("run(id: {run:?}) {{ evaluations {{ edges {{ node ALL }} }} }}"),
        format!("testResult(id: {result:?}) {{ evaluation ALL }}"),
    ];
    let to_result = vec![
        format!("testResult(id: {result:?}) ALL"),
        format!("evaluation(id: {evaluation:?}) {{ testResults {{ nodes ALL }} }}"),
        format!("evaluation(id: {evaluation:?}) {{ testResults {{ edges {{ node ALL }} }} }}"),
    ];
    let to_template = vec![
        format!("promptTemplate(id: {template:?}) ALL"),
        "promptTemplate(name: \"greeting\") ALL".to_owned(),
        "promptTemplates { nodes ALL }".to_owned(),
        "promptTemplates { edges { node ALL } }".to_owned(),
        format!("prompt(id: {prompt:?}) {{ template ALL }}"),
    ];
    [
        ("Prompt", prompt, to_prompt),
        ("Run", run, to_run),
        ("Evaluation", evaluation, to_evaluation),
        ("TestResult", result, to_result),
        ("PromptTemplate", template, to_template),
    ]
}

/// The object with this id, wherever in an answer it is.
fn object<'a>(data: &'a Value, id: &str) -> Option<&'a Value> {
    match data {
        Value::Object(fields) if fields.get("id").is_some_and(|found| found == id) => Some(data),
        Value::Object(fields) => fields.values().find_map(|value| object(value, id)),
        Value::Array(values) => values.iter().find_map(|value| object(value, id)),
        _ => None,
    }
}

/// Replaces ids by names such as `Prompt#1`, counted in the order in which they appear.
#[derive(Default)]
struct Names {
    names: HashMap<String, String>,
    counts: HashMap<String, usize>,
}

impl Names {
    fn give(&mut self, value: &mut Value) {
        match value {
            Value::String(text) => {
                if let Some(object_type) = object_type(text) {
                    *text = self.name(text, object_type);
                }
            }
            Value::Array(values) => values.iter_mut().for_each(|value| self.give(value)),
            Value::Object(fields) => fields.values_mut().for_each(|value| self.give(value)),
            _ => {}
        }
    }

    fn name(&mut self, id: &str, object_type: String) -> String {
        let counts = &mut self.counts;
        let new = || {
            let count = counts.entry(object_type.clone()).or_default();
            *count += 1;
            format!("{object_type}#{count}")
        };
        self.names.entry(id.to_owned()).or_insert_with(new).clone()
    }
}

/// The type of the object that an id means.
fn object_type(id: &str) -> Option<String> {
    let text = String::from_utf8(STANDARD.decode(id).ok()?).ok()?;
    let (object_type, uuid) = text.split_once(':')?;
    uuid::Uuid::parse_str(uuid).is_ok().then(|| object_type.to_owned())
}

macro_rules! assert_snapshot {
    ($name:literal, $data:expr) => {
        let mut data = $data;
        // The databases keep the members of JSON in orders of their own.
        data.sort_all_objects();
        Names::default().give(&mut data);
        let mut settings = insta::Settings::clone_current();
        settings.set_snapshot_path("../snapshots");
        settings.set_prepend_module_to_snapshot(false);
        settings.set_omit_expression(true);
        settings.bind(|| insta::assert_json_snapshot!($name, data));
    };
}

on_both_databases! {
    async fn a_prompt_and_everything_around_it(database: TestDatabase) {
        let story = Story::store(&database).await;
        let server = TestServer::start(&database).await;
        let prompt = scalars(&server, "Prompt").await;
        let query = format!(
            "query ($id: ID!) {{
               prompt(id: $id) {{
                 {prompt}
                 parent {{ {prompt} }}
                 root {{ {prompt} }}
                 children {{ totalCount nodes {{ {prompt} }} pageInfo {{ hasNextPage hasPreviousPage }} }}
                 versions {{ totalCount nodes {{ {prompt} }} }}
                 template {{ {template} prompts {{ totalCount edges {{ node {{ {prompt} }} }} }} }}
                 evaluations {{ totalCount nodes {{ {evaluation} }} }}
               }}
             }}",
            template = scalars(&server, "PromptTemplate").await,
            evaluation = scalars(&server, "Evaluation").await,
        );
        let id = global_id("Prompt", story.prompt.id);
        assert_snapshot!("a_prompt_and_everything_around_it", server.ask(&query, json!({ "id": id })).await);
    }

    async fn a_run_with_its_evaluations_and_results(database: TestDatabase) {
        Story::store(&database).await;
        let server = TestServer::start(&database).await;
        let query = format!(
            "{{ run(externalId: \"eval-42\") {{
                  {run}
                  evaluations(orderBy: {{ field: CREATED_AT, direction: ASC }}) {{
                    totalCount
                    nodes {{
                      {evaluation}
                      prompt {{ name version }}
                      run {{ name }}
                      testResults {{ totalCount nodes {{ {result} evaluation {{ id }} }} }}
                    }}
                  }}
                }} }}",
            run = scalars(&server, "Run").await,
            evaluation = scalars(&server, "Evaluation").await,
            result = scalars(&server, "TestResult").await,
        );
        assert_snapshot!("a_run_with_its_evaluations_and_results", server.data(&query).await);
    }

    async fn every_way_to_an_object_leads_to_all_of_it(database: TestDatabase) {
        let story = Story::store(&database).await;
        let server = TestServer::start(&database).await;
        for (object_type, id, ways) in ways(&story) {
            let scalars = scalars(&server, object_type).await;
            let query = format!("{{ node(id: {id:?}) {{ ... on {object_type} {{ {scalars} }} }} }}");
            let expected = server.data(&query).await["node"].take();
            assert_eq!(expected["id"], id.as_str());
            for way in ways {
                let data = server.data(&format!("{{ {} }}", way.replace("ALL", &format!("{{ {scalars} }}")))).await;
                assert_eq!(object(&data, &id), Some(&expected), "{way}");
            }
        }
    }

    async fn objects_of_all_types_by_their_ids(database: TestDatabase) {
        let story = Story::store(&database).await;
        let server = TestServer::start(&database).await;
        let ids = [
            global_id("Prompt", story.prompt.id),
            global_id("Run", story.run.id),
            global_id("Evaluation", story.evaluation.id),
            global_id("TestResult", story.results[0].id),
            global_id("PromptTemplate", story.template.id),
            // Of another type than the row, and of no row.
            global_id("Run", story.prompt.id),
            global_id("Prompt", uuid::Uuid::nil()),
            // Once more.
            global_id("Prompt", story.prompt.id),
        ];
        // Fields with the same name in several types, fields that meet from several fragments, an alias.
        let query = "query ($ids: [ID!]!, $id: ID!) {
            node(id: $id) { __typename id ...Wide ... on Evaluation { errorMessage } }
            nodes(ids: $ids) {
              __typename id ...Wide ...Nested ... on Run { description } ... on PromptTemplate { description }
            }
          }
          fragment Wide on Node {
            ... on Prompt { text: content metadata tags }
            ... on Run { metadata tags git }
            ... on Evaluation { metrics }
            ... on TestResult { metadata inputData reason }
            ... on PromptTemplate { template variables }
          }
          fragment Nested on Node {
            ... on Prompt {
              parent { content } ...Parent
              evaluations(first: 1) { nodes { ...Wide prompt { ...Parent } } }
            }
            ... on Evaluation { prompt { content } testResults(last: 1) { edges { node { ...Wide } } } }
            ... on TestResult { evaluation { metrics run { ...Wide } } }
          }
          fragment Parent on Prompt { parent { description version } }";
        let data = server.ask(query, json!({ "ids": ids, "id": ids[3] })).await;
        assert_snapshot!("objects_of_all_types_by_their_ids", data);
    }
}
