//! A way to a server that can be cut, fall silent, or carry answers late or in part.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use evalgraph::db::pool::DatabaseLocation;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};
use url::Url;

/// What becomes of what is forwarded.
#[derive(Debug, Clone, Copy, Default)]
struct Behaviour {
    /// Nothing is forwarded, and nothing closed.
    silent: bool,
    /// How late answers come.
    delay: Duration,
    /// So many bytes of the next answer arrive, and then the end of the connection.
    cut_after: Option<usize>,
}

/// Forwards connections to a server until it is dropped.
pub struct Proxy {
    pub port: u16,
    behaviour: watch::Sender<Behaviour>,
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
        let server = url(server);
        Self::to(port, server.host_str().unwrap(), server.port().unwrap_or(5432)).await
    }

    /// To the server there; on any port if `port` is 0.
    pub async fn to(port: u16, host: &str, server_port: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", port)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let server = (host.to_owned(), server_port);
        let (behaviour, behaving) = watch::channel(Behaviour::default());
        let open = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&open);
        let task = tokio::spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((client, _)) = listener.accept().await {
                let (server, behaving, open) = (server.clone(), behaving.clone(), Open::one(&counter));
                connections.spawn(async move {
                    // A server that is gone refuses, and so does the proxy.
                    if let Ok(server) = TcpStream::connect(server).await {
                        forward(client, server, behaving).await;
                    }
                    drop(open);
                });
            }
        });
        Self { port, behaviour, open, task }
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
        self.behaviour.send_modify(|behaviour| behaviour.silent = silent);
    }

    /// From now on, answers come so late.
    pub fn set_delay(&self, delay: Duration) {
        self.behaviour.send_modify(|behaviour| behaviour.delay = delay);
    }

    /// From now on, connections end after so many bytes of an answer; or none does any more.
    pub fn set_cut_after(&self, bytes: Option<usize>) {
        self.behaviour.send_modify(|behaviour| behaviour.cut_after = bytes);
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

async fn forward(client: TcpStream, server: TcpStream, behaving: watch::Receiver<Behaviour>) {
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    tokio::select! {
        () = ask(from_client, to_server, behaving.clone()) => {}
        () = answer(from_server, to_client, behaving) => {}
    }
}

async fn ask(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, mut behaving: watch::Receiver<Behaviour>) {
    let mut buffer = [0; 16 << 10];
    while let Some(read) = read(&mut from, &mut buffer, &mut behaving).await {
        if to.write_all(&buffer[..read]).await.is_err() {
            return;
        }
    }
}

async fn answer(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, mut behaving: watch::Receiver<Behaviour>) {
    let mut buffer = [0; 16 << 10];
    while let Some(read) = read(&mut from, &mut buffer, &mut behaving).await {
        let Behaviour { delay, cut_after, .. } = *behaving.borrow();
        if !delay.is_zero() {
            tokio::time::sleep(delay).await;
        }
        let passed = cut_after.map_or(read, |bytes| bytes.min(read));
        if to.write_all(&buffer[..passed]).await.is_err() || cut_after.is_some() {
            return;
        }
    }
}

/// What comes next and may be forwarded; nothing at the end.
async fn read(from: &mut OwnedReadHalf, buffer: &mut [u8], behaving: &mut watch::Receiver<Behaviour>) -> Option<usize> {
    let read = from.read(buffer).await.ok().filter(|&read| read > 0)?;
    behaving.wait_for(|behaviour| !behaviour.silent).await.ok()?;
    Some(read)
}
