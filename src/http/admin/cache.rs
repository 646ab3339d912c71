//! What the cache did, and making it forget.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde_json::{Value, json};
use tokio::time::timeout;

use super::{Admin, PATIENCE};
use crate::db::{StatementCount, outbox};

/// What the cache of this process did so far; null where there is none.
pub async fn stats(State(admin): State<Admin>) -> Json<Value> {
    Json(admin.app.cache.as_ref().map_or(Value::Null, |cache| cache.report()))
}

/// Makes this server forget what it remembers at once, and all others of the database within a second.
pub async fn clear(State(admin): State<Admin>) -> Result<Json<Value>, (StatusCode, &'static str)> {
    let count = StatementCount::default();
    let cleared = admin.app.database.write(&count, |connection| Box::pin(outbox::clear(connection)));
    match timeout(PATIENCE, cleared).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => {
            tracing::error!(%error, "the caches could not be cleared");
            return Err(UNCHANGED);
        }
        Err(_) => return Err(UNCHANGED),
    }
    if let Some(cache) = &admin.app.cache {
        cache.clear_process();
    }
    tracing::info!("an operator cleared the caches");
    Ok(Json(json!({ "cleared": true })))
}

const UNCHANGED: (StatusCode, &str) =
    (StatusCode::SERVICE_UNAVAILABLE, "the other servers could not be told, because the database does not answer\n");
