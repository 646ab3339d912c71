//! Tokens of programs. Of each, only a digest is stored.

use diesel::prelude::*;
use diesel::result::QueryResult;
use diesel::sql_types::Untyped;
use diesel_async::RunQueryDsl;
use futures_util::future::BoxFuture;

use super::backend::on_backend;
use super::columns::{ColumnSet, row};
use super::conditions::Conditions;
use super::connection::DbConnection;
use super::entity::entity;
use super::raw::Raw;
use super::schema::api_tokens;
use super::types::sql;
use crate::domain::{ApiTokenId, ApiTokenOrderField, Principal, Timestamp};

row! {
    /// What may be known of a token.
    pub struct ApiTokenRow of api_tokens {
        /// Its id.
        id: ApiTokenId,
        /// When it was created.
        created_at: Timestamp,
    }
    on demand api_token_columns {
        /// Its owner.
        user_id / USER_ID: String,
        /// What its owner calls it.
        name / NAME: String,
        /// What it may be used for, as `Scopes` are written.
        scopes / SCOPES: String,
        /// When it ends by itself.
        expires_at / EXPIRES_AT: Timestamp,
        /// When it was used, to the minute.
        last_used_at / LAST_USED_AT: Timestamp,
        /// When it was revoked.
        revoked_at / REVOKED_AT: Timestamp,
    }
}

/// A token to be stored.
#[derive(Debug, Clone, Insertable)]
#[diesel(table_name = api_tokens, treat_none_as_default_value = false)]
#[allow(missing_docs, reason = "the fields are those of `ApiTokenRow`, but for the two that are explained")]
pub struct NewApiToken {
    pub id: ApiTokenId,
    pub user_id: String,
    pub name: String,
    /// The digest of the token, in hexadecimal digits.
    pub hash: String,
    pub scopes: String,
    /// The token that it was made with.
    pub created_with: Option<ApiTokenId>,
    pub created_at: Timestamp,
    pub expires_at: Option<Timestamp>,
}

/// What decides whether a token counts, and for whom.
#[derive(Debug, Clone, Queryable)]
#[allow(missing_docs, reason = "the fields are those of `ApiTokenRow`")]
pub struct StoredApiToken {
    pub id: ApiTokenId,
    pub user_id: String,
    pub scopes: String,
    pub expires_at: Option<Timestamp>,
    pub last_used_at: Option<Timestamp>,
    pub revoked_at: Option<Timestamp>,
}

/// Which tokens of a list are wanted.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct ApiTokenFilter {
    /// Only those of this user.
    pub user_id: Option<String>,
}

/// Tokens are under no parent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ApiTokenParent {}

/// The table of tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ApiTokens;

entity!(ApiTokens, api_tokens, ApiTokenRow, ApiTokenFilter, ApiTokenOrderField {
    CreatedAt => created_at: Time,
}, ApiTokenParent {});

fn visible(principal: &Principal) -> Conditions<api_tokens::table> {
    let mut conditions = Conditions::default();
    if !principal.is_admin {
        conditions.require(api_tokens::user_id.eq(principal.user_id.to_string()));
    }
    conditions
}

fn matching(principal: &Principal, filter: &ApiTokenFilter) -> Conditions<api_tokens::table> {
    let mut conditions = visible(principal);
    conditions.require_if(filter.user_id.clone(), |user_id| api_tokens::user_id.eq(user_id));
    conditions
}

/// The columns of [`StoredApiToken`].
const STORED: (
    api_tokens::id,
    api_tokens::user_id,
    api_tokens::scopes,
    api_tokens::expires_at,
    api_tokens::last_used_at,
    api_tokens::revoked_at,
) = (
    api_tokens::id,
    api_tokens::user_id,
    api_tokens::scopes,
    api_tokens::expires_at,
    api_tokens::last_used_at,
    api_tokens::revoked_at,
);

/// The token with this digest, whether it counts or not.
///
/// # Errors
/// When the statement fails.
pub async fn by_hash(connection: &mut DbConnection, hash: &str) -> QueryResult<Option<StoredApiToken>> {
    let statement = api_tokens::table.filter(api_tokens::hash.eq(hash)).select(STORED);
    on_backend!(connection, |inner| statement.first(inner).await.optional())
}

/// The token with this id, if the principal may see it. Nobody revokes it, or makes another with it, until the end of the
/// transaction.
///
/// # Errors
/// When the statement fails.
pub async fn lock(
    connection: &mut DbConnection,
    principal: &Principal,
    id: ApiTokenId,
) -> QueryResult<Option<StoredApiToken>> {
    let mut conditions = visible(principal);
    conditions.require(api_tokens::id.eq(id));
    let statement = api_tokens::table.filter(conditions).select(STORED);
    match connection {
        DbConnection::Postgres(connection) => statement.for_update().first(connection.inner()).await.optional(),
        // SQLite has one writer at a time.
        DbConnection::Sqlite(connection) => statement.first(connection.inner()).await.optional(),
    }
}

/// Revokes a token, those that were made with it, those that were made with these, and so on. Tells how many were not
/// revoked before.
///
/// # Errors
/// When a statement fails.
pub async fn revoke(connection: &mut DbConnection, id: ApiTokenId, now: Timestamp) -> QueryResult<usize> {
    // By itself, so that PostgreSQL knows that they are few when it looks them up.
    let ended: Raw<sql::Uuid> =
        Raw::new("WITH RECURSIVE ended (id) AS (SELECT api_tokens.id FROM api_tokens WHERE api_tokens.id = ")
            .id(id.into())
            .sql(
                " UNION SELECT api_tokens.id FROM ended JOIN api_tokens ON api_tokens.created_with = ended.id) \
                 SELECT ended.id FROM ended",
            );
    let ended: Vec<ApiTokenId> = on_backend!(&mut *connection, |inner| ended.load(inner).await)?;
    let statement: Raw<Untyped> = Raw::new("UPDATE api_tokens SET revoked_at = ")
        .time(now)
        .sql(" WHERE api_tokens.revoked_at IS NULL AND ")
        .any_id("api_tokens.id", ended.into_iter().map(Into::into).collect());
    on_backend!(connection, |inner| statement.execute(inner).await)
}

/// Notes that a token was used, unless another server has done so since `unless_since`.
///
/// # Errors
/// When the statement fails.
pub async fn note_use(
    connection: &mut DbConnection,
    id: ApiTokenId,
    now: Timestamp,
    unless_since: Timestamp,
) -> QueryResult<()> {
    let is_due = api_tokens::last_used_at.is_null().or(api_tokens::last_used_at.lt(unless_since));
    let statement = diesel::update(api_tokens::table.find(id).filter(is_due)).set(api_tokens::last_used_at.eq(now));
    on_backend!(connection, |inner| statement.execute(inner).await.map(drop))
}
