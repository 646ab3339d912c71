//! An encrypted way to the shared tier, and whom it trusts: the authorities of the system, or those of `SSL_CERT_FILE`.

use std::process::Stdio;
use std::time::Duration;

use crate::common::process::{Server, evalgraph_on, run, stdout};
use crate::common::{Kind, TestLocation, eventually};

/// The test server at the name that its certificate has.
fn url() -> String {
    std::env::var("EVALGRAPH_TEST_REDIS_TLS_URL")
        .expect("EVALGRAPH_TEST_REDIS_TLS_URL is not set: run scripts/test, which starts a Redis with a certificate")
}

fn authority() -> String {
    std::env::var("EVALGRAPH_TEST_POSTGRES_CA").expect("EVALGRAPH_TEST_POSTGRES_CA is not set: run scripts/test")
}

/// A server whose log goes to a file.
fn serve(database: &TestLocation, url: &str, authority: Option<&str>, log: &std::path::Path) -> Server {
    let mut command = evalgraph_on(&database.location, &["serve", "--listen=127.0.0.1:0", "--redis-timeout-ms=1000"]);
    command.env("REDIS_URL", url).stderr(Stdio::from(std::fs::File::create(log).unwrap()));
    match authority {
        Some(file) => command.env("SSL_CERT_FILE", file),
        None => command.env_remove("SSL_CERT_FILE"),
    };
    Server::start_with_log(&mut command)
}

fn is_in_force(database: &TestLocation) -> bool {
    stdout(&run(&mut evalgraph_on(&database.location, &["cache", "stats"]))).starts_with("shared cache: in force")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_whose_authority_is_trusted_is_used() {
    let database = TestLocation::migrated(Kind::Postgres).await;
    let directory = tempfile::tempdir().unwrap();
    let _server = serve(&database, &url(), Some(&authority()), &directory.path().join("log"));
    eventually(Duration::from_secs(30), "the shared tier is in force", async || is_in_force(&database)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_nobody_vouches_for_is_not_used_and_the_log_tells_why() {
    for (host, trusted) in [("localhost", false), ("127.0.0.1", true)] {
        let database = TestLocation::migrated(Kind::Postgres).await;
        let directory = tempfile::tempdir().unwrap();
        let log = directory.path().join("log");
        let authority = trusted.then(authority);
        let server = serve(&database, &url().replace("localhost", host), authority.as_deref(), &log);
        let tells_why = async || std::fs::read_to_string(&log).unwrap().to_lowercase().contains("certificate");
        eventually(Duration::from_secs(30), "the log tells of the certificate", tells_why).await;
        assert!(!is_in_force(&database), "{host}");
        server.data("{ viewer { userId } }").await;
    }
}
