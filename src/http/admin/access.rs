//! Who may use the operators' listener.

use std::net::SocketAddr;

use axum::extract::{Request, State};
use axum::http::header::ORIGIN;
use axum::http::{Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

use super::Admin;
use crate::auth::AuthError;
use crate::domain::{Credential, Principal, TokenScope};
use crate::http::host;

/// Who reaches the listener.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// This machine alone.
    ThisMachine,
    /// Others too.
    Network,
}

impl Reach {
    /// Who reaches a listener at this address.
    #[must_use]
    pub fn of(address: SocketAddr) -> Self {
        if address.ip().is_loopback() { Self::ThisMachine } else { Self::Network }
    }
}

/// Why somebody may not pass.
type Refusal = (StatusCode, String);

/// Lets administrators through. While nobody is asked for a credential, whoever is on this machine is one.
pub async fn check(State(admin): State<Admin>, request: Request, next: Next) -> Response {
    let principal = admin.app.authenticator.authenticate(request.headers()).await;
    match principal.map_err(unknown).and_then(|principal| admit(&principal, admin.reach, &request)) {
        Ok(()) => next.run(request).await,
        Err(refusal) => refusal.into_response(),
    }
}

fn unknown(error: AuthError) -> Refusal {
    let status = match error {
        AuthError::Missing | AuthError::Refused(_) => StatusCode::UNAUTHORIZED,
        AuthError::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
    };
    (status, format!("{error}\n"))
}

fn admit(principal: &Principal, reach: Reach, request: &Request) -> Result<(), Refusal> {
    let forbidden = |reason: &str| Err((StatusCode::FORBIDDEN, format!("{reason}\n")));
    if !principal.is_admin || !principal.scopes.contains(TokenScope::Admin) {
        return forbidden("this is for administrators: use a credential of one");
    }
    // Browsers send it with everything that is not only for reading, and may send passwords that they have kept.
    let changes = !matches!(*request.method(), Method::GET | Method::HEAD);
    if changes && request.headers().contains_key(ORIGIN) {
        return forbidden("nothing is changed for a page in a browser");
    }
    if principal.credential != Credential::Local {
        return Ok(());
    }
    if reach == Reach::Network {
        return forbidden("without authentication, this is told and done at an address of this machine alone");
    }
    if !host::is_of_this_machine(request) {
        return forbidden("the header Host must have the address of this machine or localhost: no other is trusted");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::http::header::HOST;

    use super::*;
    use crate::domain::Scopes;

    #[test]
    fn administrators_may_come_from_elsewhere_and_nobody_else() {
        let request = |host: &str| Request::builder().header(HOST, host).body(Body::empty()).unwrap();
        let (here, elsewhere) = (request("127.0.0.1:1"), request("evalgraph-1:9464"));
        let admin = || Principal::user("ada").with(Scopes::ALL, Credential::Jwt);
        assert!(admit(&admin(), Reach::Network, &elsewhere).is_ok());
        assert!(admit(&Principal::local(), Reach::ThisMachine, &here).is_ok());
        assert!(admit(&Principal::local(), Reach::ThisMachine, &elsewhere).is_err());
        assert!(admit(&Principal::local(), Reach::Network, &here).is_err());
        assert!(admit(&Principal::user("eve"), Reach::ThisMachine, &here).is_err());
        // An administrator's token for something less is for that alone.
        let reading = Principal { scopes: Scopes::of([TokenScope::Read]), ..admin() };
        assert!(admit(&reading, Reach::Network, &here).is_err());
    }

    #[test]
    fn the_address_tells_who_reaches_it() {
        for address in ["127.0.0.1:1", "127.9.9.9:1", "[::1]:1"] {
            assert_eq!(Reach::of(address.parse().unwrap()), Reach::ThisMachine, "{address}");
        }
        for address in ["0.0.0.0:1", "[::]:1", "10.0.0.1:1"] {
            assert_eq!(Reach::of(address.parse().unwrap()), Reach::Network, "{address}");
        }
    }
}
