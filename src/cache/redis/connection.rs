//! The connection to the server, one at a time.
//!
//! None repairs itself: whoever comes back may have forgotten what was invalidated. It is given up at the first failure,
//! which keeps everybody from waiting for a server that does not answer, and another one is made that has another number.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use fred::clients::Client;
use fred::prelude::{
    Builder, ClientLike as _, ClusterInterface as _, Config, Error, EventInterface as _, Expiration, KeysInterface as _,
};
use fred::types::InfoKind;
use rand::RngExt as _;
use sha2::{Digest as _, Sha256};
use thiserror::Error;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::counts::RedisCounts;
use super::format::KeySpace;
use super::{Generation, RedisSettings};

/// How long connecting may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// The first pause after a failure, and the longest.
const PAUSES: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(5));
/// A connection that lived for so long was a good one: the next failure is a new one.
const GOOD_AFTER: Duration = Duration::from_secs(10);
/// How often the log repeats that there is no connection.
const LOG_INTERVAL: Duration = Duration::from_secs(30);

/// The URL of the shared cache cannot be understood. What is wrong with it is told without it: it may contain a password.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "the address of the shared cache cannot be understood: it must be redis://HOST:PORT, rediss://HOST:PORT, redis-cluster://HOST:PORT or redis-sentinel://HOST:PORT?sentinelServiceName=NAME"
)]
pub struct BadUrl;

/// A connection that works.
#[derive(Clone)]
pub struct Live {
    /// Its number.
    pub number: u64,
    /// Which servers it leads to: those that keep the same, and have not been started again, give the same number.
    pub servers: u64,
    /// The connection.
    pub client: Client,
}

/// The connections, of which there is one at a time, or none.
pub struct Connections {
    current: Arc<watch::Sender<Option<Live>>>,
    counts: Arc<RedisCounts>,
    supervisor: JoinHandle<()>,
}

impl Drop for Connections {
    fn drop(&mut self) {
        self.supervisor.abort();
    }
}

impl Connections {
    pub fn start(settings: &RedisSettings, keys: &Arc<KeySpace>, counts: &Arc<RedisCounts>) -> Result<Self, BadUrl> {
        let config = Config::from_url(&settings.url).map_err(|_| BadUrl)?;
        let current = Arc::new(watch::Sender::new(None));
        let supervisor = Supervisor {
            config,
            command_timeout: settings.command_timeout,
            keys: Arc::clone(keys),
            current: Arc::clone(&current),
            counts: Arc::clone(counts),
            numbers: AtomicU64::new(0),
            logged: None,
        };
        Ok(Self { current, counts: Arc::clone(counts), supervisor: tokio::spawn(supervisor.run()) })
    }

    /// The connection in use.
    pub fn current(&self) -> Option<Live> {
        self.current.borrow().clone()
    }

    /// Ends the use of the connection with this number. Others that failed over it have done so already, or will find it gone.
    pub fn give_up(&self, number: u64, reason: &str) {
        let given_up = self.current.send_if_modified(|current| {
            let is_current = current.as_ref().is_some_and(|live| live.number == number);
            if is_current {
                *current = None;
            }
            is_current
        });
        if given_up {
            self.counts.failures.fetch_add(1, Ordering::Relaxed);
            tracing::warn!(reason, "the shared cache is not used: it failed");
        }
    }
}

struct Supervisor {
    config: Config,
    command_timeout: Duration,
    keys: Arc<KeySpace>,
    current: Arc<watch::Sender<Option<Live>>>,
    counts: Arc<RedisCounts>,
    numbers: AtomicU64,
    logged: Option<Instant>,
}

impl Supervisor {
    /// Makes a connection, waits for its end, and makes another.
    async fn run(mut self) {
        let mut pause = PAUSES.0;
        loop {
            match tokio::time::timeout(CONNECT_TIMEOUT, self.connect()).await {
                Ok(Ok((client, servers))) => {
                    let began = Instant::now();
                    self.serve(client, servers).await;
                    if began.elapsed() >= GOOD_AFTER {
                        pause = PAUSES.0;
                    }
                }
                Ok(Err(error)) => self.log(error.details()),
                Err(_) => self.log("it did not answer in time"),
            }
            let jitter = rand::rng().random_range(0.5..1.0);
            tokio::time::sleep(pause.mul_f64(jitter)).await;
            pause = (pause * 2).min(PAUSES.1);
        }
    }

    /// Connects to a server that takes what is written to it.
    async fn connect(&self) -> Result<(Client, u64), Error> {
        let timeout = self.command_timeout;
        let client = Builder::from_config(self.config.clone())
            .with_connection_config(|connection| {
                connection.connection_timeout = CONNECT_TIMEOUT;
                connection.internal_command_timeout = CONNECT_TIMEOUT;
                connection.max_command_attempts = 1;
                connection.max_redirections = 0;
                connection.tcp.nodelay = Some(true);
            })
            .with_performance_config(|performance| performance.default_command_timeout = timeout * 10)
            .build()?;
        // There is no policy for reconnecting, so it ends with the connection.
        client.init().await?;
        let written = Generation::random().bytes();
        client.set::<(), _, _>(self.keys.probe(), written, Some(Expiration::EX(10)), None, false).await?;
        let servers = servers(&client).await?;
        Ok((client, servers))
    }

    /// Lends the connection until it fails or is given up.
    async fn serve(&self, client: Client, servers: u64) {
        let number = self.numbers.fetch_add(1, Ordering::Relaxed) + 1;
        let mut errors = client.error_rx();
        let mut current = self.current.subscribe();
        self.current.send_replace(Some(Live { number, servers, client: client.clone() }));
        self.counts.connections.fetch_add(1, Ordering::Relaxed);
        tracing::info!("the shared cache is connected");
        tokio::select! {
            _ = errors.recv() => {
                self.counts.failures.fetch_add(1, Ordering::Relaxed);
                tracing::warn!("the shared cache is not used: its connection ended");
            }
            _ = current.wait_for(Option::is_none) => {}
        }
        self.current.send_replace(None);
        // It may hang as well, and nobody needs its farewell.
        let _ = tokio::time::timeout(self.command_timeout, client.quit()).await;
    }

    /// The log has the first failure, and one now and then.
    fn log(&mut self, reason: &str) {
        if self.logged.is_none_or(|logged| logged.elapsed() >= LOG_INTERVAL) {
            self.logged = Some(Instant::now());
            tracing::warn!(reason, "the shared cache cannot be used");
        }
    }
}

/// A number for the servers that a connection leads to: of a server, its process; of a cluster, which servers have its parts.
async fn servers(client: &Client) -> Result<u64, Error> {
    let names = match client.cached_cluster_state().filter(|_| client.is_clustered()) {
        Some(cluster) => {
            let mut servers: Vec<String> = cluster.unique_primary_nodes().iter().map(ToString::to_string).collect();
            servers.sort_unstable();
            servers.join(" ")
        }
        None => {
            let report: String = client.info(Some(InfoKind::Server)).await?;
            report.lines().find(|line| line.starts_with("run_id:")).unwrap_or_default().to_owned()
        }
    };
    let digest: [u8; 32] = Sha256::digest(names).into();
    Ok(digest.iter().take(8).fold(0, |number, &byte| number << 8 | u64::from(byte)))
}
