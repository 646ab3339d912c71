//! What is logged, changed while the server runs.

use axum::body::{Body, to_bytes};
use axum::http::StatusCode;

use crate::telemetry::{LogFilterError, log_filter, set_log_filter};

/// The longest filter that is read.
const LONGEST: usize = 4 << 10;

type Refused = (StatusCode, String);

/// The filter in force.
pub async fn tell() -> Result<String, Refused> {
    log_filter().map(|filter| filter + "\n").ok_or_else(|| refused(&LogFilterError::NotOurs))
}

/// Puts the filter in the body into force, until the server ends.
pub async fn change(body: Body) -> Result<String, Refused> {
    let bad = |problem: &str| (StatusCode::BAD_REQUEST, format!("{problem}\n"));
    let bytes = to_bytes(body, LONGEST).await.map_err(|_| bad("the body must be a filter of at most 4096 bytes"))?;
    let filter = std::str::from_utf8(&bytes).map(str::trim).map_err(|_| bad("the body must be text in UTF-8"))?;
    if filter.is_empty() {
        return Err(bad("the body must be a filter, such as info,evalgraph::db=debug"));
    }
    let before = set_log_filter(filter).map_err(|error| refused(&error))?;
    tracing::info!(before, filter, "an operator changed what is logged");
    Ok(format!("{filter}\n"))
}

fn refused(error: &LogFilterError) -> Refused {
    let status = match error {
        LogFilterError::Unreadable(_) => StatusCode::BAD_REQUEST,
        LogFilterError::NotOurs => StatusCode::CONFLICT,
    };
    (status, format!("{error}\n"))
}
