//! What the settings come to together: addresses, pools and limits, with what was not given filled in.

use std::io::IsTerminal as _;
use std::net::{Ipv4Addr, SocketAddr};
use std::num::{NonZeroU32, NonZeroUsize};
use std::time::Duration;

use super::error::SettingsError;
use super::secret::{Secret, SecretUrl};
use super::settings::{Environment, LogFormat, ProcessCache, Settings, SqliteSynchronous};
use crate::admission::{AdmissionSettings, Patience, Rate};
use crate::auth::AuthSettings;
use crate::auth::jwt::{ClaimRules, IssuerSettings, JwtSettings};
use crate::cache::redis::RedisSettings;
use crate::cache::{CacheSettings, Lifetimes};
use crate::db::pool::{DatabaseLocation, LOCK_WAIT, PoolSettings};
use crate::graphql::{PageLimits, QueryLimits, ServiceLimits};
use crate::http::{ConnectionLimits, Proxies};
use crate::telemetry::TraceSettings;
use crate::telemetry::metrics::MetricsSettings;
use crate::telemetry::slow::SlowSettings;

/// How many operators and scrapers may be connected at a time.
const MOST_ADMIN_CONNECTIONS: usize = 64;
/// How many requests are worked on at a time for each processor: so many keep it busy while some wait for the database.
const IN_FLIGHT_PER_PROCESSOR: u32 = 3;

impl Settings {
    /// The address to serve on.
    #[must_use]
    pub fn listen_address(&self) -> SocketAddr {
        self.listen.unwrap_or_else(|| (Ipv4Addr::LOCALHOST, self.port).into())
    }

    /// How log lines look.
    #[must_use]
    pub fn log_format(&self) -> LogFormat {
        self.log_format.unwrap_or_else(|| match self.env {
            Environment::Production if !std::io::stderr().is_terminal() => LogFormat::Json,
            _ => LogFormat::Text,
        })
    }

    /// Where the data is.
    ///
    /// # Errors
    /// When the URL is of an unknown kind.
    pub fn database(&self) -> Result<DatabaseLocation, SettingsError> {
        // An empty flag is one that is not given, like an empty variable.
        let given = self.database_url.as_ref().map(SecretUrl::expose).filter(|url| !url.is_empty());
        let Some(url) = given else {
            return Ok(DatabaseLocation::Sqlite(self.data_dir.join("evalgraph.db")));
        };
        match url.split_once(':') {
            Some(("postgres" | "postgresql", _)) => Ok(DatabaseLocation::Postgres(url.to_owned())),
            Some(("sqlite", path)) => sqlite_file(path.strip_prefix("//").unwrap_or(path)),
            // Nothing of it is shown: it may contain a password.
            _ => Err(SettingsError::DatabaseUrl("must begin with postgres:// or sqlite:")),
        }
    }

    /// How long a request may take.
    #[must_use]
    pub fn request_timeout(&self) -> Duration {
        Duration::from_millis(self.request_timeout_ms)
    }

    /// What counts as a credential.
    ///
    /// # Errors
    /// When what belongs together does not fit.
    pub fn authentication(&self) -> Result<AuthSettings, SettingsError> {
        let secret = secret_text(&self.auth_jwt_secret);
        let issuers = self.issuers()?;
        let jwt = (secret.is_some() || !issuers.is_empty()).then(|| JwtSettings {
            issuers,
            secret,
            names: listed(&self.auth_issuer),
            audience: listed(&self.auth_audience),
            skew: Duration::from_secs(self.auth_clock_skew_s),
            rules: ClaimRules {
                user: self.auth_user_claim.clone(),
                admin: given(&self.auth_admin_claim).map(|claim| (claim, self.auth_admin_value.clone())),
                scopes: given(&self.auth_scope_claim),
            },
            refresh: Duration::from_secs(self.auth_jwks_refresh_s),
            // However many tokens name keys that nobody has: an issuer that publishes a new one is in no greater hurry.
            least_refresh: Duration::from_secs(10),
            timeout: Duration::from_millis(self.auth_jwks_timeout_ms),
        });
        Ok(AuthSettings { jwt, token_secret: secret_text(&self.auth_token_secret) })
    }

    /// The places of keys with the issuers that they are of.
    fn issuers(&self) -> Result<Vec<IssuerSettings>, SettingsError> {
        let (places, names) = (listed(&self.auth_jwks), listed(&self.auth_issuer));
        let fit = match places.len() {
            0 => true,
            1 => names.len() <= 1,
            several => names.len() == several,
        };
        if !fit {
            return Err(SettingsError::Issuers { places: places.len(), names: names.len() });
        }
        let names = names.into_iter().map(Some).chain(std::iter::repeat(None));
        Ok(places.into_iter().zip(names).map(|(jwks, name)| IssuerSettings { name, jwks }).collect())
    }

    /// How old entries of the audit log get; they are kept for ever when there is none.
    #[must_use]
    pub fn audit_retention(&self) -> Option<Duration> {
        let days = u64::from(self.audit_retention_days);
        (days > 0).then(|| Duration::from_hours(days * 24))
    }

    /// What clients may do with their connections.
    #[must_use]
    pub fn connections(&self) -> ConnectionLimits {
        ConnectionLimits {
            header_timeout: Duration::from_millis(self.header_timeout_ms),
            idle_timeout: Duration::from_millis(self.idle_timeout_ms),
            // Long enough for nearly every answer, and short enough that work for nobody ends soon.
            half_close_patience: Duration::from_millis(250),
            most: self.max_connections.get() as usize,
            shutdown: Duration::from_millis(self.shutdown_timeout_ms),
        }
    }

    /// Which proxies are believed.
    #[must_use]
    pub fn proxies(&self) -> Proxies {
        Proxies { trusted: self.trusted_proxies.clone().unwrap_or_default(), header: self.proxy_header }
    }

    /// Who is let in.
    #[must_use]
    pub fn admission(&self) -> AdmissionSettings {
        let pool = self.pool();
        let processors = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
        let busy = u32::try_from(processors).unwrap_or(u32::MAX).saturating_mul(IN_FLIGHT_PER_PROCESSOR);
        let in_flight = self.max_in_flight.unwrap_or_else(|| busy.max(pool.base));
        let per_principal = self.max_in_flight_per_principal.unwrap_or_else(|| in_flight.saturating_mul(3).div_ceil(4));
        let rate = |per_second: u32| {
            let burst = u64::from(per_second).saturating_mul(self.rate_limit_burst_s);
            let burst = u32::try_from(burst).unwrap_or(u32::MAX);
            Some(Rate { per_second: NonZeroU32::new(per_second)?, burst: NonZeroU32::new(burst)? })
        };
        AdmissionSettings {
            in_flight: NonZeroU32::new(in_flight),
            in_flight_per_principal: NonZeroU32::new(per_principal),
            patience: Patience::USUAL,
            principal_rate: rate(self.rate_limit_principal),
            address_rate: rate(self.rate_limit_address),
            failed_attempts_per_minute: NonZeroU32::new(self.rate_limit_failures),
        }
    }

    /// The pools: what the environment says, changed by what was given. Waiting for a connection ends before a
    /// statement does, and that before the request.
    #[must_use]
    pub fn pool(&self) -> PoolSettings {
        let (base, overflow, wait, lifetime) = match self.env {
            Environment::Local => (5, 10, 30, 60 * 60),
            Environment::Staging => (10, 20, 20, 30 * 60),
            Environment::Production => (20, 40, 10, 15 * 60),
        };
        let statement_timeout =
            self.statement_timeout_ms.map_or_else(|| self.request_timeout() * 5 / 6, Duration::from_millis);
        PoolSettings {
            base: self.pool_base.map_or(base, NonZeroU32::get),
            overflow: self.pool_overflow.unwrap_or(overflow),
            wait: self
                .pool_wait_ms
                .map_or_else(|| Duration::from_secs(wait).min(statement_timeout * 4 / 5), Duration::from_millis),
            lifetime: Duration::from_secs(self.pool_lifetime_s.unwrap_or(lifetime)),
            statement_timeout,
            lock_wait: LOCK_WAIT,
            carries_out: false,
            syncs_commits: self.sqlite_synchronous == SqliteSynchronous::Full,
        }
    }

    /// The pools of a command that a person runs. Nobody waits for its statements as for those of a request, and one that
    /// reads or changes much, or waits for another command, takes its time.
    #[must_use]
    pub fn command_pool(&self) -> PoolSettings {
        let timeout = Duration::from_millis(self.command_timeout_ms);
        PoolSettings { statement_timeout: timeout, lock_wait: timeout, ..self.pool() }
    }

    /// Which statements are slow, where somebody wants to know.
    #[must_use]
    pub fn slow_statements(&self) -> Option<SlowSettings> {
        let threshold = Duration::from_millis(self.slow_statement_ms);
        let kept = self.slow_statements_kept.get() as usize;
        (!threshold.is_zero()).then_some(SlowSettings { threshold, kept })
    }

    /// What bounds the labels of metrics.
    #[must_use]
    pub fn metrics(&self) -> MetricsSettings {
        let names = self
            .metrics_operations
            .as_deref()
            .unwrap_or_default()
            .split(',')
            .map(str::trim)
            .filter(|name| !name.is_empty());
        MetricsSettings {
            operation_names: names.map(str::to_owned).collect(),
            more_operation_names: self.metrics_more_operations as usize,
        }
    }

    /// What may be done with connections to the operators' listener: as with others, but few at a time.
    #[must_use]
    pub fn admin_connections(&self) -> ConnectionLimits {
        ConnectionLimits { most: MOST_ADMIN_CONNECTIONS, ..self.connections() }
    }

    /// What is remembered in the server's own memory and beside it; nothing when both are switched off.
    #[must_use]
    pub fn cache(&self) -> Option<CacheSettings> {
        let redis = self.redis();
        let remembers = match self.cache_process {
            ProcessCache::Auto => redis.is_none(),
            ProcessCache::On => true,
            ProcessCache::Off => false,
        };
        let process_bytes = if remembers { self.cache_process_bytes } else { 0 };
        let lifetimes = Lifetimes {
            prompts: Duration::from_secs(self.cache_prompt_ttl_s),
            lists: Duration::from_secs(self.cache_list_ttl_s),
            evaluations: Duration::from_secs(self.cache_evaluation_ttl_s),
            templates: Duration::from_secs(self.cache_template_ttl_s),
            statistics: Duration::from_secs(self.cache_statistics_ttl_s),
        };
        let max_entry_bytes = self.cache_max_entry_bytes.get() as usize;
        (process_bytes > 0 || redis.is_some()).then_some(CacheSettings {
            process_bytes,
            lifetimes,
            max_entry_bytes,
            redis,
        })
    }

    fn redis(&self) -> Option<RedisSettings> {
        let url = self.redis_url.as_ref().map(SecretUrl::expose).filter(|url| !url.is_empty())?;
        Some(RedisSettings {
            url: url.to_owned(),
            command_timeout: Duration::from_millis(self.redis_timeout_ms),
            prefix: self.redis_prefix.clone(),
            max_value: self.cache_max_entry_bytes.get() as usize,
        })
    }

    /// What a setting that was not given comes to, and the setting that decides it. `None` for settings that no other
    /// decides.
    #[must_use]
    pub fn derived(&self, key: &str) -> Option<(String, &'static str)> {
        let pool = self.pool();
        Some(match key {
            "listen" => (self.listen_address().to_string(), "port"),
            "pool_base" => (pool.base.to_string(), "env"),
            "pool_overflow" => (pool.overflow.to_string(), "env"),
            "pool_wait_ms" => (pool.wait.as_millis().to_string(), "env and statement_timeout_ms"),
            "pool_lifetime_s" => (pool.lifetime.as_secs().to_string(), "env"),
            "statement_timeout_ms" => (pool.statement_timeout.as_millis().to_string(), "request_timeout_ms"),
            "log_format" => (self.log_format().as_str().to_owned(), "env"),
            _ => return None,
        })
    }

    /// What of a request goes into its trace.
    #[must_use]
    pub fn tracing(&self) -> TraceSettings {
        let names = self.trace_baggage.as_deref().unwrap_or_default().split(',').map(str::trim);
        TraceSettings {
            slow: Duration::from_millis(self.trace_slow_ms),
            all_resolvers: self.trace_all_resolvers,
            baggage: names.filter(|name| !name.is_empty()).map(str::to_owned).collect(),
        }
    }

    /// What bounds a request.
    #[must_use]
    pub fn limits(&self) -> ServiceLimits {
        let queries = QueryLimits {
            max_document_bytes: self.max_document_bytes.get(),
            max_tokens: self.max_tokens.get(),
            max_depth: self.max_depth,
            max_complexity: self.max_complexity.get(),
            max_input_bytes: self.max_input_bytes.get(),
            max_aliases: self.max_aliases,
            max_root_fields: self.max_root_fields.get(),
            max_directives: self.max_directives,
            max_fragment_spreads: self.max_fragment_spreads,
            pages: PageLimits { default: self.default_page_size.get(), maximum: self.max_page_size.get() },
        };
        ServiceLimits {
            queries,
            max_body_bytes: self.max_body_bytes.get(),
            max_bulk_body_bytes: self.max_bulk_body_bytes.get(),
            max_bulk_items: self.max_bulk_items.get(),
            request_timeout: self.request_timeout(),
            introspection: self.introspection,
        }
    }
}

/// An empty flag is one that is not given, like an empty variable.
fn given(setting: &Option<String>) -> Option<String> {
    setting.clone().filter(|text| !text.trim().is_empty())
}

fn secret_text(setting: &Option<Secret>) -> Option<String> {
    setting.as_ref().map(|secret| secret.expose().to_owned()).filter(|secret| !secret.is_empty())
}

/// The parts of a list with commas.
fn listed(setting: &Option<String>) -> Vec<String> {
    let parts = setting.iter().flat_map(|text| text.split(',')).map(str::trim);
    parts.filter(|part| !part.is_empty()).map(str::to_owned).collect()
}

fn sqlite_file(path: &str) -> Result<DatabaseLocation, SettingsError> {
    if path.trim_start_matches('/').is_empty() {
        return Err(SettingsError::DatabaseUrl("sqlite: must be followed by the path of a file"));
    }
    // Each connection would have an empty database of its own.
    if path.contains(":memory:") {
        return Err(SettingsError::DatabaseUrl("sqlite: a database in memory cannot be shared: name a file"));
    }
    if path.contains('?') {
        return Err(SettingsError::DatabaseUrl("sqlite: there are no parameters: name only a file"));
    }
    Ok(DatabaseLocation::Sqlite(path.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn environments_decide_the_pools() {
        for (name, base, overflow, wait, lifetime) in
            [("local", 5, 10, 20, 3_600), ("staging", 10, 20, 20, 1_800), ("production", 20, 40, 10, 900)]
        {
            let pool = Settings::from_flags(&["--env", name]).pool();
            assert_eq!((pool.base, pool.overflow), (base, overflow), "{name}");
            assert_eq!((pool.wait.as_secs(), pool.lifetime.as_secs()), (wait, lifetime), "{name}");
        }
        let pool = Settings::from_flags(&[
            "--pool-base=3",
            "--pool-overflow=0",
            "--pool-wait-ms=7",
            "--pool-lifetime-s=9",
            "--statement-timeout-ms=8",
        ])
        .pool();
        assert_eq!((pool.base, pool.overflow), (3, 0));
        assert_eq!((pool.wait.as_millis(), pool.lifetime.as_secs(), pool.statement_timeout.as_millis()), (7, 9, 8));
    }

    #[test]
    fn the_database_is_embedded_unless_another_is_named() {
        let location = |arguments: &[&str]| Settings::from_flags(arguments).database();
        let sqlite = |path: &str| Ok(DatabaseLocation::Sqlite(path.into()));
        let postgres = |url: &str| Ok(DatabaseLocation::Postgres(url.to_owned()));
        assert_eq!(location(&["--data-dir=/srv"]), sqlite("/srv/evalgraph.db"));
        assert_eq!(location(&["--database-url=sqlite:x.db"]), sqlite("x.db"));
        assert_eq!(location(&["--database-url=sqlite:///var/x.db"]), sqlite("/var/x.db"));
        assert_eq!(location(&["--database-url=postgresql://a"]), postgres("postgresql://a"));
        assert_eq!(location(&["--database-url=postgres://me@db/x"]), postgres("postgres://me@db/x"));
        assert_eq!(location(&["--data-dir=/srv", "--database-url="]), sqlite("/srv/evalgraph.db"));
        for (url, expected) in [
            ("mysql://me:hunter2@db/x", "must begin with postgres:// or sqlite:"),
            ("host=db password=hunter2", "must begin with postgres:// or sqlite:"),
            ("sqlite:", "must be followed by the path of a file"),
            ("sqlite::memory:", "a database in memory cannot be shared"),
            ("sqlite:x.db?mode=rwc", "there are no parameters"),
        ] {
            let error = location(&["--database-url", url]).unwrap_err().to_string();
            assert!(error.starts_with("database_url (--database-url, ") && error.contains(expected), "{error}");
            assert!(!error.contains("hunter2"));
        }
    }

    #[test]
    fn the_address_is_the_one_given_or_the_port_on_this_machine() {
        let address = |arguments: &[&str]| Settings::from_flags(arguments).listen_address().to_string();
        assert_eq!(address(&[]), "127.0.0.1:8080");
        assert_eq!(address(&["--port=81"]), "127.0.0.1:81");
        assert_eq!(address(&["--port=81", "--listen=0.0.0.0:82"]), "0.0.0.0:82");
    }
}
