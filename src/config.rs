//! The settings: one place for each, its default and the reason for it.
//!
//! A setting is a flag or an environment variable; the flag wins.

use std::net::{Ipv4Addr, SocketAddr};
use std::num::{NonZeroU32, NonZeroU64};
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};
use thiserror::Error;

use crate::db::pool::{DatabaseLocation, PoolSettings};
use crate::graphql::{PageLimits, QueryLimits, ServiceLimits};

/// Where the server runs. Decides the sizes of the connection pools.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Environment {
    /// One person's machine: 5 connections and 10 more at busy times, a wait of 30 s, a lifetime of an hour.
    Local,
    /// A rehearsal: 10 and 20 more, 20 s, half an hour.
    Staging,
    /// The real thing: 20 and 40 more, 10 s, a quarter of an hour.
    Production,
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// For machines: one JSON object a line.
    Json,
}

/// The settings as they were given.
#[derive(Debug, Clone, Args)]
pub struct Settings {
    /// Address to serve on. Without it: port $PORT, or 8080, of 127.0.0.1, because nobody is asked for a password.
    #[arg(long, global = true, env = "EVALGRAPH_LISTEN", value_name = "ADDRESS")]
    pub listen: Option<SocketAddr>,

    /// Port to serve on where no address is given, as hosting platforms set it.
    #[arg(long, global = true, env = "PORT", value_name = "PORT")]
    pub port: Option<u16>,

    /// Directory of the embedded database; made when missing.
    #[arg(long, global = true, env = "EVALGRAPH_DATA_DIR", value_name = "DIRECTORY", default_value = "./data")]
    pub data_dir: PathBuf,

    /// PostgreSQL (postgres://…) or a SQLite file (sqlite:PATH) in place of the embedded database.
    /// DATABASE_URL is read as well.
    #[arg(long, global = true, env = "EVALGRAPH_DATABASE_URL", value_name = "URL", hide_env_values = true)]
    pub database_url: Option<String>,

    /// Where the server runs: decides the sizes of the connection pools.
    #[arg(long, global = true, env = "EVALGRAPH_ENV", value_name = "NAME", default_value = "local")]
    pub env: Environment,

    /// Database connections kept open, in place of the environment's number.
    #[arg(long, global = true, env = "EVALGRAPH_POOL_BASE", value_name = "COUNT")]
    pub pool_base: Option<NonZeroU32>,

    /// Database connections beyond those at busy times, in place of the environment's number. PostgreSQL only.
    #[arg(long, global = true, env = "EVALGRAPH_POOL_OVERFLOW", value_name = "COUNT")]
    pub pool_overflow: Option<u32>,

    /// How long a request waits for a database connection. Without it: what the environment says, but less than the
    /// statement timeout.
    #[arg(long, global = true, env = "EVALGRAPH_POOL_WAIT_MS", value_name = "MS")]
    pub pool_wait_ms: Option<NonZeroU64>,

    /// How long a database connection is used, in place of the environment's time.
    #[arg(long, global = true, env = "EVALGRAPH_POOL_LIFETIME_S", value_name = "SECONDS")]
    pub pool_lifetime_s: Option<NonZeroU64>,

    /// How long a statement may run on PostgreSQL. Without it: five sixths of the request timeout, so that the database
    /// gives up before the client is told so.
    #[arg(long, global = true, env = "EVALGRAPH_STATEMENT_TIMEOUT_MS", value_name = "MS")]
    pub statement_timeout_ms: Option<NonZeroU64>,

    /// How long a request may take: longer than people wait, shorter than proxies do.
    #[arg(long, global = true, env = "EVALGRAPH_REQUEST_TIMEOUT_MS", value_name = "MS", default_value = "30000")]
    pub request_timeout_ms: NonZeroU64,

    /// How large a request's body may be: a document and its variables with room to spare.
    #[arg(long, global = true, env = "EVALGRAPH_MAX_BODY_BYTES", value_name = "BYTES")]
    #[arg(default_value_t = nonzero(ServiceLimits::DEFAULT.max_body_bytes))]
    pub max_body_bytes: NonZeroU32,

    /// How long the document of a request may be: long texts travel better as variables.
    #[arg(long, global = true, env = "EVALGRAPH_MAX_DOCUMENT_BYTES", value_name = "BYTES")]
    #[arg(default_value_t = nonzero(QueryLimits::DEFAULT.max_document_bytes))]
    pub max_document_bytes: NonZeroU32,

    /// How many lexical tokens a document may have: GraphiQL's introspection has 200, large clients send 2,000.
    #[arg(long, global = true, env = "EVALGRAPH_MAX_TOKENS", value_name = "COUNT")]
    #[arg(default_value_t = nonzero(QueryLimits::DEFAULT.max_tokens))]
    pub max_tokens: NonZeroU32,

    /// How deeply a query may nest fields, 32 at most: GraphiQL's introspection needs 15.
    #[arg(long, global = true, env = "EVALGRAPH_MAX_DEPTH", value_name = "DEPTH")]
    #[arg(default_value_t = QueryLimits::DEFAULT.max_depth, value_parser = clap::value_parser!(u32).range(1..=32))]
    pub max_depth: u32,

    /// How many values an answer could have if every page was full: about 10 MB, and less than a second of work.
    #[arg(long, global = true, env = "EVALGRAPH_MAX_COMPLEXITY", value_name = "COUNT")]
    #[arg(default_value_t = nonzero(QueryLimits::DEFAULT.max_complexity))]
    pub max_complexity: NonZeroU32,

    /// How many fields of a query may have an alias: each can cost statements of its own.
    #[arg(long, global = true, env = "EVALGRAPH_MAX_ALIASES", value_name = "COUNT")]
    #[arg(default_value_t = QueryLimits::DEFAULT.max_aliases)]
    pub max_aliases: u32,

    /// How many fields a query may have at its root: each can cost statements of its own.
    #[arg(long, global = true, env = "EVALGRAPH_MAX_ROOT_FIELDS", value_name = "COUNT")]
    #[arg(default_value_t = nonzero(QueryLimits::DEFAULT.max_root_fields))]
    pub max_root_fields: NonZeroU32,

    /// How many directives a query may use: `@skip` and `@include` are all there are.
    #[arg(long, global = true, env = "EVALGRAPH_MAX_DIRECTIVES", value_name = "COUNT")]
    #[arg(default_value_t = QueryLimits::DEFAULT.max_directives)]
    pub max_directives: u32,

    /// How many fragments a query may spread, each counted wherever it is spread: clients that compose queries of
    /// fragments spread some hundred.
    #[arg(long, global = true, env = "EVALGRAPH_MAX_FRAGMENT_SPREADS", value_name = "COUNT")]
    #[arg(default_value_t = QueryLimits::DEFAULT.max_fragment_spreads)]
    pub max_fragment_spreads: u32,

    /// How many objects a page has when the client does not say: a screenful.
    #[arg(long, global = true, env = "EVALGRAPH_DEFAULT_PAGE_SIZE", value_name = "COUNT")]
    #[arg(default_value_t = nonzero(QueryLimits::DEFAULT.pages.default))]
    pub default_page_size: NonZeroU32,

    /// How many objects a page may have: nested pages multiply.
    #[arg(long, global = true, env = "EVALGRAPH_MAX_PAGE_SIZE", value_name = "COUNT")]
    #[arg(default_value_t = nonzero(QueryLimits::DEFAULT.pages.maximum))]
    pub max_page_size: NonZeroU32,

    /// How long requests may go on after the signal to stop: shorter than process managers wait before they kill.
    #[arg(long, global = true, env = "EVALGRAPH_SHUTDOWN_TIMEOUT_MS", value_name = "MS", default_value = "8000")]
    pub shutdown_timeout_ms: u64,

    /// What is logged: a level, or levels by module (`warn,evalgraph::db=debug`).
    /// PostgreSQL's notices are left out by default: each migration would have some.
    #[arg(long, global = true, env = "EVALGRAPH_LOG", value_name = "FILTER")]
    #[arg(default_value = "info,tokio_postgres=warn")]
    pub log: String,

    /// How log lines look.
    #[arg(long, global = true, env = "EVALGRAPH_LOG_FORMAT", value_name = "FORMAT", default_value = "text")]
    pub log_format: LogFormat,
}

/// A setting, or a combination of some, that cannot be.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SettingsError {
    /// The database URL leads nowhere.
    #[error("--database-url (or DATABASE_URL): {0}")]
    DatabaseUrl(&'static str),
    /// More connections than can be counted.
    #[error("--pool-base and --pool-overflow: at most {0} connections in all")]
    PoolSize(u32),
    /// The log filter cannot be read.
    #[error("--log: {0}")]
    Log(String),
    /// A time limit does not lie within the one around it.
    #[error("{inner} ({inner_ms} ms) must be shorter than {outer} ({outer_ms} ms)")]
    Nesting {
        /// The limit that should end first.
        inner: &'static str,
        /// How long it is.
        inner_ms: u128,
        /// The limit around it.
        outer: &'static str,
        /// How long that is.
        outer_ms: u128,
    },
    /// Pages are larger by default than they may be.
    #[error("--default-page-size ({default}) must not exceed --max-page-size ({maximum})")]
    PageSize {
        /// The default size.
        default: u32,
        /// The largest size.
        maximum: u32,
    },
}

impl Settings {
    /// The port where nothing names one.
    const DEFAULT_PORT: u16 = 8080;
    /// More than any PostgreSQL server is set up for.
    const MOST_CONNECTIONS: u32 = 10_000;

    /// The address to serve on.
    #[must_use]
    pub fn listen_address(&self) -> SocketAddr {
        let port = self.port.unwrap_or(Self::DEFAULT_PORT);
        self.listen.unwrap_or_else(|| (Ipv4Addr::LOCALHOST, port).into())
    }

    /// Where the data is. `customary` is the value of the variable DATABASE_URL, which counts when nothing else was
    /// given.
    ///
    /// # Errors
    /// When the URL is of an unknown kind.
    pub fn database(&self, customary: Option<String>) -> Result<DatabaseLocation, SettingsError> {
        // An empty variable is one that is not set, as in compose files.
        let given = |url: Option<String>| url.filter(|url| !url.is_empty());
        let Some(url) = given(self.database_url.clone()).or(given(customary)) else {
            return Ok(DatabaseLocation::Sqlite(self.data_dir.join("evalgraph.db")));
        };
        match url.split_once(':') {
            Some(("postgres" | "postgresql", _)) => Ok(DatabaseLocation::Postgres(url)),
            Some(("sqlite", path)) => sqlite_file(path.strip_prefix("//").unwrap_or(path)),
            // Nothing of it is shown: it may contain a password.
            _ => Err(SettingsError::DatabaseUrl("must begin with postgres:// or sqlite:")),
        }
    }

    /// How long a request may take.
    #[must_use]
    pub fn request_timeout(&self) -> Duration {
        Duration::from_millis(self.request_timeout_ms.get())
    }

    /// How long requests may go on after the signal to stop.
    #[must_use]
    pub fn shutdown_timeout(&self) -> Duration {
        Duration::from_millis(self.shutdown_timeout_ms)
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
        let statement_timeout = self
            .statement_timeout_ms
            .map_or_else(|| self.request_timeout() * 5 / 6, |ms| Duration::from_millis(ms.get()));
        PoolSettings {
            base: self.pool_base.map_or(base, NonZeroU32::get),
            overflow: self.pool_overflow.unwrap_or(overflow),
            wait: self.pool_wait_ms.map_or_else(
                || Duration::from_secs(wait).min(statement_timeout * 4 / 5),
                |ms| Duration::from_millis(ms.get()),
            ),
            lifetime: Duration::from_secs(self.pool_lifetime_s.map_or(lifetime, NonZeroU64::get)),
            statement_timeout,
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
            max_aliases: self.max_aliases,
            max_root_fields: self.max_root_fields.get(),
            max_directives: self.max_directives,
            max_fragment_spreads: self.max_fragment_spreads,
            pages: PageLimits { default: self.default_page_size.get(), maximum: self.max_page_size.get() },
        };
        ServiceLimits { queries, max_body_bytes: self.max_body_bytes.get(), request_timeout: self.request_timeout() }
    }

    /// Refuses combinations that contradict themselves.
    ///
    /// # Errors
    /// With the settings that do.
    pub fn validate(&self) -> Result<(), SettingsError> {
        let pool = self.pool();
        let limits = [
            ("--pool-wait-ms", pool.wait),
            ("--statement-timeout-ms", pool.statement_timeout),
            ("--request-timeout-ms", self.request_timeout()),
        ];
        for [(inner, inner_limit), (outer, outer_limit)] in [[limits[0], limits[1]], [limits[1], limits[2]]] {
            if inner_limit >= outer_limit {
                let (inner_ms, outer_ms) = (inner_limit.as_millis(), outer_limit.as_millis());
                return Err(SettingsError::Nesting { inner, inner_ms, outer, outer_ms });
            }
        }
        if pool.base.checked_add(pool.overflow).is_none_or(|size| size > Self::MOST_CONNECTIONS) {
            return Err(SettingsError::PoolSize(Self::MOST_CONNECTIONS));
        }
        let (default, maximum) = (self.default_page_size.get(), self.max_page_size.get());
        if default > maximum {
            return Err(SettingsError::PageSize { default, maximum });
        }
        tracing_subscriber::EnvFilter::try_new(&self.log)
            .map(drop)
            .map_err(|error| SettingsError::Log(error.to_string()))
    }
}

const fn nonzero(default: u32) -> NonZeroU32 {
    NonZeroU32::new(default).expect("a default of a limit that must not be zero")
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
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Only {
        #[command(flatten)]
        settings: Settings,
    }

    fn settings(arguments: &[&str]) -> Settings {
        Only::parse_from([&["evalgraph"], arguments].concat()).settings
    }

    #[test]
    fn environments_decide_the_pools() {
        for (name, base, overflow, wait, lifetime) in
            [("local", 5, 10, 20, 3_600), ("staging", 10, 20, 20, 1_800), ("production", 20, 40, 10, 900)]
        {
            let pool = settings(&["--env", name]).pool();
            assert_eq!((pool.base, pool.overflow), (base, overflow), "{name}");
            assert_eq!((pool.wait.as_secs(), pool.lifetime.as_secs()), (wait, lifetime), "{name}");
        }
        let pool = settings(&[
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
    fn time_limits_lie_within_one_another() {
        assert_eq!(settings(&[]).validate(), Ok(()));
        assert_eq!(settings(&["--request-timeout-ms=100"]).validate(), Ok(()));
        let message = |arguments: &[&str]| settings(arguments).validate().unwrap_err().to_string();
        assert_eq!(
            message(&["--statement-timeout-ms=30000"]),
            "--statement-timeout-ms (30000 ms) must be shorter than --request-timeout-ms (30000 ms)",
        );
        assert_eq!(
            message(&["--pool-wait-ms=26000"]),
            "--pool-wait-ms (26000 ms) must be shorter than --statement-timeout-ms (25000 ms)",
        );
        assert_eq!(
            message(&["--default-page-size=50", "--max-page-size=49"]),
            "--default-page-size (50) must not exceed --max-page-size (49)",
        );
        assert_eq!(
            message(&["--pool-base=4294967295"]),
            "--pool-base and --pool-overflow: at most 10000 connections in all",
        );
        assert!(message(&["--log=evalgraph=loud"]).starts_with("--log: "));
    }

    #[test]
    fn the_database_is_embedded_unless_another_is_named() {
        let location =
            |arguments: &[&str], customary: Option<&str>| settings(arguments).database(customary.map(str::to_owned));
        let sqlite = |path: &str| Ok(DatabaseLocation::Sqlite(path.into()));
        let postgres = |url: &str| Ok(DatabaseLocation::Postgres(url.to_owned()));
        assert_eq!(location(&["--data-dir=/srv"], None), sqlite("/srv/evalgraph.db"));
        assert_eq!(location(&["--database-url=sqlite:x.db"], None), sqlite("x.db"));
        assert_eq!(location(&["--database-url=sqlite:///var/x.db"], None), sqlite("/var/x.db"));
        assert_eq!(location(&[], Some("postgres://me@db/x")), postgres("postgres://me@db/x"));
        assert_eq!(location(&["--database-url=postgresql://a"], Some("postgres://b")), postgres("postgresql://a"));
        assert_eq!(location(&["--database-url="], Some("postgres://b")), postgres("postgres://b"));
        assert_eq!(location(&["--data-dir=/srv"], Some("")), sqlite("/srv/evalgraph.db"));
        for (url, expected) in [
            ("mysql://me:hunter2@db/x", "must begin with postgres:// or sqlite:"),
            ("host=db password=hunter2", "must begin with postgres:// or sqlite:"),
            ("sqlite:", "must be followed by the path of a file"),
            ("sqlite::memory:", "a database in memory cannot be shared"),
            ("sqlite:x.db?mode=rwc", "there are no parameters"),
        ] {
            let error = location(&[], Some(url)).unwrap_err().to_string();
            assert!(error.starts_with("--database-url (or DATABASE_URL): ") && error.contains(expected), "{error}");
            assert!(!error.contains("hunter2"));
        }
    }

    #[test]
    fn the_address_is_the_one_given_or_the_port_on_this_machine() {
        let address = |arguments: &[&str]| settings(arguments).listen_address().to_string();
        assert_eq!(address(&[]), "127.0.0.1:8080");
        assert_eq!(address(&["--port=81"]), "127.0.0.1:81");
        assert_eq!(address(&["--port=81", "--listen=0.0.0.0:82"]), "0.0.0.0:82");
    }
}
