//! Every mutation of the schema leaves one entry, which tells what it was and what it changed; what is refused or changes
//! nothing leaves none.

use std::collections::BTreeSet;

use evalgraph::domain::{EvaluationStatus, Principal};
use serde_json::{Value, json};

use crate::common::{
    EvaluationBuilder, PromptBuilder, Reply, RunBuilder, TemplateBuilder, TestDatabase, TestServer, global_id,
    on_both_databases,
};
use crate::support::{entries, texts};

/// A mutation, and what its entry has to tell.
struct Row {
    field: &'static str,
    /// The arguments and the selection, in which words in capitals stand for ids of the `World`.
    call: &'static str,
    /// The objects: a word of the `World`, or where their id stands in what the mutation returns.
    objects: &'static [&'static str],
    /// What asking for the same again does.
    again: Again,
}

/// What asking for the same again does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Again {
    /// The same once more.
    Changes,
    /// Nothing: it is so already.
    IsNothing,
    /// It is refused.
    IsRefused,
}

use Again::{Changes, IsNothing, IsRefused};

const fn row(field: &'static str, call: &'static str, objects: &'static [&'static str], again: Again) -> Row {
    Row { field, call, objects, again }
}

const ROWS: &[Row] = &[
    row("createPrompt", r#"(input: { title: "T", content: "c" }) { prompt { id } }"#, &["/prompt/id"], Changes),
    row("updatePrompt", r#"(input: { id: "PROMPT", title: "other" }) { prompt { id } }"#, &["PROMPT"], IsNothing),
    row(
        "createPromptVersion",
        r#"(input: { parentId: "PROMPT", content: "other" }) { prompt { id } }"#,
        &["/prompt/id"],
        Changes,
    ),
    row(
        "upsertPrompts",
        r#"(input: [{ id: "PROMPT", title: "other", content: "c" }, { title: "T", content: "c" }]) { prompts { id } }"#,
        &["PROMPT", "/prompts/1/id"],
        Changes,
    ),
    row("updatePromptStatuses", r#"(ids: ["PROMPT"], status: ARCHIVED) { affected }"#, &["PROMPT"], IsNothing),
    row("deletePrompts", r#"(ids: ["PROMPT", "DELETED"]) { affected }"#, &["PROMPT"], IsNothing),
    row("restorePrompts", r#"(ids: ["PROMPT", "DELETED"]) { affected }"#, &["DELETED"], IsNothing),
    row(
        "createPromptTemplate",
        r#"(input: { name: "t", template: "{{ x }}", category: "c" }) { template { id } }"#,
        &["/template/id"],
        IsRefused,
    ),
    row(
        "updatePromptTemplate",
        r#"(input: { id: "TEMPLATE", category: "other" }) { template { id } }"#,
        &["TEMPLATE"],
        IsNothing,
    ),
    row(
        "instantiatePromptTemplate",
        r#"(input: { templateId: "TEMPLATE", title: "T", variables: { name: "x" } }) { prompt { id } }"#,
        &["/prompt/id", "TEMPLATE"],
        Changes,
    ),
    row("startRun", r#"(input: { name: "r", externalId: "e" }) { run { id } }"#, &["/run/id"], IsNothing),
    row("finishRun", r#"(id: "EMPTY_RUN") { run { id } }"#, &["EMPTY_RUN"], IsRefused),
    row("setRunBaseline", r#"(id: "RUN", isBaseline: true) { run { id } }"#, &["RUN"], Changes),
    row("deleteRun", r#"(id: "RUN") { deletedId }"#, &["RUN", "PENDING", "RUNNING"], IsRefused),
    row(
        "createEvaluation",
        r#"(input: { promptId: "PROMPT", externalId: "e" }) { evaluation { id } }"#,
        &["/evaluation/id"],
        IsNothing,
    ),
    row(
        "createPromptWithEvaluation",
        r#"(prompt: { title: "T", content: "c" }) { evaluation { id prompt { id } } }"#,
        &["/evaluation/prompt/id", "/evaluation/id"],
        Changes,
    ),
    row("startEvaluation", r#"(id: "PENDING") { evaluation { id } }"#, &["PENDING"], IsRefused),
    row(
        "recordTestResults",
        r#"(evaluationId: "RUNNING", results: [
             { testCaseName: "one", externalId: "1", inputData: {}, score: 1, passed: true },
             { testCaseName: "two", externalId: "2", inputData: {}, score: 0, passed: false }
           ]) { recorded }"#,
        &["RUNNING"],
        IsNothing,
    ),
    row("completeEvaluation", r#"(input: { id: "RUNNING" }) { evaluation { id } }"#, &["RUNNING"], IsRefused),
    row(
        "failEvaluation",
        r#"(input: { id: "PENDING", errorMessage: "no" }) { evaluation { id } }"#,
        &["PENDING"],
        IsRefused,
    ),
];

/// Those that a server without authentication refuses: `tests/auth/tokens.rs` tests their entries.
const WITH_AUTHENTICATION: [&str; 2] = ["createApiToken", "revokeApiToken"];

/// What there is to be changed, by the words of the rows.
struct World(Vec<(&'static str, String)>);

impl World {
    async fn new(database: &TestDatabase) -> Self {
        let prompt = PromptBuilder::new().user("alice").insert(database).await;
        let deleted = PromptBuilder::new().user("alice").deleted().insert(database).await;
        let template = TemplateBuilder::new().with(|row| row.template = "Hello {{ name }}".to_owned());
        let template = template.insert(database).await;
        let run = || RunBuilder::new().user("alice").status(EvaluationStatus::Running);
        let (empty, run) = (run().insert(database).await, run().insert(database).await);
        let other = PromptBuilder::new().user("alice").insert(database).await;
        let evaluation = |place, status| EvaluationBuilder::of(&other).run(&run, place).status(status);
        let pending = evaluation(0, EvaluationStatus::Pending).insert(database).await;
        let running = evaluation(1, EvaluationStatus::Running).insert(database).await;
        Self(vec![
            ("PROMPT", global_id("Prompt", prompt.id)),
            ("DELETED", global_id("Prompt", deleted.id)),
            ("TEMPLATE", global_id("PromptTemplate", template.id)),
            ("EMPTY_RUN", global_id("Run", empty.id)),
            ("RUN", global_id("Run", run.id)),
            ("PENDING", global_id("Evaluation", pending.id)),
            ("RUNNING", global_id("Evaluation", running.id)),
        ])
    }

    fn id(&self, word: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| *known == word).map(|(_, id)| id.as_str())
    }

    /// The mutation of a row, under another name than its own.
    fn document(&self, row: &Row) -> String {
        let words = self.0.iter();
        let call = words
            .fold(row.call.to_owned(), |call, (word, id)| call.replace(&format!("\"{word}\""), &format!("{id:?}")));
        format!("mutation Named {{ alias: {}{call} }}", row.field)
    }

    /// The ids of a row's objects after the answer.
    fn objects(&self, row: &Row, data: &Value) -> BTreeSet<String> {
        let id = |object: &&str| {
            let returned = || data["alias"].pointer(object).and_then(Value::as_str);
            self.id(object)
                .or_else(returned)
                .unwrap_or_else(|| panic!("{object} of {}: {data:#}", row.field))
                .to_owned()
        };
        row.objects.iter().map(id).collect()
    }
}

async fn send(server: &TestServer, document: &str) -> Reply {
    let request = server.client.post(server.url("/graphql")).header("user-agent", "a test/1.0");
    Reply::of(request.json(&json!({ "query": document }))).await
}

/// Whether the mutations of the schema are those of the rows.
async fn check_all_are_there(server: &TestServer) {
    let data = server.data("{ __type(name: \"Mutation\") { fields { name } } }").await;
    let fields = data["__type"]["fields"].as_array().unwrap();
    let fields: BTreeSet<_> = fields.iter().map(|field| field["name"].as_str().unwrap()).collect();
    let rows: BTreeSet<_> = ROWS.iter().map(|row| row.field).chain(WITH_AUTHENTICATION).collect();
    assert_eq!(fields, rows, "each mutation has a row here, and each row a mutation");
}

on_both_databases! {
    async fn one_entry_tells_who_did_what(database: TestDatabase) {
        let server = TestServer::for_principal(&database, Principal::user("alice")).await;
        check_all_are_there(&server).await;
        let mut known = 0;
        for row in ROWS {
            let world = World::new(&database).await;
            let reply = send(&server, &world.document(row)).await;
            assert!(reply.body.get("errors").is_none(), "{}: {:#}", row.field, reply.body);
            let entries = entries(&database).await;
            known += 1;
            assert_eq!(database.count("audit_log").await, known, "{}", row.field);
            let entry = &entries[0];
            let text = |field: &str| entry[field].as_str().unwrap_or_default();
            assert_eq!(
                (text("action"), text("userId"), &entry["isAdmin"], text("origin"), text("credential"), text("userAgent")),
                (row.field, "alice", &json!(false), "REQUEST", "local", "a test/1.0"),
                "{entry:#}"
            );
            assert_eq!(text("requestId"), reply.headers["x-request-id"].to_str().unwrap());
            let objects: BTreeSet<_> = texts(&entry["objectIds"]).into_iter().map(str::to_owned).collect();
            assert_eq!(objects, world.objects(row, &reply.body["data"]), "{}", row.field);
            assert_eq!(entry["objectCount"], objects.len(), "{}", row.field);
            // What is told of them is what they are found by.
            for object in &objects {
                let list = format!("{{ auditLog(filter: {{ objectId: {object:?} }}) {{ totalCount nodes {{ action }} }} }}");
                let found = TestServer::start(&database).await.data(&list).await;
                let expected = json!({ "totalCount": 1, "nodes": [{ "action": row.field }] });
                assert_eq!(found["auditLog"], expected, "{object} of {}", row.field);
            }
        }
    }

    async fn what_is_refused_or_changes_nothing_leaves_no_entry(database: TestDatabase) {
        let (alice, bob) = (
            TestServer::for_principal(&database, Principal::user("alice")).await,
            TestServer::for_principal(&database, Principal::user("bob")).await,
        );
        for row in ROWS {
            let world = World::new(&database).await;
            let document = world.document(row);
            let before = database.count("audit_log").await;
            // What names an object of somebody else's is refused.
            if world.0.iter().any(|(word, _)| *word != "TEMPLATE" && row.call.contains(word)) {
                let refused = send(&bob, &document).await;
                assert!(refused.body.get("errors").is_some(), "{}: {:#}", row.field, refused.body);
                assert_eq!(database.count("audit_log").await, before, "{}", row.field);
            }
            // Another mutation of a request that fails does not take an entry along.
            send(&alice, &document).await;
            assert_eq!(database.count("audit_log").await, before + 1, "{}", row.field);
            let again = send(&alice, &document).await;
            assert_eq!(again.body.get("errors").is_some(), row.again == IsRefused, "{}: {:#}", row.field, again.body);
            let more = i64::from(row.again == Changes);
            assert_eq!(database.count("audit_log").await, before + 1 + more, "{}", row.field);
            if row.field == "createPromptTemplate" || row.field == "startRun" {
                database.execute("DELETE FROM prompt_templates WHERE name = 't'").await;
                database.execute("DELETE FROM runs WHERE external_id = 'e'").await;
            }
        }
    }

    async fn each_mutation_of_a_request_has_an_entry_of_its_own(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        let document = "mutation {
            one: createPrompt(input: { title: \"one\", content: \"c\" }) { prompt { id } }
            two: createPrompt(input: { title: \"\", content: \"c\" }) { prompt { id } }
            three: createPrompt(input: { title: \"three\", content: \"c\" }) { prompt { id } }
        }";
        let reply = send(&server, document).await;
        assert_eq!(reply.body["errors"].as_array().unwrap().len(), 1, "{:#}", reply.body);
        // After a failure of a field that must not be null the others are not executed, or are, as the server likes.
        let prompts = database.count("prompts").await;
        assert!(prompts >= 1);
        assert_eq!(database.count("audit_log").await, prompts);
    }
}
