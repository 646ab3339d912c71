//! Health in detail.

use std::time::Instant;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde_json::{Value, json};
use tokio::time::timeout;

use super::{Admin, PATIENCE};
use crate::db::state::PoolState;
use crate::db::{StatementCount, state};

/// Pools, database, cache and versions.
pub async fn details(State(admin): State<Admin>) -> (StatusCode, Json<Value>) {
    let (database, is_ready) = database(&admin).await;
    let report = json!({
        "ready": is_ready,
        "version": env!("CARGO_PKG_VERSION"),
        "instance": admin.app.database.instance(),
        "startedAt": admin.started_at.to_string(),
        "uptimeSeconds": admin.started.elapsed().as_secs(),
        "database": database,
        "cache": admin.app.cache.as_ref().map(|cache| cache.report()),
    });
    (if is_ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }, Json(report))
}

/// What the database says of itself, through the pool.
async fn database(admin: &Admin) -> (Value, bool) {
    let database = &admin.app.database;
    let (count, begun) = (StatementCount::default(), Instant::now());
    let answer = timeout(PATIENCE, database.read(&count, |connection| Box::pin(state::version(connection)))).await;
    let latency_ms = begun.elapsed().as_secs_f64() * 1e3;
    let (version, problem) = match answer {
        Ok(Ok(version)) => (Some(version), None),
        Ok(Err(error)) => (None, Some(error.to_string())),
        Err(_) => (None, Some(format!("it did not answer within {} s", PATIENCE.as_secs()))),
    };
    let is_ready = problem.is_none();
    let report = json!({
        "system": database.system(),
        "version": version,
        "latencyMs": latency_ms,
        "problem": problem,
        "pools": database.pools().iter().map(pool).collect::<Vec<_>>(),
    });
    (report, is_ready)
}

fn pool(pool: &PoolState) -> Value {
    json!({
        "role": pool.role,
        "base": pool.base,
        "max": pool.max,
        "open": pool.open,
        "idle": pool.idle,
        "inUse": pool.in_use(),
        "overflow": pool.overflow(),
        "waiting": pool.waiting,
        "given": pool.given,
        "waited": pool.waited,
        "timedOut": pool.timed_out,
        "waitMs": pool.wait_time.as_secs_f64() * 1e3,
        "made": pool.made,
        "closedBroken": pool.closed_broken,
        "closedOld": pool.closed_old,
    })
}
