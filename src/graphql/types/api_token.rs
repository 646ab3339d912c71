//! Tokens of programs.

use std::sync::Arc;

use async_graphql::{Context, ID, Object};
use uuid::Uuid;

use super::read;
use crate::db::api_tokens::{ApiTokenRow, ApiTokens, api_token_columns};
use crate::db::columns::ColumnSet;
use crate::domain::{Scopes, Timestamp, TokenScope};
use crate::graphql::connection::GraphNode;
use crate::graphql::error::ApiError;
use crate::graphql::global_id::NodeType;
use crate::graphql::scope::loaders;
use crate::graphql::selection::FieldColumns;
use crate::graphql::written::Writable;
use crate::loaders::RowKey;

/// A token that a program identifies itself with.
pub struct ApiToken(Arc<ApiTokenRow>);

impl Writable for ApiToken {
    const AT_HAND: &'static [&'static str] =
        &["id", "userId", "name", "scopes", "createdAt", "expiresAt", "lastUsedAt", "revokedAt"];
}

impl GraphNode for ApiToken {
    type Entity = ApiTokens;
    const COLUMNS: FieldColumns = &[
        ("userId", api_token_columns::USER_ID),
        ("name", api_token_columns::NAME),
        ("scopes", api_token_columns::SCOPES),
        ("expiresAt", api_token_columns::EXPIRES_AT),
        ("lastUsedAt", api_token_columns::LAST_USED_AT),
        ("revokedAt", api_token_columns::REVOKED_AT),
    ];

    fn new(row: Arc<ApiTokenRow>) -> Self {
        Self(row)
    }
}

impl ApiToken {
    /// The token, if it exists and may be seen.
    pub async fn load(context: &Context<'_>, id: Uuid, columns: ColumnSet) -> Result<Option<Self>, ApiError> {
        let row = loaders(context).api_token_by_id.load(RowKey { id, columns }).await?;
        Ok(row.map(Self))
    }
}

/// A token that a program identifies itself with, without its secret: that is shown once, when the token is made.
#[Object]
impl ApiToken {
    /// The id: opaque, and unique among all objects.
    pub async fn id(&self) -> ID {
        NodeType::ApiToken.encode(self.0.id)
    }

    /// The owner, on whose behalf the program works.
    async fn user_id(&self) -> Result<&String, ApiError> {
        read(&self.0.user_id, "ApiToken.userId")
    }

    /// What the owner calls it.
    async fn name(&self) -> Result<&String, ApiError> {
        read(&self.0.name, "ApiToken.name")
    }

    /// What it may be used for.
    async fn scopes(&self) -> Result<Vec<TokenScope>, ApiError> {
        let scopes = Scopes::parse(read(&self.0.scopes, "ApiToken.scopes")?);
        scopes.map(|scopes| scopes.iter().collect()).map_err(|error| ApiError::Defect(error.to_string()))
    }

    /// When it was made.
    async fn created_at(&self) -> Timestamp {
        self.0.created_at
    }

    /// When it ends by itself; null for one that does not.
    async fn expires_at(&self) -> Option<Timestamp> {
        self.0.expires_at
    }

    /// When it was used last, to the minute; null for one that never was.
    async fn last_used_at(&self) -> Option<Timestamp> {
        self.0.last_used_at
    }

    /// When it was revoked; null for one that was not.
    async fn revoked_at(&self) -> Option<Timestamp> {
        self.0.revoked_at
    }
}
