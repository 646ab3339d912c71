//! Reading `postgres://` addresses.

use std::path::PathBuf;
use std::str::FromStr as _;
use std::time::Duration;

use thiserror::Error;
use tokio_postgres::Config;
use tokio_postgres::config::SslMode;
use tokio_postgres_rustls::MakeRustlsConnect;
use url::form_urlencoded;

use super::tls::{self, TlsError, Verification};

/// How long the network may keep what was sent to itself.
const SILENCE: Duration = Duration::from_secs(10);

/// What is wrong with the address of a PostgreSQL server. Never contains the password.
#[derive(Debug, Error)]
pub enum UrlError {
    /// PostgreSQL's client does not understand it.
    #[error("the database URL cannot be used: {0}")]
    Parameters(String),
    /// `sslmode` is none of those that exist.
    #[error("sslmode={0} is unknown: use disable, prefer, require, verify-ca or verify-full")]
    SslMode(String),
    /// Encryption cannot be set up.
    #[error(transparent)]
    Tls(#[from] TlsError),
}

/// The address of a PostgreSQL server.
#[derive(Clone)]
pub struct PostgresUrl {
    config: Config,
    verification: Option<Verification>,
    root_certificate: Option<PathBuf>,
}

impl PostgresUrl {
    /// Reads an address as libpq does. tokio-postgres knows neither `verify-ca` nor `verify-full` nor `sslrootcert`:
    /// they are taken out here and carried out by [`tls`].
    pub fn parse(text: &str) -> Result<Self, UrlError> {
        let (address, query) = text.split_once('?').unwrap_or((text, ""));
        let (mut ssl_mode, mut root_certificate) = ("prefer".to_owned(), None);
        let mut rest = Vec::new();
        // What is not taken out stays as it was written: only tokio-postgres knows what its escapes mean.
        for parameter in query.split('&').filter(|parameter| !parameter.is_empty()) {
            match parameter.split_once('=') {
                Some(("sslmode", value)) => ssl_mode = value.to_owned(),
                Some(("sslrootcert", value)) => root_certificate = Some(unescape(value)),
                _ => rest.push(parameter),
            }
        }
        let address = format!("{address}?{}", rest.join("&"));
        let mut config = Config::from_str(&address).map_err(|error| UrlError::Parameters(with_cause(&error)))?;
        let (mode, verification) = match ssl_mode.as_str() {
            "disable" => (SslMode::Disable, None),
            "prefer" | "allow" => (SslMode::Prefer, Some(Verification::None)),
            // As in libpq: with a root certificate at hand, `require` checks it.
            "require" if root_certificate.is_none() => (SslMode::Require, Some(Verification::None)),
            "require" | "verify-ca" => (SslMode::Require, Some(Verification::Issuer)),
            "verify-full" => (SslMode::Require, Some(Verification::IssuerAndName)),
            _ => return Err(UrlError::SslMode(ssl_mode)),
        };
        config.ssl_mode(mode);
        if config.get_application_name().is_none() {
            config.application_name("evalgraph");
        }
        notice_silence(&mut config);
        Ok(Self { config, verification, root_certificate })
    }

    pub(super) fn config(&self) -> &Config {
        &self.config
    }

    /// How connections are encrypted, if they may be.
    pub(super) fn tls(&self) -> Result<Option<MakeRustlsConnect>, UrlError> {
        let Some(verification) = self.verification else { return Ok(None) };
        Ok(Some(tls::connector(verification, self.root_certificate.as_deref())?))
    }
}

/// Unless the address says otherwise, a server that has vanished from the network is noticed while a request waits for
/// it. The system's own limits are a quarter of an hour for what was sent and two hours for an idle connection.
fn notice_silence(config: &mut Config) {
    if config.get_tcp_user_timeout().is_none() {
        config.tcp_user_timeout(SILENCE);
    }
    if config.get_keepalives_idle() == Config::new().get_keepalives_idle() {
        config.keepalives_idle(SILENCE);
    }
    if config.get_keepalives_interval().is_none() {
        config.keepalives_interval(SILENCE / 2);
    }
    if config.get_keepalives_retries().is_none() {
        config.keepalives_retries(2);
    }
}

/// A path with its percent escapes resolved.
fn unescape(value: &str) -> PathBuf {
    // A plus sign is an ordinary character in a path, not a space.
    let form = value.replace('+', "%2B");
    form_urlencoded::parse(form.as_bytes()).next().map_or_else(PathBuf::new, |(path, _)| PathBuf::from(&*path))
}

fn with_cause(error: &tokio_postgres::Error) -> String {
    match std::error::Error::source(error) {
        Some(cause) => format!("{error}: {cause}"),
        None => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn modes(text: &str) -> (SslMode, Option<Verification>) {
        let url = PostgresUrl::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        (url.config.get_ssl_mode(), url.verification)
    }

    #[test]
    fn ssl_modes_mean_what_they_mean_to_libpq() {
        let base = "postgres://me:secret@db.example/eval";
        assert_eq!(modes(base), (SslMode::Prefer, Some(Verification::None)));
        assert_eq!(modes(&format!("{base}?sslmode=disable")), (SslMode::Disable, None));
        assert_eq!(modes(&format!("{base}?sslmode=require")), (SslMode::Require, Some(Verification::None)));
        assert_eq!(
            modes(&format!("{base}?sslmode=require&sslrootcert=/ca.pem")),
            (SslMode::Require, Some(Verification::Issuer)),
        );
        assert_eq!(modes(&format!("{base}?sslmode=verify-ca")), (SslMode::Require, Some(Verification::Issuer)));
        assert_eq!(
            modes(&format!("{base}?sslmode=verify-full&connect_timeout=3")),
            (SslMode::Require, Some(Verification::IssuerAndName)),
        );
    }

    #[test]
    fn parameters_reach_the_driver_as_they_were_written() {
        let url = PostgresUrl::parse(
            "postgres://me@h1:5432,h2:5433/eval?options=-c%20search_path%3Dapp&sslrootcert=/a%20b+c.pem&sslmode=verify-ca",
        )
        .unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(url.config.get_options(), Some("-c search_path=app"));
        assert_eq!((url.config.get_hosts().len(), url.config.get_ports()), (2, &[5432, 5433][..]));
        assert_eq!(url.root_certificate, Some(PathBuf::from("/a b+c.pem")));
        assert!(PostgresUrl::parse("postgres:///eval?host=/run/postgresql").is_ok());
    }

    #[test]
    fn a_silent_server_is_noticed_unless_the_address_says_otherwise() {
        let limits = |parameters: &str| {
            let url = PostgresUrl::parse(&format!("postgres://db/eval?{parameters}"))
                .unwrap_or_else(|error| panic!("{error}"));
            let seconds = |duration: Option<Duration>| duration.map(|duration| duration.as_secs());
            let idle = seconds(Some(url.config.get_keepalives_idle()));
            (seconds(url.config.get_tcp_user_timeout().copied()), idle, seconds(url.config.get_keepalives_interval()))
        };
        assert_eq!(limits(""), (Some(10), Some(10), Some(5)));
        let given = "tcp_user_timeout=99&keepalives_idle=98&keepalives_interval=97";
        assert_eq!(limits(given), (Some(99), Some(98), Some(97)));
    }

    #[test]
    fn mistakes_are_named_without_the_password() {
        for (text, expected) in [
            ("postgres://me:hunter2@db/eval?sslmode=full", "sslmode=full is unknown"),
            ("postgres://me:hunter2@db:99999/eval", "port"),
            ("postgres://me:hunter2@db/eval?colour=red", "colour"),
        ] {
            let message = PostgresUrl::parse(text).map(|_| ()).unwrap_err().to_string();
            assert!(message.contains(expected), "{message}");
            assert!(!message.contains("hunter2"), "{message}");
        }
    }
}
