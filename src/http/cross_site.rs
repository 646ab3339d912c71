//! Requests that a page of somebody else's makes a browser send.
//!
//! A browser sends some requests wherever a page wants them to go, with what it knows of the user: cookies, passwords of
//! Basic, a place within the network. The page does not see the answer; that the request is executed may be enough. All
//! other requests are announced first (<https://fetch.spec.whatwg.org/#http-cors-protocol>, preflight), and this server
//! admits only those from origins that it knows. So what needs no announcement is not executed.
//!
//! Bodies are safe: they must be `application/json`, which is announced. What remains are queries in addresses.

use axum::Extension;
use axum::extract::Request;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::Response;

use super::negotiation::Answer;
use super::request_log::LogDetails;
use crate::graphql::{ErrorCode, request_error};

/// Headers that say that a request is meant: a page cannot have them sent without an announcement. The first is this server's
/// own, the others what clients of other servers send.
pub const MARKS: [HeaderName; 4] = [
    HeaderName::from_static("x-evalgraph-request"),
    HeaderName::from_static("x-evalgraph-explain"),
    HeaderName::from_static("apollo-require-preflight"),
    HeaderName::from_static("x-apollo-operation-name"),
];

/// What browsers say about who made them send a request. Pages cannot write it.
const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Bodies that need no announcement.
const SIMPLE_TYPES: [&str; 3] = ["application/x-www-form-urlencoded", "multipart/form-data", "text/plain"];

/// Refuses what a page elsewhere may have made a browser send.
pub async fn guard(Extension(details): Extension<LogDetails>, request: Request, next: Next) -> Response {
    // What has nothing in its address is not executed, and told so.
    let is_query = matches!(*request.method(), Method::GET | Method::HEAD) && request.uri().query().is_some();
    if !is_query || is_meant(request.headers()) {
        return next.run(request).await;
    }
    let message = "a browser may have been made to send this request by a page of somebody else's: send the header \
                   «x-evalgraph-request: 1» with queries in addresses, or use POST with application/json";
    let answer = Answer::refusal(StatusCode::FORBIDDEN, request_error(ErrorCode::Forbidden, message));
    answer.sent_to(request.headers(), &details)
}

/// Whether a request cannot have come from a page elsewhere without having been announced.
fn is_meant(headers: &HeaderMap) -> bool {
    let has_mark = || MARKS.iter().any(|mark| headers.get(mark).is_some_and(|value| !value.is_empty()));
    has_mark() || has_token(headers) || has_announced_type(headers) || is_from_here(headers)
}

/// Browsers add passwords that they know by themselves, but no tokens.
fn has_token(headers: &HeaderMap) -> bool {
    let credentials = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
    credentials.split_once(' ').is_some_and(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
}

fn has_announced_type(headers: &HeaderMap) -> bool {
    let Some(given) = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()) else { return false };
    let essence = given.split(';').next().unwrap_or(given).trim().to_ascii_lowercase();
    // Browsers take a type for what it seems to be, so what is none at all is not trusted either.
    essence.split_once('/').is_some_and(|(kind, rest)| !kind.is_empty() && !rest.is_empty())
        && !essence.contains(',')
        && !SIMPLE_TYPES.contains(&&*essence)
}

/// The page is this server's own, or the user has typed the address.
fn is_from_here(headers: &HeaderMap) -> bool {
    let site = headers.get(SEC_FETCH_SITE).map(HeaderValue::as_bytes);
    site.is_some_and(|site| site == b"same-origin" || site == b"none")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meant(headers: &[(&'static str, &'static str)]) -> bool {
        let header = |(name, value): &(&'static str, &'static str)| {
            (HeaderName::from_static(name), HeaderValue::from_static(value))
        };
        is_meant(&headers.iter().map(header).collect())
    }

    #[test]
    fn what_needs_no_announcement_is_not_meant() {
        for headers in [
            &[][..],
            &[("accept", "application/json"), ("accept-language", "de")],
            &[("content-type", "text/plain")],
            &[("content-type", "Text/Plain; charset=utf-8")],
            &[("content-type", "application/x-www-form-urlencoded")],
            &[("content-type", "multipart/form-data; boundary=x")],
            &[("content-type", "")],
            &[("content-type", "text")],
            &[("content-type", "text/plain, application/json")],
            &[("x-evalgraph-request", "")],
            &[("authorization", "Basic YWRhOnNlY3JldA==")],
            &[("authorization", "Negotiate YII=")],
            &[("cookie", "session=1")],
            &[("sec-fetch-site", "cross-site")],
            &[("sec-fetch-site", "same-site")],
            &[("sec-fetch-site", "")],
        ] {
            assert!(!meant(headers), "{headers:?}");
        }
    }

    #[test]
    fn what_a_page_elsewhere_cannot_have_sent_is_meant() {
        for header in [
            ("x-evalgraph-request", "1"),
            ("x-evalgraph-explain", "1"),
            ("apollo-require-preflight", "true"),
            ("x-apollo-operation-name", "Prompts"),
            ("content-type", "application/json"),
            ("content-type", "Application/JSON; charset=utf-8"),
            ("authorization", "Bearer abc"),
            ("authorization", "bearer abc"),
            ("sec-fetch-site", "same-origin"),
            ("sec-fetch-site", "none"),
        ] {
            assert!(meant(&[header]), "{header:?}");
        }
    }
}
