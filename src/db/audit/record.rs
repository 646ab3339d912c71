//! Writing an entry, in the transaction whose change it tells of.

use std::collections::HashSet;

use diesel::backend::Backend;
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::result::QueryResult;
use diesel::sqlite::Sqlite;
use diesel_async::RunQueryDsl;
use serde_json::Value;
use uuid::Uuid;

use crate::db::changes::Changes;
use crate::db::connection::DbConnection;
use crate::db::lists::IdList;
use crate::db::schema::audit_log;
use crate::db::types::{Json, sql};
use crate::domain::{AuditEntryId, AuditOrigin, Client, Deed, Origin, Timestamp};

/// So many objects of a change are found again: as many as one request may change where nothing else is set.
pub const MOST_OBJECTS: usize = 10_000;
/// So many are told with the entry.
pub const MOST_SHOWN: usize = 100;

#[derive(Debug, Insertable)]
#[diesel(table_name = audit_log, treat_none_as_default_value = false)]
struct NewEntry {
    id: AuditEntryId,
    created_at: Timestamp,
    user_id: String,
    is_admin: bool,
    credential: String,
    origin: AuditOrigin,
    action: String,
    objects: Json,
    object_count: i64,
    request_id: Option<String>,
    client_address: Option<String>,
    user_agent: Option<String>,
}

impl NewEntry {
    /// The entry and the objects that it is found by; nothing when nothing was changed.
    fn of(deed: &Deed, changes: &Changes) -> Option<(Self, Vec<Uuid>)> {
        let mut known = HashSet::new();
        let (mut shown, mut ids) = (Vec::new(), Vec::new());
        for (kind, id) in changes.objects().filter(|&(_, id)| known.insert(id)) {
            if shown.len() < MOST_SHOWN {
                shown.push(Value::from(format!("{}:{id}", kind.as_str())));
            }
            if ids.len() < MOST_OBJECTS {
                ids.push(id);
            }
        }
        let (request_id, client) = match &deed.origin {
            Origin::Request { id, client } => (Some(id.to_string()), client.clone()),
            Origin::Command => (None, Client::default()),
        };
        let entry = Self {
            id: AuditEntryId::generate(),
            created_at: Timestamp::now(),
            user_id: deed.principal.user_id.to_string(),
            is_admin: deed.principal.is_admin,
            credential: deed.principal.credential.to_string(),
            origin: if request_id.is_some() { AuditOrigin::Request } else { AuditOrigin::Command },
            action: deed.action.to_string(),
            objects: Value::from(shown).into(),
            object_count: i64::try_from(known.len()).unwrap_or(i64::MAX),
            request_id,
            client_address: client.address.map(|address| address.to_string()),
            user_agent: client.user_agent.map(|agent| agent.to_string()),
        };
        (!ids.is_empty()).then_some((entry, ids))
    }
}

/// Tells the log what this transaction has changed. What changes nothing leaves no entry.
///
/// # Errors
/// When a statement fails.
pub async fn record(connection: &mut DbConnection, deed: &Deed, changes: &Changes) -> QueryResult<()> {
    let Some((entry, objects)) = NewEntry::of(deed, changes) else { return Ok(()) };
    let objects = ObjectsOf { entry: entry.id, ids: IdList::new(objects) };
    let insert = diesel::insert_into(audit_log::table).values(entry);
    match connection {
        DbConnection::Postgres(connection) => WithObjects { insert, objects }.execute(connection.inner()).await,
        DbConnection::Sqlite(connection) => {
            insert.execute(connection.inner()).await?;
            objects.execute(connection.inner()).await
        }
    }
    .map(drop)
}

/// Stores what objects an entry tells of.
struct ObjectsOf {
    entry: AuditEntryId,
    ids: IdList,
}

impl ObjectsOf {
    fn walk_insert<'b, DB>(&'b self, ids: &str, out: &mut AstPass<'_, 'b, DB>) -> QueryResult<()>
    where
        DB: Backend + diesel::sql_types::HasSqlType<sql::Uuid>,
        AuditEntryId: diesel::serialize::ToSql<sql::Uuid, DB>,
    {
        out.push_sql("INSERT INTO audit_log_objects (object_id, entry_id) SELECT ");
        out.push_sql(ids);
        out.push_sql(", ");
        out.push_bind_param::<sql::Uuid, _>(&self.entry)?;
        out.push_sql(" FROM ");
        Ok(())
    }
}

impl QueryFragment<Pg> for ObjectsOf {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        self.walk_insert("id", &mut out)?;
        out.push_sql("unnest(");
        self.ids.push_array(&mut out)?;
        out.push_sql("::uuid[]) AS objects (id)");
        Ok(())
    }
}

impl QueryFragment<Sqlite> for ObjectsOf {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        self.walk_insert("unhex(value)", &mut out)?;
        out.push_sql("json_each(");
        self.ids.push_json(&mut out)?;
        out.push_sql(")");
        Ok(())
    }
}

/// Both in one statement, and one way to the server.
struct WithObjects<I> {
    insert: I,
    objects: ObjectsOf,
}

impl<I: QueryFragment<Pg>> QueryFragment<Pg> for WithObjects<I> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql("WITH entry AS (");
        self.insert.walk_ast(out.reborrow())?;
        out.push_sql(") ");
        self.objects.walk_ast(out)
    }
}

impl QueryId for ObjectsOf {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<I> QueryId for WithObjects<I> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}
