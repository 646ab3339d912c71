//! What is said of API tokens that are to be made.

use async_graphql::InputObject;

use crate::db::columns::ColumnSet;
use crate::domain::{Scopes, Timestamp, TokenScope};
use crate::writes::api_tokens::CreateApiToken;
use crate::writes::{Checks, Refusal};

/// An API token that is to be made.
#[derive(InputObject)]
pub struct CreateApiTokenInput {
    /// What the token is for, to tell it from others: 1 to 255 characters.
    name: String,
    /// What it may be used for: not more than the credential of this request.
    scopes: Vec<TokenScope>,
    /// When it ends: in the future, and not after the end of the token that this request is made with. Without it, it does
    /// not end by itself.
    expires_at: Option<Timestamp>,
}

impl CreateApiTokenInput {
    /// The change that is meant, for the token with this digest.
    ///
    /// # Errors
    /// With all that is wrong.
    pub fn read(self, hash: String, columns: ColumnSet) -> Result<CreateApiToken, Refusal> {
        let mut checks = Checks::default();
        checks.short_text("name", &self.name);
        if self.name.chars().any(char::is_control) {
            checks.fault("name", "must not have control characters");
        }
        if self.scopes.is_empty() {
            checks.fault("scopes", "must be one at least");
        }
        if self.expires_at.is_some_and(|end| end <= Timestamp::now()) {
            checks.fault("expiresAt", "must be in the future");
        }
        checks.finish()?;
        let scopes = Scopes::of(self.scopes);
        Ok(CreateApiToken { name: self.name, hash, scopes, expires_at: self.expires_at, columns })
    }
}
