//! Ending a run whose results came some at a time.

use diesel::result::QueryResult;
use serde_json::{Map, Value};

use crate::db::runs::RunExtension;
use crate::db::types::Json;
use crate::db::{DbConnection, evaluations, runs};
use crate::domain::{EvaluationStatus, RunId, Timestamp};

/// Completes the run if it is open and has as many results as its tool announced, and says whether it did.
pub(super) async fn complete_if_all_are_there(
    connection: &mut DbConnection,
    id: RunId,
    now: Timestamp,
) -> QueryResult<bool> {
    let run = runs::lock(connection, id).await?;
    let Some(announced) = announced(&run.declared).filter(|_| run.status.is_open()) else { return Ok(false) };
    let evaluations = evaluations::lock_of_run(connection, id).await?;
    let stored: f64 = evaluations.iter().map(|evaluation| f64::from(evaluation.totals.total_tests)).sum();
    if stored < announced {
        return Ok(false);
    }
    let ended = run.started_at.zip(run.duration_ms).map(|(began, duration)| began.plus_millis(duration));
    evaluations::complete_of_run(connection, id, ended, now).await?;
    let changes = RunExtension {
        status: Some(EvaluationStatus::Completed),
        declared: None,
        duration_ms: None,
        completed_at: ended,
        updated_at: now,
    };
    runs::extend(connection, id, changes).await.map(|()| true)
}

/// How many results a run was announced with, if it was.
fn announced(declared: &Json) -> Option<f64> {
    let declared: Map<String, Value> = serde_json::from_str(declared.as_str()).ok()?;
    let counts = ["successes", "failures", "errors"].map(|name| declared.get(name)?.as_f64());
    counts.into_iter().flatten().reduce(|sum, count| sum + count)
}
