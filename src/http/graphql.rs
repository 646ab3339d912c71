//! GraphQL over HTTP.

use async_graphql::{ParseRequestError, Request as GraphqlRequest, ServerError};
use async_graphql_axum::GraphQLRequest;
use async_graphql_axum::rejection::GraphQLRejection;
use axum::Extension;
use axum::body::Body;
use axum::extract::{FromRequest as _, Request, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use tokio::time::Instant;

use super::negotiation::{Answer, MediaType};
use super::request_log::{LogDetails, RequestId};
use crate::app::App;
use crate::domain::Principal;
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
        return Answer::refusal(StatusCode::NOT_ACCEPTABLE, error).into_response(MediaType::GraphqlResponse);
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
    details.errors(execution.response.errors.len());
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
    let body = if parts.method == axum::http::Method::POST {
        check_content_type(&parts.headers)?;
        let bytes = axum::body::to_bytes(body, app.limits.max_body_bytes as usize);
        let bytes = tokio::time::timeout_at(deadline, bytes).await.map_err(|_| too_slow())?;
        Body::from(bytes.map_err(|error| unreadable_body(app, &error))?)
    } else {
        Body::empty()
    };
    let request = GraphQLRequest::<GraphQLRejection>::from_request(Request::from_parts(parts, body), &())
        .await
        .map_err(|GraphQLRejection(error)| not_a_request(&error))?
        .into_inner();
    if request.query.trim().is_empty() {
        let error = request_error(ErrorCode::BadUserInput, "the request has no `query`, or an empty one");
        return Err(refuse(StatusCode::BAD_REQUEST, error));
    }
    Ok(request)
}

fn check_content_type(headers: &HeaderMap) -> Result<(), Box<Answer>> {
    let given = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("nothing");
    let essence = given.split(';').next().unwrap_or_default().trim();
    if essence.eq_ignore_ascii_case("application/json") {
        return Ok(());
    }
    let message = format!("the content type must be application/json, not «{}»", essence.escape_default());
    Err(refuse(StatusCode::UNSUPPORTED_MEDIA_TYPE, request_error(ErrorCode::BadUserInput, message)))
}

fn too_slow() -> Box<Answer> {
    let error = request_error(ErrorCode::Timeout, "the body of the request did not arrive in time");
    refuse(StatusCode::REQUEST_TIMEOUT, error)
}

fn unreadable_body(app: &App, error: &axum::Error) -> Box<Answer> {
    let mut cause = Some(error as &dyn std::error::Error);
    while let Some(error) = cause {
        if error.is::<http_body_util::LengthLimitError>() {
            let message = format!("the body of the request is larger than {} bytes", app.limits.max_body_bytes);
            let error = request_error(ErrorCode::LimitExceeded, message);
            return refuse(StatusCode::PAYLOAD_TOO_LARGE, error);
        }
        cause = error.source();
    }
    let error = request_error(ErrorCode::BadUserInput, "the body of the request could not be read to its end");
    refuse(StatusCode::BAD_REQUEST, error)
}

fn not_a_request(error: &ParseRequestError) -> Box<Answer> {
    let message = match error {
        ParseRequestError::InvalidRequest(cause) => {
            format!("the body must be a JSON object with the text `query`: {cause}")
        }
        ParseRequestError::UnsupportedBatch => "a request must be one operation, not a list of them".to_owned(),
        other => format!("this is not a GraphQL request: {other}"),
    };
    refuse(StatusCode::BAD_REQUEST, request_error(ErrorCode::BadUserInput, message))
}

fn refuse(status: StatusCode, error: ServerError) -> Box<Answer> {
    Box::new(Answer::refusal(status, error))
}
