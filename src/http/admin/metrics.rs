//! The page of metrics.

use axum::extract::State;
use axum::http::header::{ACCEPT, CONTENT_TYPE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};

use super::Admin;
use crate::telemetry::metrics::TextFormat;

/// All metrics, in the format that is asked for.
pub async fn page(State(admin): State<Admin>, headers: HeaderMap) -> Response {
    let Some(metrics) = &admin.metrics else {
        return (StatusCode::NOT_FOUND, "this process counts nothing\n").into_response();
    };
    let accepted = headers.get(ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let format = TextFormat::negotiate(accepted);
    ([(CONTENT_TYPE, format.content_type())], metrics.page(format)).into_response()
}
