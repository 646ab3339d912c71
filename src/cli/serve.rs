//! `evalgraph serve`.

use std::io::Write as _;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context as _, bail};
use tokio::net::TcpListener;
use tokio::runtime::Handle;

use super::admin::{self, Operators};
use super::open_files;
use super::stop_signals::StopSignals;
use crate::admission::Admission;
use crate::app::App;
use crate::auth::Authenticator;
use crate::cache::{Cache, CacheSettings, Follower};
use crate::config::Settings;
use crate::db::audit::Retention;
use crate::db::pool::{DatabaseLocation, PoolSettings};
use crate::db::{Database, migrate};
use crate::domain::Timestamp;
use crate::http::ConnectionLimits;
use crate::telemetry::TelemetryError;
use crate::telemetry::metrics::{Metrics, Observed};
use crate::telemetry::slow::keep_slow_statements;
use crate::{demo, http, telemetry};

/// What a process has open besides connections: each connection to SQLite has up to three files, a new one to
/// PostgreSQL or a resolver of names some.
const OTHER_FILES: u64 = 128;

/// Migrates the database, loads the demo data when asked to, and serves until a signal comes.
pub async fn run(settings: &Settings, location: &DatabaseLocation, load_demo: bool) -> anyhow::Result<()> {
    let (address, since) = (settings.listen_address(), Instant::now());
    let authentication = settings.authentication()?;
    check_exposure(address, authentication.asks(), settings.insecure)?;
    // First of all: a port in use should be known before the work of a migration is done.
    let listener = TcpListener::bind(address).await.with_context(|| {
        format!("cannot listen on {address}: choose another port with --port or another address with --listen")
    })?;
    let admin_listener = admin::bind(settings.admin_listen).await?;
    let metrics = start_metrics(settings, admin_listener.is_some())?;
    telemetry::within(telemetry::root("evalgraph migrate"), migrate::migrate(location)).await?;
    let caching = settings.cache();
    let pools = PoolSettings { carries_out: caching.is_some(), ..settings.pool() };
    let database = Database::open(location, &pools).await?;
    let demo = async {
        match load_demo {
            true => {
                telemetry::within(telemetry::root("evalgraph demo"), demo::load_once(&database, Timestamp::now())).await
            }
            false => Ok(None),
        }
    };
    if let Some(summary) = demo.await? {
        tracing::info!(
            prompts = summary.prompts,
            evaluations = summary.evaluations,
            test_results = summary.test_results,
            "the demo data was loaded",
        );
    }
    let (database, cache, _follower) = with_cache(database, caching.as_ref())?;
    let _retention = settings.audit_retention().map(|age| Retention::start(database.clone(), age));
    let mut stop_signals = StopSignals::catch()?;
    let authenticator = Arc::new(Authenticator::start(&authentication, &database).await?);
    greet(listener.local_addr()?, settings.explorer, authentication.asks());
    let redis = cache.as_ref().and_then(|cache| cache.redis()).cloned();
    let admission = Admission::new(&settings.admission(), redis);
    let app = App::new(database.clone(), settings).with_cache(cache).with_admission(admission);
    let app = app.with_authenticator(authenticator);
    if let Some(metrics) = &metrics {
        metrics.observe(Observed {
            database: database.clone(),
            cache: app.cache.clone(),
            admission: Arc::clone(&app.admission),
            since,
            runtime: Handle::current().metrics(),
        });
    }
    let operators = admin_listener
        .map(|listener| Operators::serve(listener, app.clone(), metrics.clone(), settings))
        .transpose()?;
    let router = http::router(app);
    let shutdown = async move {
        stop_signals.next().await;
        tracing::info!("stopping: requests in progress are finished first");
    };
    http::serve(listener, router, within_open_files(settings.connections(), settings), shutdown).await;
    // A change that has begun is made though its client is gone. None takes longer than a request may.
    if !database.finish_writes(settings.request_timeout()).await {
        tracing::warn!("changes that took too long were cut off at shutdown: nothing of them is stored");
    }
    // To the end, somebody may want to know what the others are waiting for.
    if let Some(operators) = operators {
        operators.stop().await;
    }
    if let Some(metrics) = metrics {
        metrics.finish().await;
    }
    tracing::info!("stopped");
    Ok(())
}

/// Begins to count and to measure, where somebody may read it.
fn start_metrics(settings: &Settings, has_page: bool) -> Result<Option<Arc<Metrics>>, TelemetryError> {
    if let Some(slow) = settings.slow_statements().filter(|_| has_page) {
        keep_slow_statements(slow);
    }
    let variable = |name: &str| std::env::var(name).ok();
    let metrics = Metrics::start(settings.env.as_str(), settings.metrics(), has_page, variable)?;
    Ok(metrics.map(Arc::new))
}

/// Refuses to serve everybody what nobody is asked for.
fn check_exposure(address: SocketAddr, asks: bool, insecure: bool) -> anyhow::Result<()> {
    if asks || address.ip().to_canonical().is_loopback() {
        return Ok(());
    }
    if !insecure {
        bail!(
            "{address} can be reached by others, and nobody would be asked who they are: everybody could read and change \
             everything. Set up authentication (--auth-jwks, --auth-jwt-secret or --auth-token-secret), listen on this machine \
             alone (--listen 127.0.0.1:{}), or say that it is meant with --insecure",
            address.port(),
        );
    }
    tracing::warn!(%address, "--insecure: whoever reaches this address can read and change everything");
    Ok(())
}

/// The store as the cache follows it, the cache, and what keeps the outbox in order.
fn with_cache(
    database: Database,
    settings: Option<&CacheSettings>,
) -> anyhow::Result<(Database, Option<Arc<Cache>>, Follower)> {
    let Some(settings) = settings else {
        return Ok((database.clone(), None, Follower::trim(database)));
    };
    let cache = Cache::new(settings).context("the setting redis_url")?;
    let (follower, database) = Follower::start(&cache, database);
    Ok((database, Some(cache), follower))
}

/// The limits, with no more connections than the system has files for.
fn within_open_files(limits: ConnectionLimits, settings: &Settings) -> ConnectionLimits {
    let pool = settings.pool();
    let Some(files) = open_files::raise_limit() else { return limits };
    let others = OTHER_FILES + u64::from(pool.base) + u64::from(pool.overflow);
    let most = usize::try_from(files.saturating_sub(others)).unwrap_or(usize::MAX).max(1);
    if most < limits.most {
        tracing::warn!(
            files,
            connections = most,
            max_connections = limits.most,
            "the system allows this process fewer connections than --max-connections: raise its limit of open files",
        );
    }
    ConnectionLimits { most: limits.most.min(most), ..limits }
}

/// Tells how to begin. A server whose standard output was closed serves all the same.
fn greet(address: SocketAddr, explorer: bool, asks: bool) {
    let page = if explorer { format!("Write queries in a browser at http://{address}/\n") } else { String::new() };
    let (access, header) = if asks {
        ("", " -H \"authorization: Bearer $TOKEN\"")
    } else if address.ip().to_canonical().is_loopback() {
        (
            "No authentication is set up: whoever is on this machine is the administrator `local`. Others cannot connect.\n",
            "",
        )
    } else {
        ("No authentication is set up (--insecure): whoever reaches this address is the administrator `local`.\n", "")
    };
    let greeting = format!(
        r#"evalgraph serves GraphQL at http://{address}/graphql
{page}{access}
Try:
  curl -s http://{address}/graphql -H 'content-type: application/json'{header} -d '{{"query":"{{ prompts(first: 3) {{ nodes {{ title version evaluations(first: 2) {{ totalCount nodes {{ model passRate testResults(first: 2, filter: {{ passed: false }}) {{ totalCount nodes {{ testCaseName }} }} }} }} }} }} }}"}}'

"#
    );
    if let Err(error) = std::io::stdout().write_all(greeting.as_bytes()) {
        tracing::warn!(%error, %address, "serving, but standard output cannot be written");
    }
}
