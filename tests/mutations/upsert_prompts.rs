//! `upsertPrompts`.

use evalgraph::domain::{PromptFormat, content_hash};
use serde_json::{Value, json};

use crate::common::{EvaluationBuilder, PromptBuilder, TestServer, global_id, on_both_databases};
use crate::support::{UPSERT_PROMPTS, ids, read, server_of, with};

fn hashed() -> PromptBuilder {
    PromptBuilder::new().with(|row| row.content_hash = content_hash(row.format, &row.content, None))
}

on_both_databases! {
    async fn new_and_known_prompts_are_stored_in_one_go(database: TestDatabase) {
        let alice = server_of("alice", &database).await;
        let (changed, same) = (hashed().user("alice").name("kept").tags(["a"]).insert(&database).await, hashed().user("alice").insert(&database).await);
        let before = [read(&alice, &ids(&[&changed])[0]).await, read(&alice, &ids(&[&same])[0]).await];
        let input = json!([
            { "title": "New", "content": "new" },
            { "id": before[1]["id"], "title": same.title, "content": same.content },
            { "title": "Full", "content": "full", "description": "d", "systemMessage": "s", "tags": ["t"], "metadata": { "m": 1 }, "status": "ACTIVE" },
            { "id": before[0]["id"], "title": "Changed", "content": "changed" },
            { "title": "Nulls", "content": "n", "description": null, "systemMessage": null, "tags": null, "metadata": null, "status": null },
        ]);
        let stored = UPSERT_PROMPTS.run(&alice, input).await;
        assert_eq!(stored["affected"], 4);
        let prompts = stored["prompts"].as_array().unwrap();
        let titles: Vec<_> = prompts.iter().map(|prompt| prompt["title"].as_str().unwrap()).collect();
        assert_eq!(titles, ["New", "A prompt", "Full", "Changed", "Nulls"]);
        assert_eq!(prompts[1], before[1]);
        let expected = json!({ "title": "Changed", "content": "changed", "contentHash": content_hash(PromptFormat::Text, "changed", None), "updatedAt": prompts[3]["updatedAt"] });
        assert_eq!(prompts[3], with(before[0].clone(), expected));
        for (place, hash) in [(0, content_hash(PromptFormat::Text, "new", None)), (2, content_hash(PromptFormat::Text, "full", Some("s")))] {
            assert_eq!((&prompts[place]["contentHash"], &prompts[place]["version"], &prompts[place]["userId"]), (&json!(hash), &json!(1), &json!("alice")));
            assert_eq!(prompts[place]["root"]["id"], prompts[place]["id"]);
        }
        assert_eq!((&prompts[0]["status"], &prompts[2]["status"], &prompts[4]["status"]), (&json!("DRAFT"), &json!("ACTIVE"), &json!("DRAFT")));
        assert_eq!((&prompts[2]["tags"], &prompts[2]["metadata"], &prompts[4]["tags"], &prompts[4]["metadata"]), (&json!(["t"]), &json!({ "m": 1 }), &json!([]), &json!({})));
        for prompt in prompts {
            assert_eq!(read(&alice, prompt["id"].as_str().unwrap()).await, *prompt);
        }
    }

    async fn what_is_left_out_stays_and_null_clears(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        let row = hashed().tags(["a"]).with(|row| row.description = Some("d".to_owned())).insert(&database).await;
        let id = global_id("Prompt", row.id);
        let item = json!({ "id": id, "title": "T", "content": row.content });
        let kept = UPSERT_PROMPTS.run(&server, json!([item])).await;
        assert_eq!((&kept["prompts"][0]["description"], &kept["prompts"][0]["tags"]), (&json!("d"), &json!(["a"])));
        let cleared = UPSERT_PROMPTS.run(&server, json!([with(item.clone(), json!({ "description": null }))])).await;
        assert_eq!((&cleared["affected"], &cleared["prompts"][0]["description"]), (&json!(1), &Value::Null));
        for field in ["tags", "metadata", "status"] {
            let refused = UPSERT_PROMPTS.refusal(&server, json!([with(item.clone(), json!({ field: null }))])).await;
            refused.is("BAD_USER_INPUT", &[&format!("input[0].{field}")]);
        }
    }

    async fn all_faults_of_all_items_are_told_and_nothing_is_stored(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        let row = hashed().insert(&database).await;
        let id = global_id("Prompt", row.id);
        let good = json!({ "title": "Good", "content": "good" });
        let invalid = json!([
            good, { "title": " ", "content": "" }, { "id": "x", "title": "T", "content": "c", "tags": [""] },
            { "id": id, "title": "T", "content": "c" }, { "id": id, "title": "T", "content": "c", "metadata": 1 },
            { "id": global_id("Run", row.id), "title": "T", "content": "c" },
        ]);
        UPSERT_PROMPTS.refusal(&server, invalid).await.is("BAD_USER_INPUT", &[
            "input[1].title", "input[1].content", "input[2].id", "input[2].tags[0]", "input[4].id", "input[4].metadata", "input[5].id",
        ]);
        let deleted = PromptBuilder::new().deleted().insert(&database).await;
        let missing = json!([good, { "id": global_id("Prompt", uuid::Uuid::now_v7()), "title": "T", "content": "c" },
            { "id": id, "title": "Changed", "content": "c" }, { "id": global_id("Prompt", deleted.id), "title": "T", "content": "c" }]);
        UPSERT_PROMPTS.refusal(&server, missing).await.is("NOT_FOUND", &["input[1].id", "input[3].id"]);
        EvaluationBuilder::of(&row).insert(&database).await;
        let evaluated = json!([good, { "id": id, "title": "Changed", "content": "Other" }]);
        let refused = UPSERT_PROMPTS.refusal(&server, evaluated).await;
        refused.is("CONFLICT", &["input[1].content"]);
        assert!(refused.message.contains("createPromptVersion"), "{}", refused.message);
        assert_eq!(read(&server, &id).await["title"], row.title);
        assert_eq!(database.count("prompts").await, 2);
        // All but the text may be changed.
        let titled = json!([{ "id": id, "title": "Titled", "content": row.content }]);
        assert_eq!(UPSERT_PROMPTS.run(&server, titled).await["affected"], 1);
    }

    async fn of_thousands_of_faults_the_first_are_told_and_all_are_counted(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        let bad = vec![json!({ "title": "", "content": "c" }); 5_000];
        let document = "mutation ($input: [UpsertPromptInput!]!) { upsertPrompts(input: $input) { affected } }";
        let refused = crate::support::Refused::of(&server, document, json!({ "input": bad })).await;
        assert_eq!((refused.fields.len(), &refused.extensions["faultCount"]), (50, &json!(5_000)));
        assert!(refused.message.ends_with("; and 4997 more"), "{}", refused.message);
    }

    async fn many_prompts_are_stored_and_changed_across_portions(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        let document = format!("mutation ($input: [UpsertPromptInput!]!) {{ upsertPrompts(input: $input) {{ affected prompts {{ {} }} }} }}", "id title");
        let new: Vec<_> = (0..2_300).map(|number| json!({ "title": format!("{number}"), "content": "c" })).collect();
        let mut stored = server.ask(&document, json!({ "input": new })).await["upsertPrompts"].take();
        let prompts = stored["prompts"].take();
        let expected: Vec<_> = (0..2_300).map(|number| number.to_string()).collect();
        let titles = |prompts: &Value| prompts.as_array().unwrap().iter().map(|prompt| prompt["title"].as_str().unwrap().to_owned()).collect::<Vec<_>>();
        assert_eq!((&stored["affected"], titles(&prompts)), (&json!(2_300), expected));
        let mut changed: Vec<_> = prompts.as_array().unwrap().iter().map(|prompt| json!({ "id": prompt["id"], "title": format!("{}+", prompt["title"].as_str().unwrap()), "content": "d" })).collect();
        changed.reverse();
        let again = server.ask(&document, json!({ "input": changed })).await["upsertPrompts"].take();
        let expected: Vec<_> = (0..2_300).rev().map(|number| format!("{number}+")).collect();
        assert_eq!((&again["affected"], titles(&again["prompts"])), (&json!(2_300), expected));
    }
}
