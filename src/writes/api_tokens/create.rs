//! Storing a new token.

use std::sync::Arc;

use super::read_back;
use crate::db::api_tokens::{self, ApiTokenRow, NewApiToken, StoredApiToken};
use crate::db::changes::Changes;
use crate::db::columns::ColumnSet;
use crate::db::transaction::Aborted;
use crate::db::{DbConnection, insert};
use crate::domain::{ApiTokenId, Credential, Principal, Scopes, Timestamp};
use crate::writes::{Fault, Outcome, Refusal, RefusalKind, Write};

/// Stores a token of the principal's. It can do no more, and lasts no longer, than the credential that it is made with.
#[derive(Debug, Clone)]
pub struct CreateApiToken {
    /// What its owner calls it.
    pub name: String,
    /// The digest of the token.
    pub hash: String,
    /// What it may be used for.
    pub scopes: Scopes,
    /// When it ends by itself.
    pub expires_at: Option<Timestamp>,
    /// The columns that are wanted of the stored row.
    pub columns: ColumnSet,
}

impl Write for CreateApiToken {
    type Output = Arc<ApiTokenRow>;

    async fn run(&self, connection: &mut DbConnection, principal: &Principal) -> Outcome<Arc<ApiTokenRow>> {
        if !principal.scopes.contains_all(self.scopes) {
            let problem =
                format!("must not go beyond those of the credential in use, which is for `{}`", principal.scopes);
            return Err(forbidden(".scopes", problem));
        }
        let created_with = self.check_maker(connection, principal).await?;
        let id = ApiTokenId::generate();
        let token = NewApiToken {
            id,
            user_id: principal.user_id.to_string(),
            name: self.name.clone(),
            hash: self.hash.clone(),
            scopes: self.scopes.to_string(),
            created_with,
            created_at: Timestamp::now(),
            expires_at: self.expires_at,
        };
        insert::api_tokens(connection, vec![token]).await?;
        let row = read_back(connection, principal, id, self.columns).await?;
        Ok((row, Changes { api_tokens: vec![id], ..Changes::default() }))
    }
}

impl CreateApiToken {
    /// The token that this one is made with, if any. It must not have been revoked meanwhile, and ends no sooner.
    async fn check_maker(
        &self,
        connection: &mut DbConnection,
        principal: &Principal,
    ) -> Result<Option<ApiTokenId>, Aborted<Refusal>> {
        let Credential::ApiToken(maker) = principal.credential else { return Ok(None) };
        let stored = api_tokens::lock(connection, principal, maker).await?;
        let Some(StoredApiToken { expires_at: end, .. }) = stored.filter(|stored| stored.revoked_at.is_none()) else {
            return Err(forbidden("", "the token in use was revoked".to_owned()));
        };
        let ends_too_late = end.is_some_and(|end| self.expires_at.is_none_or(|wanted| wanted > end));
        if ends_too_late {
            let problem = "must not be later than the end of the token in use, and must be given".to_owned();
            return Err(forbidden(".expiresAt", problem));
        }
        Ok(Some(maker))
    }
}

fn forbidden(place: &str, problem: String) -> Aborted<Refusal> {
    Refusal::of(RefusalKind::Forbidden, Fault::new(place, problem)).into()
}
