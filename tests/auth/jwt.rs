//! JWTs: which count, and which do not.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use evalgraph::auth::AuthSettings;
use serde_json::{Value, json};

use crate::common::{TestDatabase, TestServer};
use crate::signer::{Signer, claims, key_set, mac, seconds, signed, with};
use crate::{JWT_SECRET, check_refused, code, file, jwt_settings, send, send_with, server};

const WHO: &str = "{ viewer { userId isAdmin scopes } }";

async fn jwt_server(database: &TestDatabase, signers: &[Signer]) -> TestServer {
    let keys = file(&key_set(signers));
    let mut settings = jwt_settings(keys.path().to_str().unwrap());
    settings.rules.scopes = None;
    server(database, AuthSettings { jwt: Some(settings), token_secret: None }).await.0
}

#[tokio::test]
async fn tokens_of_all_algorithms_count() {
    let database = TestDatabase::sqlite().await;
    let signers = [Signer::rsa("rsa"), Signer::ec("ec"), Signer::ed("ed")];
    let server = jwt_server(&database, &signers).await;
    let secret = Signer::secret(JWT_SECRET);
    for signer in signers.iter().chain([&secret]) {
        let token = signer.token(&claims("ada"));
        for round in ["first", "remembered"] {
            let reply = send_with(&server, &token, WHO).await;
            let viewer = json!({ "userId": "ada", "isAdmin": false, "scopes": ["READ", "WRITE", "INGEST"] });
            assert_eq!(reply.body["data"]["viewer"], viewer, "{}, {round}: {reply:#?}", signer.algorithm());
        }
        let admin = signer.token(&with(claims("root"), "roles", json!(["x", "admin"])));
        let reply = send(&server, Some(&format!("Basic {}", STANDARD.encode(format!("x:{admin}")))), WHO).await;
        assert_eq!(reply.body["data"]["viewer"]["isAdmin"], true, "{reply:#?}");
        // A key that is the only one of its algorithm need not be named.
        let nameless = signer.token_with(&json!({ "alg": signer.algorithm() }), &claims("ada"));
        assert_eq!(send_with(&server, &nameless, WHO).await.status, 200);
    }
}

#[tokio::test]
async fn claims_that_are_wrong_are_refused() {
    let database = TestDatabase::sqlite().await;
    let signer = Signer::ed("ed");
    let server = jwt_server(&database, std::slice::from_ref(&signer)).await;
    let good = || claims("ada");
    for (claims, told) in [
        (with(good(), "exp", json!(seconds(-31))), "has expired"),
        (with(good(), "exp", Value::Null), "lacks a claim"),
        (with(good(), "exp", json!("tomorrow")), "lacks a claim"),
        (with(good(), "exp", json!(-1)), "lacks a claim"),
        (with(good(), "nbf", json!(seconds(60))), "not valid yet"),
        (with(good(), "nbf", json!("soon")), "lacks a claim"),
        (with(good(), "iss", json!("https://other.example")), "another issuer"),
        (with(good(), "iss", Value::Null), "lacks a claim"),
        (with(good(), "aud", json!("others")), "another audience"),
        (with(good(), "aud", json!(["others"])), "another audience"),
        (with(good(), "aud", Value::Null), "lacks a claim"),
        (with(good(), "sub", Value::Null), "whose it is"),
        (with(good(), "sub", json!("")), "whose it is"),
    ] {
        let reply = send_with(&server, &signer.token(&claims), WHO).await;
        check_refused(&reply, &claims.to_string());
        let message = reply.body["errors"][0]["message"].as_str().unwrap();
        assert!(message.contains(told), "{claims}: {message}");
    }
    // Clocks may be off a little, and tokens may be for several.
    for claims in [
        with(good(), "exp", json!(seconds(-20))),
        with(good(), "nbf", json!(seconds(20))),
        with(good(), "aud", json!(["others", "evalgraph"])),
        with(good(), "exp", json!(1e18)),
    ] {
        assert_eq!(send_with(&server, &signer.token(&claims), WHO).await.status, 200, "{claims}");
    }
}

#[tokio::test]
async fn a_token_that_ends_is_not_remembered_beyond_that() {
    let database = TestDatabase::sqlite().await;
    let signer = Signer::ed("ed");
    let server = jwt_server(&database, std::slice::from_ref(&signer)).await;
    // With the skew, it lasts for two seconds.
    let token = signer.token(&with(claims("ada"), "exp", json!(seconds(-28))));
    assert_eq!(send_with(&server, &token, WHO).await.status, 200);
    let begun = std::time::Instant::now();
    loop {
        let reply = send_with(&server, &token, WHO).await;
        if reply.status == 401 {
            break;
        }
        assert!(begun.elapsed().as_secs() < 10, "it goes on being accepted");
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
}

#[tokio::test]
async fn no_trick_makes_a_token_count() {
    let database = TestDatabase::sqlite().await;
    let signers = [Signer::rsa("rsa"), Signer::ec("ec"), Signer::ed("ed")];
    let server = jwt_server(&database, &signers).await;
    let [rsa, ec, ed] = &signers;
    let good = claims("ada");
    let header = |algorithm: &str, kid: &str| json!({ "alg": algorithm, "kid": kid });
    let unsigned = |header: &Value| signed(header, &good, |_| Vec::new());
    let of_rsa = rsa.token(&good);
    let (head, rest) = of_rsa.split_once('.').unwrap();
    let (body, signature) = rest.split_once('.').unwrap();
    let other_body = URL_SAFE_NO_PAD.encode(claims("eve").to_string());
    let strangers = Signer::ed("ed");
    let with_own_key = json!({ "alg": "EdDSA", "kid": "x", "jwk": strangers.jwk(), "jku": "http://127.0.0.1:9/" });
    let tricks = [
        // No signature, in all spellings.
        ("none", unsigned(&json!({ "alg": "none" }))),
        ("None", unsigned(&json!({ "alg": "None", "kid": "rsa" }))),
        ("empty algorithm", unsigned(&json!({ "alg": "", "kid": "rsa" }))),
        ("no algorithm", unsigned(&json!({ "kid": "rsa" }))),
        ("no signature", unsigned(&header("RS256", "rsa"))),
        ("a signature removed", format!("{head}.{body}.")),
        // A public key as a secret.
        ("rsa as a secret", signed(&header("HS256", "rsa"), &good, |it| mac(&rsa.public_bytes(), it))),
        ("ec as a secret", signed(&header("HS256", "ec"), &good, |it| mac(&ec.public_bytes(), it))),
        ("ed as a secret", signed(&header("HS256", "ed"), &good, |it| mac(&ed.public_bytes(), it))),
        ("jwk as a secret", signed(&header("HS256", "rsa"), &good, |it| mac(rsa.jwk().to_string().as_bytes(), it))),
        // A key with the algorithm of another.
        ("rsa as ec", rsa.token_with(&header("ES256", "rsa"), &good)),
        ("ed as rsa", ed.token_with(&header("RS256", "ed"), &good)),
        ("ec under the name of rsa", ec.token_with(&header("ES256", "rsa"), &good)),
        ("RS512", rsa.token_with(&header("RS512", "rsa"), &good)),
        ("PS256", rsa.token_with(&header("PS256", "rsa"), &good)),
        ("HS512", signed(&header("HS512", "x"), &good, |it| mac(JWT_SECRET.as_bytes(), it))),
        // Keys that nobody trusts.
        ("an unknown key", ed.token_with(&header("EdDSA", "unknown"), &good)),
        ("a key of the same name", strangers.token(&good)),
        ("a key that the token brings along", strangers.token_with(&with_own_key, &good)),
        ("another secret", Signer::secret("x").token(&good)),
        ("an empty secret", signed(&header("HS256", "x"), &good, |it| mac(b"", it))),
        // Something else than what was signed.
        ("another body", format!("{head}.{other_body}.{signature}")),
        ("a cut signature", of_rsa[..of_rsa.len() - 4].to_owned()),
        (
            "a critical extension",
            ed.token_with(&json!({ "alg": "EdDSA", "kid": "ed", "crit": ["exp"], "exp": 1 }), &good),
        ),
        // No token at all.
        ("one part", "abc".to_owned()),
        ("two parts", "a.b".to_owned()),
        ("no parts", "..".to_owned()),
        ("four parts", format!("{of_rsa}.x")),
        ("five parts", "a.b.c.d.e".to_owned()),
        ("no base64", "!.!.!".to_owned()),
        ("no JSON", format!("{0}.{0}.{0}", URL_SAFE_NO_PAD.encode("no json"))),
        ("a list", format!("{0}.{0}.{0}", URL_SAFE_NO_PAD.encode("[]"))),
        ("a large one", format!("{head}.{}.{signature}", "x".repeat(9_000))),
        ("an API token, where there are none", format!("evg_{}", "0".repeat(72))),
    ];
    for (name, token) in tricks {
        let reply = send_with(&server, &token, WHO).await;
        check_refused(&reply, name);
        let told = reply.body.to_string();
        assert!(token.len() < 20 || !told.contains(&token[..20]), "{name} is repeated: {told}");
    }
    for header in ["", "Bearer", "Bearer ", "Basic", "Basic !!!", "Token abc", "Digest username=\"x\""] {
        check_refused(&send(&server, Some(header), WHO).await, header);
    }
    check_refused(&send(&server, None, WHO).await, "nothing");
    assert_eq!(send_with(&server, &of_rsa, WHO).await.status, 200, "the one that the tricks were made of");
}

#[tokio::test]
async fn a_token_without_an_audience_needs_no_name_for_the_server() {
    let database = TestDatabase::sqlite().await;
    let signer = Signer::ed("ed");
    let keys = file(&key_set([&signer]));
    let mut settings = jwt_settings(keys.path().to_str().unwrap());
    settings.audience = Vec::new();
    let (server, _) = server(&database, AuthSettings { jwt: Some(settings), token_secret: None }).await;
    let for_nobody = with(with(claims("ada"), "aud", Value::Null), "scope", json!("read"));
    assert_eq!(send_with(&server, &signer.token(&for_nobody), WHO).await.status, 200);
    check_refused(&send_with(&server, &signer.token(&claims("ada")), WHO).await, "one that is meant for others");
}

#[tokio::test]
async fn each_of_several_issuers_has_its_own_keys() {
    let database = TestDatabase::sqlite().await;
    let (ours, theirs) = (Signer::ed("same"), Signer::ed("same"));
    let (our_keys, their_keys) = (file(&key_set([&ours])), file(&key_set([&theirs])));
    let mut settings = jwt_settings(our_keys.path().to_str().unwrap());
    let mut other = settings.issuers[0].clone();
    other.name = Some("https://theirs.example".to_owned());
    other.jwks = their_keys.path().to_str().unwrap().to_owned();
    settings.issuers.push(other);
    settings.rules.scopes = None;
    let (server, _) = server(&database, AuthSettings { jwt: Some(settings), token_secret: None }).await;
    let of = |issuer: &str| with(claims("ada"), "iss", json!(issuer));
    for (signer, issuer, status) in [
        (&ours, "https://issuer.example", 200),
        (&theirs, "https://theirs.example", 200),
        (&ours, "https://theirs.example", 401),
        (&theirs, "https://issuer.example", 401),
        (&ours, "https://nobody.example", 401),
    ] {
        let reply = send_with(&server, &signer.token(&of(issuer)), WHO).await;
        assert_eq!(reply.status, status, "{issuer}: {reply:#?}");
    }
}

#[tokio::test]
async fn scopes_of_a_token_are_those_of_its_claim() {
    let database = TestDatabase::sqlite().await;
    let signer = Signer::ed("ed");
    let keys = file(&key_set([&signer]));
    let jwt = Some(jwt_settings(keys.path().to_str().unwrap()));
    let (server, _) = server(&database, AuthSettings { jwt, token_secret: None }).await;
    let token = signer.token(&with(claims("ada"), "scope", json!("openid read")));
    let reply = send_with(&server, &token, WHO).await;
    assert_eq!(reply.body["data"]["viewer"]["scopes"], json!(["READ"]));
    let reply = send_with(&server, &token, "mutation { startRun(input: { name: \"x\" }) { run { id } } }").await;
    assert_eq!((reply.status, code(&reply)), (403, "FORBIDDEN"));
    assert_eq!(database.count("runs").await, 0);
    let reply = send_with(&server, &signer.token(&claims("ada")), WHO).await;
    assert_eq!(reply.status, 403, "a token without the claim is for nothing: {reply:#?}");
}
