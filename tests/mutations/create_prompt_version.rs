//! `createPromptVersion`.

use evalgraph::domain::{PromptFormat, content_hash};
use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::common::{PromptBuilder, TemplateBuilder, TestServer, global_id, on_both_databases, sql};
use crate::support::{CREATE_PROMPT_VERSION, read, server_of, with};

on_both_databases! {
    async fn a_version_is_as_its_parent_but_for_what_is_given(database: TestDatabase) {
        let alice = server_of("alice", &database).await;
        let template = TemplateBuilder::new().insert(&database).await;
        let parent = PromptBuilder::new().user("alice").name("greeting").tags(["a"]).template(&template).with(|row| {
            row.description = Some("For guests".to_owned());
            row.system_message = Some("Be kind.".to_owned());
            row.metadata = json!({ "a": 1 }).into();
            row.content_hash = content_hash(row.format, &row.content, row.system_message.as_deref());
        });
        let parent = read(&alice, &global_id("Prompt", parent.insert(&database).await.id)).await;
        let input = json!({ "parentId": parent["id"] });
        let version = CREATE_PROMPT_VERSION.prompt(&alice, input.clone()).await;
        let own = |version: &Value, number: u32| json!({
            "id": version["id"], "version": number, "parent": { "id": parent["id"] }, "template": null,
            "createdAt": version["createdAt"], "updatedAt": version["createdAt"],
        });
        assert_eq!(version, with(parent.clone(), own(&version, 2)));
        let changes = json!({
            "title": "Farewell", "description": null, "content": "Say goodbye.", "systemMessage": null, "tags": ["b"],
            "metadata": {}, "status": "DRAFT",
        });
        let version = CREATE_PROMPT_VERSION.prompt(&alice, with(input, changes.clone())).await;
        let hash = json!({ "contentHash": content_hash(PromptFormat::Text, "Say goodbye.", None) });
        assert_eq!(version, with(with(with(parent.clone(), changes), own(&version, 3)), hash));
        assert_eq!(read(&alice, version["id"].as_str().unwrap()).await, version);
    }

    async fn the_number_follows_that_of_the_newest(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        let first = PromptBuilder::new().insert(&database).await;
        let second = PromptBuilder::new().version_of(&first).insert(&database).await;
        PromptBuilder::new().version_of(&second).deleted().insert(&database).await;
        // Made from the first, and after the deleted third.
        let version = CREATE_PROMPT_VERSION.prompt(&server, json!({ "parentId": global_id("Prompt", first.id) })).await;
        assert_eq!((&version["version"], &version["parent"]["id"]), (&json!(4), &json!(global_id("Prompt", first.id))));
    }

    async fn an_administrators_version_belongs_to_the_owner_of_the_lineage(database: TestDatabase) {
        let administrator = TestServer::start(&database).await;
        let first = PromptBuilder::new().user("alice").insert(&database).await;
        let input = json!({ "parentId": global_id("Prompt", first.id) });
        assert_eq!(CREATE_PROMPT_VERSION.prompt(&administrator, input).await["userId"], "alice");
    }

    async fn fifty_at_once_are_fifty_consecutive_versions(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        let parent = PromptBuilder::new().name("wanted").insert(&database).await;
        let input = json!({ "parentId": global_id("Prompt", parent.id) });
        let made = join_all((0..50).map(|_| CREATE_PROMPT_VERSION.prompt(&server, input.clone()))).await;
        let mut made: Vec<_> = made.iter().map(|version| (version["version"].as_i64().unwrap(), version["createdAt"].as_str().unwrap().to_owned())).collect();
        made.sort();
        let numbers: Vec<_> = made.iter().map(|(number, _)| *number).collect();
        assert_eq!(numbers, (2..=51).collect::<Vec<_>>());
        assert!(made.is_sorted_by_key(|(_, created)| created.clone()), "a version is not older than the one before it");
        let stored = sql::numbers(&database.location, "SELECT version AS value FROM (SELECT CAST(version AS bigint) AS version FROM prompts) AS v ORDER BY 1").await;
        assert_eq!(stored, (1..=51).collect::<Vec<_>>());
    }
}

/// An import locks no lineages: its version may be on its way when another is made.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_version_that_an_import_is_storing_is_waited_for() {
    use crate::common::{Kind, TestDatabase};
    use diesel_async::SimpleAsyncConnection as _;
    let database = TestDatabase::postgres().await;
    let server = TestServer::start(&database).await;
    let parent = PromptBuilder::new().insert(&database).await;
    let (id, new) = (Kind::Postgres.literal(parent.id), Kind::Postgres.literal(uuid::Uuid::now_v7()));
    let mut import = sql::postgres(&database.location).await;
    import
        .batch_execute(&format!(
            "BEGIN; INSERT INTO prompts (id, user_id, title, content, content_hash, version, parent_id, root_id, status)
             VALUES ({new}, 'local', 'Imported', 'x', 'x', 2, {id}, {id}, 'active')"
        ))
        .await
        .unwrap();
    let input = json!({ "parentId": global_id("Prompt", parent.id) });
    let (version, ()) = tokio::join!(CREATE_PROMPT_VERSION.prompt(&server, input), async {
        let waits = "SELECT count(*) AS value FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
        let is_waiting = async || sql::numbers(&database.location, waits).await == [1];
        crate::common::eventually(std::time::Duration::from_secs(5), "the version waits", is_waiting).await;
        import.batch_execute("COMMIT").await.unwrap();
    });
    assert_eq!(version["version"], 3);
}
