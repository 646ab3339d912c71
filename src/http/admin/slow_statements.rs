//! The report of slow statements.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Json;
use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use tokio::sync::Mutex;

use super::Admin;
use crate::telemetry::slow::{SlowReport, slow_statements};

/// How many plans a report has: those of the statements that took the most time.
const MOST_PLANS: usize = 10;
/// How long a report waits for its plans.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long the plans of a report are told again, before the database is asked anew.
const PAUSE: Duration = Duration::from_secs(10);

/// The plans that were asked for last, and when. Whoever asks meanwhile waits, and gets them.
#[derive(Debug, Clone, Default)]
pub struct Plans(Arc<Mutex<Option<(Instant, Known)>>>);

type Known = Vec<(Arc<str>, String)>;

/// What slow statements come to; with their plans for `?plans=true`.
pub async fn report(
    State(admin): State<Admin>,
    RawQuery(query): RawQuery,
) -> Result<Json<SlowReport>, (StatusCode, &'static str)> {
    let Some(mut report) = slow_statements() else {
        return Err((StatusCode::NOT_FOUND, "this process keeps no slow statements\n"));
    };
    match query.as_deref() {
        None | Some("" | "plans=false") => {}
        Some("plans=true") => tell_plans(&admin, &mut report).await,
        Some(_) => return Err((StatusCode::BAD_REQUEST, "there is one parameter: plans=true\n")),
    }
    Ok(Json(report))
}

async fn tell_plans(admin: &Admin, report: &mut SlowReport) {
    let mut known = admin.plans.0.lock().await;
    let is_fresh = known.as_ref().is_some_and(|(asked_at, _)| asked_at.elapsed() < PAUSE);
    if !is_fresh {
        *known = Some((Instant::now(), ask(admin, report).await));
    }
    let plans = known.as_ref().map(|(_, plans)| plans.as_slice()).unwrap_or_default();
    for group in &mut report.statements {
        let plan = plans.iter().find(|(statement, _)| *statement == group.statement);
        group.plan = plan.map(|(_, plan)| plan.clone());
    }
}

/// Asks the database on a connection of its own: requests need not wait for a place in the pool because of it.
async fn ask(admin: &Admin, report: &SlowReport) -> Known {
    let statements: Vec<Arc<str>> =
        report.statements.iter().take(MOST_PLANS).map(|group| Arc::clone(&group.statement)).collect();
    match tokio::time::timeout(PATIENCE, admin.app.database.plans(statements)).await {
        Ok(Ok(plans)) => plans,
        Ok(Err(error)) => {
            tracing::warn!(%error, "slow statements could not be explained");
            Vec::new()
        }
        Err(_) => {
            tracing::warn!(patience_ms = PATIENCE.as_millis(), "slow statements were not explained in time");
            Vec::new()
        }
    }
}
