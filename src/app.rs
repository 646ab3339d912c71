//! What every request handler shares.

use crate::config::Settings;
use crate::db::Database;
use crate::graphql::{Schema, ServiceLimits};

/// The running application.
#[derive(Clone)]
pub struct App {
    /// The store.
    pub database: Database,
    /// The schema.
    pub schema: Schema,
    /// What bounds a request.
    pub limits: ServiceLimits,
    /// Whether `/` is the explorer.
    pub explorer: bool,
}

impl App {
    /// The application over a store.
    #[must_use]
    pub fn new(database: Database, settings: &Settings) -> Self {
        Self { explorer: settings.explorer, ..Self::with_limits(database, settings.limits()) }
    }

    /// The application over a store, with these limits and the explorer.
    #[must_use]
    pub fn with_limits(database: Database, limits: ServiceLimits) -> Self {
        Self { database, schema: Schema::new(limits), limits, explorer: true }
    }
}
