//! The one who asks.

use async_graphql::SimpleObject;

use crate::domain::Principal;

/// The one who asks.
#[derive(SimpleObject)]
pub struct Viewer {
    /// The id of the user: what objects of theirs have as `userId`.
    user_id: String,
    /// Whether the user sees what belongs to others.
    is_admin: bool,
}

impl From<&Principal> for Viewer {
    fn from(principal: &Principal) -> Self {
        Self { user_id: principal.user_id.to_string(), is_admin: principal.is_admin }
    }
}
