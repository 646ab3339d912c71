//! GraphQL over HTTP.

use std::sync::Arc;

use async_graphql::{Request as GraphqlRequest, ServerError};
use axum::Extension;
use axum::extract::{Request, State};
use axum::http::header::{ALLOW, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, USER_AGENT};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::response::Response;
use tokio::time::Instant;

use super::ClientAddress;
use super::admission::{Purse, no_place};
use super::body::{self, BulkPlace, ReadBody};
use super::negotiation::{Answer, MediaType};
use super::operation;
use super::request_log::{LONGEST_SHOWN, LogDetails, RequestId};
use crate::admission::Place;
use crate::app::App;
use crate::domain::{Client, Credential, Principal, shortened};
use crate::graphql::{
    Ending, ErrorCode, REQUEST_COST, RequestContext, RequestScope, TimeLimit, Toll as _, Unpaid, execute, request_error,
};
use crate::telemetry::{self, RequestTrace};

/// A request with this header set to `1` is told what its operation cost.
const EXPLAIN: &str = "x-evalgraph-explain";

/// What clients say that they are is cut to so many characters: browsers use some 120.
const LONGEST_USER_AGENT: usize = 200;

/// Answers an operation, which is in the body of a POST request or in the query string of a GET request.
pub async fn answer(
    State(app): State<App>,
    Extension(principal): Extension<Principal>,
    Extension(request_id): Extension<RequestId>,
    Extension(details): Extension<LogDetails>,
    trace: Option<Extension<RequestTrace>>,
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
        principal,
        api_tokens: app.authenticator.api_tokens().cloned(),
        request_id: request_id.0,
        client: client(&request),
        explain: request.headers().get(EXPLAIN).is_some_and(|value| value == "1"),
        // What is asked for in an address may be asked for again, or by a page that the user did not mean to trust.
        may_write: request.method() == Method::POST,
    };
    let cache = app.cache.clone().filter(|_| !wants_no_cache(request.headers()));
    let principal = context.principal.clone();
    let purse = Purse::new(&app, &principal, request.extensions().get().copied());
    let demanded = trace.and_then(|Extension(trace)| trace.demanded(principal.is_admin));
    let answered = async {
        match admit(&app, &principal, &purse, request, deadline).await {
            Ok(Admitted { request, _place, _bulk }) => {
                let scope = RequestScope::new(app.database.clone(), cache, context);
                run(&app, &scope, &details, media_type, &purse, request, deadline).await
            }
            Err(refusal) => *refusal,
        }
    };
    let answer = telemetry::at(demanded, answered).await;
    details.errors(answer.errors());
    let mut response = answer.into_response(media_type);
    purse.tell(response.headers_mut());
    if response.status() == StatusCode::METHOD_NOT_ALLOWED {
        response.headers_mut().insert(ALLOW, HeaderValue::from_static("POST"));
    }
    response
}

/// A request that is worked on, with the places that it takes up until it is answered.
struct Admitted {
    request: GraphqlRequest,
    _place: Place,
    _bulk: Option<BulkPlace>,
}

/// Reads a request and finds a place for it. In an overload it is refused before it is read. No place is kept for a body that
/// is still arriving: clients may take their time.
async fn admit(
    app: &App,
    principal: &Principal,
    purse: &Purse<'_>,
    request: Request,
    deadline: Instant,
) -> Result<Admitted, Box<Answer>> {
    app.admission.in_flight.look().map_err(no_place)?;
    let (request, bulk) = match read(app, request, deadline).await {
        Ok(read) => read,
        // What cannot be read costs something, too.
        Err(refusal) => {
            return Err(purse
                .pay(REQUEST_COST)
                .await
                .map_or_else(|unpaid| Box::new(answer_unpaid(*unpaid)), |()| refusal));
        }
    };
    // Without authentication, nobody can be told from anybody.
    let told_apart = (principal.credential != Credential::Local).then_some(&principal.user_id);
    let place = app.admission.in_flight.enter(told_apart, deadline).await.map_err(no_place)?;
    Ok(Admitted { request, _place: place, _bulk: bulk })
}

fn answer_unpaid(Unpaid { error, ending }: Unpaid) -> Answer {
    told_when_to_return(Answer::refusal(StatusCode::TOO_MANY_REQUESTS, error), ending)
}

fn told_when_to_return(answer: Answer, ending: Ending) -> Answer {
    match ending {
        Ending::RateLimited { retry_after } => answer.retry_after(retry_after),
        _ => answer,
    }
}

/// What is known of who sent the request.
fn client(request: &Request) -> Client {
    // No browser and no library calls itself something that is not ASCII.
    let user_agent = request.headers().get(USER_AGENT).and_then(|value| value.to_str().ok());
    let address = request.extensions().get::<ClientAddress>().map(|address| address.0);
    Client { address, user_agent: user_agent.map(|name| shortened(name, LONGEST_USER_AGENT).into()) }
}

/// Whether the client wants to have everything from the database (RFC 9111, section 5.2.1.4).
fn wants_no_cache(headers: &HeaderMap) -> bool {
    let directives = headers.get_all(CACHE_CONTROL).iter().filter_map(|value| value.to_str().ok());
    directives.flat_map(|value| value.split(',')).any(|directive| {
        let name = directive.split('=').next().unwrap_or(directive).trim();
        name.eq_ignore_ascii_case("no-cache") || name.eq_ignore_ascii_case("no-store")
    })
}

async fn run(
    app: &App,
    scope: &Arc<RequestScope>,
    details: &LogDetails,
    media_type: MediaType,
    purse: &Purse<'_>,
    request: GraphqlRequest,
    deadline: Instant,
) -> Answer {
    let _watch = details.watch(scope);
    let limits = TimeLimit { deadline, whole: app.limits.request_timeout };
    let operation = |name: &str| details.operation(name);
    let execution = execute(&app.schema, scope, request, limits, purse, operation).await;
    let status = match execution.ending {
        Ending::TimedOut => StatusCode::GATEWAY_TIMEOUT,
        Ending::MustNotWrite => StatusCode::METHOD_NOT_ALLOWED,
        Ending::RateLimited { .. } => StatusCode::TOO_MANY_REQUESTS,
        Ending::Forbidden => StatusCode::FORBIDDEN,
        Ending::Refused if media_type != MediaType::Json => StatusCode::BAD_REQUEST,
        Ending::Refused | Ending::Executed => StatusCode::OK,
    };
    let is_executed = execution.is_executed();
    told_when_to_return(Answer::new(status, is_executed, execution.response), execution.ending)
}

/// Reads the operation, within the limits of size and time.
async fn read(
    app: &App,
    request: Request,
    deadline: Instant,
) -> Result<(GraphqlRequest, Option<BulkPlace>), Box<Answer>> {
    let (parts, body) = request.into_parts();
    if parts.method != Method::POST {
        let request = operation::from_address(parts.uri.query().unwrap_or_default());
        return request.map(|request| (request, None)).map_err(|error| refuse(StatusCode::BAD_REQUEST, error));
    }
    check_content(&parts.headers)?;
    let ReadBody { bytes, place } = body::read(app, body, deadline).await?;
    let request = operation::from_body(&bytes);
    // What may be so large is known only now.
    if place.is_some() && !request.as_ref().is_ok_and(|request| app.schema.is_bulk(request)) {
        return Err(body::too_large("maxBodyBytes", app.limits.max_body_bytes));
    }
    request.map(|request| (request, place)).map_err(|error| refuse(StatusCode::BAD_REQUEST, error))
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

pub(super) fn refuse(status: StatusCode, error: ServerError) -> Box<Answer> {
    Box::new(Answer::refusal(status, error))
}
