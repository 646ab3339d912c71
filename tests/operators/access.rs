//! Who may use the listener.

use reqwest::Method;

use crate::Operated;
use crate::common::process::{evalgraph_on, run, stdout};
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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn commands_show_the_token_that_they_are_given() {
    let location = TestLocation::migrated(Kind::Sqlite).await;
    let secret = ("EVALGRAPH_AUTH_TOKEN_SECRET", "a secret of thirty-two bytes and some more");
    let token = |scope: &str| {
        let make = ["token", "create", "--name=operator", &format!("--scope={scope}")];
        stdout(&run(evalgraph_on(&location.location, &make).env(secret.0, secret.1))).trim().to_owned()
    };
    let (administrator, reader) = (token("admin"), token("read"));
    let server = Operated::start_with(&location.location, &[], &[secret]);
    let command = |arguments: &[&str], token: Option<&str>| {
        let mut command = evalgraph_on(&location.location, arguments);
        command
            .arg(format!("--admin-listen={}", server.address))
            .envs(token.map(|token| ("EVALGRAPH_ADMIN_TOKEN", token)));
        run(&mut command)
    };
    for arguments in [&["log-filter", "info"][..], &["slow-queries"], &["cache", "stats"]] {
        let told = |token: Option<&str>| {
            let output = command(arguments, token);
            let told =
                format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
            assert!(!told.contains(&administrator) && !told.contains(&reader), "{told}");
            told
        };
        assert!(told(None).contains("give a token of an administrator as EVALGRAPH_ADMIN_TOKEN"), "{arguments:?}");
        assert!(told(Some(&reader)).contains("403 Forbidden: this is for administrators"), "{arguments:?}");
        assert!(told(Some("evg_wrong")).contains("401 Unauthorized"), "{arguments:?}");
        let admitted = told(Some(&administrator));
        assert!(!admitted.contains("EVALGRAPH_ADMIN_TOKEN") && !admitted.contains("answers 4"), "{admitted}");
    }
}
