//! Which pages elsewhere may ask this server, and see its answers.

use std::str::FromStr;
use std::time::Duration;

use axum::http::header::{ACCEPT, AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderName, HeaderValue, Method};
use thiserror::Error;
use tower_http::cors::{AllowOrigin, CorsLayer};
use url::Url;

use super::cross_site::MARKS;

/// How long a browser need not ask again: as long as the most impatient of them remembers.
const MAX_AGE: Duration = Duration::from_hours(2);

/// A text that is no list of origins.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "«{0}» is no origin: it must be like https://app.example.com or http://localhost:3000, with nothing after it, or * alone"
)]
pub struct BadOrigin(String);

/// Origins, as a setting lists them: with commas.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origins {
    /// Every one.
    Any,
    /// These.
    Listed(Vec<HeaderValue>),
}

impl FromStr for Origins {
    type Err = BadOrigin;

    fn from_str(text: &str) -> Result<Self, BadOrigin> {
        if text.trim() == "*" {
            return Ok(Self::Any);
        }
        let entries = text.split(',').map(str::trim).filter(|entry| !entry.is_empty());
        let origins = entries.map(|entry| origin(entry).ok_or_else(|| BadOrigin(entry.to_owned())));
        origins.collect::<Result<_, _>>().map(Self::Listed)
    }
}

/// An origin as browsers write it.
fn origin(text: &str) -> Option<HeaderValue> {
    let url = Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.path() == "/")?;
    // What a browser would leave out must not be there: nobody would ever be admitted by it.
    let written = url.origin().ascii_serialization();
    (text == written && !text.contains('*')).then(|| HeaderValue::from_str(text).ok())?
}

/// The answers to the announcements of browsers, and what they want to see in others. Credentials that a browser adds by
/// itself are never admitted: tokens are sent by the page, which knows them.
pub fn layer(origins: &Origins) -> CorsLayer {
    let known = ["traceparent", "tracestate", "x-request-id"].map(HeaderName::from_static);
    let allowed = [ACCEPT, AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE].into_iter().chain(known).chain(MARKS);
    let exposed = ["ratelimit", "ratelimit-policy", "traceparent", "x-request-id"].map(HeaderName::from_static);
    let origins = match origins {
        Origins::Any => AllowOrigin::any(),
        Origins::Listed(origins) => AllowOrigin::list(origins.clone()),
    };
    CorsLayer::new()
        .allow_origin(origins)
        .allow_methods([Method::GET, Method::POST])
        .allow_headers(allowed.collect::<Vec<_>>())
        .expose_headers(exposed.into_iter().chain([RETRY_AFTER]).collect::<Vec<_>>())
        .max_age(MAX_AGE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_are_written_as_browsers_write_them() {
        let listed = |text: &str| match text.parse() {
            Ok(Origins::Listed(origins)) => origins.len(),
            other => panic!("{text}: {other:?}"),
        };
        assert_eq!(listed(""), 0);
        assert_eq!(listed("https://app.example.com, http://localhost:3000,"), 2);
        assert_eq!(" * ".parse(), Ok(Origins::Any));
        for text in [
            "app.example.com",
            "https://app.example.com/",
            "https://app.example.com/x",
            "https://app.example.com:443",
            "HTTPS://app.example.com",
            "https://App.example.com",
            "ftp://app.example.com",
            "file:///x",
            "null",
            "https://*.example.com",
            "*, https://app.example.com",
        ] {
            assert!(text.parse::<Origins>().is_err(), "{text}");
        }
    }
}
