//! Whether the process lives, and whether it can serve.

use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;

use crate::app::App;
use crate::db::StatementCount;

/// How long the database may take to answer.
const PATIENCE: Duration = Duration::from_secs(2);

/// The process answers.
pub async fn live() -> &'static str {
    "live\n"
}

/// A statement went through the pool to the database and back: one that reads a table, which SQLite has to look up in
/// its file.
pub async fn ready(State(app): State<App>) -> (StatusCode, &'static str) {
    let statements = StatementCount::default();
    let question = app.database.read(&statements, |connection| {
        Box::pin(async move { connection.batch_execute("SELECT 1 FROM runs LIMIT 1").await })
    });
    match tokio::time::timeout(PATIENCE, question).await {
        Ok(Ok(())) => (StatusCode::OK, "ready\n"),
        Ok(Err(error)) => {
            tracing::warn!(%error, "not ready");
            (StatusCode::SERVICE_UNAVAILABLE, "the database cannot be reached\n")
        }
        Err(_) => {
            tracing::warn!(patience_ms = PATIENCE.as_millis(), "not ready: the database did not answer");
            (StatusCode::SERVICE_UNAVAILABLE, "the database does not answer\n")
        }
    }
}
