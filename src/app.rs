//! What every request handler shares.

use std::time::Duration;

use crate::config::Settings;
use crate::db::Database;
use crate::graphql::{Schema, schema};

/// The running application.
#[derive(Clone)]
pub struct App {
    /// The store.
    pub database: Database,
    /// The schema.
    pub schema: Schema,
    /// How long a request may take.
    pub request_timeout: Duration,
    /// How large the body of a request may be.
    pub max_body_bytes: usize,
}

impl App {
    /// The application over a store.
    #[must_use]
    pub fn new(database: Database, settings: &Settings) -> Self {
        Self {
            database,
            schema: schema(settings.query_limits()),
            request_timeout: settings.request_timeout(),
            max_body_bytes: settings.max_body_bytes.get() as usize,
        }
    }
}
