//! The audit log: who has changed what, when and from where. Administrators read it.

mod record;
mod retention;

use diesel::prelude::*;
use diesel::result::QueryResult;
use diesel_async::RunQueryDsl;
use futures_util::future::BoxFuture;
use uuid::Uuid;

use super::backend::on_backend;
use super::columns::{ColumnSet, row};
use super::conditions::Conditions;
use super::connection::DbConnection;
use super::entity::entity;
use super::lists::any_id;
use super::schema::{audit_log, audit_log_objects};
use super::types::Json;
use crate::domain::{AuditEntryId, AuditOrderField, AuditOrigin, Principal, Timestamp};

pub use record::{MOST_OBJECTS, MOST_SHOWN, record};
pub use retention::Retention;

row! {
    /// What the log says of one change.
    pub struct AuditRow of audit_log {
        /// Its id.
        id: AuditEntryId,
        /// When it was written.
        created_at: Timestamp,
    }
    on demand audit_columns {
        /// Who it was.
        user_id / USER_ID: String,
        /// Whether they were an administrator.
        is_admin / IS_ADMIN: bool,
        /// What they showed who they are with.
        credential / CREDENTIAL: String,
        /// By which way it came.
        origin / ORIGIN: AuditOrigin,
        /// What was done.
        action / ACTION: String,
        /// The first of the objects that were changed, as JSON: texts of kind and id.
        objects / OBJECTS: Json,
        /// How many were changed.
        object_count / OBJECT_COUNT: i64,
        /// The id of the request.
        request_id / REQUEST_ID: String,
        /// The address that it came from.
        client_address / CLIENT_ADDRESS: String,
        /// What sent it.
        user_agent / USER_AGENT: String,
    }
}

/// Which entries are wanted.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct AuditFilter {
    /// Only what this user did.
    pub user_id: Option<String>,
    /// Only this.
    pub action: Option<String>,
    /// Only what changed this object.
    pub object: Option<Uuid>,
    /// Only what was done at this time or later.
    pub since: Option<Timestamp>,
    /// Only what was done before this time.
    pub until: Option<Timestamp>,
}

/// Entries are under no parent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AuditParent {}

/// The table of entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct AuditLog;

entity!(AuditLog, audit_log, AuditRow, AuditFilter, AuditOrderField {
    CreatedAt => created_at: Time,
}, AuditParent {});

/// Nothing, but for administrators: even what users did themselves is told to nobody else.
fn visible(principal: &Principal) -> Conditions<audit_log::table> {
    let mut conditions = Conditions::default();
    if !principal.is_admin {
        conditions.require(diesel::dsl::sql::<diesel::sql_types::Bool>("FALSE"));
    }
    conditions
}

fn matching(principal: &Principal, filter: &AuditFilter) -> Conditions<audit_log::table> {
    let mut conditions = visible(principal);
    conditions.require_if(filter.object, |id| {
        let entries = audit_log_objects::table.filter(any_id(audit_log_objects::object_id, [id]));
        audit_log::id.eq_any(entries.select(audit_log_objects::entry_id))
    });
    conditions.require_if(filter.user_id.clone(), |user| audit_log::user_id.eq(user));
    conditions.require_if(filter.action.clone(), |action| audit_log::action.eq(action));
    conditions.require_if(filter.since, |time| audit_log::created_at.ge(time));
    conditions.require_if(filter.until, |time| audit_log::created_at.lt(time));
    conditions
}
