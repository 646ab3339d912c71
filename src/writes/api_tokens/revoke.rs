//! Revoking a token.

use std::sync::Arc;

use super::read_back;
use crate::db::DbConnection;
use crate::db::api_tokens::{self, ApiTokenRow};
use crate::db::changes::Changes;
use crate::db::columns::ColumnSet;
use crate::domain::{ApiTokenId, Principal, Timestamp};
use crate::writes::{Fault, Outcome, Refusal, RefusalKind, Write};

/// Ends a token and those that were made with it, for good. One that was revoked before stays as it is.
#[derive(Debug, Clone, Copy)]
pub struct RevokeApiToken {
    /// The token.
    pub id: ApiTokenId,
    /// The columns that are wanted of the stored row.
    pub columns: ColumnSet,
}

impl Write for RevokeApiToken {
    type Output = Arc<ApiTokenRow>;

    async fn run(&self, connection: &mut DbConnection, principal: &Principal) -> Outcome<Arc<ApiTokenRow>> {
        if api_tokens::lock(connection, principal, self.id).await?.is_none() {
            return Err(Refusal::of(RefusalKind::NotFound, Fault::new("", "there is no such token")).into());
        }
        let now = Timestamp::now();
        // Again until there is nothing left: while a statement waits for a token from which another is being made, it does
        // not see that one.
        let mut changes = Changes::default();
        while api_tokens::revoke(connection, self.id, now).await? > 0 {
            changes.api_tokens = vec![self.id];
        }
        Ok((read_back(connection, principal, self.id, self.columns).await?, changes))
    }
}
