//! What is found by the name that people or tools gave it.

use evalgraph::db::prompts::NewPrompt;
use evalgraph::domain::{Principal, RunSource};
use serde_json::{Value, json};

use super::quoted;
use crate::common::{PromptBuilder, RunBuilder, TemplateBuilder, TestDatabase, TestServer, on_both_databases};

/// A lineage with this name and versions up to this one, with titles such as `bob 2`.
async fn lineage(database: &TestDatabase, user: &str, name: &str, versions: i32) -> NewPrompt {
    let mut newest = PromptBuilder::new().user(user).name(name).title(&format!("{user} 1")).insert(database).await;
    for version in 2..=versions {
        let next = PromptBuilder::new().version_of(&newest).title(&format!("{user} {version}"));
        newest = next.insert(database).await;
    }
    newest
}

/// The title of the prompt that is found.
async fn title(server: &TestServer, arguments: &str) -> Value {
    server.data(&format!("{{ promptByName({arguments}) {{ title }} }}")).await["promptByName"]["title"].take()
}

/// The name of the run that is found.
async fn run_name(server: &TestServer, arguments: &str) -> Value {
    server.data(&format!("{{ run({arguments}) {{ name }} }}")).await["run"]["name"].take()
}

on_both_databases! {
    async fn the_newest_version_is_found_unless_another_is_named(database: TestDatabase) {
        lineage(&database, "local", "greeting", 3).await;
        let server = TestServer::start(&database).await;
        for (arguments, expected) in [
            (r#"name: "greeting""#, json!("local 3")),
            (r#"name: "greeting", version: null"#, json!("local 3")),
            (r#"name: "greeting", version: 1"#, json!("local 1")),
            (r#"name: "greeting", version: 4"#, Value::Null),
            (r#"name: "greeting", version: -1"#, Value::Null),
            (r#"name: "Greeting""#, Value::Null),
            (r#"name: "greet%""#, Value::Null),
            (r#"name: """#, Value::Null),
        ] {
            assert_eq!(title(&server, arguments).await, expected, "{arguments}");
        }
        database.execute("UPDATE prompts SET deleted_at = created_at WHERE version = 3").await;
        assert_eq!(title(&server, r#"name: "greeting""#).await, "local 2");
        assert_eq!(title(&server, r#"name: "greeting", version: 3"#).await, Value::Null);
    }

    async fn the_viewers_own_prompt_goes_before_those_of_others(database: TestDatabase) {
        lineage(&database, "local", "shared", 2).await;
        lineage(&database, "bob", "shared", 3).await;
        lineage(&database, "bob", "bobs", 2).await;
        let server = TestServer::start(&database).await;
        assert_eq!(title(&server, r#"name: "shared""#).await, "local 2");
        assert_eq!(title(&server, r#"name: "shared", version: 1"#).await, "local 1");
        // What the viewer has not.
        assert_eq!(title(&server, r#"name: "shared", version: 3"#).await, "bob 3");
        assert_eq!(title(&server, r#"name: "bobs""#).await, "bob 2");

        let server = TestServer::for_principal(&database, Principal::user("bob")).await;
        assert_eq!(title(&server, r#"name: "shared""#).await, "bob 3");
        let server = TestServer::for_principal(&database, Principal::user("carol")).await;
        assert_eq!(title(&server, r#"name: "shared""#).await, Value::Null);
    }

    async fn names_may_have_any_character(database: TestDatabase) {
        let names = ["50%", "a_b", "it's", "say \"hi\"", "back\\slash", "größe/日本語/🦀", "a/", "' OR 1 = 1 --"];
        for name in names {
            PromptBuilder::new().name(name).title(name).insert(&database).await;
            TemplateBuilder::new().name(name).insert(&database).await;
            RunBuilder::new().external_id(name).name(name).insert(&database).await;
        }
        let server = TestServer::start(&database).await;
        for name in names {
            assert_eq!(title(&server, &format!("name: {}", quoted(name))).await, name);
            assert_eq!(run_name(&server, &format!("externalId: {}", quoted(name))).await, name);
            let template = server.data(&format!("{{ promptTemplate(name: {}) {{ name }} }}", quoted(name))).await;
            assert_eq!(template["promptTemplate"]["name"], name);
        }
        for missing in ["%", "a%b", "axb", "A_B"] {
            assert_eq!(title(&server, &format!("name: {}", quoted(missing))).await, Value::Null, "{missing}");
        }
    }

    async fn a_run_is_found_by_the_id_of_its_tool(database: TestDatabase) {
        for (name, user, source) in [
            ("own csv", "local", RunSource::Csv),
            ("own jsonl", "local", RunSource::Jsonl),
            ("bobs csv", "bob", RunSource::Csv),
            ("bobs inspect", "bob", RunSource::Inspect),
        ] {
            RunBuilder::new().name(name).user(user).source(source).external_id("42").insert(&database).await;
        }
        let server = TestServer::start(&database).await;
        for (arguments, expected) in [
            // The newest of the viewer's own.
            (r#"externalId: "42""#, json!("own jsonl")),
            (r#"externalId: "42", source: null"#, json!("own jsonl")),
            (r#"externalId: "42", source: CSV"#, json!("own csv")),
            (r#"externalId: "42", source: INSPECT"#, json!("bobs inspect")),
            (r#"externalId: "42", source: API"#, Value::Null),
            (r#"externalId: "4""#, Value::Null),
            (r#"id: null, externalId: "42""#, json!("own jsonl")),
        ] {
            assert_eq!(run_name(&server, arguments).await, expected, "{arguments}");
        }
        let server = TestServer::for_principal(&database, Principal::user("bob")).await;
        assert_eq!(run_name(&server, r#"externalId: "42""#).await, "bobs inspect");
        assert_eq!(run_name(&server, r#"externalId: "42", source: JSONL"#).await, Value::Null);
    }
}
