//! Every setting, given in a file, changes what the server does.

use std::num::NonZeroU32;
use std::time::Duration;

use evalgraph::app::App;
use evalgraph::auth::jwt::{IssuerSettings, JwtSettings};
use evalgraph::cache::{Cache, Follower};
use evalgraph::config::{Secret, catalog};
use evalgraph::db::pool::PoolSettings;
use evalgraph::db::{Database, DbError, StatementCount};
use evalgraph::domain::Principal;
use opentelemetry_sdk::trace::SpanData;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::common::log::{capture_log, recorded_spans};
use crate::common::process::{Server, evalgraph, evalgraph_on, run, stdout};
use crate::common::{
    Kind, PromptBuilder, Reply, TestDatabase, TestLocation, TestServer, eventually, hold_connection, sql,
};
use crate::{ConfigFile, settings};

/// Long enough.
const SECRET: &str = "a secret of thirty-two bytes and some more";

/// What a file says of JWTs.
fn jwt(file: &str) -> JwtSettings {
    settings(file).authentication().unwrap().jwt.unwrap()
}

/// Makes a test of each function, which bears the name of the setting whose effect it shows.
macro_rules! effects {
    ($(async fn $name:ident() $body:block)+) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() $body
        )+

        const SHOWN: &[&str] = &[$(stringify!($name)),+];
    };
}

#[test]
fn every_setting_has_a_test_of_its_effect() {
    for setting in catalog() {
        let key = setting.key();
        assert!(SHOWN.contains(&key), "write a test {key}() of what the setting does, in tests/config/effects.rs");
    }
    assert_eq!(catalog().len(), SHOWN.len(), "no test is of a setting that is gone");
}

effects! {
    async fn listen() {
        let address = free_address();
        let (server, _file) = start(&format!("listen = '{address}'"), &[]);
        assert_eq!(server.address, address);
        server.data("{ viewer { userId } }").await;
    }

    async fn port() {
        let address = free_address();
        let port = address.rsplit_once(':').unwrap().1;
        let (server, _file) = start(&format!("port = {port}"), &[]);
        assert_eq!(server.address, address);
    }

    async fn admin_listen() {
        let address = free_address();
        let (_server, _file) = start(&format!("admin_listen = '{address}'"), &["--listen=127.0.0.1:0"]);
        assert_eq!(reqwest::get(format!("http://{address}/health/live")).await.unwrap().status(), 200);
    }

    async fn request_timeout_ms() {
        let (server, _database) = serve("request_timeout_ms = 100").await;
        let never_ending = futures_util::stream::pending::<Result<Vec<u8>, std::io::Error>>();
        let request = server.client.post(server.url("/graphql")).header("content-type", "application/json");
        let reply = Reply::of(request.body(reqwest::Body::wrap_stream(never_ending))).await;
        assert_eq!(reply.status, 408);
    }

    async fn max_body_bytes() {
        let long = format!("{{ viewer {{ userId }} }} #{}", "x".repeat(200));
        for (file, status) in [("max_body_bytes = 200", 413), ("", 200)] {
            let (server, _database) = serve(file).await;
            assert_eq!(server.send(&long, serde_json::json!({})).await.status, status, "{file}");
        }
    }

    async fn max_bulk_body_bytes() {
        let document = "mutation ($ids: [ID!]!) { deletePrompts(ids: $ids) { affected } }";
        let ids = serde_json::json!({ "ids": vec!["x".repeat(50); 10] });
        for (file, status) in [("max_bulk_body_bytes = 300", 413), ("", 200)] {
            let (server, _database) = serve(&format!("max_body_bytes = 200\n{file}")).await;
            assert_eq!(server.send(document, ids.clone()).await.status, status, "{file}");
            assert_eq!(server.send("{ viewer { userId } }", ids.clone()).await.status, 413, "only many objects may be long");
        }
    }

    async fn max_bulk_items() {
        for (file, code) in [("max_bulk_items = 2", "LIMIT_EXCEEDED"), ("", "BAD_USER_INPUT")] {
            let (server, _database) = serve(file).await;
            let document = "mutation { deletePrompts(ids: [\"x\", \"y\", \"z\"]) { affected } }";
            let reply = server.send(document, serde_json::json!({})).await;
            assert_eq!(reply.body["errors"][0]["extensions"]["code"], code, "{file}");
        }
    }

    async fn shutdown_timeout_ms() {
        let (mut server, _file) = start("shutdown_timeout_ms = 123", &["--listen=127.0.0.1:0"]);
        // A request whose body never arrives in full.
        let mut stream = tokio::net::TcpStream::connect(&server.address).await.unwrap();
        let head = "POST /graphql HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\
            expect: 100-continue\r\n\r\n";
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut go_on = [0; "HTTP/1.1 100 Continue".len()];
        stream.read_exact(&mut go_on).await.unwrap();
        assert_eq!(go_on, *b"HTTP/1.1 100 Continue");
        server.signal("TERM");
        assert_eq!(server.wait(), Some(0));
        let log = server.log();
        assert!(log.contains("requests were cut off at shutdown") && log.contains("123"), "{log}");
    }

    async fn auth_jwks() {
        let issuers = jwt("auth_jwks = '/a.json, https://b/jwks'\nauth_issuer = 'a, b'").issuers;
        let issuer = |name: &str, jwks: &str| IssuerSettings { name: Some(name.to_owned()), jwks: jwks.to_owned() };
        assert_eq!(issuers, [issuer("a", "/a.json"), issuer("b", "https://b/jwks")]);
        // The address is asked at the start.
        let keys = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let file = format!("auth_jwks = 'http://{}'\nauth_jwks_timeout_ms = 100", keys.local_addr().unwrap());
        let (_server, _file) = start(&file, &["--listen=127.0.0.1:0"]);
        tokio::time::timeout(Duration::from_secs(10), keys.accept()).await.expect("nobody asks").unwrap();
    }

    async fn auth_jwks_refresh_s() {
        assert_eq!(jwt("auth_jwks = '/a'\nauth_jwks_refresh_s = 77").refresh, Duration::from_secs(77));
    }

    async fn auth_jwks_timeout_ms() {
        assert_eq!(jwt("auth_jwks = '/a'\nauth_jwks_timeout_ms = 77").timeout, Duration::from_millis(77));
    }

    async fn auth_jwt_secret() {
        let (server, _file) = start(&format!("auth_jwt_secret = '{SECRET}'"), &["--listen=127.0.0.1:0"]);
        let ask = reqwest::Client::new().post(format!("http://{}/graphql", server.address));
        let reply = Reply::of(ask.json(&serde_json::json!({ "query": "{ viewer { userId } }" }))).await;
        assert_eq!(reply.status, 401);
    }

    async fn auth_issuer() {
        let jwt = jwt(&format!("auth_jwt_secret = '{SECRET}'\nauth_issuer = 'me'"));
        assert_eq!((jwt.names, jwt.issuers), (vec!["me".to_owned()], Vec::new()));
    }

    async fn auth_audience() {
        assert_eq!(jwt("auth_jwks = '/a'\nauth_audience = 'a, b'").audience, ["a", "b"]);
    }

    async fn auth_clock_skew_s() {
        assert_eq!(jwt("auth_jwks = '/a'\nauth_clock_skew_s = 7").skew, Duration::from_secs(7));
    }

    async fn auth_user_claim() {
        assert_eq!(jwt("auth_jwks = '/a'\nauth_user_claim = 'email'").rules.user, "email");
    }

    async fn auth_admin_claim() {
        let admin = jwt("auth_jwks = '/a'\nauth_admin_claim = 'roles'").rules.admin;
        assert_eq!(admin, Some(("roles".to_owned(), "admin".to_owned())));
        assert_eq!(jwt("auth_jwks = '/a'").rules.admin, None);
    }

    async fn auth_admin_value() {
        let admin = jwt("auth_jwks = '/a'\nauth_admin_claim = 'roles'\nauth_admin_value = 'boss'").rules.admin;
        assert_eq!(admin, Some(("roles".to_owned(), "boss".to_owned())));
    }

    async fn auth_scope_claim() {
        assert_eq!(jwt("auth_jwks = '/a'\nauth_scope_claim = 'scp'").rules.scopes.as_deref(), Some("scp"));
    }

    async fn auth_token_secret() {
        let authentication = settings(&format!("auth_token_secret = '{SECRET}'")).authentication().unwrap();
        assert!(authentication.asks() && authentication.token_secret.as_deref() == Some(SECRET));
        assert!(!settings("").authentication().unwrap().asks());
    }

    async fn admin_token() {
        let settings = settings(&format!("admin_token = '{SECRET}'"));
        assert_eq!(settings.admin_token.as_ref().map(Secret::expose), Some(SECRET));
        // Shown by commands to the server that they ask.
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut command = evalgraph(&["log-filter", &format!("--admin-listen={}", listener.local_addr().unwrap())]);
        let asked = tokio::task::spawn_blocking(move || run(command.env("EVALGRAPH_ADMIN_TOKEN", SECRET)));
        let (mut connection, _) = listener.accept().await.unwrap();
        let mut request = vec![0; 4096];
        let length = connection.read(&mut request).await.unwrap();
        assert!(String::from_utf8_lossy(&request[..length]).contains(&format!("authorization: Bearer {SECRET}\r\n")));
        drop(connection);
        assert!(!asked.await.unwrap().status.success());
    }

    async fn insecure() {
        let (server, _file) = start("listen = '0.0.0.0:0'\ninsecure = true", &[]);
        assert!(server.address.starts_with("0.0.0.0:"), "{}", server.address);
        let mut refused = evalgraph(&["serve", "--listen=0.0.0.0:0", "--insecure=false"]);
        assert!(!run(&mut refused).status.success());
    }

    async fn redis_url() {
        let redis = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("redis_url = 'redis://{}'", redis.local_addr().unwrap());
        let (_server, _file) = start(&url, &["--listen=127.0.0.1:0"]);
        let connected = tokio::time::timeout(Duration::from_secs(10), redis.accept()).await;
        connected.expect("the server never connects").unwrap();
    }

    async fn redis_timeout_ms() {
        let cache = settings("redis_url = 'redis://x'\nredis_timeout_ms = 7").cache().unwrap();
        assert_eq!(cache.redis.unwrap().command_timeout, Duration::from_millis(7));
    }

    async fn redis_prefix() {
        let cache = settings("redis_url = 'redis://x'\nredis_prefix = 'other'").cache().unwrap();
        assert_eq!(cache.redis.unwrap().prefix, "other");
    }

    async fn cache_process() {
        assert_eq!(asked_twice("", PROMPT, Duration::ZERO).await, 0);
        assert_eq!(asked_twice("cache_process = 'on'", PROMPT, Duration::ZERO).await, 0);
        assert!(settings("cache_process = 'off'").cache().is_none());
        // Beside Redis it has to be asked for.
        for (file, remembers) in [("", false), ("cache_process = 'on'", true)] {
            let cache = settings(&format!("redis_url = 'redis://x'\n{file}")).cache().unwrap();
            assert_eq!(cache.process_bytes > 0, remembers, "{file}");
        }
    }

    async fn cache_process_bytes() {
        // Room for no entry at all.
        assert_eq!(asked_twice("cache_process_bytes = 1", PROMPT, Duration::ZERO).await, 1);
    }

    async fn cache_max_entry_bytes() {
        assert_eq!(asked_twice("cache_max_entry_bytes = 10", "{ statistics { promptCount } }", Duration::ZERO).await, 1);
    }

    async fn cache_prompt_ttl_s() {
        check_lifetime("cache_prompt_ttl_s", PROMPT).await;
    }

    async fn cache_list_ttl_s() {
        check_lifetime("cache_list_ttl_s", "{ prompts(filter: { userId: \"ada\" }) { nodes { title } } }").await;
    }

    async fn cache_evaluation_ttl_s() {
        let id = crate::common::global_id("Evaluation", uuid::Uuid::nil());
        check_lifetime("cache_evaluation_ttl_s", &format!("{{ evaluation(id: \"{id}\") {{ status }} }}")).await;
    }

    async fn cache_template_ttl_s() {
        let id = crate::common::global_id("PromptTemplate", uuid::Uuid::nil());
        check_lifetime("cache_template_ttl_s", &format!("{{ node(id: \"{id}\") {{ id }} }}")).await;
    }

    async fn cache_statistics_ttl_s() {
        check_lifetime("cache_statistics_ttl_s", "{ statistics { promptCount } }").await;
    }

    async fn explorer() {
        for (file, is_there) in [("", true), ("explorer = false", false)] {
            let (server, _file) = start(file, &["--listen=127.0.0.1:0"]);
            let page = reqwest::get(format!("http://{}/", server.address)).await.unwrap().text().await.unwrap();
            assert_eq!(page.starts_with("<!doctype html>"), is_there, "{file}: {page}");
            assert_eq!(server.greeting.contains("in a browser"), is_there, "{file}: {}", server.greeting);
        }
    }

    async fn header_timeout_ms() {
        let (server, _file) = start("header_timeout_ms = 100", &["--listen=127.0.0.1:0"]);
        let mut stream = tokio::net::TcpStream::connect(&server.address).await.unwrap();
        stream.write_all(b"GET / HT").await.unwrap();
        is_closed(stream).await;
    }

    async fn idle_timeout_ms() {
        // A connection is looked at as often as the head of a request may take.
        let (server, _file) = start("idle_timeout_ms = 100\nheader_timeout_ms = 200", &["--listen=127.0.0.1:0"]);
        let mut stream = tokio::net::TcpStream::connect(&server.address).await.unwrap();
        stream.write_all(b"GET /health/live HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
        is_closed(stream).await;
    }

    async fn max_connections() {
        let (server, _file) = start("max_connections = 1", &["--listen=127.0.0.1:0"]);
        let connect = async || tokio::net::TcpStream::connect(&server.address).await.unwrap();
        let (first, mut second) = (connect().await, connect().await);
        second.write_all(b"GET /health/live HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
        let mut byte = [0];
        let early = tokio::time::timeout(Duration::from_millis(200), second.peek(&mut byte)).await;
        assert!(early.is_err(), "the first connection has the only place");
        drop(first);
        tokio::time::timeout(Duration::from_secs(10), second.peek(&mut byte)).await.expect("an answer").unwrap();
    }

    async fn trusted_proxies() {
        let believed = log_of_request("trusted_proxies = '127.0.0.0/8'", "x-forwarded-for: 192.0.2.1").await;
        assert!(believed.contains("client=192.0.2.1"), "{believed}");
        let unbelieved = log_of_request("", "x-forwarded-for: 192.0.2.1").await;
        assert!(unbelieved.contains("client=127.0.0.1"), "{unbelieved}");
    }

    async fn proxy_header() {
        let file = "trusted_proxies = '127.0.0.1'\nproxy_header = 'forwarded'";
        let log = log_of_request(file, "forwarded: for=192.0.2.1\r\nx-forwarded-for: 192.0.2.2").await;
        assert!(log.contains("client=192.0.2.1"), "{log}");
    }

    async fn cors_origins() {
        for (file, allowed) in [("", None), ("cors_origins = 'https://app.example'", Some("https://app.example"))] {
            let (server, _database) = serve(file).await;
            let request = server.client.get(server.url("/health/live")).header("origin", "https://app.example");
            let answer = request.send().await.unwrap();
            let told = answer.headers().get("access-control-allow-origin").map(|value| value.to_str().unwrap());
            assert_eq!(told, allowed, "{file}");
        }
    }

    async fn introspection() {
        for (file, status) in [("", 200), ("introspection = 'administrators'", 403)] {
            let database = TestDatabase::sqlite().await;
            let app = App::new(database.database.clone(), &settings(file));
            let server = TestServer::with(app, Principal::user("ada")).await;
            let reply = server.send("{ __schema { queryType { name } } }", serde_json::json!({})).await;
            assert_eq!(reply.status, status, "{file}");
        }
    }

    async fn explorer_access() {
        for (file, status) in [("", 200), ("explorer_access = 'administrators'", 403)] {
            let database = TestDatabase::sqlite().await;
            let app = App::new(database.database.clone(), &settings(file));
            let server = TestServer::with(app, Principal::user("ada")).await;
            assert_eq!(reqwest::get(server.url("/")).await.unwrap().status(), status, "{file}");
        }
    }

    async fn max_in_flight() {
        let places = |file: &str| settings(file).admission().in_flight.map(NonZeroU32::get);
        assert!(places("") >= places("pool_base = 1"));
        assert_eq!(places("pool_base = 1000"), Some(1_000), "a place for each connection that is kept at least");
        assert_eq!(places("max_in_flight = 7"), Some(7));
        assert_eq!(places("max_in_flight = 0"), None);
    }

    async fn max_in_flight_per_principal() {
        let places = |file: &str| settings(file).admission().in_flight_per_principal.map(NonZeroU32::get);
        assert_eq!(places("max_in_flight = 10"), Some(8));
        assert_eq!(places("max_in_flight_per_principal = 7"), Some(7));
        assert_eq!(places("max_in_flight_per_principal = 0"), None);
    }

    async fn rate_limit_principal() {
        let rate = |file: &str| settings(file).admission().principal_rate;
        assert_eq!(rate("rate_limit_principal = 0"), None);
        let few = rate("rate_limit_principal = 7").unwrap();
        assert_eq!((few.per_second.get(), few.burst.get()), (7, 70));
        // Whatever the other limits allow is within what may be had at once.
        let limits = settings("").limits();
        let dearest = u64::from(limits.queries.max_complexity)
            + (u64::from(limits.queries.max_input_bytes) + limits.max_bulk_input_bytes()) / 16;
        assert!(u64::from(rate("").unwrap().burst.get()) > dearest + 100, "{dearest}");
    }

    async fn rate_limit_address() {
        let rate = |file: &str| settings(file).admission().address_rate;
        assert_eq!(rate("rate_limit_address = 0"), None);
        assert_eq!(rate("rate_limit_address = 7").unwrap().per_second.get(), 7);
        assert!(rate("").unwrap().burst > settings("").admission().principal_rate.unwrap().burst);
    }

    async fn rate_limit_burst_s() {
        let rate = settings("rate_limit_burst_s = 3\nrate_limit_principal = 7").admission().principal_rate;
        assert_eq!(rate.unwrap().burst.get(), 21);
let most = "rate_limit_burst_s = 60\nrate_limit_principal = 100000000";
        assert_eq!(settings(most).admission().principal_rate.unwrap().burst.get(), u32::MAX);
    }

    async fn rate_limit_failures() {
        let attempts = |file: &str| settings(file).admission().failed_attempts_per_minute.map(NonZeroU32::get);
        assert_eq!(attempts("rate_limit_failures = 7"), Some(7));
        assert_eq!(attempts("rate_limit_failures = 0"), None);
    }

    async fn data_dir() {
        let directory = tempfile::tempdir().unwrap();
        migrate(&format!("data_dir = '{}'", directory.path().display()));
        assert!(directory.path().join("evalgraph.db").exists());
    }

    async fn database_url() {
        let directory = tempfile::tempdir().unwrap();
        let database = directory.path().join("other.db");
        migrate(&format!("database_url = 'sqlite:{}'", database.display()));
        assert!(database.exists());
    }

    async fn env() {
        for (file, connections) in [("", 5), ("env = 'staging'", 10), ("env = 'production'", 20)] {
            check_kept_connections(file, connections).await;
        }
    }

    async fn pool_base() {
        check_kept_connections("pool_base = 3", 3).await;
    }

    async fn pool_overflow() {
        let few = "pool_base = 1\npool_wait_ms = 200\n";
        for (overflow, is_enough) in [(0, false), (1, true)] {
            let (database, _location) = open(Kind::Postgres, &format!("{few}pool_overflow = {overflow}")).await;
            let _held = hold_connection(&database).await;
            assert_eq!(execute(&database, "SELECT 1").await.is_ok(), is_enough, "{overflow}");
        }
    }

    async fn pool_wait_ms() {
        let (database, _location) = open(Kind::Sqlite, "pool_base = 1\npool_wait_ms = 77").await;
        let _held = hold_connection(&database).await;
        let error = execute(&database, "SELECT 1").await.unwrap_err();
        assert!(matches!(error, DbError::PoolTimeout(wait) if wait == Duration::from_millis(77)), "{error:?}");
    }

    async fn pool_lifetime_s() {
        for (lifetime, is_kept) in [("", true), ("pool_lifetime_s = 1", false)] {
            let (database, _location) = open(Kind::Sqlite, &format!("pool_base = 1\n{lifetime}")).await;
            // Only this connection knows the name.
            execute(&database, "ATTACH ':memory:' AS mark").await.unwrap();
            tokio::time::sleep(Duration::from_millis(1_100)).await;
            // One that is too old is closed when it comes back.
            execute(&database, "SELECT 1").await.unwrap();
            let marked = execute(&database, "SELECT * FROM mark.sqlite_schema").await;
            assert_eq!(marked.is_ok(), is_kept, "{lifetime}: {marked:?}");
        }
    }

    async fn statement_timeout_ms() {
        let file = "statement_timeout_ms = 100\npool_wait_ms = 99";
        let (database, _location) = open(Kind::Postgres, file).await;
        let error = execute(&database, "SELECT pg_sleep(30)").await.unwrap_err();
        assert!(matches!(error, DbError::StatementTimeout), "{error:?}");
        let longest = "statement_timeout_ms = 2147483646\nrequest_timeout_ms = 2147483647";
        let (database, _location) = open(Kind::Postgres, longest).await;
        execute(&database, "SELECT 1").await.unwrap();
    }

    async fn audit_retention_days() {
        for (file, left) in [("audit_retention_days = 5", 1), ("audit_retention_days = 0", 2), ("", 2)] {
            let database = TestDatabase::sqlite().await;
            let server = TestServer::start(&database).await;
            for _ in 0..2 {
                server.data("mutation { createPrompt(input: { title: \"T\", content: \"c\" }) { prompt { id } } }").await;
            }
            let age = "UPDATE audit_log SET created_at = created_at - 6 * 86400000000 WHERE id = (SELECT min(id) FROM audit_log)";
            database.execute(age).await;
            let (config, address) = (ConfigFile::new(file), "--listen=127.0.0.1:0");
            let _server = Server::start(&mut evalgraph_on(&database.location, &["serve", address, &config.flag()]));
            let is_left = async || database.count("audit_log").await == left;
            eventually(Duration::from_secs(10), "the old entry is removed, or is not", is_left).await;
        }
    }

    async fn sqlite_synchronous() {
        // An error unless it is FULL, which has the number 2.
        let question = "SELECT CASE synchronous WHEN 2 THEN 1 ELSE abs(-9223372036854775807 - 1) END FROM pragma_synchronous";
        let (normal, _location) = open(Kind::Sqlite, "sqlite_synchronous = 'normal'").await;
        execute(&normal, question).await.unwrap_err();
        let (full, _location) = open(Kind::Sqlite, "sqlite_synchronous = 'full'").await;
        execute(&full, question).await.unwrap();
    }

    async fn command_timeout_ms() {
        for kind in [Kind::Sqlite, Kind::Postgres] {
            let location = TestLocation::migrated(kind).await;
            let pools = settings("command_timeout_ms = 100").command_pool();
            let database = Database::open(&location.location, &pools).await.unwrap();
            let change = async || {
                let count = StatementCount::default();
                let change = "UPDATE runs SET name = 'Changed'";
                database.write(&count, |connection| Box::pin(connection.batch_execute(change))).await
            };
            let lock = sql::WriteLock::take(&location.location).await;
            let error = change().await.unwrap_err();
            assert!(error.is_time_limit(), "{error:?}");
            drop(lock);
            change().await.unwrap();
        }
    }

    async fn max_document_bytes() {
        check_limit("max_document_bytes = 14", "{ __typename }", "{ __typename } ").await;
    }

    async fn max_tokens() {
        check_limit("max_tokens = 5", "{ a: __typename }", "{ a: __typename, __typename }").await;
    }

    async fn max_depth() {
        check_limit("max_depth = 2", "{ viewer { userId } }", "{ prompts { edges { cursor } } }").await;
    }

    async fn max_complexity() {
        let allowed = "{ prompts(first: 2) { nodes { id } } }";
        check_limit("max_complexity = 5", allowed, "{ prompts(first: 3) { nodes { id } } }").await;
    }

    async fn max_input_bytes() {
        let allowed = "{ promptByName(name: \"x\") { id } }";
        check_limit("max_input_bytes = 37", allowed, "{ promptByName(name: \"xy\") { id } }").await;
    }

    async fn max_aliases() {
        check_limit("max_aliases = 0", "{ __typename }", "{ a: __typename }").await;
    }

    async fn max_root_fields() {
        check_limit("max_root_fields = 1", "{ __typename }", "{ __typename viewer { userId } }").await;
    }

    async fn max_directives() {
        check_limit("max_directives = 0", "{ __typename }", "{ __typename @skip(if: false) }").await;
    }

    async fn max_fragment_spreads() {
        check_limit("max_fragment_spreads = 0", "{ __typename }", "{ ... { __typename } }").await;
    }

    async fn default_page_size() {
        let (server, database) = serve("default_page_size = 2").await;
        for _ in 0..3 {
            PromptBuilder::new().insert(&database).await;
        }
        let page = server.data("{ prompts { nodes { id } } }").await;
        assert_eq!(page["prompts"]["nodes"].as_array().unwrap().len(), 2);
    }

    async fn max_page_size() {
        let (server, _database) = serve("max_page_size = 30").await;
        server.data("{ prompts(first: 30) { nodes { id } } }").await;
        assert_eq!(server.error("{ prompts(first: 31) { nodes { id } } }").await.2.as_deref(), Some("first"));
    }

    async fn slow_statement_ms() {
        assert_eq!(operators_answer("slow_statement_ms = 0", "/slow-statements").await.0, 404);
        let (status, report) = operators_answer("slow_statement_ms = 7", "/slow-statements").await;
        assert!(status == 200 && report.contains("\"thresholdMs\":7.0"), "{report}");
    }

    async fn slow_statements_kept() {
        let (_, report) = operators_answer("slow_statements_kept = 7", "/slow-statements").await;
        assert!(report.contains("\"most\":7"), "{report}");
    }

    async fn metrics_operations() {
        let file = "metrics_operations = 'Board,Other'\nmetrics_more_operations = 0";
        assert!(operators_answer(file, "/metrics").await.1.contains("graphql_operation_name=\"Board\""));
    }

    async fn metrics_more_operations() {
        let (_, page) = operators_answer("metrics_more_operations = 0", "/metrics").await;
        assert!(page.contains("graphql_operation_name=\"other\"") && !page.contains("\"Board\""), "{page}");
        assert!(operators_answer("", "/metrics").await.1.contains("graphql_operation_name=\"Board\""));
    }

    async fn metrics_authentication() {
        // Nobody is asked for a credential yet, so only this machine may look.
        let foreign = async |file: &str| {
            let (_server, _file, address) = operated(file);
            let request = reqwest::Client::new().get(format!("http://{address}/metrics"));
            request.header("host", "evalgraph-1").send().await.unwrap().status().as_u16()
        };
        assert_eq!(foreign("metrics_authentication = false").await, 200);
        assert_eq!(foreign("metrics_authentication = true").await, 403);
    }

    async fn log() {
        assert!(log_of("").contains("stopped"));
        assert_eq!(log_of("log = 'warn'"), "");
    }

    async fn log_format() {
        assert!(!log_of("log_format = 'text'").starts_with('{'));
        assert!(log_of("env = 'production'").starts_with('{'));
        for line in log_of("log_format = 'json'").lines() {
            serde_json::from_str::<serde_json::Value>(line).unwrap();
        }
    }

    async fn trace_slow_ms() {
        capture_log();
        for (file, is_recorded) in [("trace_slow_ms = 0", true), ("trace_slow_ms = 3600000", false)] {
            let (server, _database) = serve(file).await;
            let reply = server.send("{ viewer { userId } }", serde_json::json!({})).await;
            assert_eq!(reply.headers.contains_key("traceparent"), is_recorded, "{file}");
        }
    }

    async fn trace_all_resolvers() {
        for (file, has_span) in [("trace_all_resolvers = true", true), ("", false)] {
            let spans = recorded_with(file, &[]).await;
            assert_eq!(spans.iter().any(|span| span.name == "Viewer.userId"), has_span, "{file}");
        }
    }

    async fn trace_baggage() {
        let baggage = [("baggage", "tenant=acme,region=north,password=secret")];
        for (file, expected) in [("trace_baggage = 'tenant, region'", "region=north tenant=acme"), ("", "")] {
            let spans = recorded_with(file, &baggage).await;
            let attributes = spans.iter().flat_map(|span| &span.attributes);
            let found = attributes.filter_map(|found| Some((found.key.as_str().strip_prefix("baggage.")?, &found.value)));
            let mut found: Vec<_> = found.map(|(name, value)| format!("{name}={value}")).collect();
            found.sort();
            assert_eq!(found.join(" "), expected, "{file}");
        }
    }
}

/// The server closes the connection soon, whatever it answers before.
async fn is_closed(mut stream: tokio::net::TcpStream) {
    let mut rest = Vec::new();
    let read = tokio::time::timeout(Duration::from_secs(10), stream.read_to_end(&mut rest)).await;
    // A reset is an end, too.
    let _ = read.expect("the connection is closed");
}

/// The application with the settings of a file, over an empty database.
async fn serve(file: &str) -> (TestServer, TestDatabase) {
    let database = TestDatabase::sqlite().await;
    let app = App::new(database.database.clone(), &settings(file));
    (TestServer::with(app, Principal::local()).await, database)
}

/// With this limit, of the two operations one is answered and the other refused for that limit.
async fn check_limit(file: &str, allowed: &str, refused: &str) {
    let (server, _database) = serve(file).await;
    server.data(allowed).await;
    let reply = server.send(refused, serde_json::json!({})).await;
    let (setting, _) = file.split_once(" = ").unwrap();
    let name = reply.body["errors"][0]["extensions"]["limitName"].as_str().unwrap();
    assert_eq!(name.to_lowercase(), setting.replace('_', ""));
}

/// The whole command with a file, on an empty database that stays as long as the file.
fn start(file: &str, arguments: &[&str]) -> (Server, ConfigFile) {
    let file = ConfigFile::new(file);
    let mut command = evalgraph(&["serve", &file.flag()]);
    command.args(arguments).env("EVALGRAPH_DATA_DIR", file.directory.path()).stderr(std::process::Stdio::piped());
    (Server::start_with_log(&mut command), file)
}

/// A server with this file, and where operators find it.
fn operated(file: &str) -> (Server, ConfigFile, String) {
    let address = free_address();
    let (server, file) = start(file, &["--listen=127.0.0.1:0", &format!("--admin-listen={address}")]);
    (server, file, address)
}

/// What operators are answered by a server with this file, after one operation.
async fn operators_answer(file: &str, path: &str) -> (u16, String) {
    let (server, _file, address) = operated(file);
    server.data("query Board { viewer { userId } }").await;
    let answer = reqwest::get(format!("http://{address}{path}")).await.unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

/// What a server with this file logs from its start to its end.
fn log_of(file: &str) -> String {
    let (mut server, _file) = start(file, &["--listen=127.0.0.1:0"]);
    server.signal("TERM");
    assert_eq!(server.wait(), Some(0));
    server.log()
}

/// The line that a server with this file logs of a request with this header.
async fn log_of_request(file: &str, header: &str) -> String {
    let (mut server, _file) = start(file, &["--listen=127.0.0.1:0"]);
    let mut stream = tokio::net::TcpStream::connect(&server.address).await.unwrap();
    let head = format!("GET /nothing HTTP/1.1\r\nhost: x\r\nconnection: close\r\n{header}\r\n\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    is_closed(stream).await;
    server.signal("TERM");
    assert_eq!(server.wait(), Some(0));
    let log = server.log();
    log.lines().find(|line| line.contains("/nothing")).unwrap_or_else(|| panic!("{log}")).to_owned()
}

/// Asks for a prompt that does not exist, which is remembered too.
const PROMPT: &str = "{ prompt(id: \"UHJvbXB0OjAwMDAwMDAwLTAwMDAtMDAwMC0wMDAwLTAwMDAwMDAwMDAwMA==\") { title } }";

/// The spans of a request whose client wants to have it recorded, and that has these headers.
async fn recorded_with(file: &str, headers: &[(&str, &str)]) -> Vec<SpanData> {
    capture_log();
    let (server, _database) = serve(file).await;
    let trace_id = format!("{:032x}", uuid::Uuid::now_v7().as_u128());
    let mut request = server.client.post(server.url("/graphql"));
    request = request.header("traceparent", format!("00-{trace_id}-00f067aa0ba902b7-01"));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    Reply::of(request.json(&serde_json::json!({ "query": "{ viewer { userId } }" }))).await;
    let spans = || {
        let all = recorded_spans().into_iter();
        all.filter(|span| span.span_context.trace_id().to_string() == trace_id).collect::<Vec<_>>()
    };
    let is_whole = async || spans().iter().any(|span| span.name == "POST /graphql");
    eventually(Duration::from_secs(10), "the request's span ends", is_whole).await;
    spans()
}

/// How many statements a query takes that was asked before, so long ago.
async fn asked_twice(file: &str, query: &str, later: Duration) -> u64 {
    let location = TestLocation::migrated(Kind::Sqlite).await;
    let settings = settings(file);
    let pools = PoolSettings { carries_out: true, ..settings.pool() };
    let database = Database::open(&location.location, &pools).await.unwrap();
    let cache = Cache::new(&settings.cache().unwrap()).unwrap();
    let (_follower, database) = Follower::start(&cache, database);
    eventually(Duration::from_secs(10), "the cache is believed", async || cache.is_believed()).await;
    let app = App::new(database, &settings).with_cache(Some(cache));
    let server = TestServer::with(app, Principal::local()).await;
    server.data(query).await;
    tokio::time::sleep(later).await;
    server.send(query, serde_json::json!({})).await.statements()
}

/// An answer is forgotten after a second when the setting says so, and otherwise is not.
async fn check_lifetime(setting: &str, query: &str) {
    let later = Duration::from_millis(1100);
    assert_eq!(asked_twice("", query, later).await, 0);
    assert_eq!(asked_twice(&format!("{setting} = 1"), query, later).await, 1);
}

fn migrate(file: &str) {
    stdout(&run(&mut evalgraph(&["migrate", &ConfigFile::new(file).flag()])));
}

/// An address that nobody serves on.
fn free_address() -> String {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string()
}

/// The pools that a file makes.
async fn open(kind: Kind, file: &str) -> (Database, TestLocation) {
    let location = TestLocation::migrated(kind).await;
    (Database::open(&location.location, &settings(file).pool()).await.unwrap(), location)
}

async fn check_kept_connections(file: &str, connections: u32) {
    let (database, _location) = open(Kind::Sqlite, file).await;
    execute(&database, "SELECT 1").await.unwrap();
    let open = async || database.read_connections().0 == connections;
    eventually(Duration::from_secs(10), "the connections are open", open).await;
}

async fn execute(database: &Database, statement: &'static str) -> Result<(), DbError> {
    let (database, count) = (database.clone(), StatementCount::default());
    database.read(&count, move |connection| Box::pin(async move { connection.batch_execute(statement).await })).await
}
