//! `updatePrompt`.

use evalgraph::domain::{PromptFormat, content_hash};
use serde_json::{Value, json};

use crate::common::{EvaluationBuilder, PromptBuilder, TestServer, global_id, on_both_databases};
use crate::support::{UPDATE_PROMPT, read, server_of, with};

on_both_databases! {
    async fn what_is_given_is_changed_and_nothing_else(database: TestDatabase) {
        let alice = server_of("alice", &database).await;
        let row = PromptBuilder::new().user("alice").name("greeting").tags(["a"]);
        let row = row.with(|row| {
            row.description = Some("For guests".to_owned());
            row.system_message = Some("Be kind.".to_owned());
            row.metadata = json!({ "a": 1 }).into();
            row.content_hash = content_hash(row.format, &row.content, row.system_message.as_deref());
        });
        let id = global_id("Prompt", row.insert(&database).await.id);
        let mut before = read(&alice, &id).await;
        for (changes, others) in [
            (json!({ "title": "Farewell" }), json!({})),
            (json!({ "description": null }), json!({})),
            (json!({ "content": "Say goodbye." }), json!({ "contentHash": content_hash(PromptFormat::Text, "Say goodbye.", Some("Be kind.")) })),
            (json!({ "systemMessage": null }), json!({ "contentHash": content_hash(PromptFormat::Text, "Say goodbye.", None) })),
            (json!({ "tags": ["x", "y"] }), json!({})),
            (json!({ "tags": [] }), json!({})),
            (json!({ "metadata": { "b": [2] } }), json!({})),
            (json!({ "status": "ARCHIVED" }), json!({})),
            (json!({ "name": "farewell" }), json!({})),
            (json!({ "name": null }), json!({})),
        ] {
            let after = UPDATE_PROMPT.prompt(&alice, with(json!({ "id": id }), changes.clone())).await;
            let updated_at = json!({ "updatedAt": after["updatedAt"] });
            assert_eq!(after, with(with(with(before.clone(), changes), others), updated_at));
            assert_ne!(after["updatedAt"], before["updatedAt"]);
            assert_eq!(read(&alice, &id).await, after);
            before = after;
        }
    }

    async fn a_change_that_makes_no_difference_is_none(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        let row = PromptBuilder::new().name("greeting").with(|row| {
            row.metadata = json!({ "b": 1.0, "a": [null] }).into();
            row.content_hash = content_hash(row.format, &row.content, None);
        });
        let row = row.insert(&database).await;
        let before = read(&server, &global_id("Prompt", row.id)).await;
        let same = json!({
            "id": before["id"], "name": "greeting", "title": row.title, "content": row.content, "description": null,
            "tags": [], "metadata": { "a": [null], "b": 1.0 }, "status": "ACTIVE", "systemMessage": null,
        });
        assert_eq!(UPDATE_PROMPT.prompt(&server, same).await, before);
        assert_eq!(UPDATE_PROMPT.prompt(&server, json!({ "id": before["id"] })).await, before);
    }

    async fn whoever_knows_an_old_version_is_told(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        let id = global_id("Prompt", PromptBuilder::new().insert(&database).await.id);
        let first = read(&server, &id).await["updatedAt"].take();
        let input = |title: &str, expected: &Value| json!({ "id": id, "title": title, "expectedUpdatedAt": expected });
        let second = UPDATE_PROMPT.prompt(&server, input("B", &first)).await["updatedAt"].take();
        let refused = UPDATE_PROMPT.refusal(&server, input("C", &first)).await;
        refused.is("CONFLICT", &["input.expectedUpdatedAt"]);
        assert_eq!(refused.extensions["current"], second);
        assert_eq!(refused.extensions["faults"][0]["current"], second);
        assert_eq!(UPDATE_PROMPT.prompt(&server, input("C", &second)).await["title"], "C");
    }

    async fn of_many_who_change_what_they_have_read_one_succeeds(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        let id = global_id("Prompt", PromptBuilder::new().insert(&database).await.id);
        let read_at = read(&server, &id).await["updatedAt"].take();
        let change = async |number: usize| {
            let input = json!({ "input": { "id": id, "title": format!("{number}"), "expectedUpdatedAt": read_at } });
            server.send(&UPDATE_PROMPT.document(), input).await.body["errors"][0]["extensions"]["code"].clone()
        };
        let codes = futures_util::future::join_all((0..20).map(change)).await;
        assert_eq!(codes.iter().filter(|code| code.is_null()).count(), 1, "{codes:?}");
        assert_eq!(codes.iter().filter(|code| *code == "CONFLICT").count(), 19, "{codes:?}");
    }

    async fn the_text_of_what_has_evaluations_stays(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        let row = PromptBuilder::new().with(|row| row.content_hash = content_hash(row.format, &row.content, None));
        let row = row.insert(&database).await;
        EvaluationBuilder::of(&row).insert(&database).await;
        let id = global_id("Prompt", row.id);
        let refused = UPDATE_PROMPT.refusal(&server, json!({ "id": id, "title": "T", "content": "Other" })).await;
        refused.is("CONFLICT", &["input.content"]);
        assert!(refused.message.contains("createPromptVersion"), "{}", refused.message);
        UPDATE_PROMPT.refusal(&server, json!({ "id": id, "systemMessage": "Other" })).await.is("CONFLICT", &["input.systemMessage"]);
        // What is not the text can be changed, and the text to what it is.
        let same = json!({ "id": id, "title": "T", "content": row.content, "systemMessage": null, "tags": ["t"] });
        assert_eq!(UPDATE_PROMPT.prompt(&server, same).await["title"], "T");
    }

    async fn a_name_is_that_of_all_versions(database: TestDatabase) {
        let alice = server_of("alice", &database).await;
        let first = PromptBuilder::new().user("alice").name("old").insert(&database).await;
        let second = PromptBuilder::new().version_of(&first).deleted().insert(&database).await;
        let third = PromptBuilder::new().version_of(&second).insert(&database).await;
        PromptBuilder::new().user("alice").name("taken").insert(&database).await;
        PromptBuilder::new().user("bob").name("new").insert(&database).await;
        let input = |name: Value| json!({ "id": global_id("Prompt", third.id), "name": name });
        UPDATE_PROMPT.refusal(&alice, input(json!("taken"))).await.is("CONFLICT", &["input.name"]);
        for name in [json!("new"), json!("new"), Value::Null] {
            assert_eq!(UPDATE_PROMPT.prompt(&alice, input(name.clone())).await["name"], name);
            for row in [&first, &second, &third] {
                assert_eq!(read(&alice, &global_id("Prompt", row.id)).await["name"], name);
            }
        }
    }

    async fn content_is_of_the_stored_format(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        let chat = r#"[{"role":"user","content":"Hello"}]"#;
        let row = PromptBuilder::new().with(|row| {
            row.format = PromptFormat::Chat;
            row.content = chat.to_owned();
        });
        let id = global_id("Prompt", row.insert(&database).await.id);
        UPDATE_PROMPT.refusal(&server, json!({ "id": id, "content": "Hello" })).await.is("BAD_USER_INPUT", &["input.content"]);
        let other = chat.replace("Hello", "Goodbye");
        assert_eq!(UPDATE_PROMPT.prompt(&server, json!({ "id": id, "content": other })).await["content"], other);
    }
}
