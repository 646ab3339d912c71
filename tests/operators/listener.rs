//! Where the listener is.

use std::net::TcpListener;
use std::process::Stdio;

use crate::common::process::{Server, evalgraph_on, run, stderr};
use crate::common::{Kind, TestLocation};
use crate::{Operated, free_address};

/// Where a log in JSON says that operators are served.
fn announced(log: &str) -> Option<String> {
    let lines = log.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    let line = lines.into_iter().find(|line| line["message"] == "operators are served")?;
    Some(line["address"].as_str().unwrap().to_owned())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_address_that_was_given_must_be_free() {
    let location = TestLocation::migrated(Kind::Sqlite).await;
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let flag = format!("--admin-listen={address}");
    let output = run(&mut evalgraph_on(&location.location, &["serve", "--listen=127.0.0.1:0", &flag]));
    assert_eq!(output.status.code(), Some(1));
    let message = stderr(&output);
    let expected =
        format!("cannot listen on {address} for operators: choose another address with --admin-listen, or off");
    assert!(message.contains(&expected) && message.contains("Address already in use"), "{message}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_an_address_servers_on_one_machine_do_not_hinder_one_another() {
    let location = TestLocation::migrated(Kind::Sqlite).await;
    let start = || {
        let mut command = evalgraph_on(&location.location, &["serve", "--listen=127.0.0.1:0", "--log-format=json"]);
        Server::start_with_log(command.stderr(Stdio::piped()))
    };
    let mut servers = [start(), start()];
    let addresses = servers.each_mut().map(|server| {
        server.signal("TERM");
        assert_eq!(server.wait(), Some(0));
        announced(&server.log()).expect("the log tells where operators are served")
    });
    assert_ne!(addresses[0], addresses[1]);
    assert!(addresses.iter().all(|address| address.starts_with("127.0.0.1:")), "{addresses:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_can_be_switched_off() {
    let location = TestLocation::migrated(Kind::Sqlite).await;
    let server = Operated::start(&location.location, &["--admin-listen=off"]);
    assert!(server.client.get(server.url("/health/live")).send().await.is_err());
    assert_eq!(announced(&server.log()), None);
    let output = run(&mut evalgraph_on(&location.location, &["log-filter", "--admin-listen=off"]));
    assert!(stderr(&output).contains("the operators' listener is off"), "{}", stderr(&output));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_of_it_is_at_the_public_address() {
    let location = TestLocation::migrated(Kind::Sqlite).await;
    let server = Operated::start(&location.location, &[]);
    for path in ["/health", "/metrics", "/cache/stats", "/log-filter", "/slow-statements"] {
        let url = format!("http://{}{path}", server.server.address);
        assert_eq!(reqwest::get(url).await.unwrap().status(), 404, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_command_that_finds_no_server_says_where_it_looked() {
    let location = TestLocation::migrated(Kind::Sqlite).await;
    let address = free_address();
    let flag = format!("--admin-listen={address}");
    let output = run(&mut evalgraph_on(&location.location, &["log-filter", &flag]));
    assert_eq!(output.status.code(), Some(1));
    let expected = format!("no evalgraph server answers operators at http://{address}");
    assert!(stderr(&output).contains(&expected), "{}", stderr(&output));
}
