//! Entries of the audit log.

use std::sync::Arc;

use async_graphql::{Context, ID, Object};
use uuid::Uuid;

use super::{int, read};
use crate::db::audit::{AuditLog, AuditRow, audit_columns};
use crate::db::columns::ColumnSet;
use crate::domain::{AuditOrigin, ObjectKind, Timestamp};
use crate::graphql::connection::GraphNode;
use crate::graphql::error::ApiError;
use crate::graphql::global_id::NodeType;
use crate::graphql::scope::loaders;
use crate::graphql::selection::FieldColumns;
use crate::graphql::written::Writable;
use crate::loaders::RowKey;

/// What the audit log says of one change.
pub struct AuditEntry(Arc<AuditRow>);

impl Writable for AuditEntry {
    const AT_HAND: &'static [&'static str] = &[
        "id",
        "createdAt",
        "userId",
        "isAdmin",
        "credential",
        "origin",
        "action",
        "objectIds",
        "objectCount",
        "requestId",
        "clientAddress",
        "userAgent",
    ];
}

impl GraphNode for AuditEntry {
    type Entity = AuditLog;
    const COLUMNS: FieldColumns = &[
        ("userId", audit_columns::USER_ID),
        ("isAdmin", audit_columns::IS_ADMIN),
        ("credential", audit_columns::CREDENTIAL),
        ("origin", audit_columns::ORIGIN),
        ("action", audit_columns::ACTION),
        ("objectIds", audit_columns::OBJECTS),
        ("objectCount", audit_columns::OBJECT_COUNT),
        ("requestId", audit_columns::REQUEST_ID),
        ("clientAddress", audit_columns::CLIENT_ADDRESS),
        ("userAgent", audit_columns::USER_AGENT),
    ];

    fn new(row: Arc<AuditRow>) -> Self {
        Self(row)
    }
}

impl AuditEntry {
    /// The entry, if it exists and may be seen.
    pub async fn load(context: &Context<'_>, id: Uuid, columns: ColumnSet) -> Result<Option<Self>, ApiError> {
        let row = loaders(context).audit_entry_by_id.load(RowKey { id, columns }).await?;
        Ok(row.map(Self))
    }
}

/// What the audit log says of one change: everything that it changed was stored together, and the entry with it. No value of an
/// argument is in it.
#[Object]
impl AuditEntry {
    /// The id: opaque, and unique among all objects.
    pub async fn id(&self) -> ID {
        NodeType::AuditEntry.encode(self.0.id)
    }

    /// When the change was made.
    async fn created_at(&self) -> Timestamp {
        self.0.created_at
    }

    /// The id of the user who made it. Of a command, the user that it was told.
    async fn user_id(&self) -> Result<&String, ApiError> {
        read(&self.0.user_id, "AuditEntry.userId")
    }

    /// Whether the user was an administrator then.
    async fn is_admin(&self) -> Result<bool, ApiError> {
        read(&self.0.is_admin, "AuditEntry.isAdmin").copied()
    }

    /// What the user showed who they are with: `local` is nothing, because nothing was asked for; never the secret itself.
    async fn credential(&self) -> Result<&String, ApiError> {
        read(&self.0.credential, "AuditEntry.credential")
    }

    /// By which way the change came.
    async fn origin(&self) -> Result<AuditOrigin, ApiError> {
        read(&self.0.origin, "AuditEntry.origin").copied()
    }

    /// What was done: the name of a mutation, such as `createPrompt`, or of a command, such as `purge`.
    async fn action(&self) -> Result<&String, ApiError> {
        read(&self.0.action, "AuditEntry.action")
    }

    /// The ids of the objects that were made, changed or deleted, the first hundred of them. An evaluation stands for the results
    /// that were added to it. Objects may be gone meanwhile.
    async fn object_ids(&self) -> Result<Vec<ID>, ApiError> {
        let objects = read(&self.0.objects, "AuditEntry.objectIds")?;
        let unreadable = || ApiError::Defect("objects of the audit log cannot be read".to_owned());
        let objects: Vec<String> = serde_json::from_str(objects.as_str()).map_err(|_| unreadable())?;
        objects.iter().map(|object| object_id(object).ok_or_else(unreadable)).collect()
    }

    /// How many objects were made, changed or deleted.
    async fn object_count(&self) -> Result<i32, ApiError> {
        int(*read(&self.0.object_count, "AuditEntry.objectCount")?, "AuditEntry.objectCount")
    }

    /// The id of the request, as the answer and the log had it; null for a command.
    async fn request_id(&self) -> Option<&str> {
        self.0.request_id.as_deref()
    }

    /// The address that the request came from; null for a command.
    async fn client_address(&self) -> Option<&str> {
        self.0.client_address.as_deref()
    }

    /// What the client said that it is, its first 200 characters; null when it did not say, and for a command.
    async fn user_agent(&self) -> Option<&str> {
        self.0.user_agent.as_deref()
    }
}

/// The id of an object as the log keeps it.
fn object_id(object: &str) -> Option<ID> {
    let (kind, id) = object.split_once(':')?;
    let kind: ObjectKind = kind.parse().ok()?;
    Some(NodeType::of(kind).encode(Uuid::try_parse(id).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_of_the_log_have_ids() {
        let id = Uuid::now_v7();
        assert_eq!(object_id(&format!("template:{id}")), Some(NodeType::PromptTemplate.encode(id)));
        for bad in ["template", "template:1", "user:{id}"] {
            assert_eq!(object_id(bad), None);
        }
    }
}
