//! Who reads the log, and what is found in it.

use evalgraph::db::audit::{MOST_OBJECTS, MOST_SHOWN, record};
use evalgraph::db::changes::Changes;
use evalgraph::domain::{Client, Deed, Origin, Principal, PromptId, RunId};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::common::{TestDatabase, TestServer, global_id, on_both_databases};
use crate::support::{ENTRY, entries, texts};

/// Writes an entry as a request of the user does.
async fn write(database: &TestDatabase, user: &str, action: &str, changes: Changes) {
    let client = Client { address: Some("192.0.2.7".parse().unwrap()), user_agent: None };
    let origin = Origin::Request { id: "request".into(), client };
    let deed = Deed { principal: Principal::user(user), action: action.to_owned().into(), origin };
    database.write(|connection| Box::pin(async move { record(connection, &deed, &changes).await })).await;
}

fn of_prompts(prompts: &[PromptId]) -> Changes {
    Changes { prompts: prompts.to_vec(), ..Changes::default() }
}

/// The entries that a filter leaves, as action and user, and how many it says that there are.
async fn found(server: &TestServer, filter: &str) -> (Vec<String>, i64) {
    let query = format!("{{ auditLog(filter: {{ {filter} }}) {{ totalCount nodes {{ action userId }} }} }}");
    let data = server.data(&query).await;
    let nodes = data["auditLog"]["nodes"].as_array().unwrap();
    let name = |node: &Value| format!("{} {}", node["action"].as_str().unwrap(), node["userId"].as_str().unwrap());
    (nodes.iter().map(name).collect(), data["auditLog"]["totalCount"].as_i64().unwrap())
}

on_both_databases! {
    async fn filters_narrow_it_down_and_the_newest_comes_first(database: TestDatabase) {
        let (one, two) = (PromptId::generate(), PromptId::generate());
        write(&database, "alice", "createPrompt", of_prompts(&[one])).await;
        write(&database, "bob", "createPrompt", of_prompts(&[two])).await;
        write(&database, "alice", "updatePrompt", of_prompts(&[one])).await;
        write(&database, "alice", "deletePrompts", of_prompts(&[one, two, two])).await;
        let server = TestServer::start(&database).await;
        let times: Vec<String> =
            entries(&database).await.iter().map(|entry| entry["createdAt"].as_str().unwrap().to_owned()).collect();
        let object = |id: PromptId| format!("objectId: {:?}", global_id("Prompt", id));
        for (filter, expected) in [
            (String::new(), &["deletePrompts alice", "updatePrompt alice", "createPrompt bob", "createPrompt alice"][..]),
            ("userId: \"alice\"".to_owned(), &["deletePrompts alice", "updatePrompt alice", "createPrompt alice"]),
            ("action: \"createPrompt\"".to_owned(), &["createPrompt bob", "createPrompt alice"]),
            ("action: \"createPrompt\", userId: \"bob\"".to_owned(), &["createPrompt bob"]),
            (object(one), &["deletePrompts alice", "updatePrompt alice", "createPrompt alice"]),
            (object(two), &["deletePrompts alice", "createPrompt bob"]),
            (format!("{}, userId: \"alice\", action: \"deletePrompts\"", object(two)), &["deletePrompts alice"]),
            (object(PromptId::generate()), &[]),
            (format!("since: {:?}", times[1]), &["deletePrompts alice", "updatePrompt alice"]),
            (format!("until: {:?}", times[1]), &["createPrompt bob", "createPrompt alice"]),
            (format!("{}, since: {:?}, until: {:?}", object(one), times[3], times[0]), &["updatePrompt alice", "createPrompt alice"]),
            (format!("userId: \"alice\", until: {:?}", times[0]), &["updatePrompt alice", "createPrompt alice"]),
            (format!("action: \"createPrompt\", since: {:?}", times[2]), &["createPrompt bob"]),
        ] {
            let (names, count) = found(&server, &filter).await;
            assert_eq!(names, expected, "{filter}");
            assert_eq!(count, i64::try_from(expected.len()).unwrap(), "{filter}");
        }
    }

    async fn it_comes_in_pages(database: TestDatabase) {
        for number in 0..7 {
            write(&database, "alice", &format!("action {number}"), of_prompts(&[PromptId::generate()])).await;
        }
        let server = TestServer::start(&database).await;
        let (mut seen, mut after) = (Vec::new(), Value::Null);
        loop {
            let page = "query ($after: String) { auditLog(first: 3, after: $after) {
                edges { cursor node { action } } pageInfo { hasNextPage hasPreviousPage endCursor } } }";
            let mut page = server.ask(page, json!({ "after": after })).await["auditLog"].take();
            for edge in page["edges"].as_array().unwrap() {
                seen.push(edge["node"]["action"].as_str().unwrap().to_owned());
            }
            assert_eq!(page["pageInfo"]["hasPreviousPage"], !after.is_null());
            after = page["pageInfo"]["endCursor"].take();
            if page["pageInfo"]["hasNextPage"] == false {
                break;
            }
        }
        let expected: Vec<_> = (0..7).rev().map(|number| format!("action {number}")).collect();
        assert_eq!(seen, expected);
        let last = server.data("{ auditLog(last: 2) { nodes { action } } }").await;
        assert_eq!(last["auditLog"]["nodes"], json!([{ "action": "action 1" }, { "action": "action 0" }]));
    }

    async fn an_entry_is_an_object_with_an_id(database: TestDatabase) {
        let run = RunId::generate();
        write(&database, "alice", "startRun", Changes { runs: vec![run], ..Changes::default() }).await;
        let entry = entries(&database).await.remove(0);
        assert_eq!(entry["objectIds"], json!([global_id("Run", run)]));
        assert_eq!((&entry["requestId"], &entry["clientAddress"]), (&json!("request"), &json!("192.0.2.7")));
        let query = format!("query ($id: ID!) {{ node(id: $id) {{ ... on AuditEntry {{ {ENTRY} }} }} }}");
        let server = TestServer::start(&database).await;
        assert_eq!(server.ask(&query, json!({ "id": entry["id"] })).await["node"], entry);
        let nowhere = global_id("AuditEntry", Uuid::now_v7());
        assert_eq!(server.ask(&query, json!({ "id": nowhere })).await["node"], Value::Null);
        let bad = server.error("{ auditLog(filter: { objectId: \"x\" }) { totalCount } }").await;
        assert_eq!((bad.1.as_str(), bad.2.as_deref()), ("BAD_USER_INPUT", Some("filter.objectId")));
    }

    async fn nobody_but_administrators_reads_it(database: TestDatabase) {
        write(&database, "alice", "createPrompt", of_prompts(&[PromptId::generate()])).await;
        let id = entries(&database).await[0]["id"].clone();
        let alice = TestServer::for_principal(&database, Principal::user("alice")).await;
        let reply = alice.send("{ viewer { userId } auditLog { totalCount nodes { id } } }", json!({})).await;
        assert_eq!(reply.body["data"], json!({ "viewer": { "userId": "alice" }, "auditLog": null }));
        assert_eq!(reply.body["errors"][0]["extensions"]["code"], "FORBIDDEN");
        assert_eq!(reply.body["errors"][0]["message"], "auditLog is for administrators alone");
        // Not even by their ids, nor what they did themselves.
        let node = "query ($id: ID!) { node(id: $id) { id } nodes(ids: [$id]) { id } }";
        assert_eq!(alice.ask(node, json!({ "id": id })).await, json!({ "node": null, "nodes": [null] }));
    }

    async fn of_many_objects_the_first_are_told_and_nearly_all_are_found(database: TestDatabase) {
        let ids: Vec<_> = (0..MOST_OBJECTS + 1).map(|_| PromptId::generate()).collect();
        write(&database, "alice", "deletePrompts", of_prompts(&ids)).await;
        let entry = entries(&database).await.remove(0);
        assert_eq!(entry["objectCount"], MOST_OBJECTS + 1);
        let told: Vec<_> = ids[..MOST_SHOWN].iter().map(|&id| global_id("Prompt", id)).collect();
        assert_eq!(texts(&entry["objectIds"]), told);
        let server = TestServer::start(&database).await;
        for (place, expected) in [(0, 1), (MOST_SHOWN, 1), (MOST_OBJECTS - 1, 1), (MOST_OBJECTS, 0)] {
            let filter = format!("objectId: {:?}", global_id("Prompt", ids[place]));
            assert_eq!(found(&server, &filter).await.1, expected, "{place}");
        }
    }

    async fn what_clients_call_themselves_is_cut_off(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        let create = json!({ "query": "mutation { createPrompt(input: { title: \"T\", content: \"c\" }) { prompt { id } } }" });
        for (agent, told) in [("x".repeat(3_000), json!(format!("{}…", "x".repeat(200)))), ("\u{e4}".to_owned(), Value::Null)] {
            let header = reqwest::header::HeaderValue::from_bytes(agent.as_bytes()).unwrap();
            let request = server.client.post(server.url("/graphql")).header("user-agent", header);
            assert_eq!(request.json(&create).send().await.unwrap().status(), 200);
            assert_eq!(entries(&database).await[0]["userAgent"], told);
        }
    }
}
