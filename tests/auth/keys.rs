//! Keys of issuers: read again, not too often, and believed while their address is down.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use evalgraph::auth::{AuthSettings, Authenticator};
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use crate::common::process::{Server, evalgraph_on};
use crate::common::{Kind, Reply, TestDatabase, TestLocation, TestServer, eventually};
use crate::signer::{Signer, claims, key_set};
use crate::{check_refused, code, file, jwt_settings, send_with, server};

const WHO: &str = "{ serviceConfig { maxDepth } }";

/// An address that publishes keys.
#[derive(Clone)]
struct Publisher {
    answer: Arc<Mutex<(StatusCode, String)>>,
    asked: Arc<AtomicUsize>,
}

impl Publisher {
    async fn start(text: String) -> (Self, String) {
        let publisher = Self { answer: Arc::new(Mutex::new((StatusCode::OK, text))), asked: Arc::default() };
        let answer = async |State(this): State<Self>| {
            this.asked.fetch_add(1, Ordering::SeqCst);
            this.answer.lock().unwrap().clone()
        };
        let router = Router::new().route("/jwks", get(answer)).with_state(publisher.clone());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/jwks", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await });
        (publisher, url)
    }

    fn publish(&self, status: StatusCode, text: String) {
        *self.answer.lock().unwrap() = (status, text);
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

/// A server that reads keys at least so long one after the other.
async fn with_keys_at(url: &str, database: &TestDatabase, interval: Duration, least: Duration) -> TestServer {
    let mut settings = jwt_settings(url);
    settings.rules.scopes = None;
    settings.refresh = interval;
    settings.least_refresh = least;
    server(database, AuthSettings { jwt: Some(settings), token_secret: None }).await.0
}

const HOUR: Duration = Duration::from_secs(3600);
const SOON: Duration = Duration::from_millis(200);

#[tokio::test]
async fn a_key_that_is_not_known_is_looked_for_at_once() {
    let database = TestDatabase::sqlite().await;
    let (old, new) = (Signer::ed("old"), Signer::ec("new"));
    let (publisher, url) = Publisher::start(key_set([&old])).await;
    let server = with_keys_at(&url, &database, HOUR, SOON).await;
    assert_eq!(send_with(&server, &old.token(&claims("ada")), WHO).await.status, 200);
    assert_eq!(publisher.asked(), 1);
    publisher.publish(StatusCode::OK, key_set([&old, &new]));
    tokio::time::sleep(SOON).await;
    assert_eq!(send_with(&server, &new.token(&claims("ada")), WHO).await.status, 200, "without another try");
    assert_eq!(publisher.asked(), 2);
}

#[tokio::test]
async fn keys_are_not_read_more_often_for_tokens_of_unknown_keys() {
    let database = TestDatabase::sqlite().await;
    let (publisher, url) = Publisher::start(key_set([&Signer::ed("known")])).await;
    let server = with_keys_at(&url, &database, HOUR, HOUR).await;
    for kid in ["a", "b", "c", "d", "e", "f", "g", "h"] {
        check_refused(&send_with(&server, &Signer::ed(kid).token(&claims("ada")), WHO).await, kid);
    }
    assert_eq!(publisher.asked(), 1, "only at the beginning");
}

#[tokio::test]
async fn a_key_that_is_withdrawn_ends_what_is_remembered_of_its_tokens() {
    let database = TestDatabase::sqlite().await;
    let (old, new) = (Signer::ed("old"), Signer::ed("new"));
    let (publisher, url) = Publisher::start(key_set([&old])).await;
    let server = with_keys_at(&url, &database, SOON, Duration::ZERO).await;
    let token = old.token(&claims("ada"));
    assert_eq!(send_with(&server, &token, WHO).await.status, 200);
    publisher.publish(StatusCode::OK, key_set([&new]));
    let refused = async || send_with(&server, &token, WHO).await.status == 401;
    eventually(Duration::from_secs(10), "the key counts no more", refused).await;
}

#[tokio::test]
async fn keys_are_believed_while_their_address_is_down() {
    let database = TestDatabase::sqlite().await;
    let signer = Signer::ed("key");
    let (publisher, url) = Publisher::start(key_set([&signer])).await;
    let server = with_keys_at(&url, &database, SOON, Duration::ZERO).await;
    for (status, text) in [
        (StatusCode::INTERNAL_SERVER_ERROR, String::new()),
        (StatusCode::FOUND, String::new()),
        (StatusCode::OK, "no keys".to_owned()),
        (StatusCode::OK, "{\"keys\":[]}".to_owned()),
        (StatusCode::OK, format!("{{\"keys\":[],\"x\":\"{}\"}}", "x".repeat(300 * 1024))),
    ] {
        publisher.publish(status, text);
        let asked = publisher.asked();
        eventually(Duration::from_secs(10), "the address is asked", async || publisher.asked() > asked + 1).await;
        // Another token each time: what is remembered of one proves nothing.
        let token = signer.token(&claims(&format!("ada {asked}")));
        assert_eq!(send_with(&server, &token, WHO).await.status, 200, "{status}");
    }
}

#[tokio::test]
async fn an_issuer_that_is_down_at_the_start_is_asked_again() {
    let database = TestDatabase::sqlite().await;
    let signer = Signer::ed("key");
    let (publisher, url) = Publisher::start(String::new()).await;
    publisher.publish(StatusCode::SERVICE_UNAVAILABLE, String::new());
    let server = with_keys_at(&url, &database, HOUR, SOON).await;
    let token = signer.token(&claims("ada"));
    let reply = send_with(&server, &token, WHO).await;
    assert_eq!((reply.status, code(&reply)), (503, "UNAVAILABLE"), "nobody knows whether the token counts");
    assert!(reply.headers.get("www-authenticate").is_none());
    publisher.publish(StatusCode::OK, key_set([&signer]));
    let accepted = async || send_with(&server, &token, WHO).await.status == 200;
    eventually(Duration::from_secs(10), "the keys are known", accepted).await;
}

#[tokio::test]
async fn a_file_of_keys_has_to_be_there_and_is_read_again() {
    let database = TestDatabase::sqlite().await;
    for (text, told) in [("", "is no set of keys"), ("{\"keys\":[]}", "has no key for RS256, ES256 or EdDSA")] {
        let keys = file(text);
        let jwt = Some(jwt_settings(keys.path().to_str().unwrap()));
        let settings = AuthSettings { jwt, token_secret: None };
        let error = Authenticator::start(&settings, &database.database).await.err().unwrap().to_string();
        assert!(error.starts_with("auth_jwks (--auth-jwks): ") && error.contains(told), "{error}");
    }
    let settings = AuthSettings { jwt: Some(jwt_settings("/nowhere/keys.json")), token_secret: None };
    let error = Authenticator::start(&settings, &database.database).await.err().unwrap().to_string();
    assert!(error.contains("/nowhere/keys.json cannot be read"), "{error}");
    let (old, new) = (Signer::ed("old"), Signer::ed("new"));
    let keys = file(&key_set([&old]));
    let server = with_keys_at(keys.path().to_str().unwrap(), &database, SOON, Duration::ZERO).await;
    std::fs::write(keys.path(), key_set([&old, &new])).unwrap();
    let accepted = async || send_with(&server, &new.token(&claims("ada")), WHO).await.status == 200;
    eventually(Duration::from_secs(10), "the new key counts", accepted).await;
    assert_eq!(send_with(&server, &old.token(&claims("ada")), WHO).await.status, 200);
}

/// Publishes keys over TLS, with the certificate that the tests' servers have for `localhost`.
async fn publish_over_tls(keys: String, authority: &Path) -> u16 {
    let of_server = authority.with_file_name("postgres").join("tls");
    let certificate = CertificateDer::from_pem_file(of_server.join("server.pem")).unwrap();
    let key = PrivateKeyDer::from_pem_file(of_server.join("server.key")).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap();
    let config = config.with_no_client_auth().with_single_cert(vec![certificate], key).unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{keys}", keys.len());
    tokio::spawn(async move {
        loop {
            let (connection, _) = listener.accept().await.unwrap();
            // Who does not trust the certificate hangs up.
            let Ok(mut connection) = acceptor.accept(connection).await else { continue };
            let mut request = [0; 4096];
            let length = connection.read(&mut request).await.unwrap_or_default();
            assert!(request[..length].starts_with(b"GET /jwks HTTP/1.1\r\n"));
            let _ = connection.write_all(answer.as_bytes()).await;
            let _ = connection.shutdown().await;
        }
    });
    port
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_are_fetched_over_tls_from_whom_the_system_trusts() {
    let authority = std::env::var("EVALGRAPH_TEST_POSTGRES_CA").expect("scripts/test makes certificates");
    let signer = Signer::ed("key");
    let port = publish_over_tls(key_set([&signer]), Path::new(&authority)).await;
    let mut claims = claims("ada");
    claims.as_object_mut().unwrap().shift_remove("aud");
    let token = signer.token(&claims);
    // The certificate names `localhost` and not 127.0.0.1.
    for (trusted, host, status) in [(true, "localhost", 200), (false, "localhost", 503), (true, "127.0.0.1", 503)] {
        let location = TestLocation::migrated(Kind::Sqlite).await;
        let jwks = format!("--auth-jwks=https://{host}:{port}/jwks");
        let mut command = evalgraph_on(&location.location, &["serve", "--port=0", &jwks]);
        if trusted {
            command.env("SSL_CERT_FILE", &authority);
        }
        let server = Server::start(&mut command);
        let request = reqwest::Client::new().post(format!("http://{}/graphql", server.address)).bearer_auth(&token);
        let reply = Reply::of(request.json(&serde_json::json!({ "query": WHO }))).await;
        assert_eq!(reply.status, status, "{trusted} {host}: {:#}", reply.body);
    }
}
