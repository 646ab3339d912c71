//! Whose request it is, as far as the network tells.

use std::net::IpAddr;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;

use crate::app::App;

/// The address of the client that a request comes from: that of the other end of the connection, or what a proxy that is
/// believed says of it. An IPv4 address is one, whichever way it was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ClientAddress(pub IpAddr);

/// The address at the other end of the connection.
#[derive(Debug, Clone, Copy)]
pub(super) struct PeerAddress(pub IpAddr);

/// Tells everything that follows where the request comes from.
pub(super) async fn find(State(app): State<App>, mut request: Request, next: Next) -> Response {
    if let Some(PeerAddress(peer)) = request.extensions().get().copied() {
        let client = app.proxies.client(peer, request.headers());
        request.extensions_mut().insert(ClientAddress(client));
    }
    next.run(request).await
}
