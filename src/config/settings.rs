//! The definitions of the settings.

use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

use clap::builder::RangedU64ValueParser;
use clap::{Args, Command, FromArgMatches as _, ValueEnum};

use self::heading::{ADMISSION, AUTHENTICATION, CACHE, DATABASE, LIMITS, LOG, SERVER, TELEMETRY, TRACES};
use super::admin_listen::AdminListen;
use super::layers::without_variables;
use super::secret::{Secret, SecretUrl};
use crate::graphql::{Audience, QueryLimits, ServiceLimits};
use crate::http::{Networks, Origins, ProxyHeader};

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

impl Environment {
    /// Its name in settings and traces.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Local => "local",
            Self::Staging => "staging",
            Self::Production => "production",
        }
    }
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// For machines: one JSON object a line.
    Json,
}

impl LogFormat {
    /// Its name in settings.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Json => "json",
        }
    }
}

/// When the server remembers answers in its own memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ProcessCache {
    /// As long as no Redis server is given: then there may be other servers, whose changes it would learn of a moment later.
    Auto,
    /// Always.
    On,
    /// Never.
    Off,
}

/// What a write to SQLite waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SqliteSynchronous {
    /// That the operating system has it: it survives the end of the process.
    Normal,
    /// That the disk has it: it survives a power cut.
    Full,
}

/// The groups of settings.
pub mod heading {
    /// Listening and answering.
    pub const SERVER: &str = "Server";
    /// Who may ask.
    pub const AUTHENTICATION: &str = "Authentication";
    /// The database and the way to it.
    pub const DATABASE: &str = "Database";
    /// What is remembered.
    pub const CACHE: &str = "Cache";
    /// Who is let in.
    pub const ADMISSION: &str = "Admission";
    /// What a query may ask for.
    pub const LIMITS: &str = "Query limits";
    /// What is counted and measured.
    pub const TELEMETRY: &str = "Telemetry";
    /// The log.
    pub const LOG: &str = "Log";
    /// Traces, where OpenTelemetry's variables say that there are any.
    pub const TRACES: &str = "Traces";
}

/// Variables that are customary for what a setting says, by the key of the setting. They count when its own variable
/// is not set.
pub const CUSTOMARY_VARIABLES: &[(&str, &str)] = &[("database_url", "DATABASE_URL"), ("redis_url", "REDIS_URL")];

/// The longest time limit in milliseconds, some 25 days: PostgreSQL takes no longer ones.
const MOST_MILLISECONDS: u64 = 2_147_483_647;
/// The most points in a second: one takes ten nanoseconds then, and time is counted in whole ones.
const MOST_POINTS: i64 = 100_000_000;
/// The longest time in seconds, a year.
const MOST_SECONDS: u64 = 365 * 24 * 60 * 60;
/// A hundred years.
const MOST_DAYS: i64 = 36_500;

/// Reads a time limit in milliseconds, which is not shorter than `least`.
fn milliseconds(least: u64) -> RangedU64ValueParser {
    clap::value_parser!(u64).range(least..=MOST_MILLISECONDS)
}

/// The settings as they were given. The name of a field is its key in the configuration file, its comment what the help
/// and the documentation say of it. A new one needs a test of its effect in `tests/config/effects.rs`.
#[derive(Debug, Clone, Args)]
pub struct Settings {
    /// Address to serve on. Without it: the port of 127.0.0.1. Where nobody is asked who they are, another address than one of
    /// this machine alone is refused, but for `insecure`.
    #[arg(long, global = true, help_heading = SERVER, env = "EVALGRAPH_LISTEN", value_name = "ADDRESS")]
    pub listen: Option<SocketAddr>,

    /// Port to serve on where no address is given, as hosting platforms set it.
    #[arg(long, global = true, help_heading = SERVER, env = "PORT", value_name = "PORT", default_value = "8080")]
    pub port: u16,

    /// How long a request may take: longer than people wait, shorter than proxies do.
    #[arg(long, global = true, help_heading = SERVER, env = "EVALGRAPH_REQUEST_TIMEOUT_MS", value_name = "MS")]
    // Five sixths of a single millisecond would be none, which is no limit to PostgreSQL.
    #[arg(default_value_t = in_milliseconds(ServiceLimits::DEFAULT.request_timeout), value_parser = milliseconds(2))]
    pub request_timeout_ms: u64,

    /// Address of the listener for operators: metrics, health in detail, slow statements, the cache, the filter of the log.
    #[arg(long, global = true, help_heading = SERVER, env = "EVALGRAPH_ADMIN_LISTEN", value_name = "ADDRESS")]
    #[arg(default_value = "auto")]
    pub admin_listen: AdminListen,

    /// How large a request's body may be: a document and its variables with room to spare.
    #[arg(long, global = true, help_heading = SERVER, env = "EVALGRAPH_MAX_BODY_BYTES", value_name = "BYTES")]
    #[arg(default_value_t = nonzero(ServiceLimits::DEFAULT.max_body_bytes))]
    pub max_body_bytes: NonZeroU32,

    /// How large a request's body may be that changes many objects at once: ten thousand of three kilobytes each.
    #[arg(long, global = true, help_heading = SERVER, env = "EVALGRAPH_MAX_BULK_BODY_BYTES", value_name = "BYTES")]
    #[arg(default_value_t = nonzero(ServiceLimits::DEFAULT.max_bulk_body_bytes))]
    pub max_bulk_body_bytes: NonZeroU32,

    /// How many objects a field may change at once: one transaction stores them.
    #[arg(long, global = true, help_heading = SERVER, env = "EVALGRAPH_MAX_BULK_ITEMS", value_name = "COUNT")]
    #[arg(default_value_t = nonzero(ServiceLimits::DEFAULT.max_bulk_items))]
    pub max_bulk_items: NonZeroU32,

    /// How long requests may go on after the signal to stop: shorter than process managers wait before they kill.
    #[arg(long, global = true, help_heading = SERVER, env = "EVALGRAPH_SHUTDOWN_TIMEOUT_MS", value_name = "MS")]
    #[arg(default_value = "8000", value_parser = milliseconds(0))]
    pub shutdown_timeout_ms: u64,

    /// Whether `/` is the explorer, a page to write queries on; without it, a line of text.
    #[arg(long, global = true, help_heading = SERVER, env = "EVALGRAPH_EXPLORER", value_name = "BOOLEAN")]
    #[arg(default_value = "true", action = clap::ArgAction::Set)]
    pub explorer: bool,

    /// How long the head of a request may take to arrive. Honest clients send it at once.
    #[arg(long, global = true, help_heading = SERVER, env = "EVALGRAPH_HEADER_TIMEOUT_MS", value_name = "MS")]
    #[arg(default_value = "10000", value_parser = milliseconds(1))]
    pub header_timeout_ms: u64,

    /// How long a connection may be silent between requests: longer than load balancers keep theirs, so that it is
    /// they who close it.
    #[arg(long, global = true, help_heading = SERVER, env = "EVALGRAPH_IDLE_TIMEOUT_MS", value_name = "MS")]
    #[arg(default_value = "75000", value_parser = milliseconds(1))]
    pub idle_timeout_ms: u64,

    /// How many clients may be connected at a time: far more than are expected, and memory for all of them.
    #[arg(long, global = true, help_heading = SERVER, env = "EVALGRAPH_MAX_CONNECTIONS", value_name = "COUNT")]
    #[arg(default_value = "10000")]
    pub max_connections: NonZeroU32,

    /// Proxies that are believed when they say where a request comes from: addresses and networks, with commas. Without them
    /// nobody is, for anybody can say so, and requests come from whoever sent them to this server.
    #[arg(long, global = true, help_heading = SERVER, env = "EVALGRAPH_TRUSTED_PROXIES", value_name = "NETWORKS")]
    pub trusted_proxies: Option<Networks>,

    /// The header in which those proxies say where a request comes from. The other one is not read: a proxy that writes one
    /// lets clients write the other.
    #[arg(long, global = true, help_heading = SERVER, env = "EVALGRAPH_PROXY_HEADER", value_name = "NAME")]
    #[arg(default_value = "x-forwarded-for")]
    pub proxy_header: ProxyHeader,

    /// Pages of other servers that may ask this one from a browser: their origins (`https://app.example.com`), with commas, or `*`
    /// for all. Without them, none. Programs are not concerned.
    #[arg(long, global = true, help_heading = SERVER, env = "EVALGRAPH_CORS_ORIGINS", value_name = "ORIGINS")]
    pub cors_origins: Option<Origins>,

    /// Who may ask for the schema (`__schema`, `__type`).
    #[arg(long, global = true, help_heading = SERVER, env = "EVALGRAPH_INTROSPECTION", value_name = "WHO")]
    #[arg(default_value = "everybody")]
    pub introspection: Audience,

    /// Who may open the explorer, where there is one. Administrators are asked for a token as password then.
    #[arg(long, global = true, help_heading = SERVER, env = "EVALGRAPH_EXPLORER_ACCESS", value_name = "WHO")]
    #[arg(default_value = "everybody")]
    pub explorer_access: Audience,

    /// How many requests are worked on at a time; others wait for a moment, or are refused. Without it: three for each
    /// processor, but one for each database connection that is kept at least; 0 for any number.
    #[arg(long, global = true, help_heading = ADMISSION, env = "EVALGRAPH_MAX_IN_FLIGHT", value_name = "COUNT")]
    pub max_in_flight: Option<u32>,

    /// How many of them one user may have. Without it: three quarters, so that others find a place; 0 for any number. Where
    /// there is no authentication nobody can be told from others, and it does not count.
    #[arg(long, global = true, help_heading = ADMISSION, value_name = "COUNT")]
    #[arg(env = "EVALGRAPH_MAX_IN_FLIGHT_PER_PRINCIPAL")]
    pub max_in_flight_per_principal: Option<u32>,

    /// What a user's operations may cost in a second, in points: what keeps two processors busy, if every page is full. An
    /// operation costs 100, and one for each value that its answer could have and for each 16 bytes of its arguments. 0 for
    /// no limit.
    #[arg(long, global = true, help_heading = ADMISSION, env = "EVALGRAPH_RATE_LIMIT_PRINCIPAL", value_name = "POINTS")]
    #[arg(default_value = "5000000", value_parser = clap::value_parser!(u32).range(0..=MOST_POINTS))]
    pub rate_limit_principal: u32,

    /// What operations may cost in a second that come from one address: twice as many, because users share some. 0 for no limit.
    #[arg(long, global = true, help_heading = ADMISSION, env = "EVALGRAPH_RATE_LIMIT_ADDRESS", value_name = "POINTS")]
    #[arg(default_value = "10000000", value_parser = clap::value_parser!(u32).range(0..=MOST_POINTS))]
    pub rate_limit_address: u32,

    /// The points of how many seconds may be spent at once by who has spent none for so long: enough for the dearest
    /// operation that the other limits allow.
    #[arg(long, global = true, help_heading = ADMISSION, env = "EVALGRAPH_RATE_LIMIT_BURST_S", value_name = "SECONDS")]
    #[arg(default_value = "10", value_parser = clap::value_parser!(u64).range(1..=MOST_SECONDS))]
    pub rate_limit_burst_s: u64,

    /// How many wrong credentials may come from an address in a minute until none from there are looked at: more than anybody
    /// mistypes, and few enough to be no work. 0 for no limit.
    #[arg(long, global = true, help_heading = ADMISSION, env = "EVALGRAPH_RATE_LIMIT_FAILURES", value_name = "COUNT")]
    #[arg(default_value = "600")]
    pub rate_limit_failures: u32,

    /// Where issuers publish the keys that their JWTs are signed with (RS256, ES256, EdDSA): the address of a JWKS, or a file
    /// with one. Several are separated by commas, and then each has its issuer in `auth_issuer`, in the same order.
    #[arg(long, global = true, help_heading = AUTHENTICATION, env = "EVALGRAPH_AUTH_JWKS", value_name = "PLACE")]
    pub auth_jwks: Option<String>,

    /// How often keys are read again. Those that a token names and that are not known are looked for at once, but only every
    /// ten seconds; while the address does not answer, the keys of before count.
    #[arg(long, global = true, help_heading = AUTHENTICATION, env = "EVALGRAPH_AUTH_JWKS_REFRESH_S", value_name = "SECONDS")]
    #[arg(default_value = "300", value_parser = clap::value_parser!(u64).range(10..=MOST_SECONDS))]
    pub auth_jwks_refresh_s: u64,

    /// How long the address of keys may take to answer: longer than one that is well does, and shorter than a request may.
    #[arg(long, global = true, help_heading = AUTHENTICATION, env = "EVALGRAPH_AUTH_JWKS_TIMEOUT_MS", value_name = "MS")]
    #[arg(default_value = "5000", value_parser = milliseconds(1))]
    pub auth_jwks_timeout_ms: u64,

    /// The secret that JWTs are signed with (HS256), at least 32 bytes long. Whoever has it can be anybody.
    #[arg(long, global = true, help_heading = AUTHENTICATION, env = "EVALGRAPH_AUTH_JWT_SECRET", value_name = "SECRET")]
    pub auth_jwt_secret: Option<Secret>,

    /// How the issuer calls itself in the claim `iss`; several are separated by commas. Without it, the keys alone decide.
    #[arg(long, global = true, help_heading = AUTHENTICATION, env = "EVALGRAPH_AUTH_ISSUER", value_name = "NAME")]
    pub auth_issuer: Option<String>,

    /// What this server is called in the claim `aud`; several names are separated by commas. Without it, JWTs that are meant for
    /// an audience are refused: they are meant for others.
    #[arg(long, global = true, help_heading = AUTHENTICATION, env = "EVALGRAPH_AUTH_AUDIENCE", value_name = "NAME")]
    pub auth_audience: Option<String>,

    /// How far the clocks of issuers may be off where `exp` and `nbf` are looked at.
    #[arg(long, global = true, help_heading = AUTHENTICATION, env = "EVALGRAPH_AUTH_CLOCK_SKEW_S", value_name = "SECONDS")]
    #[arg(default_value = "60", value_parser = clap::value_parser!(u64).range(..=600))]
    pub auth_clock_skew_s: u64,

    /// The claim with the id of the user: what `userId` of their objects is. Dots lead into objects.
    #[arg(long, global = true, help_heading = AUTHENTICATION, env = "EVALGRAPH_AUTH_USER_CLAIM", value_name = "CLAIM")]
    #[arg(default_value = "sub")]
    pub auth_user_claim: String,

    /// The claim that marks administrators, who see what belongs to others: `realm_access.roles`. Without it, no JWT is
    /// of one.
    #[arg(long, global = true, help_heading = AUTHENTICATION, env = "EVALGRAPH_AUTH_ADMIN_CLAIM", value_name = "CLAIM")]
    pub auth_admin_claim: Option<String>,

    /// The value that this claim has then, or that is among its values.
    #[arg(long, global = true, help_heading = AUTHENTICATION, env = "EVALGRAPH_AUTH_ADMIN_VALUE", value_name = "TEXT")]
    #[arg(default_value = "admin")]
    pub auth_admin_value: String,

    /// The claim that lists what a JWT is for: `read`, `write`, `ingest`, `admin`; others in it do not count. Without it, a JWT
    /// is for all that its owner may do.
    #[arg(long, global = true, help_heading = AUTHENTICATION, env = "EVALGRAPH_AUTH_SCOPE_CLAIM", value_name = "CLAIM")]
    pub auth_scope_claim: Option<String>,

    /// The secret that keeps API tokens, at least 32 bytes long: with it there are some, without it none. Who changes it ends all
    /// of them. All servers of a database have the same.
    #[arg(long, global = true, help_heading = AUTHENTICATION, env = "EVALGRAPH_AUTH_TOKEN_SECRET", value_name = "SECRET")]
    pub auth_token_secret: Option<Secret>,

    /// What the commands that ask a running server show it: a JWT or an API token of an administrator, for `admin`. It is
    /// needed where the server asks who is there, and never shown.
    #[arg(long, global = true, help_heading = AUTHENTICATION, env = "EVALGRAPH_ADMIN_TOKEN", value_name = "TOKEN")]
    pub admin_token: Option<Secret>,

    /// Serve an address that others reach though nobody is asked who they are, whatever name they call it by: everybody there
    /// can read and change everything.
    #[arg(long, global = true, help_heading = AUTHENTICATION, env = "EVALGRAPH_INSECURE", value_name = "BOOLEAN")]
    #[arg(default_value = "false", default_missing_value = "true", num_args = 0..=1, require_equals = true)]
    #[arg(action = clap::ArgAction::Set)]
    pub insecure: bool,

    /// Directory of the embedded database; made when missing.
    #[arg(long, global = true, help_heading = DATABASE, env = "EVALGRAPH_DATA_DIR", value_name = "DIRECTORY")]
    #[arg(default_value = "./data")]
    pub data_dir: PathBuf,

    /// PostgreSQL (postgres://…) or a SQLite file (sqlite:PATH) in place of the embedded database.
    #[arg(long, global = true, help_heading = DATABASE, env = "EVALGRAPH_DATABASE_URL", value_name = "URL")]
    pub database_url: Option<SecretUrl>,

    /// Where the server runs: decides the sizes of the connection pools.
    #[arg(long, global = true, help_heading = DATABASE, env = "EVALGRAPH_ENV", value_name = "NAME")]
    #[arg(default_value = "local")]
    pub env: Environment,

    /// Database connections kept open, in place of the environment's number.
    #[arg(long, global = true, help_heading = DATABASE, env = "EVALGRAPH_POOL_BASE", value_name = "COUNT")]
    pub pool_base: Option<NonZeroU32>,

    /// Database connections beyond those at busy times, in place of the environment's number. PostgreSQL only.
    #[arg(long, global = true, help_heading = DATABASE, env = "EVALGRAPH_POOL_OVERFLOW", value_name = "COUNT")]
    pub pool_overflow: Option<u32>,

    /// How long a request waits for a database connection. Without it: what the environment says, but less than the
    /// statement timeout.
    #[arg(long, global = true, help_heading = DATABASE, env = "EVALGRAPH_POOL_WAIT_MS", value_name = "MS")]
    #[arg(value_parser = milliseconds(1))]
    pub pool_wait_ms: Option<u64>,

    /// What a write to SQLite waits for. With `normal`, the writes of the last moments may be missing after a power cut or a
    /// crash of the operating system, each as a whole, and nothing after the end of the process; with `full`, nothing is
    /// missing, and each write waits for the disk. PostgreSQL has settings of its own for that.
    #[arg(long, global = true, help_heading = DATABASE, env = "EVALGRAPH_SQLITE_SYNCHRONOUS", value_name = "LEVEL")]
    #[arg(default_value = "normal")]
    pub sqlite_synchronous: SqliteSynchronous,

    /// How long a database connection is used, in place of the environment's time.
    #[arg(long, global = true, help_heading = DATABASE, env = "EVALGRAPH_POOL_LIFETIME_S", value_name = "SECONDS")]
    #[arg(value_parser = clap::value_parser!(u64).range(1..=MOST_SECONDS))]
    pub pool_lifetime_s: Option<u64>,

    /// How long a statement may run on PostgreSQL. Without it: five sixths of the request timeout, so that the database
    /// gives up before the client is told so.
    #[arg(long, global = true, help_heading = DATABASE, env = "EVALGRAPH_STATEMENT_TIMEOUT_MS", value_name = "MS")]
    #[arg(value_parser = milliseconds(1))]
    pub statement_timeout_ms: Option<u64>,

    /// How long a statement of a command that a person runs (`import`, `totals`) may take on PostgreSQL, or wait on SQLite
    /// for somebody else who writes: longer than any needs, so that it ends none but those that would never end.
    #[arg(long, global = true, help_heading = DATABASE, env = "EVALGRAPH_COMMAND_TIMEOUT_MS", value_name = "MS")]
    #[arg(default_value = "600000", value_parser = milliseconds(1))]
    pub command_timeout_ms: u64,

    /// How many days the audit log keeps what it says of a change, 0 for ever: those who look back over a year need some weeks to
    /// do so.
    #[arg(long, global = true, help_heading = DATABASE, env = "EVALGRAPH_AUDIT_RETENTION_DAYS", value_name = "DAYS")]
    #[arg(default_value = "400", value_parser = clap::value_parser!(u32).range(0..=MOST_DAYS))]
    pub audit_retention_days: u32,

    /// Redis or Valkey to share what is remembered among servers: redis://…, rediss://… (TLS), redis-cluster://… or
    /// redis-sentinel://…. Without it, each server remembers for itself.
    #[arg(long, global = true, help_heading = CACHE, env = "EVALGRAPH_REDIS_URL", value_name = "URL")]
    pub redis_url: Option<SecretUrl>,

    /// How long a request waits for Redis: several times as long as one that is well takes. Then it goes on without it, and so
    /// do all others until Redis answers again.
    #[arg(long, global = true, help_heading = CACHE, env = "EVALGRAPH_REDIS_TIMEOUT_MS", value_name = "MS")]
    #[arg(default_value = "50", value_parser = milliseconds(1))]
    pub redis_timeout_ms: u64,

    /// What the keys in Redis begin with, where several services share a server.
    #[arg(long, global = true, help_heading = CACHE, env = "EVALGRAPH_REDIS_PREFIX", value_name = "TEXT")]
    #[arg(default_value = "evalgraph")]
    pub redis_prefix: String,

    /// Whether the server remembers answers in its own memory. With `on` beside Redis, a change made through another server is
    /// seen up to a second later; with `auto` only without Redis, and what is written through other servers of the same
    /// database is then seen up to a second later.
    #[arg(long, global = true, help_heading = CACHE, env = "EVALGRAPH_CACHE_PROCESS", value_name = "WHEN")]
    #[arg(default_value = "auto")]
    pub cache_process: ProcessCache,

    /// How much of its own memory the server uses to remember answers: what some ten thousand pages take.
    #[arg(long, global = true, help_heading = CACHE, env = "EVALGRAPH_CACHE_PROCESS_BYTES", value_name = "BYTES")]
    #[arg(default_value = "67108864")]
    pub cache_process_bytes: u64,

    /// How large an answer may be to be remembered: larger ones are asked for again too seldom.
    #[arg(long, global = true, help_heading = CACHE, env = "EVALGRAPH_CACHE_MAX_ENTRY_BYTES", value_name = "BYTES")]
    #[arg(default_value = "262144")]
    pub cache_max_entry_bytes: NonZeroU32,

    /// How long a prompt is remembered. Changes end that at once; the time bounds what nobody asks for any more.
    #[arg(long, global = true, help_heading = CACHE, env = "EVALGRAPH_CACHE_PROMPT_TTL_S", value_name = "SECONDS")]
    #[arg(default_value = "600", value_parser = clap::value_parser!(u64).range(1..=MOST_SECONDS))]
    pub cache_prompt_ttl_s: u64,

    /// How long a page of a user's prompts is remembered, unless one of them changes.
    #[arg(long, global = true, help_heading = CACHE, env = "EVALGRAPH_CACHE_LIST_TTL_S", value_name = "SECONDS")]
    #[arg(default_value = "300", value_parser = clap::value_parser!(u64).range(1..=MOST_SECONDS))]
    pub cache_list_ttl_s: u64,

    /// How long runs, evaluations and results are remembered, unless they change.
    #[arg(long, global = true, help_heading = CACHE, env = "EVALGRAPH_CACHE_EVALUATION_TTL_S", value_name = "SECONDS")]
    #[arg(default_value = "3600", value_parser = clap::value_parser!(u64).range(1..=MOST_SECONDS))]
    pub cache_evaluation_ttl_s: u64,

    /// How long a template is remembered, unless it changes.
    #[arg(long, global = true, help_heading = CACHE, env = "EVALGRAPH_CACHE_TEMPLATE_TTL_S", value_name = "SECONDS")]
    #[arg(default_value = "3600", value_parser = clap::value_parser!(u64).range(1..=MOST_SECONDS))]
    pub cache_template_ttl_s: u64,

    /// How old `statistics` and `modelLeaderboard` may be. They are computed anew before they are so old, but not at every
    /// change.
    #[arg(long, global = true, help_heading = CACHE, env = "EVALGRAPH_CACHE_STATISTICS_TTL_S", value_name = "SECONDS")]
    #[arg(default_value = "1800", value_parser = clap::value_parser!(u64).range(1..=MOST_SECONDS))]
    pub cache_statistics_ttl_s: u64,

    /// How long the document of a request may be: long texts travel better as variables.
    #[arg(long, global = true, help_heading = LIMITS, env = "EVALGRAPH_MAX_DOCUMENT_BYTES", value_name = "BYTES")]
    #[arg(default_value_t = nonzero(QueryLimits::DEFAULT.max_document_bytes))]
    pub max_document_bytes: NonZeroU32,

    /// How many lexical tokens a document may have: GraphiQL's introspection has 200, large clients send 2,000.
    #[arg(long, global = true, help_heading = LIMITS, env = "EVALGRAPH_MAX_TOKENS", value_name = "COUNT")]
    #[arg(default_value_t = nonzero(QueryLimits::DEFAULT.max_tokens))]
    pub max_tokens: NonZeroU32,

    /// How deeply a query may nest fields, 32 at most: GraphiQL's introspection needs 15.
    #[arg(long, global = true, help_heading = LIMITS, env = "EVALGRAPH_MAX_DEPTH", value_name = "DEPTH")]
    #[arg(default_value_t = QueryLimits::DEFAULT.max_depth, value_parser = clap::value_parser!(u32).range(1..=32))]
    pub max_depth: u32,

    /// How many values an answer could have if every page was full: about 10 MB, and less than a second of work.
    #[arg(long, global = true, help_heading = LIMITS, env = "EVALGRAPH_MAX_COMPLEXITY", value_name = "COUNT")]
    #[arg(default_value_t = nonzero(QueryLimits::DEFAULT.max_complexity))]
    pub max_complexity: NonZeroU32,

    /// How much the values of arguments may come to: the bytes of their texts and 16 for every value, as often as they
    /// are used if every page was full. Enough for the largest body used twice.
    #[arg(long, global = true, help_heading = LIMITS, env = "EVALGRAPH_MAX_INPUT_BYTES", value_name = "BYTES")]
    #[arg(default_value_t = nonzero(QueryLimits::DEFAULT.max_input_bytes))]
    pub max_input_bytes: NonZeroU32,

    /// How many fields of a query may have an alias: each can cost statements of its own.
    #[arg(long, global = true, help_heading = LIMITS, env = "EVALGRAPH_MAX_ALIASES", value_name = "COUNT")]
    #[arg(default_value_t = QueryLimits::DEFAULT.max_aliases)]
    pub max_aliases: u32,

    /// How many fields a query may have at its root: each can cost statements of its own.
    #[arg(long, global = true, help_heading = LIMITS, env = "EVALGRAPH_MAX_ROOT_FIELDS", value_name = "COUNT")]
    #[arg(default_value_t = nonzero(QueryLimits::DEFAULT.max_root_fields))]
    pub max_root_fields: NonZeroU32,

    /// How many directives a query may use: `@skip` and `@include` are all there are.
    #[arg(long, global = true, help_heading = LIMITS, env = "EVALGRAPH_MAX_DIRECTIVES", value_name = "COUNT")]
    #[arg(default_value_t = QueryLimits::DEFAULT.max_directives)]
    pub max_directives: u32,

    /// How many fragments a query may spread, each counted wherever it is spread: clients that compose queries of
    /// fragments spread some hundred.
    #[arg(long, global = true, help_heading = LIMITS, env = "EVALGRAPH_MAX_FRAGMENT_SPREADS", value_name = "COUNT")]
    #[arg(default_value_t = QueryLimits::DEFAULT.max_fragment_spreads)]
    pub max_fragment_spreads: u32,

    /// How many objects a page has when the client does not say: a screenful.
    #[arg(long, global = true, help_heading = LIMITS, env = "EVALGRAPH_DEFAULT_PAGE_SIZE", value_name = "COUNT")]
    #[arg(default_value_t = nonzero(QueryLimits::DEFAULT.pages.default))]
    pub default_page_size: NonZeroU32,

    /// How many objects a page may have: nested pages multiply.
    #[arg(long, global = true, help_heading = LIMITS, env = "EVALGRAPH_MAX_PAGE_SIZE", value_name = "COUNT")]
    #[arg(default_value_t = nonzero(QueryLimits::DEFAULT.pages.maximum))]
    pub max_page_size: NonZeroU32,

    /// From when on a statement is slow: it is kept for the report of slow statements. 0 keeps none.
    #[arg(long, global = true, help_heading = TELEMETRY, env = "EVALGRAPH_SLOW_STATEMENT_MS", value_name = "MS")]
    #[arg(default_value = "100", value_parser = milliseconds(0))]
    pub slow_statement_ms: u64,

    /// How many slow statements are kept for the report: enough for a bad hour, and a few megabytes at most.
    #[arg(long, global = true, help_heading = TELEMETRY, env = "EVALGRAPH_SLOW_STATEMENTS_KEPT", value_name = "COUNT")]
    #[arg(default_value = "1000")]
    pub slow_statements_kept: NonZeroU32,

    /// Names of operations that metrics tell apart in any case, with commas between them.
    #[arg(long, global = true, help_heading = TELEMETRY, env = "EVALGRAPH_METRICS_OPERATIONS", value_name = "NAMES")]
    pub metrics_operations: Option<String>,

    /// How many more names of operations metrics tell apart: those that are seen first. Each has series of its own; all others
    /// are `other`.
    #[arg(long, global = true, help_heading = TELEMETRY, env = "EVALGRAPH_METRICS_MORE_OPERATIONS", value_name = "COUNT")]
    #[arg(default_value = "100", value_parser = clap::value_parser!(u32).range(0..=1000))]
    pub metrics_more_operations: u32,

    /// Whether `/metrics` needs the credential of an administrator, as all around it does: scrapers seldom have one.
    #[arg(long, global = true, help_heading = TELEMETRY, env = "EVALGRAPH_METRICS_AUTHENTICATION", value_name = "BOOLEAN")]
    #[arg(default_value = "false", action = clap::ArgAction::Set)]
    pub metrics_authentication: bool,

    /// What is logged: a level, or levels by module (`warn,evalgraph::db=debug`).
    /// Left out by default are PostgreSQL's notices, because each migration would have some, and what the client of Redis says
    /// of every attempt to connect: the server itself tells when it does without Redis.
    #[arg(long, global = true, help_heading = LOG, env = "EVALGRAPH_LOG", value_name = "FILTER")]
    #[arg(default_value = "info,tokio_postgres=warn,fred=error")]
    pub log: String,

    /// How log lines look. Without it: for machines in production, unless a person looks at them in a terminal.
    #[arg(long, global = true, help_heading = LOG, env = "EVALGRAPH_LOG_FORMAT", value_name = "FORMAT")]
    pub log_format: Option<LogFormat>,

    /// How long a request may take without being in a trace: one that takes so long has spans of itself and its operation
    /// though the sampler left it out. Longer than people wait gladly.
    #[arg(long, global = true, help_heading = TRACES, env = "EVALGRAPH_TRACE_SLOW_MS", value_name = "MS")]
    #[arg(default_value = "1000", value_parser = milliseconds(0))]
    pub trace_slow_ms: u64,

    /// Whether every resolver has a span and not those alone that load: thousands in a trace, and several times the work.
    #[arg(long, global = true, help_heading = TRACES, env = "EVALGRAPH_TRACE_ALL_RESOLVERS", value_name = "BOOLEAN")]
    #[arg(default_value = "false", action = clap::ArgAction::Set)]
    pub trace_all_resolvers: bool,

    /// Which entries of the header `baggage` are recorded with a request, separated by commas. Without it, none: clients
    /// may have secrets there.
    #[arg(long, global = true, help_heading = TRACES, env = "EVALGRAPH_TRACE_BAGGAGE", value_name = "NAMES")]
    pub trace_baggage: Option<String>,
}

impl Default for Settings {
    /// The settings where nothing was given at all.
    fn default() -> Self {
        Self::from_flags(&[])
    }
}

impl Settings {
    /// The settings that flags alone make. Ends the process when they cannot be read.
    pub(super) fn from_flags(flags: &[&str]) -> Self {
        let command = without_variables(Self::augment_args(Command::new("settings"))).no_binary_name(true);
        Self::from_arg_matches(&command.get_matches_from(flags)).unwrap_or_else(|error| error.exit())
    }
}

fn in_milliseconds(default: Duration) -> u64 {
    u64::try_from(default.as_millis()).unwrap_or(MOST_MILLISECONDS)
}

const fn nonzero(default: u32) -> NonZeroU32 {
    NonZeroU32::new(default).expect("a default of a limit that must not be zero")
}
