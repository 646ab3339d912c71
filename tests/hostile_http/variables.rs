//! Operations that are not found, and variables that do not fit.

use serde_json::{Value, json};

use crate::common::Reply;
use crate::{error_of, server};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_does_not_fit_the_document_is_refused_by_name() {
    let server = server().await;
    let prompts = "query A($n: Int!, $filter: PromptFilter) { prompts(first: $n, filter: $filter) { totalCount } }";
    let two = "query A { viewer { userId } } query B { viewer { userId } }";
    let cases: [(Value, Option<&str>, &str); 9] = [
        (json!({ "query": two }), None, "several operations: tell with `operationName`"),
        (json!({ "query": two, "operationName": "C" }), None, "no operation named «C»"),
        (json!({ "query": two, "operationName": "" }), None, "no operation named «»"),
        (json!({ "query": prompts }), Some("n"), "the variable $n must have a value of the type Int!"),
        (json!({ "query": prompts, "variables": { "n": null } }), Some("n"), "must have a value of the type Int!"),
        (json!({ "query": prompts, "variables": { "n": "ten" } }), Some("n"), "whole number of 32 bits, not «ten»"),
        (json!({ "query": prompts, "variables": { "n": 1e300 } }), Some("n"), "whole number of 32 bits, not 1e+300"),
        (
            json!({ "query": prompts, "variables": { "n": 1, "filter": { "status": ["NEW"] } } }),
            Some("filter"),
            "the variable $filter.status[0] must be one of",
        ),
        (
            json!({ "query": prompts, "variables": { "n": 1, "filter": { "createdAfter": "now" } } }),
            Some("filter"),
            "the variable $filter.createdAfter: ",
        ),
    ];
    for (request, variable, message) in cases {
        for (accept, status) in [("application/graphql-response+json", 400), ("application/json", 200)] {
            let asked = server.client.post(server.url("/graphql")).header("accept", accept).json(&request);
            let reply = Reply::of(asked).await;
            let (code, text) = error_of(&reply.body);
            assert_eq!((reply.status, code.as_str()), (status, "BAD_USER_INPUT"), "{request}: {text}");
            assert!(text.contains(message), "{request}: {text}");
            assert_eq!(reply.body["errors"][0]["extensions"]["variable"].as_str(), variable, "{request}");
            assert!(reply.body.get("data").is_none(), "nothing was executed: {request}");
        }
    }
    // What the document does not declare is nobody's business.
    let request = json!({ "query": "{ viewer { userId } }", "variables": { "n": "ten" } });
    let reply = Reply::of(server.client.post(server.url("/graphql")).json(&request)).await;
    assert_eq!((reply.status, reply.body.get("errors")), (200, None));
}
