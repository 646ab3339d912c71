//! Asking for changes.

use evalgraph::db::prompts::NewPrompt;
use evalgraph::domain::Principal;
use serde_json::{Value, json};

use crate::common::{TestDatabase, TestServer, global_id};

/// The fields of a prompt that a change can touch, and those that tell of it.
pub const PROMPT: &str =
    "id userId name title description content contentHash format systemMessage tags metadata version
    status createdAt updatedAt deletedAt parent { id } root { id } template { id }";

/// The fields of a template.
pub const TEMPLATE: &str = "id name description template variables category usageCount createdAt updatedAt";

/// A server for a user who is no administrator.
pub async fn server_of(user: &str, database: &TestDatabase) -> TestServer {
    TestServer::for_principal(database, Principal::user(user)).await
}

/// A change that takes one input object: its field, the type of the input, and what is asked for in return.
#[derive(Debug, Clone, Copy)]
pub struct Mutation {
    pub field: &'static str,
    pub input_type: &'static str,
    pub selection: &'static str,
}

impl Mutation {
    /// The document, in which the input is the variable `$input`.
    pub fn document(self) -> String {
        let Self { field, input_type, selection } = self;
        let selection = selection.replace("PROMPT", PROMPT).replace("TEMPLATE", TEMPLATE);
        format!("mutation ($input: {input_type}!) {{ {field}(input: $input) {{ {selection} }} }}")
    }

    /// What a change that is made returns.
    pub async fn run(self, server: &TestServer, input: Value) -> Value {
        server.ask(&self.document(), json!({ "input": input })).await[self.field].take()
    }

    /// The prompt that a change that is made returns.
    pub async fn prompt(self, server: &TestServer, input: Value) -> Value {
        self.run(server, input).await["prompt"].take()
    }

    /// Why a change is not made.
    pub async fn refusal(self, server: &TestServer, input: Value) -> Refused {
        Refused::of(server, &self.document(), json!({ "input": input })).await
    }
}

const fn of_prompt(field: &'static str, input_type: &'static str) -> Mutation {
    Mutation { field, input_type, selection: "prompt { PROMPT }" }
}

/// Stores a new prompt.
pub const CREATE_PROMPT: Mutation = of_prompt("createPrompt", "CreatePromptInput");
/// Changes a version.
pub const UPDATE_PROMPT: Mutation = of_prompt("updatePrompt", "UpdatePromptInput");
/// Makes the next version.
pub const CREATE_PROMPT_VERSION: Mutation = of_prompt("createPromptVersion", "CreatePromptVersionInput");
/// Stores many prompts.
pub const UPSERT_PROMPTS: Mutation =
    Mutation { field: "upsertPrompts", input_type: "[UpsertPromptInput!]", selection: "affected prompts { PROMPT }" };

/// A change of many prompts by their ids.
#[derive(Debug, Clone, Copy)]
pub struct ByIds {
    pub field: &'static str,
    /// The other arguments.
    pub arguments: &'static str,
}

/// Sets the status.
pub const ARCHIVE_PROMPTS: ByIds = ByIds { field: "updatePromptStatuses", arguments: ", status: ARCHIVED" };
/// Deletes.
pub const DELETE_PROMPTS: ByIds = ByIds { field: "deletePrompts", arguments: "" };
/// Restores.
pub const RESTORE_PROMPTS: ByIds = ByIds { field: "restorePrompts", arguments: "" };

impl ByIds {
    /// The document, in which the ids are the variable `$ids`.
    pub fn document(self) -> String {
        let Self { field, arguments } = self;
        format!("mutation ($ids: [ID!]!) {{ {field}(ids: $ids{arguments}) {{ affected prompts {{ {PROMPT} }} }} }}")
    }

    /// What a change that is made returns.
    pub async fn run(self, server: &TestServer, ids: &[String]) -> Value {
        server.ask(&self.document(), json!({ "ids": ids })).await[self.field].take()
    }

    /// Why a change is not made.
    pub async fn refusal(self, server: &TestServer, ids: &[String]) -> Refused {
        Refused::of(server, &self.document(), json!({ "ids": ids })).await
    }
}

/// The ids of rows as clients see them.
pub fn ids(rows: &[&NewPrompt]) -> Vec<String> {
    rows.iter().map(|row| global_id("Prompt", row.id)).collect()
}

/// The prompt as it is read, deleted or not.
pub async fn read(server: &TestServer, id: &str) -> Value {
    let query = format!("{{ prompts(filter: {{ includeDeleted: true }}, first: 100) {{ nodes {{ {PROMPT} }} }} }}");
    let mut data = server.data(&query).await;
    let nodes = data["prompts"]["nodes"].as_array_mut().unwrap();
    nodes.iter_mut().find(|node| node["id"] == id).map(Value::take).unwrap_or(Value::Null)
}

/// The one error of a change that was not made.
#[derive(Debug)]
pub struct Refused {
    pub message: String,
    pub code: String,
    /// The places of all that is wrong.
    pub fields: Vec<String>,
    pub extensions: Value,
}

impl Refused {
    /// The error of this request, which must have one and no data.
    pub async fn of(server: &TestServer, document: &str, variables: Value) -> Self {
        let reply = server.send(document, variables).await;
        let errors = reply.body["errors"].as_array().unwrap_or_else(|| panic!("no error: {:#}", reply.body));
        assert_eq!(errors.len(), 1, "{errors:#?}");
        assert_eq!(reply.body["data"], Value::Null, "{:#}", reply.body);
        let extensions = errors[0]["extensions"].clone();
        let faults = extensions["faults"].as_array().cloned().unwrap_or_default();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let fields: Vec<_> = faults.iter().map(|fault| text(&fault["field"])).collect();
        if let Some(first) = fields.first() {
            assert_eq!(extensions["field"], first.as_str(), "{extensions:#}");
        }
        Self { message: text(&errors[0]["message"]), code: text(&extensions["code"]), fields, extensions }
    }

    /// Checks the code and the fields.
    #[track_caller]
    pub fn is(&self, code: &str, fields: &[&str]) {
        assert_eq!(
            (self.code.as_str(), &self.fields[..]),
            (code, &fields.iter().map(|&field| field.to_owned()).collect::<Vec<_>>()[..]),
            "{self:#?}"
        );
    }
}

/// A change of an object: some fields are others.
pub fn with(object: Value, changes: Value) -> Value {
    let (Value::Object(mut object), Value::Object(changes)) = (object, changes) else { panic!("no objects") };
    object.extend(changes);
    Value::Object(object)
}
