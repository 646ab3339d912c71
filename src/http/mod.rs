//! HTTP: routes, and what holds for every request.

pub mod admin;
mod admission;
mod authentication;
mod body;
mod client_address;
mod cors;
mod cross_site;
mod explorer;
mod graphql;
mod health;
mod host;
mod json;
mod negotiation;
mod operation;
mod proxies;
mod request_log;
mod security_headers;
mod serve;

use axum::Router;
use axum::http::StatusCode;
use axum::middleware;
use axum::response::Response;
use axum::routing::get;

use self::negotiation::{Answer, MediaType};
use crate::app::App;
use crate::graphql::{ErrorCode, request_error};

pub use client_address::ClientAddress;
pub use cors::{BadOrigin, Origins};
pub use proxies::{BadNetwork, Networks, Proxies, ProxyHeader};
pub use serve::{ConnectionLimits, serve};

/// Every route, and every layer in its order.
pub fn router(app: App) -> Router {
    let authenticated = middleware::from_fn_with_state(app.clone(), authentication::authenticate);
    let attempts = middleware::from_fn_with_state(app.clone(), admission::limit_attempts);
    let operations = get(graphql::answer)
        .post(graphql::answer)
        .layer(middleware::from_fn_with_state(app.clone(), host::guard))
        .layer(authenticated)
        .layer(attempts)
        .layer(middleware::from_fn(cross_site::guard));
    let routes = if app.explorer {
        explorer::routes(app.clone())
            .route("/graphql", operations.layer(middleware::from_fn(explorer::redirect_people)))
    } else {
        Router::new().route("/", get(welcome)).route("/graphql", operations)
    };
    let tracing = app.tracing.clone();
    let routes = routes
        .route("/health/live", get(health::live))
        .route("/health/ready", get(health::ready))
        .fallback(nothing_here)
        .method_not_allowed_fallback(wrong_method)
        .with_state(app.clone());
    let routes = match &app.origins {
        Some(origins) => routes.layer(cors::layer(origins)),
        None => routes,
    };
    routes
        .layer(middleware::from_fn_with_state(tracing, request_log::log_request))
        .layer(middleware::from_fn_with_state(app, client_address::find))
        .layer(middleware::from_fn(security_headers::add))
}

async fn welcome() -> &'static str {
    "evalgraph: send GraphQL requests to /graphql\n"
}

async fn nothing_here() -> Response {
    let error = request_error(ErrorCode::NotFound, "there is nothing at this address: GraphQL is at /graphql");
    Answer::refusal(StatusCode::NOT_FOUND, error).into_response(MediaType::Json)
}

/// The header `Allow` tells which methods there are.
async fn wrong_method() -> Response {
    let error = request_error(ErrorCode::BadUserInput, "this address does not know the method of the request");
    Answer::refusal(StatusCode::METHOD_NOT_ALLOWED, error).into_response(MediaType::Json)
}
