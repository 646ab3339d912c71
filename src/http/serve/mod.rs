//! Connections: accepted up to a limit, watched while they live, and ended with the server.

mod activity;
mod connection;
mod socket;
mod watched_body;

use std::io::ErrorKind;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::Instant;

/// How long to wait when the system cannot give out another connection: until others have ended.
const ACCEPT_PAUSE: Duration = Duration::from_millis(500);
/// How often the log tells that all connections are in use.
const SATURATION_LOG_INTERVAL: Duration = Duration::from_secs(60);

/// What clients may do with their connections.
#[derive(Debug, Clone, Copy)]
pub struct ConnectionLimits {
    /// How long the head of a request may take to arrive, from its first byte; a new connection's from the beginning.
    pub header_timeout: Duration,
    /// How long a connection may be silent while no request is being worked on.
    pub idle_timeout: Duration,
    /// How long work goes on for a client that has closed its side. It may have left, or have closed only that side and
    /// wait for the answer: TCP does not tell which.
    pub half_close_patience: Duration,
    /// How many connections are served at a time; the system keeps some more waiting.
    pub most: usize,
    /// How long requests may go on after the signal to stop.
    pub shutdown: Duration,
}

/// Serves until `shutdown` is ready. Requests in progress may go on for a while after that, then they are cut off.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    limits: ConnectionLimits,
    shutdown: impl Future<Output = ()> + Send + 'static,
) {
    let mut accepting = Accepting::new(listener, limits.most);
    let (stop, stopping) = watch::channel(false);
    let mut connections = JoinSet::new();
    let mut shutdown = std::pin::pin!(shutdown);
    loop {
        tokio::select! {
            (stream, peer, slot) = accepting.next() => {
                let served = connection::serve(stream, peer, router.clone(), limits, stopping.clone());
                connections.spawn(async move {
                    served.await;
                    drop(slot);
                });
            }
            Some(ended) = connections.join_next(), if !connections.is_empty() => log_panic(ended),
            () = &mut shutdown => break,
        }
    }
    // The port is free for the next process while this one finishes.
    drop(accepting);
    stop.send_replace(true);
    let finished = async {
        while let Some(ended) = connections.join_next().await {
            log_panic(ended);
        }
    };
    if tokio::time::timeout(limits.shutdown, finished).await.is_err() {
        let patience_ms = limits.shutdown.as_millis();
        tracing::warn!(connections = connections.len(), patience_ms, "requests were cut off at shutdown");
        connections.shutdown().await;
    }
}

fn log_panic(ended: Result<(), tokio::task::JoinError>) {
    if let Err(error) = ended
        && error.is_panic()
    {
        tracing::error!(%error, "a connection was lost to a defect");
    }
}

/// New connections, as long as there is a slot for them.
struct Accepting {
    listener: TcpListener,
    slots: Arc<Semaphore>,
    most: usize,
    saturation_logged: Option<Instant>,
}

impl Accepting {
    fn new(listener: TcpListener, most: usize) -> Self {
        let slots = Arc::new(Semaphore::new(most.min(Semaphore::MAX_PERMITS)));
        Self { listener, slots, most, saturation_logged: None }
    }

    /// The next connection, which keeps its slot until it ends. Nothing is lost when the future is dropped.
    async fn next(&mut self) -> (TcpStream, IpAddr, OwnedSemaphorePermit) {
        self.log_saturation();
        loop {
            let Ok(slot) = Arc::clone(&self.slots).acquire_owned().await else {
                // Nobody closes the semaphore.
                return std::future::pending().await;
            };
            match self.listener.accept().await {
                Ok((stream, peer)) => {
                    // Answers are written in one piece: waiting for more to send only delays them.
                    if let Err(error) = stream.set_nodelay(true) {
                        tracing::debug!(%error, "a socket keeps its delay");
                    }
                    return (stream, peer.ip(), slot);
                }
                Err(error) if is_the_clients(error.kind()) => {}
                // Most likely the process has no file descriptor left: accepting again at once would fail again.
                Err(error) => {
                    tracing::error!(%error, "no connection can be accepted for the moment");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }

    fn log_saturation(&mut self) {
        let is_due = |logged: Instant| logged.elapsed() >= SATURATION_LOG_INTERVAL;
        if self.slots.available_permits() == 0 && self.saturation_logged.is_none_or(is_due) {
            self.saturation_logged = Some(Instant::now());
            let max_connections = self.most;
            tracing::warn!(max_connections, "all connections are in use: new ones wait until others end");
        }
    }
}

/// The client left while it was waiting to be accepted.
fn is_the_clients(error: ErrorKind) -> bool {
    matches!(error, ErrorKind::ConnectionRefused | ErrorKind::ConnectionAborted | ErrorKind::ConnectionReset)
}
