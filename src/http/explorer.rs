//! The explorer: GraphiQL, the page at `/` on which people write queries and read the documentation of the schema.
//!
//! Its source is in `assets/graphiql`, from which `scripts/build-explorer` makes the files that the binary holds.

use std::io::Read as _;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Path, Request, State};
use axum::http::header::{
    ACCEPT, ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG,
    IF_NONE_MATCH, REFERRER_POLICY, VARY, WWW_AUTHENTICATE, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::get;
use flate2::read::GzDecoder;
use rust_embed::{EmbeddedFile, RustEmbed};

use super::negotiation::acceptable;
use crate::app::App;
use crate::auth::AuthError;
use crate::domain::hex;
use crate::graphql::Audience;

/// The built files. Those that shrink are there with the ending `.gz` alone.
#[derive(RustEmbed)]
#[folder = "assets/graphiql/dist"]
struct Files;

/// The page may load what is on this server, and nothing else.
///
/// Styles in the document are the exception. Monaco, the editor, writes the place of each line into a `style`
/// attribute, and the colours of its theme into a `style` element that it changes later; neither a nonce nor a hash can
/// admit those. No script, image or font gets in by it: each has a directive of its own.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
     font-src 'self'; connect-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'none'; \
     frame-ancestors 'none'";

/// Sent with every file. Workers take the policy from their own file, not from the page.
const HEADERS: [(HeaderName, &str); 4] = [
    (CONTENT_SECURITY_POLICY, POLICY),
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (REFERRER_POLICY, "no-referrer"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
];

/// The page and its files, for those whom they are for.
pub fn routes(app: App) -> Router<App> {
    Router::new()
        .route("/", get(async |headers: HeaderMap| answer("index.html", &headers).await))
        .route("/licenses.txt", get(async |headers: HeaderMap| answer("licenses.txt", &headers).await))
        .route("/assets/{name}", get(asset))
        .route_layer(middleware::from_fn_with_state(app, admit))
}

/// Where the page is for administrators, a browser is asked for a password, which may be a token: it sends that with the
/// page's own requests as well.
async fn admit(State(app): State<App>, request: Request, next: Next) -> Response {
    if app.explorer_access == Audience::Everybody {
        return next.run(request).await;
    }
    match app.authenticator.authenticate(request.headers()).await {
        Ok(principal) if app.explorer_access.admits(&principal) => next.run(request).await,
        Ok(_) => (StatusCode::FORBIDDEN, "the explorer is for administrators\n").into_response(),
        Err(AuthError::Missing | AuthError::Refused(_)) => {
            let challenge = [(WWW_AUTHENTICATE, "Basic realm=\"evalgraph\", charset=\"UTF-8\"")];
            (StatusCode::UNAUTHORIZED, challenge, "the explorer is for administrators\n").into_response()
        }
        Err(error) => (StatusCode::SERVICE_UNAVAILABLE, format!("{error}\n")).into_response(),
    }
}

async fn asset(Path(name): Path<String>, headers: HeaderMap) -> Response {
    answer(&format!("assets/{name}"), &headers).await
}

/// Sends whoever opens `/graphql` in a browser to the page: there is nothing to see without a query.
pub async fn redirect_people(request: Request, next: Next) -> Response {
    let opens_a_page = request.method() == Method::GET
        && request.uri().query().is_none()
        && names(request.headers(), ACCEPT, "text/html");
    if opens_a_page {
        // Relative, for a proxy that serves both under a path.
        Redirect::to("./").into_response()
    } else {
        next.run(request).await
    }
}

async fn answer(path: &str, headers: &HeaderMap) -> Response {
    let (file, compressed) = match (Files::get(path), Files::get(&format!("{path}.gz"))) {
        (Some(file), _) => (file, false),
        (None, Some(file)) => (file, true),
        (None, None) => return (StatusCode::NOT_FOUND, "there is no such file\n").into_response(),
    };
    let etag = etag(&file);
    let mut response = if is_known(headers, &etag) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        content(path, file, compressed, names(headers, ACCEPT_ENCODING, "gzip")).await
    };
    // The names of files in this folder change with what is in them.
    let lifetime = if path.starts_with("assets/") { "public, max-age=31536000, immutable" } else { "no-cache" };
    let headers = response.headers_mut();
    for (name, value) in HEADERS.into_iter().chain([(CACHE_CONTROL, lifetime)]) {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if compressed {
        headers.insert(VARY, HeaderValue::from_static("accept-encoding"));
    }
    if let Ok(etag) = HeaderValue::from_str(&etag) {
        headers.insert(ETAG, etag);
    }
    response
}

async fn content(path: &str, file: EmbeddedFile, compressed: bool, accepts_gzip: bool) -> Response {
    let bytes = Bytes::from_owner(file.data);
    let (bytes, encoding) = match (compressed, accepts_gzip) {
        (false, _) => (bytes, None),
        (true, true) => (bytes, Some(HeaderValue::from_static("gzip"))),
        (true, false) => match decompress(bytes).await {
            Ok(plain) => (plain.into(), None),
            Err(error) => {
                tracing::error!(path, %error, "a file of the explorer could not be decompressed");
                return StatusCode::INTERNAL_SERVER_ERROR.into_response();
            }
        },
    };
    let mut response = Response::new(Body::from(bytes));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type(path)));
    if let Some(encoding) = encoding {
        response.headers_mut().insert(CONTENT_ENCODING, encoding);
    }
    response
}

/// Away from the threads that serve requests: the largest file takes some 10 ms.
async fn decompress(bytes: Bytes) -> std::io::Result<Vec<u8>> {
    tokio::task::spawn_blocking(move || {
        let mut plain = Vec::new();
        GzDecoder::new(&*bytes).read_to_end(&mut plain)?;
        Ok(plain)
    })
    .await?
}

fn content_type(path: &str) -> &'static str {
    match path.rsplit_once('.').map(|(_, ending)| ending) {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("txt") => "text/plain; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("ttf") => "font/ttf",
        Some("woff2") => "font/woff2",
        _ => "application/octet-stream",
    }
}

/// Weak, because it is the same for the file and its compressed form.
fn etag(file: &EmbeddedFile) -> String {
    let hash = file.metadata.sha256_hash();
    format!("W/\"{}\"", hex(&hash[..16]))
}

fn is_known(headers: &HeaderMap, etag: &str) -> bool {
    let strong = etag.trim_start_matches("W/");
    entries(headers, IF_NONE_MATCH).any(|known| known == "*" || known.trim_start_matches("W/") == strong)
}

/// Whether a list of what the client accepts has this entry by name.
fn names(headers: &HeaderMap, list: HeaderName, entry: &str) -> bool {
    entries(headers, list).filter_map(acceptable).any(|accepted| accepted == entry)
}

fn entries(headers: &HeaderMap, list: HeaderName) -> impl Iterator<Item = &str> {
    let values = headers.get_all(list).into_iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_is_of_a_known_type() {
        for path in Files::iter() {
            let path = path.trim_end_matches(".gz");
            assert_ne!(content_type(path), "application/octet-stream", "{path}");
        }
    }
}
