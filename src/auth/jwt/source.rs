//! Where the keys of an issuer are read from.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use axum::http::{Request, StatusCode, Uri};
use http_body_util::{BodyExt as _, Empty, LengthLimitError, Limited};
use hyper::body::Bytes;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use rustls::{ClientConfig, RootCertStore};
use thiserror::Error;

use super::key_set::{KeySet, KeySetError};

/// How large a set of keys may be: issuers publish some kilobytes.
const MOST_BYTES: usize = 256 * 1024;

type HttpClient = Client<HttpsConnector<HttpConnector>, Empty<Bytes>>;

/// Where the keys are.
pub enum Source {
    /// In a file.
    File(PathBuf),
    /// At an address.
    Url(Box<Address>),
}

/// An address and how it is asked.
pub struct Address {
    uri: Uri,
    client: HttpClient,
    timeout: Duration,
}

/// Why keys cannot be read.
#[derive(Debug, Error)]
pub enum SourceError {
    /// The file cannot be read.
    #[error("cannot be read: {0}")]
    File(#[from] std::io::Error),
    /// It, or the answer, is too large.
    #[error("is larger than {MOST_BYTES} bytes")]
    TooLarge,
    /// There is no answer.
    #[error("cannot be fetched: {0}")]
    Connection(String),
    /// The answer is another than that with the keys. Redirects are not followed: they may lead anywhere.
    #[error("answers with the status {0}, not with 200")]
    Status(StatusCode),
    /// There is no answer in time.
    #[error("does not answer within {} ms", .0.as_millis())]
    Timeout(Duration),
    /// What is there is something else.
    #[error(transparent)]
    Keys(#[from] KeySetError),
    /// The machine has no certificates that an address could be checked with.
    #[error("there are no usable root certificates on this machine: {0}")]
    Roots(String),
}

impl Source {
    /// The place that a setting names: an address, or the path of a file.
    pub fn new(place: &str, timeout: Duration) -> Result<Self, SourceError> {
        match place.parse::<Uri>() {
            Ok(uri) if uri.host().is_some() && matches!(uri.scheme_str(), Some("http" | "https")) => {
                let client = client(uri.scheme_str() == Some("https"))?;
                Ok(Self::Url(Box::new(Address { uri, client, timeout })))
            }
            _ => Ok(Self::File(place.into())),
        }
    }

    /// Reads the keys.
    pub async fn load(&self) -> Result<KeySet, SourceError> {
        let text = match self {
            Self::File(path) => {
                let path = path.clone();
                // It fails when the process ends.
                let reading = tokio::task::spawn_blocking(move || read_file(&path));
                reading.await.map_err(std::io::Error::other)??
            }
            Self::Url(address) => tokio::time::timeout(address.timeout, fetch(&address.client, &address.uri))
                .await
                .unwrap_or(Err(SourceError::Timeout(address.timeout)))?,
        };
        Ok(KeySet::read(&text)?)
    }

    /// Whether whoever is on the way can change what comes from there.
    pub fn is_plain(&self) -> bool {
        matches!(self, Self::Url(address) if address.uri.scheme_str() == Some("http"))
    }
}

fn read_file(path: &Path) -> Result<Bytes, SourceError> {
    let mut text = Vec::new();
    File::open(path)?.take(MOST_BYTES as u64 + 1).read_to_end(&mut text)?;
    if text.len() > MOST_BYTES { Err(SourceError::TooLarge) } else { Ok(text.into()) }
}

async fn fetch(client: &HttpClient, uri: &Uri) -> Result<Bytes, SourceError> {
    let failed = |error: &dyn std::error::Error| SourceError::Connection(with_causes(error));
    let request = Request::get(uri.clone()).header("accept", "application/json").body(Empty::new());
    let request = request.map_err(|error| failed(&error))?;
    let response = client.request(request).await.map_err(|error| failed(&error))?;
    if response.status() != StatusCode::OK {
        return Err(SourceError::Status(response.status()));
    }
    match Limited::new(response.into_body(), MOST_BYTES).collect().await {
        Ok(body) => Ok(body.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(SourceError::TooLarge),
        Err(error) => Err(failed(&*error)),
    }
}

/// hyper tells the cause beside the error.
fn with_causes(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source()).take(8);
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

fn client(needs_certificates: bool) -> Result<HttpClient, SourceError> {
    let mut roots = RootCertStore::empty();
    if needs_certificates {
        let native = rustls_native_certs::load_native_certs();
        roots.add_parsable_certificates(native.certs);
        if roots.is_empty() {
            let cause = native.errors.first().map_or_else(|| "none found".to_owned(), ToString::to_string);
            return Err(SourceError::Roots(cause));
        }
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| SourceError::Connection(error.to_string()))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    let connector = HttpsConnectorBuilder::new().with_tls_config(config).https_or_http().enable_http1().build();
    Ok(Client::builder(TokioExecutor::new()).build(connector))
}
