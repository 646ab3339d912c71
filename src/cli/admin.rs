//! The operators' listener of a server, and asking the one of a server that runs.

use std::io::ErrorKind;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use reqwest::{Client, Method, StatusCode};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::app::App;
use crate::config::{AdminListen, Secret, Settings};
use crate::http::admin::{Admin, Reach};
use crate::http::{self, ConnectionLimits};
use crate::telemetry::metrics::Metrics;

/// How long the operators' requests may go on when the server has stopped.
const FAREWELL: Duration = Duration::from_secs(1);
/// How long a server may take to answer a command.
const PATIENCE: Duration = Duration::from_secs(10);

/// Takes the address of the operators' listener.
pub async fn bind(listen: AdminListen) -> anyhow::Result<Option<TcpListener>> {
    let address = match listen {
        AdminListen::Off => return Ok(None),
        AdminListen::Auto => AdminListen::USUAL,
        AdminListen::At(address) => address,
    };
    match TcpListener::bind(address).await {
        Err(error) if listen == AdminListen::Auto && error.kind() == ErrorKind::AddrInUse => {
            let free = TcpListener::bind((address.ip(), 0)).await.map(Some);
            free.context("there is no port for the operators' listener: give it one, or --admin-listen=off")
        }
        bound => bound.map(Some).with_context(|| {
            format!("cannot listen on {address} for operators: choose another address with --admin-listen, or off")
        }),
    }
}

/// The operators' listener at work.
pub struct Operators {
    stop: oneshot::Sender<()>,
    served: JoinHandle<()>,
}

impl Operators {
    /// Serves operators until it is stopped.
    pub fn serve(
        listener: TcpListener,
        app: App,
        metrics: Option<Arc<Metrics>>,
        settings: &Settings,
    ) -> anyhow::Result<Self> {
        let address = listener.local_addr()?;
        tracing::info!(%address, "operators are served");
        let router = http::admin::router(
            Admin::new(app, Reach::of(address)).with_metrics(metrics, settings.metrics_authentication),
        );
        let (stop, stopped) = oneshot::channel();
        let shutdown = async move {
            let _ = stopped.await;
        };
        let limits = ConnectionLimits { shutdown: FAREWELL, ..settings.admin_connections() };
        Ok(Self { stop, served: tokio::spawn(http::serve(listener, router, limits, shutdown)) })
    }

    /// Ends it.
    pub async fn stop(self) {
        let _ = self.stop.send(());
        let _ = self.served.await;
    }
}

/// A server that runs, as operators see it.
pub struct RunningServer {
    client: Client,
    base: String,
    token: Option<Secret>,
}

impl RunningServer {
    /// The one that the settings name. Nobody has asked it yet.
    pub fn of(settings: &Settings) -> anyhow::Result<Self> {
        let Some(address) = settings.admin_listen.to_connect() else {
            bail!("the operators' listener is off: name a server's with --admin-listen");
        };
        // It is on this machine or in this network: no proxy leads there.
        let client = Client::builder().no_proxy().timeout(PATIENCE).build()?;
        Ok(Self { client, base: format!("http://{address}"), token: settings.admin_token.clone() })
    }

    /// Where it is asked.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// What it answers; its own words where it refuses.
    pub async fn ask(&self, method: Method, path: &str, body: Option<String>) -> anyhow::Result<String> {
        let mut request = self.client.request(method, format!("{}{path}", self.base));
        if let Some(token) = &self.token {
            request = request.bearer_auth(token.expose());
        }
        if let Some(body) = body {
            request = request.body(body);
        }
        let no_answer =
            || format!("no evalgraph server answers operators at {}: name its address with --admin-listen", self.base);
        let response = request.send().await.with_context(no_answer)?;
        let status = response.status();
        let text = response.text().await.with_context(no_answer)?;
        if status == StatusCode::UNAUTHORIZED && self.token.is_none() {
            bail!(
                "the server at {} asks who is there: give a token of an administrator as EVALGRAPH_ADMIN_TOKEN",
                self.base
            );
        }
        if status != StatusCode::OK {
            bail!("the server at {} answers {status}: {}", self.base, text.trim_end());
        }
        Ok(text)
    }
}
