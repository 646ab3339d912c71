//! A way to the PostgreSQL server that can be cut, and that can fall silent.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use evalgraph::db::pool::DatabaseLocation;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};
use url::Url;

/// Forwards connections to the test server until it is dropped.
pub struct Proxy {
    port: u16,
    silent: watch::Sender<bool>,
    open: Arc<AtomicUsize>,
    task: JoinHandle<()>,
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Proxy {
    /// To the server of this database; on any port if it is 0.
    pub async fn start(port: u16, server: &DatabaseLocation) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", port)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let server = url(server);
        let server = (server.host_str().unwrap().to_owned(), server.port().unwrap_or(5432));
        let (silent, silence) = watch::channel(false);
        let open = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&open);
        let task = tokio::spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((client, _)) = listener.accept().await {
                let (server, silence, open) = (server.clone(), silence.clone(), Open::one(&counter));
                connections.spawn(async move {
                    let server = TcpStream::connect(server).await.unwrap();
                    forward(client, server, silence).await;
                    drop(open);
                });
            }
        });
        Self { port, silent, open, task }
    }

    /// The database, by way of the proxy.
    pub fn location(&self, server: &DatabaseLocation) -> DatabaseLocation {
        let mut url = url(server);
        url.set_port(Some(self.port)).unwrap();
        DatabaseLocation::Postgres(url.into())
    }

    /// Closes all connections, and the port.
    pub async fn stop(mut self) -> u16 {
        self.task.abort();
        let _ = (&mut self.task).await;
        self.port
    }

    /// From now on, nothing is forwarded, and nothing closed; or everything is again.
    pub fn set_silent(&self, silent: bool) {
        self.silent.send_replace(silent);
    }

    /// How many connections are open.
    pub fn open_connections(&self) -> usize {
        self.open.load(Ordering::SeqCst)
    }
}

fn url(location: &DatabaseLocation) -> Url {
    let DatabaseLocation::Postgres(url) = location else { panic!("{location:?} is no PostgreSQL database") };
    Url::parse(url).unwrap()
}

struct Open(Arc<AtomicUsize>);

impl Open {
    fn one(counter: &Arc<AtomicUsize>) -> Self {
        counter.fetch_add(1, Ordering::SeqCst);
        Self(Arc::clone(counter))
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

async fn forward(client: TcpStream, server: TcpStream, silence: watch::Receiver<bool>) {
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    tokio::select! {
        () = copy(from_client, to_server, silence.clone()) => {}
        () = copy(from_server, to_client, silence) => {}
    }
}

async fn copy(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, mut silence: watch::Receiver<bool>) {
    let mut buffer = [0; 16 << 10];
    while let Ok(read) = from.read(&mut buffer).await {
        if read == 0 || silence.wait_for(|silent| !*silent).await.is_err() {
            return;
        }
        if to.write_all(&buffer[..read]).await.is_err() {
            return;
        }
    }
}
