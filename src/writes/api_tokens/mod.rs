//! Making and revoking API tokens.

mod create;
mod revoke;

use std::sync::Arc;

use diesel::result::Error as DieselError;

pub use create::CreateApiToken;
pub use revoke::RevokeApiToken;

use super::Refusal;
use crate::db::DbConnection;
use crate::db::api_tokens::{ApiTokenRow, ApiTokens};
use crate::db::columns::ColumnSet;
use crate::db::entity::Entity as _;
use crate::db::transaction::Aborted;
use crate::domain::{ApiTokenId, Principal};

/// The token as it is stored now. It was written in the same transaction.
async fn read_back(
    connection: &mut DbConnection,
    principal: &Principal,
    id: ApiTokenId,
    columns: ColumnSet,
) -> Result<Arc<ApiTokenRow>, Aborted<Refusal>> {
    let rows = ApiTokens::by_ids(connection, principal, vec![id.into()], columns).await?;
    Ok(rows.into_iter().next().ok_or(DieselError::NotFound)?)
}
