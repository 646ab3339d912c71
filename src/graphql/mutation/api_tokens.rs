//! Making and revoking API tokens.

use std::sync::Arc;

use async_graphql::{Context, ID, Object, SimpleObject};

use super::{INPUT, perform};
use crate::auth::ApiTokens;
use crate::auth::api_tokens::ApiToken as Secret;
use crate::db::columns::ColumnSet;
use crate::graphql::connection::GraphNode as _;
use crate::graphql::error::ApiError;
use crate::graphql::global_id::NodeType;
use crate::graphql::inputs::CreateApiTokenInput;
use crate::graphql::scope::scope;
use crate::graphql::selection;
use crate::graphql::types::ApiToken;
use crate::writes::api_tokens::RevokeApiToken;

/// The name of the argument that says which token is to be revoked.
const ID_ARGUMENT: &str = "id";

/// The token that was made.
#[derive(SimpleObject)]
pub struct CreateApiTokenPayload {
    /// The token as it is stored now.
    api_token: ApiToken,
    /// The token itself, which is sent as `Authorization: Bearer …`. It is shown this once and stored nowhere: keep it.
    token: String,
}

/// The token that was changed.
#[derive(SimpleObject)]
pub struct ApiTokenPayload {
    /// The token as it is stored now.
    api_token: ApiToken,
}

/// Changes of API tokens.
#[derive(Default)]
pub struct ApiTokenMutations;

#[Object]
impl ApiTokenMutations {
    /// Makes an API token of the viewer's, for a program that works on their behalf. It may do no more than the credential
    /// of this request, and ends with the token that it is made with: the code is `FORBIDDEN` otherwise, as it is on a
    /// server without API tokens.
    async fn create_api_token(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The token.")] input: CreateApiTokenInput,
    ) -> Result<CreateApiTokenPayload, ApiError> {
        let (tokens, secret) = (api_tokens(context)?, Secret::generate());
        let write = input.read(tokens.hash(&secret), columns(context));
        let write = write.map_err(|refusal| ApiError::refused(INPUT, refusal))?;
        let row = perform(context, INPUT, write).await?;
        Ok(CreateApiTokenPayload { api_token: ApiToken::new(row), token: secret.expose().to_owned() })
    }

    /// Ends an API token and those that were made with it, for good: at once on this server, and within a second on all
    /// others. One that was revoked before stays as it is.
    async fn revoke_api_token(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The token's id.")] id: ID,
    ) -> Result<ApiTokenPayload, ApiError> {
        let tokens = api_tokens(context)?;
        let id = NodeType::ApiToken.decode(&id, ID_ARGUMENT)?.into();
        let revoked = perform(context, ID_ARGUMENT, RevokeApiToken { id, columns: columns(context) }).await;
        // Even after a failure: nobody knows whether it was stored.
        tokens.forget();
        Ok(ApiTokenPayload { api_token: ApiToken::new(revoked?) })
    }
}

fn columns(context: &Context<'_>) -> ColumnSet {
    selection::of_member(context, "apiToken", ApiToken::COLUMNS)
}

fn api_tokens<'a>(context: &Context<'a>) -> Result<&'a Arc<ApiTokens>, ApiError> {
    let tokens = scope(context).context.api_tokens.as_ref();
    tokens.ok_or(ApiError::Forbidden("this server has no API tokens: its setting auth_token_secret is not given"))
}
