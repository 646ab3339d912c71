//! Who sent a request: from its credential to a [`Principal`]. docs/authentication.md tells what counts as one.
//!
//! Nothing here depends on a route. Whatever is served may ask the [`Authenticator`] for whom it is served.

pub mod api_tokens;
mod credential;
pub mod jwt;

use std::sync::Arc;

use axum::http::HeaderMap;
use thiserror::Error;

pub use self::api_tokens::ApiTokens;
use self::jwt::{JwtSettings, JwtVerifier};
use crate::db::Database;
use crate::domain::Principal;

/// What counts as a credential. Without anything, nobody is asked for one.
#[derive(Clone, Default)]
pub struct AuthSettings {
    /// Which JWTs count, if any do.
    pub jwt: Option<JwtSettings>,
    /// The secret that the digests of API tokens are keyed with. Without it, there are none.
    pub token_secret: Option<String>,
}

/// Finds out who sent a request.
pub struct Authenticator {
    way: Way,
}

enum Way {
    /// Nobody is asked: all requests are this principal's.
    Everybody(Principal),
    /// A token is asked for.
    Token { jwt: Option<Box<JwtVerifier>>, api: Option<Arc<ApiTokens>> },
}

/// Why nobody knows who sent a request. What is told of it says nothing of the credential.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum AuthError {
    /// There is no credential.
    #[error("this server wants to know who asks: send a token in the header `Authorization`, as «Bearer TOKEN»")]
    Missing,
    /// There is one that does not count.
    #[error("{0}")]
    Refused(&'static str),
    /// Whether it counts cannot be found out at the moment.
    #[error("{0}")]
    Unavailable(&'static str),
}

/// Why authentication cannot be set up.
#[derive(Debug, Error)]
pub enum SetupError {
    /// The keys of an issuer cannot be read.
    #[error("auth_jwks (--auth-jwks): {place} {cause}")]
    Keys {
        /// Where they should be.
        place: String,
        /// Why not.
        cause: jwt::SourceError,
    },
    /// The secret is none.
    #[error("auth_jwt_secret (--auth-jwt-secret) must not be empty")]
    Secret,
}

impl Authenticator {
    /// Takes all requests for this principal's.
    #[must_use]
    pub fn everybody(principal: Principal) -> Self {
        Self { way: Way::Everybody(principal) }
    }

    /// Accepts what the settings say. Without any, everybody is the administrator `local`.
    ///
    /// # Errors
    /// When the keys of an issuer are in a file that cannot be used.
    pub async fn start(settings: &AuthSettings, database: &Database) -> Result<Self, SetupError> {
        if !settings.asks() {
            return Ok(Self::everybody(Principal::local()));
        }
        let jwt = match &settings.jwt {
            Some(settings) => Some(Box::new(JwtVerifier::start(settings).await?)),
            None => None,
        };
        let api = settings.token_secret.as_ref().map(|secret| Arc::new(ApiTokens::new(database.clone(), secret)));
        Ok(Self { way: Way::Token { jwt, api } })
    }

    /// Who sent the request with these headers.
    ///
    /// # Errors
    /// When there is no credential, or none that counts.
    pub async fn authenticate(&self, headers: &HeaderMap) -> Result<Principal, AuthError> {
        let (jwt, api) = match &self.way {
            Way::Everybody(principal) => return Ok(principal.clone()),
            Way::Token { jwt, api } => (jwt, api),
        };
        let token = credential::token(headers)?;
        match (jwt, api) {
            (_, Some(api)) if api_tokens::is_meant(&token) => api.principal(&token).await,
            (Some(jwt), _) => jwt.principal(&token).await,
            (None, _) => Err(AuthError::Refused("the token is none of this server's, and it accepts no others")),
        }
    }

    /// The tokens of this server, where it has some.
    #[must_use]
    pub fn api_tokens(&self) -> Option<&Arc<ApiTokens>> {
        match &self.way {
            Way::Everybody(_) => None,
            Way::Token { api, .. } => api.as_ref(),
        }
    }
}

impl AuthSettings {
    /// Whether anybody is asked who they are.
    #[must_use]
    pub const fn asks(&self) -> bool {
        self.jwt.is_some() || self.token_secret.is_some()
    }
}
