//! `createPrompt`.

use evalgraph::domain::{PromptFormat, content_hash};
use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::common::{PromptBuilder, TestServer, on_both_databases};
use crate::support::{CREATE_PROMPT, Refused, server_of, with};

fn minimal() -> Value {
    json!({ "title": "Greeting", "content": "Say hello." })
}

/// Inputs with the places of all that is wrong with each.
fn invalid() -> Vec<(Value, Vec<&'static str>)> {
    let long = "x".repeat(256);
    vec![
        (json!({ "title": " " }), vec!["input.title"]),
        (json!({ "title": long }), vec!["input.title"]),
        (json!({ "content": "\n" }), vec!["input.content"]),
        (json!({ "format": "CHAT" }), vec!["input.content"]),
        (json!({ "format": "CHAT", "content": "[{\"role\":\"user\"}]" }), vec!["input.content"]),
        (json!({ "name": "" }), vec!["input.name"]),
        (json!({ "name": long }), vec!["input.name"]),
        (json!({ "name": "folder/" }), vec!["input.name"]),
        (json!({ "name": "/folder" }), vec!["input.name"]),
        (json!({ "tags": ["fine", ""] }), vec!["input.tags[1]"]),
        (json!({ "tags": vec!["x"; 101] }), vec!["input.tags"]),
        (json!({ "metadata": [1] }), vec!["input.metadata"]),
        (json!({ "metadata": "text" }), vec!["input.metadata"]),
        (
            json!({ "name": "a//b", "title": "", "content": "", "tags": [" ", long], "metadata": 7 }),
            vec!["input.name", "input.title", "input.content", "input.tags[0]", "input.tags[1]", "input.metadata"],
        ),
    ]
}

on_both_databases! {
    async fn a_prompt_is_stored_as_it_was_given(database: TestDatabase) {
        let alice = server_of("alice", &database).await;
        let chat = r#"[{"role":"user","content":"Hello"}]"#;
        let input = json!({
            "name": "team/greeting", "format": "CHAT", "title": "Greeting", "description": "For guests", "content": chat,
            "systemMessage": "Be kind.", "tags": ["b", "a", "b"], "metadata": { "b": [1.5, null], "a": {} },
            "status": "ACTIVE",
        });
        let prompt = CREATE_PROMPT.prompt(&alice, input).await;
        let id = &prompt["id"];
        let expected = json!({
            "id": id, "userId": "alice", "name": "team/greeting", "title": "Greeting", "description": "For guests",
            "content": chat, "contentHash": content_hash(PromptFormat::Chat, chat, Some("Be kind.")), "format": "CHAT",
            "systemMessage": "Be kind.", "tags": ["b", "a"], "metadata": { "b": [1.5, null], "a": {} }, "version": 1,
            "status": "ACTIVE", "createdAt": prompt["createdAt"], "updatedAt": prompt["createdAt"], "deletedAt": null,
            "parent": null, "root": { "id": id }, "template": null,
        });
        assert_eq!(prompt, expected);
        let query = format!("{{ prompt(id: {id}) {{ {} }} }}", crate::support::PROMPT);
        assert_eq!(alice.data(&query).await["prompt"], expected, "it is read as it was returned");
    }

    async fn what_is_not_given_has_its_default(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        let nulls = json!({
            "name": null, "format": null, "description": null, "systemMessage": null, "tags": null, "metadata": null,
            "status": null,
        });
        for input in [minimal(), with(minimal(), nulls)] {
            let prompt = CREATE_PROMPT.prompt(&server, input).await;
            for (field, expected) in [
                ("userId", json!("local")), ("name", Value::Null), ("format", json!("TEXT")), ("description", Value::Null),
                ("systemMessage", Value::Null), ("tags", json!([])), ("metadata", json!({})), ("status", json!("DRAFT")),
            ] {
                assert_eq!(prompt[field], expected, "{field}");
            }
        }
    }

    async fn all_faults_of_an_input_are_told_and_nothing_is_stored(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        for (changes, fields) in invalid() {
            let refused = CREATE_PROMPT.refusal(&server, with(minimal(), changes)).await;
            refused.is("BAD_USER_INPUT", &fields);
            assert!(refused.message.starts_with(&format!("{}: ", fields[0])), "{}", refused.message);
            assert_eq!(refused.extensions["faultCount"], fields.len());
        }
        assert_eq!(database.count("prompts").await, 0);
    }

    async fn a_name_belongs_to_one_prompt_of_an_owner(database: TestDatabase) {
        let (alice, bob) = (server_of("alice", &database).await, server_of("bob", &database).await);
        let named = || with(minimal(), json!({ "name": "greeting" }));
        CREATE_PROMPT.prompt(&alice, named()).await;
        CREATE_PROMPT.refusal(&alice, named()).await.is("CONFLICT", &["input.name"]);
        CREATE_PROMPT.prompt(&bob, named()).await;
        PromptBuilder::new().user("alice").name("given up").deleted().insert(&database).await;
        CREATE_PROMPT.prompt(&alice, with(minimal(), json!({ "name": "given up" }))).await;
        // The first version is gone, and so is what a unique index could see.
        let first = PromptBuilder::new().user("alice").name("kept").deleted().insert(&database).await;
        PromptBuilder::new().version_of(&first).insert(&database).await;
        CREATE_PROMPT.refusal(&alice, with(minimal(), json!({ "name": "kept" }))).await.is("CONFLICT", &["input.name"]);
    }

    async fn of_many_who_want_a_name_one_gets_it(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        let input = json!({ "input": with(minimal(), json!({ "name": "wanted" })) });
        let replies = join_all((0..20).map(|_| server.send("mutation ($input: CreatePromptInput!) { createPrompt(input: $input) { prompt { id } } }", input.clone()))).await;
        let refused = replies.iter().filter_map(|reply| reply.body["errors"][0]["extensions"]["code"].as_str());
        assert_eq!(refused.collect::<Vec<_>>(), ["CONFLICT"; 19]);
        assert_eq!(database.count("prompts").await, 1);
    }

    async fn the_payload_shows_what_was_written(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        let document = "mutation {
            a: createPrompt(input: { title: \"A\", content: \"a\" }) { prompt { title versions { totalCount } } }
            b: createPrompt(input: { title: \"B\", content: \"b\" }) { prompt { title root { title } } }
            c: createPrompt(input: { title: \"\", content: \"c\" }) { prompt { title } }
            d: createPrompt(input: { title: \"D\", content: \"d\" }) { prompt { title } } }";
        // What cannot be null makes all of the answer null; what came before is stored, and nothing after it is begun.
        Refused::of(&server, document, json!({})).await.is("BAD_USER_INPUT", &["input.title"]);
        let titles = server.data("{ prompts { nodes { title versions { totalCount } } } }").await;
        let expected = json!([{ "title": "B", "versions": { "totalCount": 1 } }, { "title": "A", "versions": { "totalCount": 1 } }]);
        assert_eq!(titles["prompts"]["nodes"], expected);
    }

    async fn a_mutation_needs_post(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        let query = [("query", "mutation { createPrompt(input: { title: \"A\", content: \"a\" }) { prompt { id } } }")];
        let url = reqwest::Url::parse_with_params(&server.url("/graphql"), query).unwrap();
        let response = server.client.get(url).header("x-evalgraph-request", "1").send().await.unwrap();
        assert_eq!((response.status().as_u16(), &response.headers()["allow"]), (405, &"POST".parse().unwrap()));
        let body: Value = response.json().await.unwrap();
        assert_eq!(body["errors"][0]["extensions"]["code"], "BAD_USER_INPUT");
        assert_eq!(database.count("prompts").await, 0);
    }
}
