//! Who sent a request: from its credential to a [`Principal`].
//!
//! Nothing here depends on a route. Whatever is served may ask the [`Authenticator`] for whom it is served.

use axum::http::HeaderMap;
use thiserror::Error;

use crate::domain::Principal;

/// Finds out who sent a request.
#[derive(Debug)]
pub struct Authenticator {
    way: Way,
}

#[derive(Debug)]
enum Way {
    /// Nobody is asked: all requests are this principal's.
    Everybody(Principal),
}

/// Why nobody knows who sent a request. What is told of it says nothing of the credential.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum AuthError {
    /// There is no credential.
    #[error("this server wants to know who asks: send a token as «Authorization: Bearer …»")]
    Missing,
    /// There is one that does not count.
    #[error("{0}")]
    Refused(&'static str),
    /// Whether it counts cannot be found out at the moment.
    #[error("{0}")]
    Unavailable(&'static str),
}

impl Authenticator {
    /// Takes all requests for this principal's.
    #[must_use]
    pub fn everybody(principal: Principal) -> Self {
        Self { way: Way::Everybody(principal) }
    }

    /// Who sent the request with these headers.
    ///
    /// # Errors
    /// When there is no credential, or none that counts.
    pub async fn authenticate(&self, _headers: &HeaderMap) -> Result<Principal, AuthError> {
        match &self.way {
            Way::Everybody(principal) => Ok(principal.clone()),
        }
    }
}
