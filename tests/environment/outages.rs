//! The PostgreSQL server goes away under load, and comes back.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use evalgraph::db::Database;
use evalgraph::domain::Principal;

use crate::common::{PromptBuilder, Proxy, TestDatabase, TestServer, eventually, small_pools};
use crate::{ask, is_alive, is_ready};

const REQUEST_TIMEOUT: Duration = Duration::from_secs(3);

async fn served(proxy: &Proxy, database: &TestDatabase) -> (TestServer, Database) {
    let pools = Database::open(&proxy.location(&database.location), &small_pools()).await.unwrap();
    let mut app = TestServer::app(pools.clone());
    app.limits.request_timeout = REQUEST_TIMEOUT;
    (TestServer::with(app, Principal::local()).await, pools)
}

/// Eight clients that ask without a pause; every answer comes in time and is good, or says that it is not our day.
struct Load {
    stop: Arc<AtomicBool>,
    clients: Vec<tokio::task::JoinHandle<(usize, usize)>>,
}

impl Load {
    fn start(server: &Arc<TestServer>) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let client = |_| {
            let (server, stop) = (Arc::clone(server), Arc::clone(&stop));
            tokio::spawn(async move {
                let (mut good, mut failed) = (0, 0);
                while !stop.load(Ordering::SeqCst) {
                    let (code, took) = ask(&server).await;
                    assert!(took < REQUEST_TIMEOUT + Duration::from_secs(1), "{took:?}");
                    match code.as_deref() {
                        None => good += 1,
                        Some("UNAVAILABLE" | "TIMEOUT") => failed += 1,
                        Some(other) => panic!("{other}"),
                    }
                    tokio::task::yield_now().await;
                }
                (good, failed)
            })
        };
        Self { clients: (0..8).map(client).collect(), stop }
    }

    /// How many requests succeeded and failed.
    async fn end(self) -> (usize, usize) {
        self.stop.store(true, Ordering::SeqCst);
        let (mut good, mut failed) = (0, 0);
        for client in self.clients {
            let (of_one, failed_of_one) = client.await.unwrap();
            good += of_one;
            failed += failed_of_one;
        }
        (good, failed)
    }
}

/// Every connection of the pool is there to be used, and no other.
async fn nothing_leaked(proxy: &Proxy, pools: &Database) {
    let all_idle = || {
        let (open, idle) = pools.read_connections();
        open == idle && open as usize == proxy.open_connections()
    };
    eventually(Duration::from_secs(10), "the connections are those of the pool", async || all_idle()).await;
    assert!(proxy.open_connections() <= 4, "{}", proxy.open_connections());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_server_that_goes_away_under_load_is_found_again() {
    let database = TestDatabase::postgres().await;
    PromptBuilder::new().insert(&database).await;
    let mut proxy = Proxy::start(0, &database.location).await;
    let (server, pools) = served(&proxy, &database).await;
    let server = Arc::new(server);
    let load = Load::start(&server);
    for _ in 0..3 {
        tokio::time::sleep(Duration::from_millis(300)).await;
        let port = proxy.stop().await;
        eventually(Duration::from_secs(5), "the server is not ready", async || !is_ready(&server).await).await;
        assert_eq!(ask(&server).await.0.as_deref(), Some("UNAVAILABLE"));
        assert!(is_alive(&server).await);
        tokio::time::sleep(Duration::from_millis(300)).await;
        proxy = Proxy::start(port, &database.location).await;
        eventually(Duration::from_secs(5), "the server is ready again", async || is_ready(&server).await).await;
    }
    let (good, failed) = load.end().await;
    assert!(good > 0 && failed > 0, "{good} requests succeeded, {failed} failed");
    for _ in 0..20 {
        assert_eq!(ask(&server).await.0, None, "the outage is over");
    }
    nothing_leaked(&proxy, &pools).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_server_that_falls_silent_holds_nobody_for_longer_than_a_request_may_take() {
    let database = TestDatabase::postgres().await;
    PromptBuilder::new().insert(&database).await;
    let proxy = Proxy::start(0, &database.location).await;
    let (server, pools) = served(&proxy, &database).await;
    let server = Arc::new(server);
    let load = Load::start(&server);
    tokio::time::sleep(Duration::from_millis(300)).await;
    proxy.set_silent(true);
    eventually(Duration::from_secs(10), "the server is not ready", async || !is_ready(&server).await).await;
    let (code, _) = ask(&server).await;
    assert!(matches!(code.as_deref(), Some("TIMEOUT" | "UNAVAILABLE")), "{code:?}");
    assert!(is_alive(&server).await);
    proxy.set_silent(false);
    eventually(Duration::from_secs(10), "the server is ready again", async || is_ready(&server).await).await;
    eventually(Duration::from_secs(10), "requests succeed again", async || ask(&server).await.0.is_none()).await;
    load.end().await;
    for _ in 0..20 {
        assert_eq!(ask(&server).await.0, None, "the silence is over");
    }
    nothing_leaked(&proxy, &pools).await;
}
