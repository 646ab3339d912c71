//! Whose prompts are.

use diesel::prelude::*;
use diesel::result::QueryResult;
use diesel_async::RunQueryDsl;

use super::visible;
use crate::db::connection::DbConnection;
use crate::db::schema::prompts;
use crate::domain::{Principal, PromptId};

/// The owner of a prompt that is to be evaluated: of one that the principal may see and that is not deleted. On PostgreSQL
/// nobody locks it against evaluations meanwhile: the text of a version that has some stays.
///
/// # Errors
/// When the statement fails.
pub async fn owner_for_evaluation(
    connection: &mut DbConnection,
    principal: &Principal,
    id: PromptId,
) -> QueryResult<Option<String>> {
    let statement = prompts::table.filter(prompts::id.eq(id)).filter(visible(principal)).select(prompts::user_id);
    match connection {
        DbConnection::Postgres(connection) => statement.for_key_share().first(connection.inner()).await.optional(),
        DbConnection::Sqlite(connection) => statement.first(connection.inner()).await.optional(),
    }
}
