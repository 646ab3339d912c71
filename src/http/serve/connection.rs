//! One connection, from its first byte to its last.

use std::net::IpAddr;
use std::time::Duration;

use axum::Router;
use hyper::body::Incoming;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::Instant;

use super::super::client_address::PeerAddress;
use super::ConnectionLimits;
use super::activity::Activity;
use super::socket::Socket;
use super::watched_body::WatchedBody;

/// How large the head of a request may be: an address as long as any, and much room for cookies. What is larger is
/// answered with 431.
const MOST_HEAD_BYTES: usize = 128 << 10;
/// The same with HTTP/2, as most servers have it.
const MOST_HEADER_LIST_BYTES: u32 = 64 << 10;
/// How many requests may be worked on at a time on one connection of HTTP/2.
const MOST_STREAMS: u32 = 200;
/// How often, and for how long, a silent client of HTTP/2 is asked whether it is still there.
const PING_INTERVAL: Duration = Duration::from_secs(30);
const PING_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a connection that should end may take to do so by itself.
const FAREWELL: Duration = Duration::from_secs(1);

/// Serves a connection until either side ends it, the client keeps it without use, or the server stops.
pub async fn serve(
    stream: TcpStream,
    peer: IpAddr,
    router: Router,
    limits: ConnectionLimits,
    mut stopping: watch::Receiver<bool>,
) {
    let activity = Activity::new();
    let socket = TokioIo::new(Socket::new(stream, activity.clone(), limits.half_close_patience));
    let service = service(router, peer, activity.clone());
    let builder = builder();
    let mut connection = std::pin::pin!(builder.serve_connection_with_upgrades(socket, service));
    let ended_by_server = async {
        tokio::select! {
            () = of_no_use(&activity, &limits) => {}
            _ = stopping.wait_for(|stopping| *stopping) => {}
        }
    };
    tokio::select! {
        result = connection.as_mut() => return log_end(result),
        () = ended_by_server => connection.as_mut().graceful_shutdown(),
    }
    tokio::select! {
        result = connection.as_mut() => log_end(result),
        () = of_no_use_after_farewell(&activity, &limits) => tracing::debug!("a connection was given up"),
    }
}

fn builder() -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    // At most 100 header fields, as is usual with hyper: to set any number takes an allocation for each request.
    builder.http1().max_buf_size(MOST_HEAD_BYTES);
    builder
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(PING_INTERVAL)
        .keep_alive_timeout(PING_TIMEOUT)
        .max_concurrent_streams(MOST_STREAMS)
        .max_header_list_size(MOST_HEADER_LIST_BYTES);
    builder
}

/// The routes, with notes of when requests begin and end; requests know who sends them.
fn service(
    router: Router,
    peer: IpAddr,
    activity: Activity,
) -> impl hyper::service::Service<
    hyper::Request<Incoming>,
    Response = axum::response::Response,
    Error = std::convert::Infallible,
    Future: Send + 'static,
> {
    let router = TowerToHyperService::new(router);
    service_fn(move |mut request: hyper::Request<Incoming>| {
        request.extensions_mut().insert(PeerAddress(peer));
        let in_progress = activity.begin_request();
        let answer = router.call(request.map(|body| WatchedBody::new(body, activity.clone())));
        async move {
            let answer = answer.await;
            drop(in_progress);
            answer
        }
    })
}

/// Ready when the client has kept the connection without use for longer than it may.
async fn of_no_use(activity: &Activity, limits: &ConnectionLimits) {
    loop {
        let now = Instant::now();
        let due = activity.due(limits);
        if due.is_some_and(|due| due <= now) {
            return;
        }
        // What is due can come earlier than it was: a head begins to arrive on a connection that was silent.
        let look_again = now + limits.header_timeout;
        tokio::time::sleep_until(due.map_or(look_again, |due| due.min(look_again))).await;
    }
}

/// The same for a connection that was asked to end.
async fn of_no_use_after_farewell(activity: &Activity, limits: &ConnectionLimits) {
    tokio::time::sleep(FAREWELL).await;
    of_no_use(activity, limits).await;
}

/// What ends connections early are clients, and nobody is to be woken for them.
fn log_end(result: Result<(), Box<dyn std::error::Error + Send + Sync>>) {
    if let Err(error) = result {
        tracing::debug!(error, "a connection broke");
    }
}
