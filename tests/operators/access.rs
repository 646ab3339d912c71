//! Who may use the listener.

use reqwest::Method;

use crate::Operated;
use crate::common::{Kind, TestLocation};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_in_a_browser_learn_and_change_nothing() {
    let location = TestLocation::migrated(Kind::Sqlite).await;
    let server = Operated::start(&location.location, &[]);
    let foreign = server.client.get(server.url("/health")).header("host", "evil.example:9464");
    assert_eq!(foreign.send().await.unwrap().status(), 403);
    let post = || server.client.post(server.url("/cache/clear"));
    assert_eq!(post().header("origin", "http://evil.example").send().await.unwrap().status(), 403);
    assert_eq!(post().send().await.unwrap().status(), 200);
    // Load balancers and scrapers call it by the name that they know.
    let balancer = server.client.get(server.url("/health/live")).header("host", "evalgraph-1:9464");
    assert_eq!(balancer.send().await.unwrap().status(), 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn other_machines_are_told_health_alone() {
    let location = TestLocation::migrated(Kind::Sqlite).await;
    let port = crate::free_address().rsplit_once(':').unwrap().1.to_owned();
    let mut server = Operated::start(&location.location, &[&format!("--admin-listen=0.0.0.0:{port}")]);
    server.address = format!("127.0.0.1:{port}");
    for (path, status) in [("/health/live", 200), ("/health/ready", 200), ("/health", 403), ("/cache/stats", 403)] {
        assert_eq!(server.get(path).await.status(), status, "{path}");
    }
    for (method, path) in [(Method::POST, "/cache/clear"), (Method::PUT, "/log-filter"), (Method::GET, "/nothing")] {
        assert_eq!(server.text(method, path, "info").await.0, 403, "{path}");
    }
}
