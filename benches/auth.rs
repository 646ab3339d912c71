//! What it costs to find out who sent a request: the first time that a token is seen, and after that.

mod common;

use std::hint::black_box;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderMap, HeaderValue};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use criterion::{Criterion, criterion_group, criterion_main};
use evalgraph::auth::api_tokens::ApiToken;
use evalgraph::auth::jwt::{ClaimRules, IssuerSettings, JwtSettings};
use evalgraph::auth::{ApiTokens, AuthSettings, Authenticator};
use evalgraph::db::columns::ColumnSet;
use evalgraph::db::pool::DatabaseLocation;
use evalgraph::db::{Database, StatementCount};
use evalgraph::domain::{Deed, Principal, Scopes};
use evalgraph::writes::api_tokens::CreateApiToken;
use evalgraph::writes::perform;
use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair, RsaPublicKeyComponents};
use serde_json::json;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const SECRET: &str = "a secret of thirty-two bytes and some more";

/// Signs with RS256, as most issuers do.
fn signed(key: &RsaKeyPair, user: &str) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    let header = json!({ "alg": "RS256", "kid": "key", "typ": "JWT" }).to_string();
    let claims = json!({
        "sub": user, "iss": "https://issuer.example", "aud": "evalgraph", "exp": now + 3600, "iat": now,
        "roles": ["reader", "writer", "admin"], "email": "ada@example.org", "name": "Ada Lovelace",
    });
    let message = format!("{}.{}", encode(header.as_bytes()), encode(claims.to_string().as_bytes()));
    let mut signature = vec![0; key.public().modulus_len()];
    key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message.as_bytes(), &mut signature).unwrap();
    format!("{message}.{}", encode(&signature))
}

fn settings(jwks: &Path) -> AuthSettings {
    let name = "https://issuer.example".to_owned();
    let jwt = JwtSettings {
        issuers: vec![IssuerSettings { name: Some(name.clone()), jwks: jwks.display().to_string() }],
        secret: None,
        names: vec![name],
        audience: vec!["evalgraph".to_owned()],
        skew: Duration::from_secs(60),
        rules: ClaimRules {
            user: "sub".to_owned(),
            admin: Some(("roles".to_owned(), "admin".to_owned())),
            scopes: None,
        },
        refresh: Duration::from_secs(3600),
        least_refresh: Duration::from_secs(10),
        timeout: Duration::from_secs(5),
    };
    AuthSettings { jwt: Some(jwt), token_secret: Some(SECRET.to_owned()) }
}

async fn api_token(database: &Database) -> String {
    let token = ApiToken::generate();
    let write = CreateApiToken {
        name: "bench".to_owned(),
        hash: ApiTokens::new(database.clone(), SECRET).hash(&token),
        scopes: Scopes::OWN,
        expires_at: None,
        columns: ColumnSet::NONE,
    };
    perform(database, &StatementCount::default(), Deed::command("token create", Principal::LOCAL_USER), write)
        .await
        .unwrap()
        .unwrap();
    token.expose().to_owned()
}

fn headers(token: &str) -> HeaderMap {
    HeaderMap::from_iter([(AUTHORIZATION, HeaderValue::from_str(&format!("Bearer {token}")).unwrap())])
}

fn auth(criterion: &mut Criterion) {
    let runtime = common::runtime();
    let directory = tempfile::tempdir().unwrap();
    let key = RsaKeyPair::from_pkcs8(include_bytes!("../tests/data/auth/rsa.der")).unwrap();
    let public = RsaPublicKeyComponents::<Vec<u8>>::from(key.public());
    let (n, e) = (URL_SAFE_NO_PAD.encode(&public.n), URL_SAFE_NO_PAD.encode(&public.e));
    let jwks = directory.path().join("jwks.json");
    std::fs::write(&jwks, json!({ "keys": [{ "kty": "RSA", "kid": "key", "n": n, "e": e }] }).to_string()).unwrap();

    let mut locations = vec![("SQLite", DatabaseLocation::Sqlite(directory.path().join("bench.db")))];
    if let Ok(url) = std::env::var("EVALGRAPH_BENCH_POSTGRES_URL") {
        locations.push(("PostgreSQL", DatabaseLocation::Postgres(url)));
    }
    let mut group = criterion.benchmark_group("authentication");
    for (name, location) in locations {
        let database = runtime.block_on(common::open_database(&location, 2));
        let start = || runtime.block_on(Authenticator::start(&settings(&jwks), &database)).unwrap();
        let authenticator = start();
        let known = async |headers: &HeaderMap| black_box(authenticator.authenticate(headers).await).unwrap();
        let token = runtime.block_on(api_token(&database));
        let with_token = headers(&token);
        group.bench_function(format!("{name}: API token, after the first"), |bencher| {
            bencher.to_async(&runtime).iter(|| known(&with_token));
        });
        let tokens = authenticator.api_tokens().unwrap();
        group.bench_function(format!("{name}: API token, looked up"), |bencher| {
            bencher.to_async(&runtime).iter(|| {
                tokens.forget();
                known(&with_token)
            });
        });
        if name == "SQLite" {
            let with_jwt = headers(&signed(&key, "ada"));
            group.bench_function("JWT (RS256), after the first", |bencher| {
                bencher.to_async(&runtime).iter(|| known(&with_jwt));
            });
            let mut number = 0;
            group.bench_function("JWT (RS256), the first time", |bencher| {
                bencher.to_async(&runtime).iter_batched(
                    || {
                        number += 1;
                        headers(&signed(&key, &number.to_string()))
                    },
                    async |headers| known(&headers).await,
                    criterion::BatchSize::SmallInput,
                );
            });
        }
    }
    group.finish();
}

criterion_group!(benches, auth);
criterion_main!(benches);
