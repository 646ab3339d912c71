//! Objects of any type.

use async_graphql::{Context, ID, Interface};

use super::{ApiToken, AuditEntry, Evaluation, Prompt, PromptTemplate, Run, TestResult};
use crate::graphql::connection::GraphNode as _;
use crate::graphql::error::ApiError;
use crate::graphql::global_id::{self, NodeType};
use crate::graphql::selection;

/// An object with an id.
#[derive(Interface)]
#[graphql(field(name = "id", ty = "ID", desc = "The id: opaque, and unique among all objects."))]
pub enum Node {
    /// A prompt version.
    Prompt(Prompt),
    /// A run.
    Run(Run),
    /// An evaluation.
    Evaluation(Evaluation),
    /// A test result.
    TestResult(TestResult),
    /// A template.
    PromptTemplate(PromptTemplate),
    /// An API token.
    ApiToken(ApiToken),
    /// An entry of the audit log.
    AuditEntry(AuditEntry),
}

/// The object that an id means, unless it does not exist or may not be seen.
pub async fn load(context: &Context<'_>, argument: &'static str, id: &ID) -> Result<Option<Node>, ApiError> {
    let (node_type, id) = global_id::decode(id, argument)?;
    // Fields of other types are read as well when they have the same names: the fragments of a document are taken
    // together here.
    let columns = |fields| selection::of_object(context, fields);
    Ok(match node_type {
        NodeType::Prompt => Prompt::load(context, id, columns(Prompt::COLUMNS)).await?.map(Node::Prompt),
        NodeType::Run => Run::load(context, id, columns(Run::COLUMNS)).await?.map(Node::Run),
        NodeType::Evaluation => {
            Evaluation::load(context, id, columns(Evaluation::COLUMNS)).await?.map(Node::Evaluation)
        }
        NodeType::TestResult => {
            TestResult::load(context, id, columns(TestResult::COLUMNS)).await?.map(Node::TestResult)
        }
        NodeType::PromptTemplate => {
            PromptTemplate::load(context, id, columns(PromptTemplate::COLUMNS)).await?.map(Node::PromptTemplate)
        }
        NodeType::ApiToken => ApiToken::load(context, id, columns(ApiToken::COLUMNS)).await?.map(Node::ApiToken),
        NodeType::AuditEntry => {
            AuditEntry::load(context, id, columns(AuditEntry::COLUMNS)).await?.map(Node::AuditEntry)
        }
    })
}
