//! The number of statements of a change does not depend on the number of objects, but for the portions that they are
//! stored in.

use serde_json::{Value, json};

use crate::common::{Kind, TestServer, on_both_databases};

/// How many prompts are stored at a time.
const PORTION: usize = 1_000;

/// What a change costs, and the ids of its prompts.
async fn change(server: &TestServer, document: &str, variables: Value) -> (u64, Vec<Value>) {
    let reply = server.send(document, variables).await;
    assert!(reply.body.get("errors").is_none(), "{:#}", reply.body);
    let payload = reply.body["data"].as_object().unwrap().values().next().unwrap();
    let ids = payload["prompts"].as_array().unwrap().iter().map(|prompt| prompt["id"].clone()).collect();
    (reply.statements(), ids)
}

on_both_databases! {
    async fn ten_cost_what_a_thousand_cost(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        let upsert = "mutation ($input: [UpsertPromptInput!]!) { upsertPrompts(input: $input) { prompts { id content } } }";
        let mut costs = Vec::new();
        for count in [1, 10, PORTION, 2 * PORTION] {
            let new: Vec<_> = (0..count).map(|number| json!({ "title": format!("{number}"), "content": "c" })).collect();
            let (stored, ids) = change(&server, upsert, json!({ "input": new })).await;
            let changed: Vec<_> = ids.iter().map(|id| json!({ "id": id, "title": "T", "content": "d" })).collect();
            let (replaced, _) = change(&server, upsert, json!({ "input": changed })).await;
            // SQLite runs one prepared statement for each row, in one go.
            let rows = if database.kind == Kind::Sqlite { count as u64 } else { count.div_ceil(PORTION) as u64 };
            let mut cost = vec![stored - rows, replaced - rows];
            for (field, arguments) in [("updatePromptStatuses", ", status: ACTIVE"), ("deletePrompts", ""), ("restorePrompts", "")] {
                let document = format!("mutation ($ids: [ID!]!) {{ {field}(ids: $ids{arguments}) {{ prompts {{ id content }} }} }}");
                cost.push(change(&server, &document, json!({ "ids": ids })).await.0);
            }
            costs.push(cost);
        }
        assert_eq!(costs[1], costs[2]);
        // One alone is found by `=`, which is another statement but as many.
        assert_eq!(costs[0], costs[1]);
        // PostgreSQL is told that the words of many prompts may wait. Of each further portion the rows are read, and those with
        // evaluations looked for and, in PostgreSQL, locked.
        let (once, further) = if database.kind == Kind::Sqlite { (0, 2) } else { (1, 3) };
        let with_portion = [0, further, 0, 0, 0];
        let expected: Vec<_> = costs[2].iter().zip(with_portion).map(|(cost, portion)| cost + once + portion).collect();
        assert_eq!(costs[3], expected);
        println!("{costs:?}");
    }
}
