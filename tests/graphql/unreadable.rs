//! Requests that are refused as a whole: too deep, unclear which operation is meant, or made to break things.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::common::{PromptBuilder, Reply, TestDatabase, TestServer, on_both_databases};

fn codes(reply: &Reply) -> Vec<&str> {
    let errors = reply.body["errors"].as_array().map_or(&[][..], Vec::as_slice);
    errors.iter().map(|error| error["extensions"]["code"].as_str().unwrap()).collect()
}

/// A query with `parents` prompts nested in one another.
fn nested(parents: usize) -> String {
    format!("{{ prompts {{ nodes {{ {}id{} }} }} }}", "parent { ".repeat(parents), " }".repeat(parents))
}

async fn send_operation(server: &TestServer, query: &str, name: Value) -> Reply {
    let body = json!({ "query": query, "operationName": name });
    Reply::of(server.client.post(server.url("/graphql")).json(&body)).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_query_may_be_twenty_fields_deep() {
    let database = TestDatabase::sqlite().await;
    let server = TestServer::start(&database).await;
    // Two fields above, one below.
    assert_eq!(server.data(&nested(17)).await, json!({ "prompts": { "nodes": [] } }));
    for parents in [18, 40, 70, 1_000, 20_000] {
        let reply = server.send(&nested(parents), json!({})).await;
        assert_eq!((reply.status, codes(&reply)), (400, vec!["LIMIT_EXCEEDED"]), "{parents} parents");
    }
    let fragments = "{ ...A } fragment A on Query { ...B } fragment B on Query { ...A }";
    assert_eq!(server.send(fragments, json!({})).await.status, 400);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn values_nested_without_end_do_not_exhaust_the_stack() {
    let database = TestDatabase::sqlite().await;
    let server = TestServer::start(&database).await;
    for (open, close) in [("[", "]"), ("{ a: ", "}"), ("[{ a: ", "}]")] {
        for depth in [100, 1_000, 100_000] {
            let value = format!("{}1{}", open.repeat(depth), close.repeat(depth));
            let reply = server.send(&format!("{{ prompts(filter: {value}) {{ totalCount }} }}"), json!({})).await;
            assert_eq!((reply.status, codes(&reply)), (400, vec!["LIMIT_EXCEEDED"]), "{depth} times {open}");
        }
    }
    let list_type = format!("query ($x: {}Int{}) {{ viewer {{ userId }} }}", "[".repeat(50_000), "]".repeat(50_000));
    assert_eq!(codes(&server.send(&list_type, json!({})).await), ["LIMIT_EXCEEDED"]);
    // Brackets in texts and comments are no nesting.
    let brackets = "[{(".repeat(100);
    let query = format!("# {brackets}\n{{ promptByName(name: \"{brackets}\") {{ id }} }}");
    assert_eq!(server.data(&query).await, json!({ "promptByName": null }));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_must_be_clear_which_operation_is_meant() {
    let database = TestDatabase::sqlite().await;
    let server = TestServer::start(&database).await;
    let two = "query A { viewer { userId } } query B ($x: Boolean!) { viewer { isAdmin @skip(if: $x) } }";
    let reply = send_operation(&server, two, json!("A")).await;
    assert_eq!((reply.status, &reply.body["data"]), (200, &json!({ "viewer": { "userId": "local" } })));
    for (query, name, message) in [
        (two, json!("C"), "the document has no operation named «C»"),
        (two, Value::Null, "the document has several operations: tell with `operationName` which one is meant"),
        (two, json!("B"), "the variable $x must have a value of the type Boolean!"),
        ("{ viewer { userId } }", json!("A"), "the document has no operation named «A»"),
    ] {
        let reply = send_operation(&server, query, name.clone()).await;
        assert_eq!(reply.status, 400, "{name}");
        assert_eq!(reply.body["errors"][0]["message"], message, "{name}");
        assert_eq!(codes(&reply), ["BAD_USER_INPUT"], "{name}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn older_clients_are_always_answered_with_200() {
    let database = TestDatabase::sqlite().await;
    let server = TestServer::start(&database).await;
    for query in
        ["{", "{ nothing }", "query ($id: ID!) { prompt(id: $id) { id } }", "{ prompts(first: -1) { totalCount } }"]
    {
        let request = server.client.post(server.url("/graphql")).header("accept", "application/json");
        let reply = Reply::of(request.json(&json!({ "query": query }))).await;
        assert_eq!((reply.status, codes(&reply).len()), (200, 1), "{query}");
        assert_eq!(reply.headers["content-type"], "application/json; charset=utf-8");
        let executed = query.contains("first");
        assert_eq!(reply.body.as_object().unwrap().contains_key("data"), executed, "{query}");
    }
}

on_both_databases! {
    async fn the_character_zero_is_refused_wherever_it_stands(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        let by_name = "query ($name: String!) { promptByName(name: $name) { id } }";
        let filtered = "query ($filter: PromptFilter) { prompts(filter: $filter) { totalCount } }";
        for (query, variables) in [
            ("{ promptByName(name: \"a\\u0000b\") { id } }", json!({})),
            ("{ prompts(filter: { tags: [\"\\u0000\"] }) { totalCount } }", json!({})),
            (by_name, json!({ "name": "a\0b" })),
            (filtered, json!({ "filter": { "tags": ["x", "\0"] } })),
        ] {
            let reply = server.send(query, variables).await;
            assert_eq!((reply.status, codes(&reply)), (400, vec!["BAD_USER_INPUT"]), "{query}");
        }
        // A backslash and letters, and the strangest other characters, are good.
        for name in ["a\\u0000", "\u{1}\u{7f}\u{85}\u{fffe}\u{10ffff}"] {
            assert_eq!(server.ask(by_name, json!({ "name": name })).await, json!({ "promptByName": null }));
            let filter = json!({ "filter": { "tags": [name], "name": name } });
            assert_eq!(server.ask(filtered, filter).await, json!({ "prompts": { "totalCount": 0 } }));
        }
    }

    async fn a_forged_cursor_is_no_cursor(database: TestDatabase) {
        PromptBuilder::new().insert(&database).await;
        let server = TestServer::start(&database).await;
        let page = server.data("{ prompts { pageInfo { endCursor } } }").await;
        let cursor = URL_SAFE_NO_PAD.decode(page["prompts"]["pageInfo"]["endCursor"].as_str().unwrap()).unwrap();
        for micros in [i64::MIN, -62_200_000_000_000_000, -210_900_000_000_000_000, 253_402_300_800_000_000, i64::MAX] {
            let mut forged = cursor.clone();
            forged[21..].copy_from_slice(&micros.to_be_bytes());
            let forged = URL_SAFE_NO_PAD.encode(forged);
            let query = format!("{{ prompts(after: {forged:?}) {{ nodes {{ id }} }} }}");
            let (message, code, argument) = server.error(&query).await;
            assert_eq!((code.as_str(), argument.as_deref()), ("BAD_USER_INPUT", Some("after")), "{micros}");
            assert!(message.contains("is not a cursor"), "{message}");
        }
        // The first and the last moment that a time can be.
        for micros in [-62_167_219_200_000_000_i64, 253_402_300_799_999_999] {
            let mut far = cursor.clone();
            far[21..].copy_from_slice(&micros.to_be_bytes());
            server.data(&format!("{{ prompts(after: {:?}) {{ nodes {{ id }} }} }}", URL_SAFE_NO_PAD.encode(far))).await;
        }
    }
}
