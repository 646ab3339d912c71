//! `createPromptTemplate`, `updatePromptTemplate` and `instantiatePromptTemplate`.

use evalgraph::domain::{PromptFormat, content_hash};
use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::common::{TemplateBuilder, TestServer, global_id, on_both_databases};
use crate::support::{Mutation, TEMPLATE, server_of, with};

const CREATE: Mutation = Mutation {
    field: "createPromptTemplate",
    input_type: "CreatePromptTemplateInput",
    selection: "template { TEMPLATE }",
};
const UPDATE: Mutation = Mutation {
    field: "updatePromptTemplate",
    input_type: "UpdatePromptTemplateInput",
    selection: "template { TEMPLATE }",
};
const INSTANTIATE: Mutation = Mutation {
    field: "instantiatePromptTemplate",
    input_type: "InstantiatePromptTemplateInput",
    selection: "prompt { PROMPT }",
};

fn minimal() -> Value {
    json!({ "name": "greeting", "template": "Greet {{ name }}.", "category": "general" })
}

async fn template(mutation: Mutation, server: &TestServer, input: Value) -> Value {
    mutation.run(server, input).await["template"].take()
}

async fn read(server: &TestServer, id: &str) -> Value {
    server.data(&format!("{{ promptTemplate(id: {id:?}) {{ {TEMPLATE} }} }}")).await["promptTemplate"].take()
}

on_both_databases! {
    async fn a_template_is_stored_as_it_was_given(database: TestDatabase) {
        let (alice, bob) = (server_of("alice", &database).await, server_of("bob", &database).await);
        let whole = json!({
            "name": "team/greeting", "description": "For guests", "template": "Greet {{ name }}\n", "category": "c",
            "variables": { "name": "whom", "a": null },
        });
        for (input, rest) in [(minimal(), json!({ "description": null, "variables": {} })), (whole, json!({}))] {
            let stored = template(CREATE, &alice, input.clone()).await;
            let own = json!({ "id": stored["id"], "usageCount": 0, "createdAt": stored["createdAt"], "updatedAt": stored["createdAt"] });
            assert_eq!(stored, with(with(input, rest), own));
            assert_eq!(read(&bob, stored["id"].as_str().unwrap()).await, stored, "it belongs to everybody");
        }
    }

    async fn what_cannot_be_is_refused_by_its_place(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        let stored = template(CREATE, &server, minimal()).await;
        for (changes, fields) in [
            (json!({ "name": "" }), vec!["input.name"]),
            (json!({ "name": "a/" }), vec!["input.name"]),
            (json!({ "template": " " }), vec!["input.template"]),
            (json!({ "template": "{{ name" }), vec!["input.template"]),
            (json!({ "template": "{% include 'x' %}" }), vec!["input.template"]),
            (json!({ "category": " " }), vec!["input.category"]),
            (json!({ "variables": ["name"] }), vec!["input.variables"]),
            (json!({ "name": "/", "template": "", "variables": 1, "category": "" }), vec!["input.name", "input.template", "input.variables", "input.category"]),
        ] {
            let other = with(minimal(), json!({ "name": "other" }));
            CREATE.refusal(&server, with(other, changes.clone())).await.is("BAD_USER_INPUT", &fields);
            UPDATE.refusal(&server, with(json!({ "id": stored["id"] }), changes)).await.is("BAD_USER_INPUT", &fields);
        }
        for field in ["name", "template", "variables", "category"] {
            let refused = UPDATE.refusal(&server, json!({ "id": stored["id"], field: null })).await;
            refused.is("BAD_USER_INPUT", &[&format!("input.{field}")]);
        }
        UPDATE.refusal(&server, json!({ "id": "x", "name": "n" })).await.is("BAD_USER_INPUT", &["input.id"]);
        let nowhere = global_id("PromptTemplate", uuid::Uuid::now_v7());
        UPDATE.refusal(&server, json!({ "id": nowhere, "name": "n" })).await.is("NOT_FOUND", &["input.id"]);
        assert_eq!(read(&server, stored["id"].as_str().unwrap()).await, stored);
        assert_eq!(database.count("prompt_templates").await, 1);
    }

    async fn what_is_given_is_changed_and_nothing_else(database: TestDatabase) {
        let (alice, bob) = (server_of("alice", &database).await, server_of("bob", &database).await);
        let mut before = template(CREATE, &alice, with(minimal(), json!({ "description": "d", "variables": { "name": 1 } }))).await;
        for changes in [
            json!({ "name": "other" }), json!({ "description": null }), json!({ "template": "Hello {{ x }}" }),
            json!({ "variables": {} }), json!({ "category": "k" }),
        ] {
            let after = template(UPDATE, &bob, with(json!({ "id": before["id"] }), changes.clone())).await;
            assert_ne!(after["updatedAt"], before["updatedAt"]);
            assert_eq!(after, with(with(before.clone(), changes.clone()), json!({ "updatedAt": after["updatedAt"] })));
            let again = template(UPDATE, &bob, with(json!({ "id": before["id"] }), changes)).await;
            assert_eq!(again, after, "what makes no difference changes nothing");
            before = after;
        }
    }

    async fn a_name_is_that_of_one_template(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        template(CREATE, &server, minimal()).await;
        CREATE.refusal(&server, minimal()).await.is("CONFLICT", &["input.name"]);
        let other = template(CREATE, &server, with(minimal(), json!({ "name": "other" }))).await;
        UPDATE.refusal(&server, json!({ "id": other["id"], "name": "greeting" })).await.is("CONFLICT", &["input.name"]);
        let wanted = json!({ "input": with(minimal(), json!({ "name": "wanted" })) });
        let document = CREATE.document();
        let replies = join_all((0..10).map(|_| server.send(&document, wanted.clone()))).await;
        let refused = replies.iter().filter_map(|reply| reply.body["errors"][0]["extensions"]["code"].as_str());
        assert_eq!(refused.collect::<Vec<_>>(), ["CONFLICT"; 9]);
    }

    async fn a_prompt_is_made_of_a_template(database: TestDatabase) {
        let alice = server_of("alice", &database).await;
        let row = TemplateBuilder::new().with(|row| {
            row.template = "{% for word in words %}{{ word }} {% endfor %}{{ text }}\n".to_owned();
            row.variables = json!({ "note": "not used" }).into();
        });
        let row = row.insert(&database).await;
        let id = global_id("PromptTemplate", row.id);
        let variables = json!({ "words": ["a", 1.5], "text": "{{ text }} <&>", "note": null });
        let input = json!({ "templateId": id, "title": "Made", "variables": variables, "status": "ACTIVE" });
        let prompt = INSTANTIATE.prompt(&alice, input.clone()).await;
        let content = "a 1.5 {{ text }} <&>\n";
        let expected = json!({
            "id": prompt["id"], "userId": "alice", "name": null, "title": "Made", "description": null, "content": content,
            "contentHash": content_hash(PromptFormat::Text, content, None), "format": "TEXT", "systemMessage": null, "tags": [],
            "metadata": {}, "version": 1, "status": "ACTIVE", "createdAt": prompt["createdAt"], "updatedAt": prompt["createdAt"],
            "deletedAt": null, "parent": null, "root": { "id": prompt["id"] }, "template": { "id": id },
        });
        assert_eq!(prompt, expected);
        let defaulted = with(input, json!({ "status": null }));
        assert_eq!(INSTANTIATE.prompt(&alice, defaulted).await["status"], "DRAFT");
        let data = alice.data(&format!("{{ promptTemplate(id: {id:?}) {{ usageCount prompts {{ totalCount }} }} }}")).await;
        assert_eq!(data["promptTemplate"], json!({ "usageCount": 2, "prompts": { "totalCount": 2 } }));
    }

    async fn variables_that_are_missing_or_unknown_are_told_by_their_names(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        let row = TemplateBuilder::new().with(|row| {
            row.template = "{{ one }} {{ two }}".to_owned();
            row.variables = json!({ "three": "declared" }).into();
        });
        let id = global_id("PromptTemplate", row.insert(&database).await.id);
        let input = |variables: Value| json!({ "templateId": id, "title": "T", "variables": variables });
        for (variables, fields) in [
            (json!({}), vec!["input.variables.one", "input.variables.three", "input.variables.two"]),
            (json!({ "one": 1, "two": 2 }), vec!["input.variables.three"]),
            (json!({ "one": 1, "two": 2, "three": 3, "four": 4 }), vec!["input.variables.four"]),
            (json!({ "two": 2, "three": 3, "won": 1 }), vec!["input.variables.one", "input.variables.won"]),
        ] {
            INSTANTIATE.refusal(&server, input(variables)).await.is("BAD_USER_INPUT", &fields);
        }
        let blank = input(json!({ "one": "", "two": " ", "three": 3 }));
        INSTANTIATE.refusal(&server, blank).await.is("BAD_USER_INPUT", &["input.templateId"]);
        INSTANTIATE.refusal(&server, input(json!([]))).await.is("BAD_USER_INPUT", &["input.variables"]);
        let titled = with(input(json!({ "one": 1, "two": 2, "three": 3 })), json!({ "title": "" }));
        INSTANTIATE.refusal(&server, titled).await.is("BAD_USER_INPUT", &["input.title"]);
        let nowhere = with(input(json!({})), json!({ "templateId": global_id("PromptTemplate", uuid::Uuid::now_v7()) }));
        INSTANTIATE.refusal(&server, nowhere).await.is("NOT_FOUND", &["input.templateId"]);
        assert_eq!(database.count("prompts").await, 0);
        let counted = server.data(&format!("{{ promptTemplate(id: {id:?}) {{ usageCount }} }}")).await;
        assert_eq!(counted["promptTemplate"]["usageCount"], 0, "what was refused is no use");
    }

    async fn a_template_takes_neither_all_time_nor_all_memory(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        let doubled = format!("{{% set a = x * 1000 %}}{}{{{{ a }}}}", "{% set a = a ~ a %}".repeat(60));
        for text in [doubled.as_str(), "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}{{ x }}"] {
            let row = TemplateBuilder::new().with(|row| row.template = text.to_owned()).insert(&database).await;
            let input = json!({ "templateId": global_id("PromptTemplate", row.id), "title": "T", "variables": { "x": "x" } });
            let refused = INSTANTIATE.refusal(&server, input).await;
            refused.is("BAD_USER_INPUT", &["input.templateId"]);
            assert!(refused.message.contains("too much work"), "{}", refused.message);
        }
    }

    async fn every_use_is_counted(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        let row = TemplateBuilder::new().insert(&database).await;
        let id = global_id("PromptTemplate", row.id);
        let input = json!({ "templateId": id, "title": "T", "variables": { "question": "why" } });
        let made = join_all((0..30).map(|_| INSTANTIATE.prompt(&server, input.clone()))).await;
        assert!(made.iter().all(|prompt| prompt["content"] == "Answer why"));
        let data = server.data(&format!("{{ promptTemplate(id: {id:?}) {{ usageCount prompts {{ totalCount }} }} }}")).await;
        assert_eq!(data["promptTemplate"], json!({ "usageCount": 30, "prompts": { "totalCount": 30 } }));
    }
}
