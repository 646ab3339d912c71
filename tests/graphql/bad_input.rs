//! What cannot be answered is refused with a code, the argument at fault, and a message that helps.

use serde_json::{Value, json};

use crate::common::{EvaluationBuilder, PromptBuilder, Reply, RunBuilder, TestServer, on_both_databases};
use crate::global_id;

/// A query, its variables, and the code and a part of the message of its error.
type Refused = (&'static str, &'static str, &'static str, &'static str);

/// Requests that are wrong in themselves: nothing is executed.
const REFUSED: &[Refused] = &[
    ("{ prompts { nodes { id } ", "{}", "GRAPHQL_PARSE_FAILED", "expected selection"),
    ("{ prompts(first: 1 2) { totalCount } }", "{}", "GRAPHQL_PARSE_FAILED", "expected"),
    ("{ evaluations(filter: { minScore: 1e400 }) { totalCount } }", "{}", "GRAPHQL_PARSE_FAILED", "out of range"),
    ("query A { viewer { userId } } query A { runs { totalCount } }", "{}", "GRAPHQL_PARSE_FAILED", "defined twice"),
    ("fragment F on Query { viewer { userId } }", "{}", "GRAPHQL_PARSE_FAILED", "does not contain an operation"),
    ("{ nothing }", "{}", "GRAPHQL_VALIDATION_FAILED", "Unknown field \"nothing\" on type \"Query\""),
    ("{ prompts { nodes { colour } } }", "{}", "GRAPHQL_VALIDATION_FAILED", "Unknown field \"colour\""),
    ("{ prompts { nodes } }", "{}", "GRAPHQL_VALIDATION_FAILED", "must have a selection"),
    ("{ prompts(size: 3) { totalCount } }", "{}", "GRAPHQL_VALIDATION_FAILED", "Unknown argument \"size\""),
    ("{ prompt { id } }", "{}", "GRAPHQL_VALIDATION_FAILED", "argument \"id\""),
    (
        "{ prompts(filter: { colour: 1 }) { totalCount } }",
        "{}",
        "GRAPHQL_VALIDATION_FAILED",
        "unknown field \"colour\"",
    ),
    ("{ prompts(filter: { status: [NEW] }) { totalCount } }", "{}", "GRAPHQL_VALIDATION_FAILED", "value \"NEW\""),
    ("{ prompts(orderBy: { field: SIZE }) { totalCount } }", "{}", "GRAPHQL_VALIDATION_FAILED", "value \"SIZE\""),
    ("{ prompts(orderBy: { direction: ASC }) { totalCount } }", "{}", "GRAPHQL_VALIDATION_FAILED", "field \"field\""),
    ("{ prompts(first: \"1\") { totalCount } }", "{}", "GRAPHQL_VALIDATION_FAILED", "argument \"first\""),
    ("{ prompts(first: 1.5) { totalCount } }", "{}", "GRAPHQL_VALIDATION_FAILED", "expected type \"Int\""),
    ("{ viewer @unknown { userId } }", "{}", "GRAPHQL_VALIDATION_FAILED", "Unknown directive"),
    ("{ viewer { ...Missing } }", "{}", "GRAPHQL_VALIDATION_FAILED", "Unknown fragment"),
    ("{ a: runs(first: 1) { totalCount } a: runs { totalCount } }", "{}", "GRAPHQL_VALIDATION_FAILED", "conflict"),
    ("{ prompts(first: $n) { totalCount } }", "{}", "GRAPHQL_VALIDATION_FAILED", "Variable \"$n\" is not defined"),
    ("query ($n: Int) { viewer { userId } }", "{}", "GRAPHQL_VALIDATION_FAILED", "Variable \"$n\" is not used"),
    (
        "query ($n: Int) { prompts(first: $n) { totalCount } }",
        r#"{ "n": "five" }"#,
        "BAD_USER_INPUT",
        "the variable $n must be an Int",
    ),
    (
        "query ($s: [PromptStatus!]) { prompts(filter: { status: $s }) { totalCount } }",
        r#"{ "s": ["NEW"] }"#,
        "BAD_USER_INPUT",
        "the variable $s[0] must be one of",
    ),
    ("query ($id: ID!) { prompt(id: $id) { id } }", "{}", "BAD_USER_INPUT", "the variable $id must have a value"),
    ("query ($id: ID!) { prompt(id: $id) { id } }", r#"{ "id": null }"#, "BAD_USER_INPUT", "of the type ID!"),
    ("query ($no: Boolean!) { viewer @skip(if: $no) { userId } }", "{}", "BAD_USER_INPUT", "the variable $no"),
    (
        "query ($d: OrderDirection!) { runs(orderBy: { field: CREATED_AT, direction: $d }) { totalCount } }",
        "{}",
        "BAD_USER_INPUT",
        "of the type OrderDirection!",
    ),
    ("mutation { createPrompt }", "{}", "GRAPHQL_VALIDATION_FAILED", "argument \"input\" of type"),
    ("query A { viewer { userId } } query B { viewer { userId } }", "{}", "BAD_USER_INPUT", "several operations"),
];

/// Arguments that are wrong where they are used, and whose fault it is.
type Failed = (&'static str, Option<&'static str>, &'static str);

const FAILED: &[Failed] = &[
    ("prompts(first: 1, last: 1) { totalCount }", Some("last"), "cannot be combined with `first`"),
    ("prompts(first: 0, last: 0) { totalCount }", Some("last"), "cannot be combined with `first`"),
    ("prompts(first: -1) { totalCount }", Some("first"), "must be from 0 to 100, not -1"),
    ("prompts(first: 101) { totalCount }", Some("first"), "must be from 0 to 100, not 101"),
    ("runs(last: -2147483648) { totalCount }", Some("last"), "must be from 0 to 100"),
    ("runs(last: 2147483647) { totalCount }", Some("last"), "must be from 0 to 100"),
    ("runs(first: 2147483648) { totalCount }", None, "Only integers from -2147483648 to 2147483647"),
    ("prompts(after: \"x\") { totalCount }", Some("after"), "is not a cursor; take one from `pageInfo` or `edges`"),
    ("runs(before: \"\") { totalCount }", Some("before"), "is not a cursor"),
    ("evaluations(last: 1, before: \"größe\") { totalCount }", Some("before"), "is not a cursor"),
    ("promptTemplates(after: \"AAAA\") { totalCount }", Some("after"), "is not a cursor"),
    ("prompt(id: \"x\") { id }", Some("id"), "«x» is not an id; take one from the field `id` of an object"),
    ("prompt(id: \"\") { id }", Some("id"), "«» is not an id"),
    ("node(id: 42) { id }", Some("id"), "«42» is not an id"),
    ("compareEvaluations(baseline: \"x\", candidate: \"y\") { matched }", Some("baseline"), "«x» is not an id"),
    ("run { id }", Some("id"), "give either `id` or `externalId`"),
    ("run(source: API) { id }", Some("id"), "give either `id` or `externalId`"),
    ("run(id: \"x\", externalId: \"y\") { id }", Some("id"), "give either `id` or `externalId`"),
    ("promptTemplate { id }", Some("id"), "give either `id` or `name`"),
    ("promptTemplate(id: \"x\", name: \"y\") { id }", Some("id"), "give either `id` or `name`"),
    ("prompts(filter: { createdAfter: \"yesterday\" }) { totalCount }", None, "is not an RFC 3339 time such as"),
    ("runs(filter: { createdBefore: \"2026-13-01T00:00:00Z\" }) { totalCount }", None, "is not an RFC 3339 time"),
    ("evaluations(filter: { createdAfter: \"2026-11-23\" }) { totalCount }", None, "is not an RFC 3339 time"),
    ("evaluations(filter: { createdAfter: 7 }) { totalCount }", None, "\"DateTime\""),
    ("promptLeaderboard(limit: -1) { averageScore }", Some("limit"), "must be from 0 to 100, not -1"),
    ("promptLeaderboard(limit: 101) { averageScore }", Some("limit"), "must be from 0 to 100, not 101"),
    ("promptLeaderboard(minEvaluations: 0) { averageScore }", Some("minEvaluations"), "must be at least 1, not 0"),
    ("modelLeaderboard(limit: 101) { model }", Some("limit"), "must be from 0 to 100, not 101"),
    ("modelLeaderboard(promptId: \"x\") { model }", Some("promptId"), "«x» is not an id"),
    ("modelLeaderboard(since: \"yesterday\") { model }", None, "is not an RFC 3339 time"),
];

fn error(reply: &Reply) -> &Value {
    let errors = reply.body["errors"].as_array().unwrap_or_else(|| panic!("no error: {:#}", reply.body));
    assert_eq!(errors.len(), 1, "{errors:#?}");
    &errors[0]
}

/// Checks a field that fails: it is null, and the error says where and why.
async fn check_failure(server: &TestServer, field: &str, argument: Option<&str>, message: &str) {
    let reply = server.send(&format!("{{ field: {field} viewer {{ userId }} }}"), json!({})).await;
    let error = error(&reply);
    assert_eq!(reply.status, 200, "{field}: the request was executed");
    assert!(reply.body.as_object().unwrap().contains_key("data"), "{field}");
    assert_eq!(reply.body["data"]["field"], Value::Null, "{field}");
    assert_eq!(error["path"][0], "field", "{field}: {error}");
    assert_eq!(error["extensions"]["code"], "BAD_USER_INPUT", "{field}: {error}");
    assert_eq!(error["extensions"]["argument"].as_str(), argument, "{field}: {error}");
    assert!(error["message"].as_str().unwrap().contains(message), "{field}: {error}");
}

fn assert_refused(reply: &Reply, code: &str, message: &str, what: &str) {
    assert_eq!(reply.status, 400, "{what}: {:#}", reply.body);
    assert!(!reply.body.as_object().unwrap().contains_key("data"), "{what}: {:#}", reply.body);
    let errors = reply.body["errors"].as_array().unwrap();
    let is_expected = |error: &Value| error["message"].as_str().unwrap().contains(message);
    assert!(errors.iter().any(is_expected), "{what}: {errors:#?}");
    for error in errors {
        assert_eq!(error["extensions"]["code"], code, "{what}: {error}");
        assert_eq!(error.get("path"), None, "{what}: {error}");
    }
}

on_both_databases! {
    async fn a_request_that_is_wrong_in_itself_is_refused(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        for (query, variables, code, message) in REFUSED {
            let reply = server.send(query, serde_json::from_str(variables).unwrap()).await;
            assert_refused(&reply, code, message, query);
        }
    }

    async fn a_wrong_argument_fails_its_field(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        for (field, argument, message) in FAILED {
            check_failure(&server, field, *argument, message).await;
        }
    }

    async fn an_id_of_another_type_is_refused(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        let id = uuid::Uuid::now_v7();
        let fields = [
            ("prompt", "Prompt"),
            ("run", "Run"),
            ("evaluation", "Evaluation"),
            ("testResult", "TestResult"),
            ("promptTemplate", "PromptTemplate"),
        ];
        for (field, wanted) in fields {
            for (_, given) in fields.iter().filter(|(_, given)| *given != wanted) {
                let message = format!("is the id of a {given}, not of a {wanted}");
                let field = format!("{field}(id: {:?}) {{ id }}", global_id(given, id));
                check_failure(&server, &field, Some("id"), &message).await;
            }
            for unknown in ["Node", "prompt", ""] {
                let field = format!("{field}(id: {:?}) {{ id }}", global_id(unknown, id));
                check_failure(&server, &field, Some("id"), "is not an id").await;
            }
        }
    }

    async fn no_more_nodes_are_asked_for_than_a_page_has(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        let ids = |count| vec![global_id("Run", uuid::Uuid::nil()); count];
        let too_many = format!("nodes(ids: {:?}) {{ id }}", ids(101));
        check_failure(&server, &too_many, Some("ids"), "must be at most 100 ids, not 101").await;
        let found = server.data(&format!("{{ nodes(ids: {:?}) {{ id }} }}", ids(100))).await;
        assert_eq!(found["nodes"], json!(vec![Value::Null; 100]));
        assert_eq!(server.data("{ nodes(ids: []) { id } }").await, json!({ "nodes": [] }));
    }

    async fn a_cursor_belongs_to_its_list_parent_and_order(database: TestDatabase) {
        let prompts = [PromptBuilder::new().insert(&database).await, PromptBuilder::new().insert(&database).await];
        let run = RunBuilder::new().insert(&database).await;
        for prompt in &prompts {
            EvaluationBuilder::of(prompt).with(|row| row.run_id = Some(run.id)).insert(&database).await;
        }
        let server = TestServer::start(&database).await;
        let [one, other] = prompts.map(|prompt| global_id("Prompt", prompt.id));
        let found = server
            .data(&format!(
                "{{ prompt(id: {one:?}) {{ evaluations {{ edges {{ cursor }} }} }} prompts {{ edges {{ cursor }} }} }}"
            ))
            .await;
        let cursor = |list: &Value| list["edges"][0]["cursor"].as_str().unwrap().to_owned();
        let (nested, root) = (cursor(&found["prompt"]["evaluations"]), cursor(&found["prompts"]));
        let ascending = "orderBy: { field: CREATED_AT, direction: ASC }";
        let run = global_id("Run", run.id);
        for (field, argument) in [
            (format!("runs(after: {root:?}) {{ totalCount }}"), "after"),
            (format!("evaluations(last: 3, before: {nested:?}) {{ totalCount }}"), "before"),
            (format!("prompts({ascending}, after: {root:?}) {{ totalCount }}"), "after"),
            (format!("prompt(id: {other:?}) {{ evaluations(after: {nested:?}) {{ totalCount }} }}"), "after"),
            (format!("prompt(id: {one:?}) {{ evaluations(after: {nested:?} {ascending}) {{ totalCount }} }}"), "after"),
            (format!("prompt(id: {one:?}) {{ versions(before: {root:?}) {{ totalCount }} }}"), "before"),
            (format!("run(id: {run:?}) {{ evaluations(before: {nested:?}) {{ totalCount }} }}"), "before"),
        ] {
            let (code_argument, message) = failure(&server, &field).await;
            assert_eq!(code_argument.as_deref(), Some(argument), "{field}");
            assert!(message.contains("is a cursor of another list or another order"), "{field}: {message}");
        }
        // In its own place, and whatever the filter, it is good.
        server.data(&format!("{{ prompts(filter: {{ status: [DRAFT] }}, before: {root:?}) {{ totalCount }} }}")).await;
        server.data(&format!("{{ prompt(id: {one:?}) {{ evaluations(before: {nested:?}) {{ totalCount }} }} }}")).await;
    }

    async fn a_failure_costs_only_the_field_that_may_be_null(database: TestDatabase) {
        let prompt = PromptBuilder::new().title("kept").insert(&database).await;
        EvaluationBuilder::of(&prompt).insert(&database).await;
        let server = TestServer::start(&database).await;
        let query = "{ prompts { nodes { title good: evaluations { totalCount }
                                         bad: evaluations(after: \"x\") { totalCount }
                                         versions(first: 1000) { totalCount } } }
                       nodes(ids: [\"x\"]) { id } node(id: \"x\") { id } prompt(id: \"x\") { id } run { id }
                       evaluation(id: \"x\") { id } testResult(id: \"x\") { id } promptTemplate { id }
                       viewer { userId } }";
        let reply = server.send(query, json!({})).await;
        assert_eq!(reply.status, 200);
        let node = json!({ "title": "kept", "good": { "totalCount": 1 }, "bad": null, "versions": null });
        assert_eq!(
            reply.body["data"],
            json!({
                "prompts": { "nodes": [node] },
                "nodes": [null],
                "node": null,
                "prompt": null,
                "run": null,
                "evaluation": null,
                "testResult": null,
                "promptTemplate": null,
                "viewer": { "userId": "local" },
            }),
        );
        let errors = reply.body["errors"].as_array().unwrap();
        let mut paths: Vec<_> = errors.iter().map(|error| error["path"].to_string()).collect();
        paths.sort();
        assert_eq!(
            paths,
            [
                r#"["evaluation"]"#,
                r#"["node"]"#,
                r#"["nodes",0]"#,
                r#"["prompt"]"#,
                r#"["promptTemplate"]"#,
                r#"["prompts","nodes",0,"bad"]"#,
                r#"["prompts","nodes",0,"versions"]"#,
                r#"["run"]"#,
                r#"["testResult"]"#,
            ],
        );
    }
}

/// The argument and the message of the one error of a field.
async fn failure(server: &TestServer, field: &str) -> (Option<String>, String) {
    let (message, code, argument) = server.error(&format!("{{ {field} }}")).await;
    assert_eq!(code, "BAD_USER_INPUT", "{field}");
    (argument, message)
}
