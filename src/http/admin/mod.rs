//! The operators' listener: what is nobody else's business, at an address of its own.
//!
//! Errors are lines of text here. Those who read them sit at a terminal.

mod access;
mod cache;
mod health;
mod log_filter;
mod metrics;
mod slow_statements;

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::FromRef;
use axum::http::StatusCode;
use axum::middleware;
use axum::routing::{get, post};

pub use access::Reach;

use super::{health as plain_health, request_log};
use crate::app::App;
use crate::domain::Timestamp;
use crate::telemetry::TraceSettings;
use crate::telemetry::metrics::Metrics;

/// How long the database may take to answer an operator.
const PATIENCE: Duration = Duration::from_secs(5);

/// What the operators' requests are answered from.
#[derive(Clone)]
pub struct Admin {
    app: App,
    reach: Reach,
    metrics: Option<Arc<Metrics>>,
    guards_metrics: bool,
    plans: slow_statements::Plans,
    started_at: Timestamp,
    started: Instant,
}

impl Admin {
    /// The operators' view of an application that begins to serve now.
    #[must_use]
    pub fn new(app: App, reach: Reach) -> Self {
        let (started_at, started) = (Timestamp::now(), Instant::now());
        let plans = slow_statements::Plans::default();
        Self { app, reach, metrics: None, guards_metrics: false, plans, started_at, started }
    }

    /// The same with these metrics, which may be for administrators alone.
    #[must_use]
    pub fn with_metrics(self, metrics: Option<Arc<Metrics>>, guarded: bool) -> Self {
        Self { metrics, guards_metrics: guarded, ..self }
    }
}

impl FromRef<Admin> for App {
    fn from_ref(admin: &Admin) -> Self {
        admin.app.clone()
    }
}

/// Every route of the operators' listener. Those above the layer are open to whoever reaches it: load balancers ask them.
pub fn router(admin: Admin) -> Router {
    let guarded = Router::new()
        .route("/", get(welcome))
        .route("/health", get(health::details))
        .route("/cache/stats", get(cache::stats))
        .route("/cache/clear", post(cache::clear))
        .route("/log-filter", get(log_filter::tell).put(log_filter::change))
        .route("/slow-statements", get(slow_statements::report))
        .fallback(nothing_here)
        .layer(middleware::from_fn_with_state(admin.clone(), access::check));
    let metrics = match admin.guards_metrics {
        true => get(metrics::page).layer(middleware::from_fn_with_state(admin.clone(), access::check)),
        false => get(metrics::page),
    };
    Router::new()
        .route("/metrics", metrics)
        .route("/health/live", get(plain_health::live))
        .route("/health/ready", get(plain_health::ready))
        .merge(guarded)
        .method_not_allowed_fallback(wrong_method)
        .with_state(admin)
        .layer(middleware::from_fn_with_state(TraceSettings::default(), request_log::log_request))
}

async fn welcome() -> &'static str {
    "evalgraph, for operators:\n\
     GET  /health        pools, database, cache and versions; /health/live and /health/ready for load balancers\n\
     GET  /cache/stats   what the cache did so far\n\
     POST /cache/clear   make all servers of the database forget what they remember\n\
     GET  /log-filter    what is logged; PUT another filter as text\n\
     GET  /metrics       for Prometheus\n\
     GET  /slow-statements  statements that took long, by statement and by table; ?plans=true tells how they are carried out\n"
}

async fn nothing_here() -> (StatusCode, &'static str) {
    (StatusCode::NOT_FOUND, "there is nothing at this address: / tells what there is\n")
}

/// The header `Allow` tells which methods there are.
async fn wrong_method() -> (StatusCode, &'static str) {
    (StatusCode::METHOD_NOT_ALLOWED, "this address does not know the method of the request\n")
}
