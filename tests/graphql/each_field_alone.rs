//! A field has the same value whether it is asked for alone or among all others, whatever columns are read for it.

use async_graphql::parser::parse_schema;
use async_graphql::parser::types::{BaseType, FieldDefinition, ObjectType, TypeKind, TypeSystemDefinition};
use serde_json::{Map, Value, json};

use crate::common::{TestServer, on_both_databases};
use crate::written::fill;

/// The types, each with a list that has objects of it.
const LISTS: [(&str, &str); 5] = [
    ("Prompt", "prompts"),
    ("Run", "runs"),
    ("Evaluation", "evaluations"),
    ("PromptTemplate", "promptTemplates"),
    ("AuditEntry", "auditLog"),
];

fn object_types() -> Vec<(String, ObjectType)> {
    let definitions = parse_schema(evalgraph::graphql::sdl()).unwrap().definitions;
    definitions
        .into_iter()
        .filter_map(|definition| match definition {
            TypeSystemDefinition::Type(definition) => match definition.node.kind {
                TypeKind::Object(object) => Some((definition.node.name.node.to_string(), object)),
                _ => None,
            },
            _ => None,
        })
        .collect()
}

fn base(field: &FieldDefinition) -> &str {
    let mut base = &field.ty.node.base;
    loop {
        match base {
            BaseType::Named(name) => return name,
            BaseType::List(inner) => base = &inner.base,
        }
    }
}

/// All fields of a type, each with a selection where it needs one.
fn fields(types: &[(String, ObjectType)], name: &str) -> Vec<String> {
    let object = |name: &str| types.iter().find(|(known, _)| known == name).map(|(_, object)| object);
    let selection = |field: &FieldDefinition| match object(base(field)) {
        None => field.name.node.to_string(),
        Some(inner) => {
            let has = |name: &str| inner.fields.iter().any(|field| field.node.name.node == name);
            let inside = ["id", "totalCount", "at"].into_iter().find(|name| has(name)).expect("a field to ask for");
            format!("{} {{ {inside} }}", field.name.node)
        }
    };
    object(name).expect("an object type").fields.iter().map(|field| selection(&field.node)).collect()
}

/// Asks for the objects at a path of lists, and gives the objects of the last list.
async fn ask(server: &TestServer, path: &[&str], selection: &str) -> Vec<Map<String, Value>> {
    let open: String = path.iter().map(|list| format!("{{ {list} {{ nodes ")).collect();
    let close = " } }".repeat(path.len());
    let body = server.send(&format!("{open} {{ {selection} }} {close}"), json!({})).await.body;
    assert!(body.get("errors").is_none(), "{selection}: {body:#}");
    path.iter()
        .fold(vec![body["data"].clone()], |objects, list| {
            objects.iter().flat_map(|object| object[*list]["nodes"].as_array().unwrap().clone()).collect()
        })
        .into_iter()
        .map(|object| object.as_object().unwrap().clone())
        .collect()
}

async fn check_each(server: &TestServer, path: &[&str], fields: &[String]) {
    let whole = ask(server, path, &fields.join(" ")).await;
    assert!(!whole.is_empty(), "{path:?}");
    for field in fields {
        let alone = ask(server, path, field).await;
        let name = field.split(' ').next().unwrap();
        let expected: Vec<_> = whole.iter().map(|object| &object[name]).collect();
        let found: Vec<_> = alone.iter().map(|object| &object[name]).collect();
        assert_eq!(found, expected, "{path:?} {field}");
    }
}

on_both_databases! {
    async fn a_field_alone_has_the_value_that_it_has_among_others(database: TestDatabase) {
        fill(&database).await;
        let server = TestServer::start(&database).await;
        server.data("mutation { createPrompt(input: { title: \"T\", content: \"c\" }) { prompt { id } } }").await;
        let types = object_types();
        for (name, list) in LISTS {
            check_each(&server, &[list], &fields(&types, name)).await;
        }
        check_each(&server, &["evaluations", "testResults"], &fields(&types, "TestResult")).await;
        check_each(&server, &["prompts", "evaluations"], &fields(&types, "Evaluation")).await;
    }
}
