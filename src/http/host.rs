//! The name by which a request calls this server.
//!
//! A page may have a name that is given the address of this machine once the page is there (DNS rebinding): to the browser,
//! this server is where the page came from. The name that the request has is that of the page all the same.

use std::net::{IpAddr, SocketAddr};

use axum::Extension;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::http::header::HOST;
use axum::middleware::Next;
use axum::response::Response;

use super::negotiation::Answer;
use super::request_log::LogDetails;
use crate::app::App;
use crate::domain::{Credential, Principal};
use crate::graphql::{ErrorCode, request_error};

/// While nobody is asked for a credential, refuses what calls this machine by a name of others.
pub async fn guard(
    State(app): State<App>,
    Extension(principal): Extension<Principal>,
    Extension(details): Extension<LogDetails>,
    request: Request,
    next: Next,
) -> Response {
    if app.trusts_every_host || principal.credential != Credential::Local || is_of_this_machine(&request) {
        return next.run(request).await;
    }
    let message = "without authentication, the header Host must have an address or localhost: a page of somebody else's may have \
                   given its name to this machine. Call the server by its address; behind a proxy, set up authentication or \
                   say with --insecure that every name is meant";
    let answer = Answer::refusal(StatusCode::FORBIDDEN, request_error(ErrorCode::Forbidden, message));
    answer.sent_to(request.headers(), &details)
}

/// Whether a request calls the server by an address or `localhost`, which no page elsewhere has as its name. Browsers always
/// call it by some name.
pub fn is_of_this_machine(request: &Request) -> bool {
    let host = request.headers().get(HOST).and_then(|value| value.to_str().ok());
    // Where there is a newer HTTP, it is in the address.
    host.or_else(|| request.uri().host()).is_none_or(is_address_or_localhost)
}

/// With or without a port.
fn is_address_or_localhost(authority: &str) -> bool {
    if authority.parse::<SocketAddr>().is_ok() {
        return true;
    }
    let name = match authority.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) && !name.ends_with(':') => name,
        _ => authority,
    };
    name.eq_ignore_ascii_case("localhost") || name.trim_matches(['[', ']']).parse::<IpAddr>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_others_are_not_those_of_this_machine() {
        for name in ["127.0.0.1:9464", "127.0.0.1", "localhost", "LOCALHOST:1", "[::1]:9464", "[::1]"] {
            assert!(is_address_or_localhost(name), "{name}");
        }
        for name in ["", "evil.example", "evil.example:9464", "127.0.0.1.evil.example", "localhost.evil.example:1"] {
            assert!(!is_address_or_localhost(name), "{name}");
        }
    }
}
