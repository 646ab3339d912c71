//! What somebody does, and by which way it came.

use std::borrow::Cow;
use std::net::IpAddr;
use std::sync::Arc;

use super::Principal;

/// Something that changes the store: what the audit log says of it beside the objects.
#[derive(Debug, Clone)]
pub struct Deed {
    /// Who does it.
    pub principal: Principal,
    /// What is done: the field of a mutation, or a command.
    pub action: Cow<'static, str>,
    /// By which way it came.
    pub origin: Origin,
}

impl Deed {
    /// What the user does with a command, on a machine with the database.
    #[must_use]
    pub fn command(action: &'static str, user_id: &str) -> Self {
        // Whoever can reach the database can do everything.
        let principal = Principal { user_id: user_id.into(), ..Principal::local() };
        Self { principal, action: Cow::Borrowed(action), origin: Origin::Command }
    }
}

/// By which way something came.
#[derive(Debug, Clone)]
pub enum Origin {
    /// By a request.
    Request {
        /// The request's id.
        id: Arc<str>,
        /// Who sent it.
        client: Client,
    },
    /// By a command.
    Command,
}

/// What is known of a program that sends requests.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Client {
    /// Its address, where a connection or a proxy that is believed tells.
    pub address: Option<IpAddr>,
    /// What it says that it is, cut off where that is long.
    pub user_agent: Option<Arc<str>>,
}
