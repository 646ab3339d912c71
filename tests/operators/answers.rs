//! What the listener tells and does.

use std::time::Duration;

use reqwest::Method;
use serde_json::Value;

use crate::Operated;
use crate::common::process::{stderr, stdout};
use crate::common::{Kind, TestLocation, eventually};

/// Asks for a prompt that does not exist, which is remembered too.
const PROMPT: &str = "{ prompt(id: \"UHJvbXB0OjAwMDAwMDAwLTAwMDAtMDAwMC0wMDAwLTAwMDAwMDAwMDAwMA==\") { title } }";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn health_is_told_in_detail() {
    for (kind, system, roles) in
        [(Kind::Sqlite, "sqlite", &["read", "write"][..]), (Kind::Postgres, "postgresql", &["all"])]
    {
        let location = TestLocation::migrated(kind).await;
        let server = Operated::start(&location.location, &[]);
        let health = server.json("/health").await;
        assert_eq!((&health["ready"], &health["version"]), (&true.into(), &env!("CARGO_PKG_VERSION").into()));
        let database = &health["database"];
        assert_eq!((&database["system"], &database["problem"]), (&system.into(), &Value::Null));
        assert!(database["version"].as_str().unwrap().starts_with(|digit: char| digit.is_ascii_digit()));
        let pools = database["pools"].as_array().unwrap();
        assert_eq!(pools.iter().map(|pool| pool["role"].as_str().unwrap()).collect::<Vec<_>>(), roles);
        for pool in pools {
            let number = |name: &str| pool[name].as_u64().unwrap_or_else(|| panic!("{name}: {pool}"));
            assert_eq!(number("open"), number("idle") + number("inUse"));
            assert!(number("open") <= number("max") && number("waiting") == 0, "{pool}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_cache_is_told_of_and_cleared() {
    let location = TestLocation::migrated(Kind::Sqlite).await;
    let server = Operated::start(&location.location, &[]);
    let misses = async || {
        server.server.data(PROMPT).await;
        server.json("/cache/stats").await["misses"].as_u64().unwrap()
    };
    let is_remembered = async || misses().await == misses().await;
    eventually(Duration::from_secs(10), "the answer is remembered", is_remembered).await;
    let before = misses().await;
    let (status, answer) = server.text(Method::POST, "/cache/clear", "").await;
    assert_eq!((status, answer.as_str()), (200, r#"{"cleared":true}"#));
    server.server.data(PROMPT).await;
    let report = server.json("/cache/stats").await;
    let asked_again = report["misses"].as_u64().unwrap() > before || report["unbelieved"].as_u64().unwrap() > 0;
    assert!(asked_again, "{report}");
    let told = stdout(&server.command(&location.location, &["cache", "stats"]));
    assert!(told.contains("shared cache: "), "{told}");
    assert!(told.contains(&format!("the server at http://{}: {{", server.address)), "{told}");
    assert!(told.contains("\"misses\": "), "{told}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cache_stats_needs_no_server() {
    let location = TestLocation::migrated(Kind::Sqlite).await;
    let mut command = crate::common::process::evalgraph_on(&location.location, &["cache", "stats"]);
    let output = crate::common::process::run(command.arg(format!("--admin-listen={}", crate::free_address())));
    let told = stdout(&output);
    assert!(told.contains("changes that not all servers have read: "), "{told}");
    assert!(told.contains("no server was asked for its own figures: no evalgraph server answers"), "{told}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_logged_changes_while_the_server_runs() {
    let location = TestLocation::migrated(Kind::Sqlite).await;
    let server = Operated::start(&location.location, &["--log=warn"]);
    assert_eq!(server.text(Method::GET, "/log-filter", "").await, (200, "warn\n".to_owned()));
    server.server.data("query Before { viewer { userId } }").await;
    assert_eq!(stdout(&server.command(&location.location, &["log-filter", "info"])), "info\n");
    server.server.data("query While { viewer { userId } }").await;
    assert_eq!(server.text(Method::PUT, "/log-filter", " warn ").await, (200, "warn\n".to_owned()));
    server.server.data("query After { viewer { userId } }").await;
    for (body, expected) in
        [("evalgraph=loud", "level filter"), ("", "such as"), (&"x".repeat(5000), "at most 4096 bytes")]
    {
        let (status, message) = server.text(Method::PUT, "/log-filter", body).await;
        assert!(status == 400 && message.contains(expected), "{status}: {message}");
    }
    let refused = server.command(&location.location, &["log-filter", "evalgraph=loud"]);
    assert!(stderr(&refused).contains("answers 400 Bad Request: "), "{}", stderr(&refused));
    let log = server.log();
    assert!(!log.contains("Before") && log.contains("While") && !log.contains("After"), "{log}");
    let changed = log.lines().find(|line| line.contains("an operator changed what is logged")).unwrap();
    assert!(changed.contains(r#""before":"warn""#) && changed.contains(r#""filter":"info""#), "{changed}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn addresses_and_methods_that_do_not_exist_are_refused() {
    let location = TestLocation::migrated(Kind::Sqlite).await;
    let server = Operated::start(&location.location, &[]);
    assert_eq!(server.get("/nothing").await.status(), 404);
    let wrong = server.get("/cache/clear").await;
    assert_eq!((wrong.status().as_u16(), wrong.headers()["allow"].to_str().unwrap()), (405, "POST"));
    let (status, told) = server.text(Method::GET, "/", "").await;
    assert!(status == 200 && told.contains("/log-filter"), "{told}");
}
