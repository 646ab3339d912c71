//! API tokens: made, used, limited, revoked.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use evalgraph::auth::AuthSettings;
use serde_json::{Value, json};
use sha2::Digest as _;

use crate::common::process::{evalgraph_on, run, stdout};
use crate::common::{Reply, TestDatabase, TestServer, eventually, global_id, on_both_databases, sql};
use crate::signer::{Signer, claims, with};
use crate::{JWT_SECRET, TOKEN_SECRET, check_refused, code, jwt_settings, send, send_with, server};

const WHO: &str = "{ viewer { userId isAdmin scopes } }";

/// Accepts HS256 tokens and API tokens.
fn settings() -> AuthSettings {
    let mut jwt = jwt_settings("");
    jwt.issuers.clear();
    jwt.rules.scopes = None;
    AuthSettings { jwt: Some(jwt), token_secret: Some(TOKEN_SECRET.to_owned()) }
}

/// A JWT of a user.
fn jwt(user: &str) -> String {
    Signer::secret(JWT_SECRET).token(&claims(user))
}

fn create(arguments: &str) -> String {
    format!(
        "mutation {{ createApiToken(input: {{ {arguments} }}) {{
           token apiToken {{ id userId name scopes createdAt expiresAt lastUsedAt revokedAt }} }} }}"
    )
}

/// A token that is made with a credential, and its id.
async fn made(server: &TestServer, credential: &str, arguments: &str) -> (String, String) {
    let reply = send_with(server, credential, &create(arguments)).await;
    let payload = &reply.body["data"]["createApiToken"];
    let text = |value: &Value| value.as_str().unwrap_or_else(|| panic!("{reply:#?}")).to_owned();
    (text(&payload["token"]), text(&payload["apiToken"]["id"]))
}

async fn revoke(server: &TestServer, credential: &str, id: &str) -> Reply {
    let document = format!("mutation {{ revokeApiToken(id: {id:?}) {{ apiToken {{ id revokedAt }} }} }}");
    send_with(server, credential, &document).await
}

on_both_databases! {
    async fn a_token_is_its_owner_until_it_is_revoked(database: TestDatabase) {
        let (server, _) = server(&database, settings()).await;
        let ada = jwt("ada");
        let reply = send_with(&server, &ada, &create("name: \"CI\", scopes: [READ, INGEST]")).await;
        let payload = &reply.body["data"]["createApiToken"];
        let token = payload["token"].as_str().unwrap_or_else(|| panic!("{reply:#?}"));
        assert!(token.starts_with("evg_") && token.len() == 76, "{token}");
        let shown = &payload["apiToken"];
        assert_eq!(shown["name"], "CI");
        assert_eq!(shown["userId"], "ada");
        assert_eq!(shown["scopes"], json!(["READ", "INGEST"]));
        assert_eq!([&shown["expiresAt"], &shown["lastUsedAt"], &shown["revokedAt"]], [&Value::Null; 3]);

        // As Bearer, and as the password of Basic.
        let viewer = json!({ "userId": "ada", "isAdmin": false, "scopes": ["READ", "INGEST"] });
        for authorization in [format!("Bearer {token}"), format!("Basic {}", STANDARD.encode(format!("any:{token}")))] {
            let reply = send(&server, Some(&authorization), WHO).await;
            assert_eq!(reply.body["data"]["viewer"], viewer, "{reply:#?}");
        }

        // It is in the list, and nothing of the secret is in the database.
        let list = "{ viewer { apiTokens { totalCount nodes { id name } } } }";
        let listed = &send_with(&server, &ada, list).await.body["data"]["viewer"]["apiTokens"];
        assert_eq!(*listed, json!({ "totalCount": 1, "nodes": [{ "id": shown["id"], "name": "CI" }] }));
        let stored = sql::texts(&database.location, "SELECT hash AS value FROM api_tokens").await;
        assert!(!stored[0].contains(&token[4..68]) && stored[0].len() == 64, "{stored:?}");

        let id = shown["id"].as_str().unwrap();
        let reply = revoke(&server, &ada, id).await;
        assert!(reply.body["data"]["revokeApiToken"]["apiToken"]["revokedAt"].is_string(), "{reply:#?}");
        check_refused(&send_with(&server, token, WHO).await, "a revoked token");
        let again = revoke(&server, &ada, id).await;
        assert_eq!(again.body["data"], reply.body["data"], "once and for all");

        // The audit log has what was done, and nothing of what made no difference.
        let entries = "SELECT action || ' ' || user_id || ' ' || object_count AS value FROM audit_log ORDER BY id";
        assert_eq!(sql::texts(&database.location, entries).await, ["createApiToken ada 1", "revokeApiToken ada 1"]);
    }

    async fn a_revoked_token_ends_at_once_here_and_soon_elsewhere(database: TestDatabase) {
        let (here, _) = server(&database, settings()).await;
        let (elsewhere, _) = server(&database, settings()).await;
        let ada = jwt("ada");
        for _ in 0..3 {
            let (token, id) = made(&here, &ada, "name: \"x\", scopes: [READ]").await;
            for server in [&here, &elsewhere] {
                assert_eq!(send_with(server, &token, WHO).await.status, 200);
            }
            assert_eq!(revoke(&here, &ada, &id).await.status, 200);
            check_refused(&send_with(&here, &token, WHO).await, "right after it was acknowledged");
            let refused = async || send_with(&elsewhere, &token, WHO).await.status == 401;
            eventually(Duration::from_secs(10), "the token is refused elsewhere", refused).await;
        }
    }

    async fn a_token_ends_when_it_expires(database: TestDatabase) {
        let (server, _) = server(&database, settings()).await;
        let soon = evalgraph::domain::Timestamp::now().plus_millis(1500);
        let arguments = format!("name: \"x\", scopes: [READ], expiresAt: \"{soon}\"");
        let (token, _) = made(&server, &jwt("ada"), &arguments).await;
        let refused = async || send_with(&server, &token, WHO).await.status == 401;
        eventually(Duration::from_secs(10), "the token has expired", refused).await;
        check_refused(&send_with(&server, &token, WHO).await, "an expired token");
        assert!(evalgraph::domain::Timestamp::now() >= soon, "not before its time");
    }

    async fn a_token_goes_no_further_than_what_it_is_made_with(database: TestDatabase) {
        let (server, _) = server(&database, settings()).await;
        let ada = jwt("ada");
        let far = |days: i64| evalgraph::domain::Timestamp::now().plus_millis(days * 86_400_000).to_string();
        let refused = async |credential: &str, arguments: &str, field: &str| {
            let reply = send_with(&server, credential, &create(arguments)).await;
            assert_eq!((reply.status, code(&reply)), (200, "FORBIDDEN"), "{arguments}: {reply:#?}");
            assert_eq!(reply.body["errors"][0]["extensions"]["field"], field, "{reply:#?}");
        };
        refused(&ada, "name: \"x\", scopes: [ADMIN]", "input.scopes").await;
        let (writer, id) =
            made(&server, &ada, &format!("name: \"x\", scopes: [WRITE, READ], expiresAt: {:?}", far(2))).await;
        refused(&writer, &format!("name: \"x\", scopes: [INGEST], expiresAt: {:?}", far(1)), "input.scopes").await;
        refused(&writer, &format!("name: \"x\", scopes: [READ], expiresAt: {:?}", far(3)), "input.expiresAt").await;
        refused(&writer, "name: \"x\", scopes: [READ]", "input.expiresAt").await;
        let until_then = format!("name: \"x\", scopes: [READ, WRITE], expiresAt: {:?}", far(1));
        let (child, _) = made(&server, &writer, &until_then).await;
        let in_an_hour = evalgraph::domain::Timestamp::now().plus_millis(3_600_000);
        let sooner = format!("name: \"x\", scopes: [READ], expiresAt: \"{in_an_hour}\"");
        let (grandchild, _) = made(&server, &child, &sooner).await;
        let (other, _) = made(&server, &ada, "name: \"x\", scopes: [READ]").await;
        // One that may not write makes none.
        let reply = send_with(&server, &other, &create("name: \"x\", scopes: [READ]")).await;
        assert_eq!((reply.status, code(&reply)), (403, "FORBIDDEN"));
        // What was made with it ends with it, and nothing else.
        assert_eq!(revoke(&server, &ada, &id).await.status, 200);
        for token in [&writer, &child, &grandchild] {
            check_refused(&send_with(&server, token, WHO).await, "the token or one that was made with it");
        }
        assert_eq!(send_with(&server, &other, WHO).await.status, 200);
    }

    async fn a_token_of_somebody_else_does_not_exist(database: TestDatabase) {
        let (server, _) = server(&database, settings()).await;
        let (token, id) = made(&server, &jwt("ada"), "name: \"secret name\", scopes: [READ]").await;
        let bob = jwt("bob");
        let nowhere = global_id("ApiToken", uuid::Uuid::now_v7());
        let told = async |id: &str| {
            let reply = revoke(&server, &bob, id).await;
            assert_eq!(code(&reply), "NOT_FOUND");
            let node = send_with(&server, &bob, &format!("{{ node(id: {id:?}) {{ id }} }}")).await;
            (reply.body.to_string(), node.body.to_string())
        };
        assert_eq!(told(&id).await, told(&nowhere).await);
        let list = send_with(&server, &bob, "{ viewer { apiTokens { totalCount nodes { id } } } }").await;
        assert_eq!(list.body["data"]["viewer"]["apiTokens"], json!({ "totalCount": 0, "nodes": [] }));
        assert_eq!(send_with(&server, &token, WHO).await.status, 200, "nothing has happened to it");
        // An administrator sees and ends it, and has it not among their own.
        let admin = Signer::secret(JWT_SECRET).token(&with(claims("root"), "roles", json!("admin")));
        let node = format!("{{ node(id: {id:?}) {{ ... on ApiToken {{ name }} }} viewer {{ apiTokens {{ totalCount }} }} }}");
        let reply = send_with(&server, &admin, &node).await;
        let expected = json!({ "node": { "name": "secret name" }, "viewer": { "apiTokens": { "totalCount": 0 } } });
        assert_eq!(reply.body["data"], expected);
        assert_eq!(revoke(&server, &admin, &id).await.status, 200);
        check_refused(&send_with(&server, &token, WHO).await, "a token that an administrator has revoked");
    }

    async fn its_use_is_noted_and_not_often(database: TestDatabase) {
        let (server, _) = server(&database, settings()).await;
        let (token, id) = made(&server, &jwt("ada"), "name: \"x\", scopes: [READ]").await;
        let used = format!("{{ node(id: {id:?}) {{ ... on ApiToken {{ lastUsedAt }} }} }}");
        let noted = async || send_with(&server, &token, &used).await.body["data"]["node"]["lastUsedAt"].clone();
        eventually(Duration::from_secs(10), "its use is noted", async || noted().await.is_string()).await;
        let first = noted().await;
        tokio::time::sleep(Duration::from_millis(1100)).await;
        assert_eq!(noted().await, first, "once a minute is enough");
    }

    async fn the_command_makes_lists_and_revokes_tokens(database: TestDatabase) {
        let command = |arguments: &[&str]| {
            let mut command = evalgraph_on(&database.location, arguments);
            command.env("EVALGRAPH_AUTH_TOKEN_SECRET", TOKEN_SECRET);
            command
        };
        let arguments = ["token", "create", "--user", "ada", "--name", "CI", "--scope", "read,ingest", "--expires-in-days", "1"];
        let token = stdout(&run(&mut command(&arguments))).trim().to_owned();
        let admin = stdout(&run(&mut command(&["token", "create", "--name", "all", "--scope", "admin"]))).trim().to_owned();
        let (server, _) = server(&database, settings()).await;
        let viewer = |reply: Reply| reply.body["data"]["viewer"].clone();
        assert_eq!(
            viewer(send_with(&server, &token, WHO).await),
            json!({ "userId": "ada", "isAdmin": false, "scopes": ["READ", "INGEST"] }),
        );
        assert_eq!(
            viewer(send_with(&server, &admin, WHO).await),
            json!({ "userId": "local", "isAdmin": true, "scopes": ["READ", "WRITE", "INGEST", "ADMIN"] }),
        );
        let list = stdout(&run(&mut command(&["token", "list"])));
        assert_eq!(list.lines().count(), 2, "{list}");
        assert!(!list.contains("evg_"));
        let of_ada = stdout(&run(&mut command(&["token", "list", "--user", "ada"])));
        assert!(of_ada.contains("  ada  [read ingest]  CI  ") && of_ada.lines().count() == 1, "{of_ada}");
        let id = of_ada.split(' ').next().unwrap();
        assert!(stdout(&run(&mut command(&["token", "revoke", id]))).contains("revoked 20"));
        let refused = async || send_with(&server, &token, WHO).await.status == 401;
        eventually(Duration::from_secs(10), "the server learns of it", refused).await;
        let unknown = global_id("ApiToken", uuid::Uuid::nil());
        let failed = run(&mut command(&["token", "revoke", &unknown]));
        assert!(!failed.status.success());
        let without = run(&mut evalgraph_on(&database.location, &["token", "list"]));
        assert!(String::from_utf8_lossy(&without.stderr).contains("auth_token_secret"), "{without:?}");
    }
}

#[tokio::test]
async fn what_is_no_token_is_refused_without_asking_the_database() {
    let database = TestDatabase::sqlite().await;
    let (server, _) = server(&database, settings()).await;
    let (token, _) = made(&server, &jwt("ada"), "name: \"x\", scopes: [READ]").await;
    database.execute("DROP TABLE api_tokens").await;
    for bad in [format!("{token}0"), token[..75].to_owned(), token.to_uppercase(), "evg_".to_owned()] {
        check_refused(&send_with(&server, &bad, WHO).await, &bad);
    }
    // What could be one, nobody can look up now.
    let other = {
        let (mut text, flipped) = (token[..68].to_owned(), if &token[4..5] == "0" { "1" } else { "0" });
        text.replace_range(4..5, flipped);
        let check: String = sha2::Sha256::digest(&text)[..4].iter().map(|byte| format!("{byte:02x}")).collect();
        text + &check
    };
    let reply = send_with(&server, &other, WHO).await;
    assert_eq!((reply.status, code(&reply)), (503, "UNAVAILABLE"), "{reply:#?}");
}

#[tokio::test]
async fn a_token_of_another_secret_does_not_count() {
    let database = TestDatabase::sqlite().await;
    let (one, _) = server(&database, settings()).await;
    let (token, _) = made(&one, &jwt("ada"), "name: \"x\", scopes: [READ]").await;
    let others = AuthSettings { token_secret: Some("x".repeat(40)), ..settings() };
    let (other, _) = server(&database, others).await;
    check_refused(&send_with(&other, &token, WHO).await, "a token of another secret");
}

#[tokio::test]
async fn what_a_token_is_made_of_is_checked() {
    let database = TestDatabase::sqlite().await;
    let (server, _) = server(&database, settings()).await;
    let ada = jwt("ada");
    for (arguments, field) in [
        ("name: \"\", scopes: [READ]", "input.name"),
        ("name: \"a\\tb\", scopes: [READ]", "input.name"),
        ("name: \"x\", scopes: []", "input.scopes"),
        ("name: \"x\", scopes: [READ], expiresAt: \"2020-01-01T00:00:00Z\"", "input.expiresAt"),
    ] {
        let reply = send_with(&server, &ada, &create(arguments)).await;
        assert_eq!(code(&reply), "BAD_USER_INPUT", "{arguments}: {reply:#?}");
        assert_eq!(reply.body["errors"][0]["extensions"]["field"], field);
    }
    assert_eq!(database.count("api_tokens").await, 0);
    let without = AuthSettings { token_secret: None, ..settings() };
    let (without, _) = crate::server(&database, without).await;
    let reply = send_with(&without, &ada, &create("name: \"x\", scopes: [READ]")).await;
    assert_eq!(code(&reply), "FORBIDDEN");
    assert!(reply.body["errors"][0]["message"].as_str().unwrap().contains("auth_token_secret"));
}
