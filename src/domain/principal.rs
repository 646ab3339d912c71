//! Who asks.

use std::fmt;
use std::sync::Arc;

use super::enums::TokenScope;
use super::ids::ApiTokenId;
use super::scopes::Scopes;

/// The one on whose behalf a request runs. Owners see what is theirs, administrators everything. Cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    /// The user's id: what `user_id` columns contain.
    pub user_id: Arc<str>,
    /// Whether the user may see what belongs to others.
    pub is_admin: bool,
    /// What the credential may be used for. Those with the scope of administrators are one.
    pub scopes: Scopes,
    /// How the user showed who they are.
    pub credential: Credential,
}

/// How a user showed who they are. What stands here may be written into logs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Credential {
    /// Not at all: no authentication is configured, or a command was run on the server's machine.
    Local,
    /// With a signed token of an issuer that the server trusts.
    Jwt,
    /// With a token of this server.
    ApiToken(ApiTokenId),
}

impl fmt::Display for Credential {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Local => formatter.write_str("local"),
            Self::Jwt => formatter.write_str("jwt"),
            Self::ApiToken(id) => write!(formatter, "token:{id}"),
        }
    }
}

impl Principal {
    /// Who everybody is while no authentication is configured.
    pub const LOCAL_USER: &'static str = "local";

    /// The administrator `local`.
    #[must_use]
    pub fn local() -> Self {
        Self { user_id: Self::LOCAL_USER.into(), is_admin: true, scopes: Scopes::ALL, credential: Credential::Local }
    }

    /// A user who sees only what is their own, and may do everything with it.
    #[must_use]
    pub fn user(user_id: &str) -> Self {
        Self { user_id: user_id.into(), is_admin: false, scopes: Scopes::OWN, credential: Credential::Local }
    }

    /// The same user with a credential for these scopes.
    #[must_use]
    pub fn with(self, scopes: Scopes, credential: Credential) -> Self {
        Self { is_admin: self.is_admin || scopes.contains(TokenScope::Admin), scopes, credential, ..self }
    }
}
