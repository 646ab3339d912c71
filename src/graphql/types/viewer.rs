//! The one who asks.

use async_graphql::{Context, Object};

use super::ApiToken;
use crate::db::api_tokens::ApiTokenFilter;
use crate::db::page::Order;
use crate::domain::{ApiTokenOrderField, Principal, TokenScope};
use crate::graphql::connection::{Connection, ListField, Source, paginate};
use crate::graphql::error::ApiError;
use crate::graphql::pagination::PageParams;

/// The one who asks.
pub struct Viewer(Principal);

impl From<&Principal> for Viewer {
    fn from(principal: &Principal) -> Self {
        Self(principal.clone())
    }
}

/// The one who asks.
#[Object]
impl Viewer {
    /// The id of the user: what objects of theirs have as `userId`.
    async fn user_id(&self) -> &str {
        &self.0.user_id
    }

    /// Whether the user sees what belongs to others.
    async fn is_admin(&self) -> bool {
        self.0.is_admin
    }

    /// What the credential of this request may be used for.
    async fn scopes(&self) -> Vec<TokenScope> {
        self.0.scopes.iter().collect()
    }

    /// The user's own API tokens, also those that have ended, the newest first.
    async fn api_tokens(
        &self,
        context: &Context<'_>,
        #[graphql(
            desc = "So many objects from the beginning of the list, or after `after`. Without `first` and `last`, a page of the usual size."
        )]
        first: Option<i32>,
        #[graphql(desc = "The cursor of the object that the page follows.")] after: Option<String>,
        #[graphql(desc = "So many objects from the end of the list, or before `before`. Not together with `first`.")]
        last: Option<i32>,
        #[graphql(desc = "The cursor of the object that the page precedes.")] before: Option<String>,
    ) -> Option<Result<Connection<ApiToken>, ApiError>> {
        let list = ListField {
            coordinate: "Viewer.apiTokens",
            source: Source::All { pages: |loaders| &loaders.api_tokens, counts: |loaders| &loaders.api_token_count },
            filter: ApiTokenFilter { user_id: Some(self.0.user_id.to_string()) },
            order: Order::descending(ApiTokenOrderField::CreatedAt),
        };
        Some(paginate(context, list, PageParams { first, after, last, before }).await)
    }
}
