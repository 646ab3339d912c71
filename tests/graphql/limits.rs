//! What is too much is refused at once, and what people really ask for is not.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::common::hostile::{self, Hostile};
use crate::common::{Reply, TestDatabase, TestServer};

/// How many times longer this build may take than the 50 ms that a release build may; `benches/limits.rs` measures
/// that. What follows fragments wherever they are spread would take years.
const PATIENCE: Duration = Duration::from_secs(10);

#[tokio::test(flavor = "multi_thread")]
async fn hostile_requests_are_refused_at_once() {
    let database = TestDatabase::sqlite().await;
    let server = TestServer::start(&database).await;
    for request in hostile::requests() {
        let start = Instant::now();
        let reply = server.send(&request.query, request.variables.clone()).await;
        assert!(start.elapsed() < PATIENCE, "{}: {:?}", request.name, start.elapsed());
        assert_refused(&request, &reply);
    }
}

fn assert_refused(request: &Hostile, reply: &Reply) {
    let (name, body) = (request.name, &reply.body);
    assert_eq!(reply.status, 400, "{name}: {body:#}");
    let errors = body["errors"].as_array().unwrap();
    assert!((1..=20).contains(&errors.len()), "{name}: {} errors", errors.len());
    assert!(errors.iter().all(|error| error["extensions"]["code"] == request.code), "{name}: {body:#}");
    let exceeded: Vec<_> = errors.iter().filter_map(|error| limit(&error["extensions"])).collect();
    assert_eq!(exceeded.len(), request.exceeded.len(), "{name}: {body:#}");
    for (limit, expected) in exceeded.iter().zip(&request.exceeded) {
        assert!(limit == expected || (limit.0, hostile::ANY) == *expected, "{name}: {limit:?}, not {expected:?}");
    }
    let length = body.to_string().len();
    assert!(length < 20_000, "{name}: an answer of {length} bytes");
}

/// The limit that an error names, and the value that exceeds it.
fn limit(extensions: &Value) -> Option<(&str, u64)> {
    let (name, limit) = (extensions["limitName"].as_str()?, extensions["limit"].as_u64()?);
    let value = extensions["value"].as_u64()?;
    assert!(value > limit, "{extensions}");
    Some((name, value))
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_requests_leave_no_memory_behind() {
    let database = TestDatabase::sqlite().await;
    let server = TestServer::start(&database).await;
    let mut kilobytes = Vec::new();
    for _ in 0..6 {
        for request in hostile::requests() {
            server.send(&request.query, request.variables).await;
        }
        kilobytes.push(resident_kilobytes());
    }
    // Allocators keep what was needed once; the first rounds show how much.
    let growth = kilobytes[5].saturating_sub(kilobytes[2]);
    assert!(growth < 20_000, "memory after each round: {kilobytes:?} kB");
    assert!(kilobytes[5] < 200_000, "memory after each round: {kilobytes:?} kB");
}

fn resident_kilobytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_limits_are_told() {
    let database = TestDatabase::sqlite().await;
    let mut app = TestServer::app(database.database.clone());
    let config = "{ serviceConfig { maxDepth maxComplexity maxPageSize defaultPageSize maxAliases maxRootFields
        maxDirectives maxFragmentSpreads maxTokens maxDocumentBytes maxBodyBytes maxBatchOperations requestTimeoutMs
        maxInputBytes maxSelections maxOperations maxNesting maxNameBytes } }";
    let limits = TestServer::start(&database).await.data(config).await["serviceConfig"].take();
    assert_eq!(limits["maxBatchOperations"], 1);
    for (field, limit) in [("maxDepth", 20), ("maxComplexity", 120_000), ("maxPageSize", 100), ("defaultPageSize", 20)]
    {
        assert_eq!(limits[field], limit, "{field}");
    }

    // Those that are set are the ones that hold.
    let mut limits = app.limits;
    let queries = &mut limits.queries;
    (queries.max_depth, queries.max_complexity, queries.max_aliases, queries.max_root_fields) = (3, 40, 2, 14);
    queries.max_input_bytes = 300;
    (queries.max_directives, queries.max_fragment_spreads, queries.max_tokens) = (2, 3, 37);
    queries.max_document_bytes = 400;
    (limits.max_body_bytes, limits.request_timeout) = (700, Duration::from_secs(7));
    app = evalgraph::app::App::with_limits(app.database, limits);
    let server = TestServer::with(app, evalgraph::domain::Principal::local()).await;
    assert_eq!(
        server.data(config).await["serviceConfig"],
        json!({
            "maxDepth": 3, "maxComplexity": 40, "maxPageSize": 100, "defaultPageSize": 20, "maxAliases": 2,
            "maxRootFields": 14, "maxDirectives": 2, "maxFragmentSpreads": 3, "maxTokens": 37, "maxDocumentBytes": 400,
            "maxInputBytes": 300, "maxSelections": 50_000, "maxOperations": 20, "maxNesting": 64, "maxNameBytes": 128,
            "maxBodyBytes": 700, "maxBatchOperations": 1, "requestTimeoutMs": 7_000,
        }),
    );
    let field = |n: usize| "__typename ".repeat(n);
    for (limit, allowed, refused) in [
        ("maxDepth", "{ prompts(first: 1) { edges { cursor } } }", "{ prompts(first: 1) { edges { node { id } } } }"),
        ("maxComplexity", "{ prompts(first: 19) { nodes { id } } }", "{ prompts(first: 20) { nodes { id } } }"),
        ("maxAliases", "{ a: __typename b: __typename }", "{ a: __typename b: __typename c: __typename }"),
        ("maxRootFields", &format!("{{ {} }}", field(14)), &format!("{{ {} }}", field(15))),
        (
            "maxDirectives",
            "{ __typename @skip(if: false) viewer @skip(if: false) { userId } }",
            "{ __typename @skip(if: false) viewer @skip(if: false) { userId @skip(if: false) } }",
        ),
        (
            "maxFragmentSpreads",
            "{ ...F ... { ...F } } fragment F on Query { __typename }",
            "{ ...F ... { ...F } ... { __typename } } fragment F on Query { __typename }",
        ),
        ("maxTokens", &format!("{{ viewer {{ {} }} }}", field(32)), &format!("{{ viewer {{ {} }} }}", field(33))),
        (
            "maxDocumentBytes",
            &format!("{{ __typename }}{}", " ".repeat(400 - 14)),
            &format!("{{ __typename }}{}", " ".repeat(401 - 14)),
        ),
    ] {
        let reply = server.send(allowed, json!({})).await;
        assert_eq!(reply.status, 200, "{limit}: {:#}", reply.body);
        let reply = server.send(refused, json!({})).await;
        assert_eq!(reply.body["errors"][0]["extensions"]["limitName"], limit, "{:#}", reply.body);
    }
}

/// A document that selects so many fields and fragments: 500 times a fragment of 98 fields, and the rest.
fn selecting(selections: usize) -> String {
    let (spread, rest) = ("...F ".repeat(500), "userId ".repeat(selections - 1 - 501 * 98 - 500));
    format!("{{ viewer {{ {spread} {rest} }} }} fragment F on Viewer {{ {} }}", "userId ".repeat(98))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_limits_that_cannot_be_set_hold_exactly() {
    let server = TestServer::start(&TestDatabase::sqlite().await).await;
    let operations = |count: usize| (0..count).map(|number| format!("query Q{number} {{ __typename }} ")).collect();
    let named = |length: usize| format!("{{ {}: __typename }}", "a".repeat(length));
    let nested =
        |depth: usize| format!("{{ promptByName(name: {}{}) {{ id }} }}", "[".repeat(depth - 2), "]".repeat(depth - 2));
    for (limit, allowed, refused) in [
        ("maxOperations", operations(20), operations(21)),
        ("maxNameBytes", named(128), named(129)),
        ("maxNesting", nested(64), nested(65)),
        ("maxSelections", selecting(50_000), selecting(50_001)),
    ] {
        let reply = server.send(&allowed, json!({})).await;
        assert_eq!(reply.body["errors"][0]["extensions"]["limitName"], Value::Null, "{limit}: {:#}", reply.body);
        let reply = server.send(&refused, json!({})).await;
        assert_eq!(reply.body["errors"][0]["extensions"]["limitName"], limit, "{:#}", reply.body);
    }
}

/// What the benchmark sends that all servers of its kind are measured with.
const BENCHMARK: &str = "{ prompts(filter: { userId: \"u\" }, first: 50) { nodes { id title status version createdAt
    evaluations(first: 5, orderBy: { field: CREATED_AT, direction: DESC }) { nodes {
        id status provider model overallScore createdAt
        testResults(first: 10, orderBy: { field: CREATED_AT, direction: DESC }) { nodes {
            id testCaseName passed score latencyMs } } } } } } }";

/// A page of the largest size with everything that hangs on a prompt.
const EVERYTHING: &str = "{ prompts(first: 100) { totalCount pageInfo { hasNextPage endCursor } nodes {
    id userId name title description content contentHash format systemMessage tags metadata version status createdAt
    updatedAt deletedAt parent { id title version } root { id title } template { id name category }
    children(first: 3) { totalCount nodes { id version } } versions(first: 5) { totalCount nodes { id version title } }
    latestEvaluation { id status model overallScore passRate }
    evaluations(first: 5) { totalCount pageInfo { hasNextPage endCursor } nodes {
        id status provider model overallScore passRate totalTests passedTests failedTests erroredTests createdAt
        run { id name status }
        testResults(first: 10, filter: { passed: false }) { totalCount nodes {
            id testCaseName passed outcome score reason latencyMs evaluation { id prompt { id title } } } } } } } } }";

#[tokio::test(flavor = "multi_thread")]
async fn what_people_ask_for_is_within_the_limits() {
    let database = TestDatabase::sqlite().await;
    let server = TestServer::start(&database).await;
    server.data(BENCHMARK).await;
    server.data(EVERYTHING).await;
    // Clients that compose queries of fragments select the same fields again and again, under one field of the root.
    let fragment = "id title version status createdAt updatedAt ".repeat(20);
    server.data(&format!("{{ prompts(first: 9) {{ nodes {{ ...P }} }} }} fragment P on Prompt {{ {fragment} }}")).await;
    // What GraphiQL asks for first.
    let introspection = include_str!("introspection.graphql");
    let schema = server.data(introspection).await;
    assert!(schema["__schema"]["types"].as_array().unwrap().len() > 40);
}
