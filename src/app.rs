//! What every request handler shares.

use std::sync::Arc;

use tokio::sync::Semaphore;

use crate::admission::{Admission, AdmissionSettings};
use crate::auth::Authenticator;
use crate::cache::Cache;
use crate::config::Settings;
use crate::db::Database;
use crate::domain::Principal;
use crate::graphql::{Audience, Schema, ServiceLimits};
use crate::http::{Origins, Proxies};
use crate::telemetry::TraceSettings;

/// How many requests with larger bodies than most may have are worked on at a time; others wait.
const BULK_BODIES: usize = 4;

/// The running application.
#[derive(Clone)]
pub struct App {
    /// The store.
    pub database: Database,
    /// What finds out who sent a request.
    pub authenticator: Arc<Authenticator>,
    /// What remembers what the database returned, if anything does.
    pub cache: Option<Arc<Cache>>,
    /// The schema.
    pub schema: Schema,
    /// What bounds a request.
    pub limits: ServiceLimits,
    /// Places for requests with larger bodies than most may have: there is memory for so many at a time.
    pub bulk_bodies: Arc<Semaphore>,
    /// Whether `/` is the explorer.
    pub explorer: bool,
    /// Whom the explorer is for.
    pub explorer_access: Audience,
    /// Whether requests may call the server by any name though nobody is asked for a credential.
    pub trusts_every_host: bool,
    /// Which proxies are believed.
    pub proxies: Arc<Proxies>,
    /// The pages elsewhere that may ask, if any may.
    pub origins: Option<Origins>,
    /// What lets requests in.
    pub admission: Arc<Admission>,
    /// What of a request goes into its trace.
    pub tracing: TraceSettings,
}

impl App {
    /// The application over a store.
    #[must_use]
    pub fn new(database: Database, settings: &Settings) -> Self {
        let app = Self {
            explorer: settings.explorer,
            explorer_access: settings.explorer_access,
            trusts_every_host: settings.insecure,
            proxies: Arc::new(settings.proxies()),
            origins: settings.cors_origins.clone(),
            admission: Arc::new(Admission::new(&settings.admission(), None)),
            ..Self::with_limits(database, settings.limits())
        };
        app.with_tracing(settings.tracing())
    }

    /// The application over a store, with these limits and the explorer. Everybody is let in, and everybody is the administrator `local`.
    #[must_use]
    pub fn with_limits(database: Database, limits: ServiceLimits) -> Self {
        let bulk_bodies = Arc::new(Semaphore::new(BULK_BODIES));
        let authenticator = Arc::new(Authenticator::everybody(Principal::local()));
        Self {
            database,
            authenticator,
            cache: None,
            schema: Schema::new(limits),
            limits,
            bulk_bodies,
            explorer: true,
            explorer_access: Audience::Everybody,
            trusts_every_host: false,
            proxies: Arc::new(Proxies::NONE),
            origins: None,
            admission: Arc::new(Admission::new(&AdmissionSettings::NONE, None)),
            tracing: TraceSettings::default(),
        }
    }

    /// The same application, which lets in whom `admission` does.
    #[must_use]
    pub fn with_admission(self, admission: Admission) -> Self {
        Self { admission: Arc::new(admission), ..self }
    }

    /// The same application, for those whom `authenticator` knows.
    #[must_use]
    pub fn with_authenticator(self, authenticator: Arc<Authenticator>) -> Self {
        Self { authenticator, ..self }
    }

    /// The same application, where this of a request goes into its trace.
    #[must_use]
    pub fn with_tracing(self, tracing: TraceSettings) -> Self {
        Self { schema: self.schema.tracing_all_resolvers(tracing.all_resolvers), tracing, ..self }
    }

    /// The same application with a cache.
    #[must_use]
    pub fn with_cache(self, cache: Option<Arc<Cache>>) -> Self {
        Self { cache, ..self }
    }
}
