//! Which entries of the audit log are wanted.

use async_graphql::{ID, InputObject};

use crate::db::audit::AuditFilter;
use crate::domain::Timestamp;
use crate::graphql::error::ApiError;
use crate::graphql::global_id;

/// Which entries of the audit log are wanted. All conditions that are given must hold.
#[derive(InputObject, Default)]
#[graphql(name = "AuditLogFilter")]
pub struct AuditLogFilterInput {
    /// What this user did.
    user_id: Option<String>,
    /// Those of exactly this mutation or command.
    action: Option<String>,
    /// What changed the object with this id, be it there still or not. Of changes of more than 10,000 objects, the others are not
    /// found by it.
    object_id: Option<ID>,
    /// What was done at this time or later.
    since: Option<Timestamp>,
    /// What was done before this time.
    until: Option<Timestamp>,
}

impl TryFrom<AuditLogFilterInput> for AuditFilter {
    type Error = ApiError;

    fn try_from(input: AuditLogFilterInput) -> Result<Self, ApiError> {
        let object = input.object_id.map(|id| global_id::decode(&id, "filter.objectId")).transpose()?;
        Ok(Self {
            user_id: input.user_id,
            action: input.action,
            object: object.map(|(_, id)| id),
            since: input.since,
            until: input.until,
        })
    }
}
