//! HTTP: routes, and what holds for every request.

mod explorer;
mod graphql;
mod health;
mod negotiation;
mod request_log;

use std::io;
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use axum::serve::ListenerExt as _;
use tokio::net::TcpListener;

use crate::app::App;

/// Every route, and every layer in its order.
pub fn router(app: App) -> Router {
    let operations = get(graphql::answer).post(graphql::answer);
    let routes = if app.explorer {
        explorer::routes().route("/graphql", operations.layer(axum::middleware::from_fn(explorer::redirect_people)))
    } else {
        Router::new().route("/", get(welcome)).route("/graphql", operations)
    };
    routes
        .route("/health/live", get(health::live))
        .route("/health/ready", get(health::ready))
        .with_state(app)
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
