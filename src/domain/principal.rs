//! Who asks.

use std::sync::Arc;

/// The one on whose behalf a request runs. Owners see what is theirs, administrators everything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    /// The user's id: what `user_id` columns contain.
    pub user_id: Arc<str>,
    /// Whether the user may see what belongs to others.
    pub is_admin: bool,
}

impl Principal {
    /// Who everybody is while no authentication is configured.
    pub const LOCAL_USER: &'static str = "local";

    /// The administrator `local`.
    #[must_use]
    pub fn local() -> Self {
        Self { user_id: Self::LOCAL_USER.into(), is_admin: true }
    }

    /// A user who sees only what is their own.
    #[must_use]
    pub fn user(user_id: &str) -> Self {
        Self { user_id: user_id.into(), is_admin: false }
    }
}
