//! HTTP: routes, and what holds for every request.

mod graphql;
mod health;
mod negotiation;
mod request_log;

use std::any::Any;
use std::io;
use std::time::Duration;

use axum::Router;
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::get;
use axum::serve::ListenerExt as _;
use tokio::net::TcpListener;
use tower_http::catch_panic::CatchPanicLayer;

use crate::app::App;
use crate::graphql::{ErrorCode, request_error};
use negotiation::{Answer, MediaType};

/// Every route, and every layer in its order.
pub fn router(app: App) -> Router {
    Router::new()
        .route("/", get(welcome))
        .route("/graphql", get(graphql::get_query).post(graphql::post))
        .route("/health/live", get(health::live))
        .route("/health/ready", get(health::ready))
        .with_state(app)
        .layer(CatchPanicLayer::custom(after_panic))
        .layer(axum::middleware::from_fn(request_log::log_request))
}

/// Serves until `shutdown` is ready, and lets requests go on for `patience` after that.
///
/// # Errors
/// When the listener fails.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    shutdown: impl Future<Output = ()> + Send + 'static,
    patience: Duration,
) -> io::Result<()> {
    // Answers are written in one piece: waiting for more to send only delays them.
    let listener = listener.tap_io(|stream| {
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "a socket keeps its delay");
        }
    });
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let signal = async move {
        shutdown.await;
        let _ = stop.send(());
    };
    let server = axum::serve(listener, router).with_graceful_shutdown(signal);
    let out_of_patience = async move {
        if stopped.await.is_ok() {
            tokio::time::sleep(patience).await;
        } else {
            std::future::pending::<()>().await;
        }
    };
    tokio::select! {
        result = async { server.await } => result,
        () = out_of_patience => {
            tracing::warn!(patience_ms = patience.as_millis(), "requests were cut off at shutdown");
            Ok(())
        }
    }
}

async fn welcome() -> &'static str {
    "evalgraph: send GraphQL requests to /graphql\n"
}

/// A panic is a defect: the cause goes to the log, and the client gets an answer of the usual form.
fn after_panic(panic: Box<dyn Any + Send + 'static>) -> Response {
    let cause = panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("unknown");
    tracing::error!(cause, "a request handler panicked");
    let error = request_error(ErrorCode::Internal, "internal error");
    Answer::refusal(StatusCode::INTERNAL_SERVER_ERROR, error).into_response(MediaType::GraphqlResponse)
}
