//! Asking for changes of runs and evaluations.

use serde_json::{Value, json};

use crate::common::TestServer;
use crate::support::{Mutation, Refused};

/// The changes that are tested in `runs`, `evaluations` and `results`: valid, with each invalid field, of a missing object,
/// of somebody else's, and at the same time as others.
pub const FIELDS: &[&str] = &[
    "startRun",
    "finishRun",
    "setRunBaseline",
    "deleteRun",
    "createEvaluation",
    "createPromptWithEvaluation",
    "startEvaluation",
    "recordTestResults",
    "completeEvaluation",
    "failEvaluation",
];

/// The changes of evaluations that take an input, with what tells what came of them.
pub const CREATE: Mutation = Mutation {
    field: "createEvaluation",
    input_type: "CreateEvaluationInput",
    selection: "evaluation { id status position metrics externalId startedAt run { id } prompt { id } }",
};
pub const COMPLETE: Mutation = Mutation {
    field: "completeEvaluation",
    input_type: "CompleteEvaluationInput",
    selection: "evaluation { id status overallScore metrics executionTimeMs completedAt errorMessage totalTests }",
};
pub const FAIL: Mutation = Mutation {
    field: "failEvaluation",
    input_type: "FailEvaluationInput",
    selection: "evaluation { id status errorMessage completedAt totalTests }",
};
pub const START_RUN: Mutation = Mutation {
    field: "startRun",
    input_type: "StartRunInput",
    selection: "run { id userId externalId source name description tags git metadata status isBaseline startedAt }",
};

/// A change of one object, known by its id.
pub fn by_id(field: &str, selection: &str) -> String {
    format!("mutation ($id: ID!) {{ {field}(id: $id) {{ {selection} }} }}")
}

/// Changes an object by its id and returns the object.
pub async fn change(server: &TestServer, field: &str, id: &str) -> Value {
    let object = if field.ends_with("Run") { "run" } else { "evaluation" };
    let document = by_id(field, &format!("{object} {{ id status startedAt completedAt }}"));
    server.ask(&document, json!({ "id": id })).await[field][object].take()
}

/// Why an object is not changed.
pub async fn refused(server: &TestServer, field: &str, id: &str) -> Refused {
    let object = if field.ends_with("Run") { "run" } else { "evaluation" };
    Refused::of(server, &by_id(field, &format!("{object} {{ id }}")), json!({ "id": id })).await
}

/// Records results and tells how many were added, and what the evaluation has become.
pub const RECORD: &str = "mutation ($id: ID!, $results: [TestResultInput!]!) {
    recordTestResults(evaluationId: $id, results: $results) { recorded
        evaluation { id status startedAt totalTests passedTests failedTests erroredTests totalCostUsd totalTokens
                     averageLatencyMs testResults(first: 100) { totalCount nodes { testCaseName repetition } } } } }";

pub async fn record(server: &TestServer, id: &str, results: Value) -> Value {
    server.ask(RECORD, json!({ "id": id, "results": results })).await["recordTestResults"].take()
}

pub async fn record_refused(server: &TestServer, id: &str, results: Value) -> Refused {
    Refused::of(server, RECORD, json!({ "id": id, "results": results })).await
}

/// A new prompt of the viewer's.
pub async fn prompt(server: &TestServer) -> String {
    let document = "mutation { createPrompt(input: { title: \"T\", content: \"C\" }) { prompt { id } } }";
    text(&server.data(document).await["createPrompt"]["prompt"]["id"])
}

/// A new run of the viewer's.
pub async fn run(server: &TestServer) -> String {
    text(&START_RUN.run(server, json!({ "name": "A run" })).await["run"]["id"])
}

/// A new evaluation of a new prompt, in this run if there is one.
pub async fn evaluation(server: &TestServer, run: Option<&str>) -> String {
    let input = json!({ "promptId": prompt(server).await, "runId": run });
    text(&CREATE.run(server, input).await["evaluation"]["id"])
}

/// A result that passed.
pub fn passed(name: &str) -> Value {
    json!({ "testCaseName": name, "inputData": { "question": name }, "score": 1, "passed": true })
}

pub fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}")).to_owned()
}
