//! Whose a request is.

use axum::Extension;
use axum::extract::{Request, State};
use axum::http::header::WWW_AUTHENTICATE;
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::Response;

use super::negotiation::Answer;
use super::request_log::LogDetails;
use crate::app::App;
use crate::auth::AuthError;
use crate::graphql::{ErrorCode, request_error};

/// Hands the request on with the [`Principal`](crate::domain::Principal) who sent it as an extension, or refuses it.
pub async fn authenticate(
    State(app): State<App>,
    Extension(details): Extension<LogDetails>,
    mut request: Request,
    next: Next,
) -> Response {
    match app.authenticator.authenticate(request.headers()).await {
        Ok(principal) => {
            request.extensions_mut().insert(principal);
            next.run(request).await
        }
        Err(error) => {
            let (answer, challenge) = refusal(&error);
            let mut response = answer.sent_to(request.headers(), &details);
            if let Some(challenge) = challenge {
                response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
            }
            response
        }
    }
}

/// What the client is told, and what it is asked for (RFC 6750, section 3). It is not asked for a password with Basic, which
/// is accepted too: browsers would open a window for it in front of the explorer.
fn refusal(error: &AuthError) -> (Answer, Option<&'static str>) {
    let (status, code, challenge) = match error {
        AuthError::Missing => {
            (StatusCode::UNAUTHORIZED, ErrorCode::Unauthenticated, Some("Bearer realm=\"evalgraph\""))
        }
        AuthError::Refused(_) => (
            StatusCode::UNAUTHORIZED,
            ErrorCode::Unauthenticated,
            Some("Bearer realm=\"evalgraph\", error=\"invalid_token\""),
        ),
        AuthError::Unavailable(_) => (StatusCode::SERVICE_UNAVAILABLE, ErrorCode::Unavailable, None),
    };
    (Answer::refusal(status, request_error(code, error.to_string())), challenge)
}
