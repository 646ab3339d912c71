//! What holds for every mutation: a missing object, somebody else's, and one that is deleted are the same; whoever asks at
//! the same time as others gets an answer; and what was refused has changed nothing.

use futures_util::future::join_all;
use serde_json::json;

use crate::common::{PromptBuilder, TestServer, global_id, on_both_databases, sql};
use crate::recording;
use crate::support::{Refused, read, server_of};

/// A mutation of an object that has to be there.
struct Row {
    /// The field with its arguments: `ID` is the object, and `N` something that differs between requests.
    field: &'static str,
    /// Where the object is named.
    place: &'static str,
    /// Whether a deleted object is there for it.
    takes_deleted: bool,
    /// Arguments with which it is refused whatever the object is, and the place of the fault.
    invalid: &'static [(&'static str, &'static str)],
}

const OF_PROMPTS: &[Row] = &[
    Row {
        field: "updatePrompt(input: { id: ID, title: \"N\", tags: [\"N\"] }) { prompt { id } }",
        place: "input.id",
        takes_deleted: false,
        invalid: &[
            ("updatePrompt(input: { id: \"x\" }) { prompt { id } }", "input.id"),
            ("updatePrompt(input: { id: ID, name: \"a/\" }) { prompt { id } }", "input.name"),
            ("updatePrompt(input: { id: ID, title: \"\" }) { prompt { id } }", "input.title"),
            ("updatePrompt(input: { id: ID, title: null }) { prompt { id } }", "input.title"),
            ("updatePrompt(input: { id: ID, content: \" \" }) { prompt { id } }", "input.content"),
            ("updatePrompt(input: { id: ID, content: null }) { prompt { id } }", "input.content"),
            ("updatePrompt(input: { id: ID, tags: [\"\"] }) { prompt { id } }", "input.tags[0]"),
            ("updatePrompt(input: { id: ID, tags: null }) { prompt { id } }", "input.tags"),
            ("updatePrompt(input: { id: ID, metadata: 1 }) { prompt { id } }", "input.metadata"),
            ("updatePrompt(input: { id: ID, metadata: null }) { prompt { id } }", "input.metadata"),
            ("updatePrompt(input: { id: ID, status: null }) { prompt { id } }", "input.status"),
        ],
    },
    Row {
        field: "createPromptVersion(input: { parentId: ID, content: \"N\" }) { prompt { id } }",
        place: "input.parentId",
        takes_deleted: false,
        invalid: &[
            ("createPromptVersion(input: { parentId: \"x\" }) { prompt { id } }", "input.parentId"),
            ("createPromptVersion(input: { parentId: ID, title: \"\" }) { prompt { id } }", "input.title"),
            ("createPromptVersion(input: { parentId: ID, title: null }) { prompt { id } }", "input.title"),
            ("createPromptVersion(input: { parentId: ID, content: \"\" }) { prompt { id } }", "input.content"),
            ("createPromptVersion(input: { parentId: ID, content: null }) { prompt { id } }", "input.content"),
            ("createPromptVersion(input: { parentId: ID, tags: [\" \"] }) { prompt { id } }", "input.tags[0]"),
            ("createPromptVersion(input: { parentId: ID, tags: null }) { prompt { id } }", "input.tags"),
            ("createPromptVersion(input: { parentId: ID, metadata: [] }) { prompt { id } }", "input.metadata"),
            ("createPromptVersion(input: { parentId: ID, status: null }) { prompt { id } }", "input.status"),
        ],
    },
    Row {
        field: "upsertPrompts(input: [{ id: ID, title: \"N\", content: \"N\" }]) { affected prompts { id } }",
        place: "input[0].id",
        takes_deleted: false,
        invalid: &[
            ("upsertPrompts(input: [{ id: \"x\", title: \"T\", content: \"c\" }]) { affected }", "input[0].id"),
            ("upsertPrompts(input: [{ id: ID, title: \"\", content: \"c\" }]) { affected }", "input[0].title"),
            ("upsertPrompts(input: [{ id: ID, title: \"T\", content: \"\" }]) { affected }", "input[0].content"),
            (
                "upsertPrompts(input: [{ id: ID, title: \"T\", content: \"c\", tags: [\"\"] }]) { affected }",
                "input[0].tags[0]",
            ),
            (
                "upsertPrompts(input: [{ id: ID, title: \"T\", content: \"c\", metadata: 1 }]) { affected }",
                "input[0].metadata",
            ),
            (
                "upsertPrompts(input: [{ id: ID, title: \"T\", content: \"c\", status: null }]) { affected }",
                "input[0].status",
            ),
            ("upsertPrompts(input: [{ title: \"\", content: \"c\" }]) { affected }", "input[0].title"),
        ],
    },
    Row {
        field: "updatePromptStatuses(ids: [ID], status: ARCHIVED) { affected prompts { id } }",
        place: "ids[0]",
        takes_deleted: false,
        invalid: &[("updatePromptStatuses(ids: [ID, \"x\"], status: DRAFT) { affected }", "ids[1]")],
    },
    Row {
        field: "deletePrompts(ids: [ID]) { affected prompts { id } }",
        place: "ids[0]",
        takes_deleted: true,
        invalid: &[("deletePrompts(ids: [\"x\", ID]) { affected }", "ids[0]")],
    },
    Row {
        field: "restorePrompts(ids: [ID]) { affected prompts { id } }",
        place: "ids[0]",
        takes_deleted: true,
        invalid: &[("restorePrompts(ids: [\"x\", ID]) { affected }", "ids[0]")],
    },
];

impl Row {
    fn document(&self, id: &str) -> String {
        document(self.field, id, 0)
    }
}

fn document(field: &str, id: &str, number: usize) -> String {
    let field = field.replace("ID", &format!("{id:?}")).replace("\"N\"", &format!("\"{number}\""));
    format!("mutation {{ {field} }}")
}

on_both_databases! {
    async fn a_missing_object_and_somebody_elses_are_the_same(database: TestDatabase) {
        let alice = server_of("alice", &database).await;
        let bob = server_of("bob", &database).await;
        let bobs = global_id("Prompt", PromptBuilder::new().user("bob").insert(&database).await.id);
        let deleted = global_id("Prompt", PromptBuilder::new().user("alice").deleted().insert(&database).await.id);
        let nowhere = global_id("Prompt", uuid::Uuid::now_v7());
        let run = global_id("Run", uuid::Uuid::now_v7());
        let before = read(&bob, &bobs).await;
        for row in OF_PROMPTS {
            let mut messages = Vec::new();
            for id in [&nowhere, &bobs, &deleted] {
                if id == &deleted && row.takes_deleted {
                    continue;
                }
                let refused = Refused::of(&alice, &row.document(id), json!({})).await;
                refused.is("NOT_FOUND", &[row.place]);
                messages.push(refused.message);
            }
            assert!(messages.windows(2).all(|pair| pair[0] == pair[1]), "{messages:?}");
            Refused::of(&alice, &row.document(&run), json!({})).await.is("BAD_USER_INPUT", &[row.place]);
        }
        assert_eq!(read(&bob, &bobs).await, before);
    }

    async fn owners_and_administrators_may(database: TestDatabase) {
        let (alice, administrator) = (server_of("alice", &database).await, TestServer::start(&database).await);
        for server in [&alice, &administrator] {
            for row in OF_PROMPTS {
                let prompt = PromptBuilder::new().user("alice").insert(&database).await;
                server.data(&row.document(&global_id("Prompt", prompt.id))).await;
            }
        }
    }

    async fn what_cannot_be_is_refused_by_its_place(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        let id = global_id("Prompt", PromptBuilder::new().insert(&database).await.id);
        let before = read(&server, &id).await;
        for (field, place) in OF_PROMPTS.iter().flat_map(|row| row.invalid) {
            let refused = Refused::of(&server, &document(field, &id, 0), json!({})).await;
            refused.is("BAD_USER_INPUT", &[place]);
        }
        assert_eq!(read(&server, &id).await, before);
        assert_eq!(database.count("prompts").await, 1);
    }

    async fn whoever_asks_at_the_same_time_gets_an_answer(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        let rows = [PromptBuilder::new().name("a").insert(&database).await, PromptBuilder::new().name("b").insert(&database).await];
        let ids = rows.map(|row| global_id("Prompt", row.id));
        let changes = (0..60).map(|number| {
            let row = &OF_PROMPTS[number % OF_PROMPTS.len()];
            let document = document(row.field, &ids[number % 2], number);
            let server = &server;
            async move { server.send(&document, json!({})).await }
        });
        for reply in join_all(changes).await {
            // What another has deleted is not found.
            let code = &reply.body["errors"][0]["extensions"]["code"];
            assert!(code.is_null() || code == "NOT_FOUND", "{:#}", reply.body);
        }
        // Versions have no gaps.
        let gaps = "SELECT count(*) AS value FROM (SELECT root_id FROM prompts GROUP BY root_id HAVING max(version) <> count(*)) AS gaps";
        assert_eq!(sql::numbers(&database.location, gaps).await, [0]);
    }

    async fn every_mutation_is_in_a_table(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        let schema = server.data("{ __schema { mutationType { fields { name } } } }").await;
        // Those of templates, runs and evaluations, and what needs no object to be there, have tests of their own.
        let others = ["createPrompt", "createPromptTemplate", "updatePromptTemplate", "instantiatePromptTemplate"];
        // A server without authentication has none: they are tested in `tests/auth`.
        let of_api_tokens = ["createApiToken", "revokeApiToken"];
        for field in schema["__schema"]["mutationType"]["fields"].as_array().unwrap() {
            let name = field["name"].as_str().unwrap();
            let is_in_table = OF_PROMPTS.iter().any(|row| row.field.starts_with(&format!("{name}(")));
            let is_elsewhere =
                others.contains(&name) || of_api_tokens.contains(&name) || recording::FIELDS.contains(&name);
            assert!(is_in_table || is_elsewhere, "no table has {name}");
        }
    }
}
