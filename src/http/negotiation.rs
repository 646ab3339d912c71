//! The two forms of an answer, after the GraphQL-over-HTTP specification
//! (<https://graphql.github.io/graphql-over-http/draft/>, «Responses»).

use std::collections::BTreeMap;
use std::time::Duration;

use async_graphql::{Response as GraphqlResponse, ServerError, Value};
use axum::body::Body;
use axum::http::header::{ACCEPT, CONNECTION, CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::Response;
use serde::Serialize;

use super::admission::seconds;
use super::request_log::LogDetails;
use crate::graphql::response_json;

/// What an answer is sent as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MediaType {
    /// `application/graphql-response+json`: the status tells whether the request was executed.
    GraphqlResponse,
    /// `application/json`, for clients from before that: an answer to a well-formed request has the status 200, unless
    /// it ran out of time.
    Json,
}

impl MediaType {
    /// The best that the client accepts; none when it accepts neither.
    pub fn negotiate(headers: &HeaderMap) -> Option<Self> {
        let mut accepted = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok()).peekable();
        if accepted.peek().is_none() {
            return Some(Self::GraphqlResponse);
        }
        let accepted: Vec<String> = accepted.flat_map(|value| value.split(',')).filter_map(acceptable).collect();
        let accepts = |range: &str| accepted.iter().any(|accepted| accepted == range);
        // A type that is named goes before one that a wildcard admits.
        if accepts("application/graphql-response+json") {
            Some(Self::GraphqlResponse)
        } else if accepts("application/json") {
            Some(Self::Json)
        } else {
            (accepts("application/*") || accepts("*/*")).then_some(Self::GraphqlResponse)
        }
    }

    const fn content_type(self) -> HeaderValue {
        match self {
            Self::GraphqlResponse => HeaderValue::from_static("application/graphql-response+json; charset=utf-8"),
            Self::Json => HeaderValue::from_static("application/json; charset=utf-8"),
        }
    }
}

/// What an entry of `Accept` or `Accept-Encoding` admits, in small letters, unless the entry refuses it (`q=0`).
pub(super) fn acceptable(entry: &str) -> Option<String> {
    let mut parts = entry.split(';').map(str::trim);
    let range = parts.next()?.to_ascii_lowercase();
    let weights =
        parts.filter_map(|part| part.split_once('=')).filter(|(name, _)| name.trim().eq_ignore_ascii_case("q"));
    let refused = weights.into_iter().any(|(_, weight)| weight.trim().parse::<f32>().is_ok_and(|weight| weight <= 0.0));
    (!refused).then_some(range)
}

/// An answer with its status.
pub struct Answer {
    status: StatusCode,
    executed: bool,
    closing: bool,
    retry_after: Option<u64>,
    response: GraphqlResponse,
}

/// An answer to a request that was not executed: it has no `data`, not even null
/// (<https://spec.graphql.org/September2025/#sec-Response-Format>).
#[derive(Serialize)]
struct RequestErrors<'a> {
    errors: &'a [ServerError],
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    extensions: &'a BTreeMap<String, Value>,
}

impl Answer {
    /// What came of an operation; `executed` tells whether fields were resolved.
    pub fn new(status: StatusCode, executed: bool, response: GraphqlResponse) -> Self {
        Self { status, executed, closing: false, retry_after: None, response }
    }

    /// A request that was not executed.
    pub fn refusal(status: StatusCode, error: ServerError) -> Self {
        Self::new(status, false, GraphqlResponse::from_errors(vec![error]))
    }

    /// How many errors it tells.
    pub fn errors(&self) -> usize {
        self.response.errors.len()
    }

    /// The connection ends with the answer, because the rest of the request is not read.
    pub fn closing(self) -> Self {
        Self { closing: true, ..self }
    }

    /// The client may try again after this time.
    pub fn retry_after(self, wait: Duration) -> Self {
        Self { retry_after: Some(seconds(wait)), ..self }
    }

    /// The answer as it is sent to a client with these headers; the line of the request counts its errors. Who accepts
    /// neither form gets the first.
    pub fn sent_to(self, headers: &HeaderMap, details: &LogDetails) -> Response {
        details.errors(self.errors());
        self.into_response(MediaType::negotiate(headers).unwrap_or(MediaType::GraphqlResponse))
    }

    /// The answer as it is sent.
    pub fn into_response(self, media_type: MediaType) -> Response {
        let mut response = if self.executed {
            let mut response = Response::new(Body::from(response_json(&self.response)));
            // Those that resolvers have set.
            *response.headers_mut() = self.response.http_headers;
            response
        } else {
            self.request_errors()
        };
        *response.status_mut() = self.status;
        response.headers_mut().insert(CONTENT_TYPE, media_type.content_type());
        if let Some(seconds) = self.retry_after {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.closing {
            response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        }
        response
    }

    fn request_errors(&self) -> Response {
        let GraphqlResponse { errors, extensions, .. } = &self.response;
        let body = serde_json::to_vec(&RequestErrors { errors, extensions }).unwrap_or_else(|error| {
            tracing::error!(%error, "an answer could not be written");
            Vec::new()
        });
        Response::new(Body::from(body))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newer_form_is_preferred_where_it_is_accepted() {
        let negotiated = |accept: Option<&'static str>| {
            let mut headers = HeaderMap::new();
            if let Some(accept) = accept {
                headers.insert(ACCEPT, HeaderValue::from_static(accept));
            }
            MediaType::negotiate(&headers)
        };
        assert_eq!(negotiated(None), Some(MediaType::GraphqlResponse));
        assert_eq!(negotiated(Some("*/*")), Some(MediaType::GraphqlResponse));
        assert_eq!(negotiated(Some("application/*")), Some(MediaType::GraphqlResponse));
        assert_eq!(negotiated(Some("application/json")), Some(MediaType::Json));
        assert_eq!(negotiated(Some("Application/JSON; charset=utf-8")), Some(MediaType::Json));
        assert_eq!(
            negotiated(Some("application/json, application/graphql-response+json;q=0.9")),
            Some(MediaType::GraphqlResponse),
        );
        assert_eq!(negotiated(Some("application/json, text/plain, */*")), Some(MediaType::Json));
        assert_eq!(negotiated(Some("application/json, application/graphql-response+json; q=0")), Some(MediaType::Json),);
        assert_eq!(negotiated(Some("*/*;q=0.0")), None);
        assert_eq!(negotiated(Some("text/html, image/png")), None);
    }
}
