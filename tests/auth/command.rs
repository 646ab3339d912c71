//! Where the server listens while nobody is asked.

use crate::common::Reply;
use crate::common::process::{Server, evalgraph, run, stderr};
use crate::signer::{Signer, claims};
use crate::{JWT_SECRET, TOKEN_SECRET};

fn serve(directory: &tempfile::TempDir, arguments: &[&str]) -> std::process::Command {
    let mut command = evalgraph(&["serve", "--data-dir", directory.path().to_str().unwrap()]);
    command.args(arguments);
    command
}

#[tokio::test]
async fn a_server_that_asks_nobody_listens_on_this_machine_alone_and_says_so() {
    let directory = tempfile::tempdir().unwrap();
    let server = Server::start(&mut serve(&directory, &["--port=0"]));
    assert!(server.address.starts_with("127.0.0.1:"), "{}", server.address);
    assert!(server.greeting.contains("No authentication is set up"), "{}", server.greeting);
    assert_eq!(server.data("{ viewer { userId } }").await["viewer"]["userId"], "local");
}

#[tokio::test]
async fn an_address_that_others_reach_needs_authentication() {
    let directory = tempfile::tempdir().unwrap();
    for address in ["0.0.0.0:0", "[::]:0"] {
        let refused = run(&mut serve(&directory, &["--listen", address]));
        assert!(!refused.status.success());
        let told = stderr(&refused);
        for part in [address, "--auth-jwks", "--auth-token-secret", "--listen 127.0.0.1", "--insecure"] {
            assert!(told.contains(part), "{part}: {told}");
        }
    }
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0, "nothing was begun");
    let server = Server::start(&mut serve(&directory, &["--listen=0.0.0.0:0", "--insecure"]));
    assert!(server.greeting.contains("whoever reaches this address"), "{}", server.greeting);
    drop(server);
    let mut asking = serve(&directory, &["--listen=0.0.0.0:0"]);
    let server = Server::start(asking.env("EVALGRAPH_AUTH_JWT_SECRET", JWT_SECRET));
    assert!(
        !server.greeting.contains("No authentication") && server.greeting.contains("Bearer"),
        "{}",
        server.greeting
    );
    let url = format!("http://127.0.0.1:{}/graphql", server.address.rsplit_once(':').unwrap().1);
    let ask = || reqwest::Client::new().post(&url).json(&serde_json::json!({ "query": "{ viewer { userId } }" }));
    assert_eq!(Reply::of(ask()).await.status, 401);
    let mut claims = claims("ada");
    claims.as_object_mut().unwrap().shift_remove("aud");
    let reply = Reply::of(ask().bearer_auth(Signer::secret(JWT_SECRET).token(&claims))).await;
    assert_eq!(reply.body["data"]["viewer"]["userId"], "ada");
    // Whether the server lives, and the explorer, are for everybody.
    for path in ["/health/live", "/health/ready", "/"] {
        let answer = reqwest::get(url.replace("/graphql", path)).await.unwrap();
        assert_eq!(answer.status(), 200, "{path}");
    }
}

#[tokio::test]
async fn while_nobody_is_asked_names_of_others_are_not_this_machine() {
    let directory = tempfile::tempdir().unwrap();
    let status = async |server: &Server, host: &str| {
        let port = server.address.rsplit_once(':').unwrap().1;
        let request = reqwest::Client::new().post(format!("http://127.0.0.1:{port}/graphql")).header("host", host);
        let reply = Reply::of(request.json(&serde_json::json!({ "query": "{ viewer { userId } }" }))).await;
        if reply.status != 200 {
            let message = reply.body["errors"][0]["message"].as_str().unwrap();
            assert!(message.contains("Host") && message.contains("--insecure"), "{message}");
            assert_eq!(reply.body["errors"][0]["extensions"]["code"], "FORBIDDEN");
        }
        reply.status
    };
    let server = Server::start(&mut serve(&directory, &["--port=0"]));
    for (host, expected) in [("localhost:1", 200), ("127.0.0.1", 200), ("[::1]:8080", 200), ("evil.example", 403)] {
        assert_eq!(status(&server, host).await, expected, "{host}");
    }
    drop(server);
    let server = Server::start(&mut serve(&directory, &["--port=0", "--insecure"]));
    assert_eq!(status(&server, "evals.example").await, 200, "every name is meant");
    drop(server);
    // Whoever has a credential may have sent the request from anywhere.
    let mut asking = serve(&directory, &["--port=0"]);
    let server = Server::start(asking.env("EVALGRAPH_AUTH_JWT_SECRET", JWT_SECRET));
    let mut claims = claims("ada");
    claims.as_object_mut().unwrap().shift_remove("aud");
    let request =
        reqwest::Client::new().post(format!("http://{}/graphql", server.address)).header("host", "evals.example");
    let request = request.bearer_auth(Signer::secret(JWT_SECRET).token(&claims));
    assert_eq!(Reply::of(request.json(&serde_json::json!({ "query": "{ viewer { userId } }" }))).await.status, 200);
}

#[test]
fn secrets_are_long_and_not_shown() {
    for (variable, key) in
        [("EVALGRAPH_AUTH_JWT_SECRET", "auth_jwt_secret"), ("EVALGRAPH_AUTH_TOKEN_SECRET", "auth_token_secret")]
    {
        let refused = run(evalgraph(&["config"]).env(variable, "hunter2"));
        let told = stderr(&refused);
        assert!(!refused.status.success() && told.contains(key) && !told.contains("hunter2"), "{told}");
        for arguments in [&["config"][..], &["config", "--json"]] {
            let shown = run(evalgraph(arguments).env(variable, TOKEN_SECRET));
            let shown = String::from_utf8(shown.stdout).unwrap();
            assert!(shown.contains("***") && !shown.contains("thirty-two"), "{shown}");
        }
    }
}
