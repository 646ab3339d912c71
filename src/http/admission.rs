//! What those are told who are not let in, or not yet.

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use axum::Extension;
use axum::extract::{Request, State};
use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::Response;

use super::client_address::ClientAddress;
use super::negotiation::Answer;
use super::request_log::LogDetails;
use crate::admission::{Charge, Full, RateRefusal, Share, Standing};
use crate::app::App;
use crate::domain::Principal;
use crate::graphql::{Ending, ErrorCode, Toll, Unpaid, request_error};

/// As in draft-ietf-httpapi-ratelimit-headers-10.
const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

/// When to come again to a server that was full: by then it has done what it had to.
const RETRY_WHEN_FULL: Duration = Duration::from_secs(1);

/// What whoever asks pays for operations, and what is told about it.
pub struct Purse<'a> {
    app: &'a App,
    user_id: &'a str,
    address: Option<IpAddr>,
    charge: Mutex<Option<Charge>>,
}

impl<'a> Purse<'a> {
    pub fn new(app: &'a App, principal: &'a Principal, address: Option<ClientAddress>) -> Self {
        let address = address.map(|ClientAddress(address)| address);
        Self { app, user_id: &principal.user_id, address, charge: Mutex::new(None) }
    }

    /// Tells what is left, whether something was refused or not.
    pub fn tell(&self, headers: &mut HeaderMap) {
        let charge = self.charge.lock().unwrap_or_else(PoisonError::into_inner);
        let standings = charge.as_ref().map_or(&[][..], |charge| charge.standings.as_slice());
        if standings.is_empty() {
            return;
        }
        let of_each = |write: fn(&Standing) -> String| standings.iter().map(write).collect::<Vec<_>>().join(", ");
        for (name, value) in [(RATE_LIMIT_POLICY, of_each(policy)), (RATE_LIMIT, of_each(standing))] {
            if let Ok(value) = HeaderValue::from_str(&value) {
                headers.insert(name, value);
            }
        }
    }
}

/// So many points in so many seconds.
fn policy(standing: &Standing) -> String {
    let Standing { share, rate, .. } = standing;
    format!("\"{}\";q={};qu=\"points\";w={}", share.name(), rate.burst, seconds(rate.window()))
}

/// So many are left, and after so many seconds it is all of them again.
fn standing(standing: &Standing) -> String {
    let Standing { share, remaining, .. } = standing;
    format!("\"{}\";r={remaining};t={}", share.name(), whole_seconds(standing.until_full()))
}

impl Toll for Purse<'_> {
    async fn pay(&self, cost: NonZeroU32) -> Result<(), Box<Unpaid>> {
        let charge = self.app.admission.rates.charge(self.user_id, self.address, cost).await;
        let refusal = charge.refusal;
        *self.charge.lock().unwrap_or_else(PoisonError::into_inner) = Some(charge);
        refusal.map_or(Ok(()), |refusal| Err(Box::new(unpaid(cost, refusal))))
    }
}

fn unpaid(cost: NonZeroU32, refusal: RateRefusal) -> Unpaid {
    let (code, share, message) = match refusal {
        RateRefusal::Later { share, wait } => {
            let message = format!(
                "the operation costs {cost} points, which {} does not have now: try again in {} s, or ask for less",
                owner(share),
                seconds(wait)
            );
            (ErrorCode::RateLimited, share, message)
        }
        RateRefusal::Never { share, burst } => {
            let message = format!(
                "the operation costs {cost} points, and {} never has more than {burst}: it can never be executed; ask for \
                 smaller pages or fewer fields, or send fewer objects at once",
                owner(share)
            );
            (ErrorCode::LimitExceeded, share, message)
        }
    };
    let mut error = request_error(code, message);
    let extensions = error.extensions.get_or_insert_default();
    extensions.set("limitName", share.name());
    extensions.set("cost", cost.get());
    match refusal {
        RateRefusal::Later { wait, .. } => {
            extensions.set("retryAfter", seconds(wait));
            Unpaid { error, ending: Ending::RateLimited { retry_after: wait } }
        }
        RateRefusal::Never { burst, .. } => {
            extensions.set("limit", burst);
            extensions.set("value", cost.get());
            Unpaid { error, ending: Ending::Refused }
        }
    }
}

/// The client's words for whose points they are.
fn owner(share: Share) -> &'static str {
    match share {
        Share::Principal => "your user",
        Share::Address => "the address that you ask from",
    }
}

/// In whole seconds, of which there is at least one: as `Retry-After` is written.
pub fn seconds(duration: Duration) -> u64 {
    whole_seconds(duration).max(1)
}

fn whole_seconds(duration: Duration) -> u64 {
    duration.as_secs() + u64::from(duration.subsec_nanos() > 0)
}

/// The refusal of a request for which there is no place.
pub fn no_place(full: Full) -> Box<Answer> {
    let (status, code, message) = match full {
        Full::Server => {
            let message = "the server has as many requests in flight as it can work on: try again in a moment";
            (StatusCode::SERVICE_UNAVAILABLE, ErrorCode::Unavailable, message)
        }
        Full::Principal => {
            let message =
                "you have as many requests in flight as one user may have: wait for some of them to be answered";
            (StatusCode::TOO_MANY_REQUESTS, ErrorCode::RateLimited, message)
        }
    };
    Box::new(Answer::refusal(status, request_error(code, message)).retry_after(RETRY_WHEN_FULL))
}

/// Looks at no credential from an address that has sent too many wrong ones, and notes which were wrong.
pub async fn limit_attempts(
    State(app): State<App>,
    Extension(details): Extension<LogDetails>,
    request: Request,
    next: Next,
) -> Response {
    let address = request.extensions().get::<ClientAddress>().copied();
    let Some(ClientAddress(address)) = address.filter(|_| request.headers().contains_key(AUTHORIZATION)) else {
        return next.run(request).await;
    };
    if let Some(wait) = app.admission.attempts.turn_away(address) {
        let message = "too many wrong credentials came from your address: try again later";
        let error = request_error(ErrorCode::RateLimited, message);
        let answer = Answer::refusal(StatusCode::TOO_MANY_REQUESTS, error).retry_after(wait);
        return answer.sent_to(request.headers(), &details);
    }
    let response = next.run(request).await;
    if response.status() == StatusCode::UNAUTHORIZED {
        app.admission.attempts.failed(address);
    }
    response
}
