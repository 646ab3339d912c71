//! GraphQL over HTTP.

use async_graphql::{Request as GraphqlRequest, ServerError};
use axum::Extension;
use axum::body::{Body, Bytes, HttpBody as _};
use axum::extract::{Request, State};
use axum::http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::Response;
use tokio::time::Instant;

use super::negotiation::{Answer, MediaType};
use super::operation;
use super::request_log::{LONGEST_SHOWN, LogDetails, RequestId};
use crate::app::App;
use crate::domain::{Principal, shortened};
use crate::graphql::{ErrorCode, RequestContext, RequestScope, TimeLimit, execute, request_error};

/// A request with this header set to `1` is told what its operation cost.
const EXPLAIN: &str = "x-evalgraph-explain";

/// Answers an operation, which is in the body of a POST request or in the query string of a GET request.
pub async fn answer(
    State(app): State<App>,
    principal: Option<Extension<Principal>>,
    Extension(request_id): Extension<RequestId>,
    Extension(details): Extension<LogDetails>,
    request: Request,
) -> Response {
    let deadline = Instant::now() + app.limits.request_timeout;
    let Some(media_type) = MediaType::negotiate(request.headers()) else {
        let message = "accept application/graphql-response+json or application/json: there is no other form of answer";
        let error = request_error(ErrorCode::BadUserInput, message);
        let refusal = Answer::refusal(StatusCode::NOT_ACCEPTABLE, error);
        details.errors(refusal.errors());
        return refusal.into_response(MediaType::GraphqlResponse);
    };
    let context = RequestContext {
        principal: principal.map_or_else(Principal::local, |Extension(principal)| principal),
        request_id: request_id.0,
        explain: request.headers().get(EXPLAIN).is_some_and(|value| value == "1"),
    };
    let answer = match read(&app, request, deadline).await {
        Ok(request) => run(&app, context, &details, media_type, request, deadline).await,
        Err(refusal) => *refusal,
    };
    details.errors(answer.errors());
    answer.into_response(media_type)
}

async fn run(
    app: &App,
    context: RequestContext,
    details: &LogDetails,
    media_type: MediaType,
    request: GraphqlRequest,
    deadline: Instant,
) -> Answer {
    let scope = RequestScope::new(app.database.clone(), context);
    let _statements = details.watch(&scope);
    let limits = TimeLimit { deadline, whole: app.limits.request_timeout };
    let operation = |name: &str| details.operation(name);
    let execution = execute(&app.schema, &scope, request, limits, operation).await;
    let status = if execution.timed_out {
        StatusCode::GATEWAY_TIMEOUT
    } else if execution.executed || media_type == MediaType::Json {
        StatusCode::OK
    } else {
        StatusCode::BAD_REQUEST
    };
    Answer::new(status, execution.executed, execution.response)
}

/// Reads the operation, within the limits of size and time.
async fn read(app: &App, request: Request, deadline: Instant) -> Result<GraphqlRequest, Box<Answer>> {
    let (parts, body) = request.into_parts();
    let operation = if parts.method == Method::POST {
        check_content(&parts.headers)?;
        operation::from_body(&read_body(app, body, deadline).await?)
    } else {
        operation::from_address(parts.uri.query().unwrap_or_default())
    };
    operation.map_err(|error| refuse(StatusCode::BAD_REQUEST, error))
}

/// A body that says that it is too large is refused before it is sent, so to speak: clients that ask first
/// (`Expect: 100-continue`) need not send it at all.
async fn read_body(app: &App, body: Body, deadline: Instant) -> Result<Bytes, Box<Answer>> {
    if body.size_hint().lower() > u64::from(app.limits.max_body_bytes) {
        return Err(too_large(app));
    }
    let bytes = axum::body::to_bytes(body, app.limits.max_body_bytes as usize);
    let bytes = tokio::time::timeout_at(deadline, bytes).await.map_err(|_| too_slow())?;
    bytes.map_err(|error| unreadable_body(app, &error))
}

fn check_content(headers: &HeaderMap) -> Result<(), Box<Answer>> {
    let unsupported = |message: String| {
        let error = request_error(ErrorCode::BadUserInput, message);
        Err(refuse(StatusCode::UNSUPPORTED_MEDIA_TYPE, error))
    };
    let given = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("nothing");
    let (essence, parameters) = given.split_once(';').unwrap_or((given, ""));
    if !essence.trim().eq_ignore_ascii_case("application/json") {
        let essence = shortened(essence.trim(), LONGEST_SHOWN);
        return unsupported(format!("the content type must be application/json, not «{}»", essence.escape_default()));
    }
    let charset = parameters
        .split(';')
        .filter_map(|parameter| parameter.split_once('='))
        .find_map(|(name, value)| name.trim().eq_ignore_ascii_case("charset").then(|| value.trim().trim_matches('"')));
    let is_utf8 = |charset: &str| ["utf-8", "utf8"].iter().any(|name| charset.eq_ignore_ascii_case(name));
    if let Some(charset) = charset.filter(|charset| !is_utf8(charset)) {
        let charset = shortened(charset, LONGEST_SHOWN);
        return unsupported(format!(
            "the charset must be utf-8, as always in JSON, not «{}»",
            charset.escape_default()
        ));
    }
    let mut encodings = headers.get_all(CONTENT_ENCODING).iter();
    if encodings.any(|value| !value.as_bytes().eq_ignore_ascii_case(b"identity")) {
        return unsupported("the body must not be compressed: send it without Content-Encoding".to_owned());
    }
    Ok(())
}

fn too_slow() -> Box<Answer> {
    let error = request_error(ErrorCode::Timeout, "the body of the request did not arrive in time");
    Box::new(Answer::refusal(StatusCode::REQUEST_TIMEOUT, error).closing())
}

fn too_large(app: &App) -> Box<Answer> {
    let message = format!("the body of the request is larger than {} bytes", app.limits.max_body_bytes);
    let mut error = request_error(ErrorCode::LimitExceeded, message);
    let extensions = error.extensions.get_or_insert_default();
    // How large it is, nobody has looked.
    extensions.set("limitName", "maxBodyBytes");
    extensions.set("limit", app.limits.max_body_bytes);
    Box::new(Answer::refusal(StatusCode::PAYLOAD_TOO_LARGE, error).closing())
}

fn unreadable_body(app: &App, error: &axum::Error) -> Box<Answer> {
    let mut cause = Some(error as &dyn std::error::Error);
    while let Some(error) = cause {
        if error.is::<http_body_util::LengthLimitError>() {
            return too_large(app);
        }
        cause = error.source();
    }
    let error = request_error(ErrorCode::BadUserInput, "the body of the request could not be read to its end");
    Box::new(Answer::refusal(StatusCode::BAD_REQUEST, error).closing())
}

fn refuse(status: StatusCode, error: ServerError) -> Box<Answer> {
    Box::new(Answer::refusal(status, error))
}
