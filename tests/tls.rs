//! Encrypted connections to PostgreSQL, and whom they trust.
//!
//! The certificate of the test server names `localhost` and not 127.0.0.1.

mod common;

use std::path::Path;
use std::process::Command;

use common::{Kind, TestLocation, small_pools};
use evalgraph::db::pool::DatabaseLocation;
use evalgraph::db::{Database, DbError, StatementCount};
use url::Url;

fn authority() -> String {
    std::env::var("EVALGRAPH_TEST_POSTGRES_CA")
        .expect("EVALGRAPH_TEST_POSTGRES_CA is not set: run scripts/test, which starts a PostgreSQL with a certificate")
}

/// The database under another name of its host and with parameters.
fn address(database: &TestLocation, host: &str, parameters: &[(&str, &str)]) -> DatabaseLocation {
    let DatabaseLocation::Postgres(url) = &database.location else { panic!("PostgreSQL alone has encryption") };
    let mut url = Url::parse(url).unwrap();
    url.set_host(Some(host)).unwrap();
    url.query_pairs_mut().clear().extend_pairs(parameters);
    DatabaseLocation::Postgres(url.into())
}

/// Whether the server sees an encrypted connection, when there is one.
async fn encrypted(host: &str, parameters: &[(&str, &str)]) -> Result<bool, DbError> {
    let database = TestLocation::migrated(Kind::Postgres).await;
    let pools = Database::open(&address(&database, host, parameters), &small_pools()).await?;
    pools
        .read(&StatementCount::default(), |connection| {
            Box::pin(async move {
                let check = "DO $$ BEGIN
                    IF NOT (SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()) THEN RAISE 'in the open'; END IF;
                END $$";
                match connection.batch_execute(check).await {
                    Ok(()) => Ok(true),
                    Err(error) if error.to_string() == "in the open" => Ok(false),
                    Err(error) => Err(error),
                }
            })
        })
        .await
}

async fn assert_refused(host: &str, parameters: &[(&str, &str)], cause: &str) {
    match encrypted(host, parameters).await {
        Err(DbError::Unreachable(message)) => assert!(message.contains(cause), "{message}"),
        other => panic!("{host} {parameters:?}: {other:?}"),
    }
}

#[tokio::test]
async fn require_encrypts() {
    assert!(encrypted("127.0.0.1", &[("sslmode", "require")]).await.unwrap());
}

#[tokio::test]
async fn prefer_encrypts_when_the_server_can() {
    assert!(encrypted("127.0.0.1", &[]).await.unwrap());
}

#[tokio::test]
async fn disable_does_not_encrypt() {
    assert!(!encrypted("127.0.0.1", &[("sslmode", "disable")]).await.unwrap());
}

#[tokio::test]
async fn verify_full_accepts_the_name_in_the_certificate() {
    assert!(encrypted("localhost", &[("sslmode", "verify-full"), ("sslrootcert", &authority())]).await.unwrap());
}

#[tokio::test]
async fn verify_full_refuses_another_name() {
    let parameters = [("sslmode", "verify-full"), ("sslrootcert", &authority())];
    assert_refused("127.0.0.1", &parameters, "not valid for name").await;
}

#[tokio::test]
async fn verify_ca_accepts_another_name() {
    assert!(encrypted("127.0.0.1", &[("sslmode", "verify-ca"), ("sslrootcert", &authority())]).await.unwrap());
}

/// An authority of the same name as the right one, with another key.
fn make_wrong_authority(directory: &Path) -> String {
    let file = directory.join("ca.pem");
    let output = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"])
        .args(["-subj", "/CN=evalgraph test CA", "-keyout", "/dev/null", "-out"])
        .arg(&file)
        .output()
        .expect("openssl can be run");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    file.into_os_string().into_string().unwrap()
}

#[tokio::test]
async fn a_certificate_of_another_authority_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let wrong = make_wrong_authority(directory.path());
    // With a root certificate at hand, `require` checks it, as in libpq.
    for mode in ["require", "verify-ca", "verify-full"] {
        assert_refused("localhost", &[("sslmode", mode), ("sslrootcert", &wrong)], "certificate").await;
    }
}

#[tokio::test]
async fn the_machines_own_roots_do_not_vouch_for_the_test_server() {
    // A machine without any says so instead.
    assert_refused("localhost", &[("sslmode", "verify-full")], "certificate").await;
}

#[tokio::test]
async fn a_missing_root_certificate_is_named() {
    let parameters = [("sslmode", "verify-full"), ("sslrootcert", "/nowhere/ca.pem")];
    assert_refused("localhost", &parameters, "/nowhere/ca.pem").await;
}
