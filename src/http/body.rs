//! Reading the body of a request.

use axum::body::{Body, HttpBody as _};
use axum::http::StatusCode;
use http_body_util::BodyExt as _;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, timeout_at};

use super::negotiation::Answer;
use crate::app::App;
use crate::graphql::{ErrorCode, request_error};

/// A place among the requests with larger bodies than most may have.
pub type BulkPlace = OwnedSemaphorePermit;

/// A body that was read to its end.
#[derive(Debug)]
pub struct ReadBody {
    /// What is in it.
    pub bytes: Vec<u8>,
    /// The place that it takes up, where it is larger than most may be.
    pub place: Option<BulkPlace>,
}

/// Reads a body. One that says that it is too large whatever it is for is refused before it is sent, so to speak: clients
/// that ask first (`Expect: 100-continue`) need not send it at all. What goes beyond the usual length waits for a place.
pub async fn read(app: &App, body: Body, deadline: Instant) -> Result<ReadBody, Box<Answer>> {
    let announced = body.size_hint().lower();
    if announced > u64::from(longest(app)) {
        return Err(exceeding(app));
    }
    timeout_at(deadline, collect(app, body, announced)).await.unwrap_or_else(|_| Err(too_slow()))
}

/// The most that a body may have, whatever it is for.
fn longest(app: &App) -> u32 {
    app.limits.max_bulk_body_bytes.max(app.limits.max_body_bytes)
}

async fn collect(app: &App, mut body: Body, announced: u64) -> Result<ReadBody, Box<Answer>> {
    let (usual, longest) = (app.limits.max_body_bytes as usize, longest(app) as usize);
    let capacity = usize::try_from(announced).unwrap_or(usual).min(usual);
    let mut read = ReadBody { bytes: Vec::with_capacity(capacity), place: None };
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| unreadable())?;
        let Ok(data) = frame.into_data() else { continue };
        let length = read.bytes.len().saturating_add(data.len());
        if length > longest {
            return Err(exceeding(app));
        }
        if length > usual && read.place.is_none() {
            // Nobody closes the semaphore.
            read.place = app.bulk_bodies.clone().acquire_owned().await.ok();
        }
        read.bytes.extend_from_slice(&data);
    }
    Ok(read)
}

fn exceeding(app: &App) -> Box<Answer> {
    if app.limits.max_bulk_body_bytes > app.limits.max_body_bytes {
        too_large("maxBulkBodyBytes", app.limits.max_bulk_body_bytes)
    } else {
        too_large("maxBodyBytes", app.limits.max_body_bytes)
    }
}

fn too_slow() -> Box<Answer> {
    let error = request_error(ErrorCode::Timeout, "the body of the request did not arrive in time");
    Box::new(Answer::refusal(StatusCode::REQUEST_TIMEOUT, error).closing())
}

/// The refusal of a body that is longer than this limit.
pub fn too_large(limit_name: &str, limit: u32) -> Box<Answer> {
    let message = format!("the body of the request is larger than {limit} bytes");
    let mut error = request_error(ErrorCode::LimitExceeded, message);
    let extensions = error.extensions.get_or_insert_default();
    // How large it is, nobody has looked.
    extensions.set("limitName", limit_name);
    extensions.set("limit", limit);
    Box::new(Answer::refusal(StatusCode::PAYLOAD_TOO_LARGE, error).closing())
}

fn unreadable() -> Box<Answer> {
    let error = request_error(ErrorCode::BadUserInput, "the body of the request could not be read to its end");
    Box::new(Answer::refusal(StatusCode::BAD_REQUEST, error).closing())
}
