//! Signed tokens of issuers that the server trusts (RFC 7519).

mod claims;
mod key_set;
mod keys;
mod signatures;
mod source;

use std::collections::HashMap;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, dangerous, decode, decode_header};
use moka::Expiry;
use moka::sync::Cache;
use serde::Deserialize;
use sha2::{Digest as _, Sha256};

use super::{AuthError, SetupError};
use crate::domain::Principal;

pub use self::claims::ClaimRules;
use self::claims::Claims;
use self::keys::{Keys, Pace};
use self::source::Source;
pub use self::source::SourceError;

/// How many tokens are remembered to be good.
const MOST_REMEMBERED: u64 = 10_000;
/// How long at most.
const LONGEST_REMEMBERED: Duration = Duration::from_secs(60 * 60);
/// The algorithms of keys that are published.
const PUBLISHED: [Algorithm; 3] = [Algorithm::RS256, Algorithm::ES256, Algorithm::EdDSA];

/// Which tokens count.
#[derive(Clone)]
pub struct JwtSettings {
    /// The issuers whose keys are published.
    pub issuers: Vec<IssuerSettings>,
    /// What HS256 tokens are signed with, if any count.
    pub secret: Option<String>,
    /// How their issuer calls itself: in one of these ways. Any name will do where none is said.
    pub names: Vec<String>,
    /// Whom tokens must be meant for. Without it, those that are meant for somebody are refused.
    pub audience: Vec<String>,
    /// How far the clocks of issuers may be off.
    pub skew: Duration,
    /// Which claims say what.
    pub rules: ClaimRules,
    /// How often keys are read again.
    pub refresh: Duration,
    /// How long they are not read again though tokens name keys that are not known.
    pub least_refresh: Duration,
    /// How long an address with keys may take to answer.
    pub timeout: Duration,
}

/// An issuer whose keys are published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IssuerSettings {
    /// How it calls itself in its tokens. Any name will do where it is not said.
    pub name: Option<String>,
    /// Where its keys are: an address, or the path of a file.
    pub jwks: String,
}

/// Checks tokens.
pub struct JwtVerifier {
    issuers: Vec<Issuer>,
    secret: Option<(DecodingKey, Validation)>,
    rules: ClaimRules,
    skew: Duration,
    /// The tokens that were found to be good, by their digests.
    verified: Cache<[u8; 32], Verified>,
}

struct Issuer {
    name: Option<String>,
    keys: Keys,
    validations: HashMap<Algorithm, Validation>,
}

/// A token that was found to be good.
#[derive(Clone)]
struct Verified {
    principal: Principal,
    /// Until when it is, in seconds since 1970.
    until: u64,
    /// Whose keys it was signed with, and their generation then.
    keys: Option<(usize, u64)>,
}

/// What is remembered of a token is forgotten when it ends.
struct UntilEnd;

impl Expiry<[u8; 32], Verified> for UntilEnd {
    fn expire_after_create(&self, _: &[u8; 32], verified: &Verified, _: Instant) -> Option<Duration> {
        Some(Duration::from_secs(verified.until.saturating_sub(now())).min(LONGEST_REMEMBERED))
    }
}

impl JwtVerifier {
    /// Reads the keys of the issuers and goes on following them.
    pub async fn start(settings: &JwtSettings) -> Result<Self, SetupError> {
        signatures::install();
        let mut issuers = Vec::new();
        for issuer in &settings.issuers {
            issuers.push(Issuer::start(issuer, settings).await?);
        }
        let secret = settings.secret.as_ref().map(|secret| {
            let key = DecodingKey::from_secret(secret.as_bytes()).map_err(|_| SetupError::Secret)?;
            Ok((key, validation(Algorithm::HS256, &settings.names, settings)))
        });
        Ok(Self {
            issuers,
            secret: secret.transpose()?,
            rules: settings.rules.clone(),
            skew: settings.skew,
            verified: Cache::builder().max_capacity(MOST_REMEMBERED).expire_after(UntilEnd).build(),
        })
    }

    /// Whom a token is of. Its signature is checked when it is seen first; after that it is remembered, until it ends or the
    /// keys of its issuer change.
    pub async fn principal(&self, token: &str) -> Result<Principal, AuthError> {
        let digest: [u8; 32] = Sha256::digest(token).into();
        if let Some(verified) = self.verified.get(&digest).filter(|verified| self.still_counts(verified)) {
            return Ok(verified.principal);
        }
        let (claims, keys) = self.verify(token).await?;
        let principal = self.rules.principal(&claims)?;
        let end = claims.get("exp").and_then(|exp| exp.as_u64().or_else(|| exp.as_f64().map(|exp| exp as u64)));
        let until = end.unwrap_or_default().saturating_add(self.skew.as_secs());
        self.verified.insert(digest, Verified { principal: principal.clone(), until, keys });
        Ok(principal)
    }

    fn still_counts(&self, verified: &Verified) -> bool {
        let keys_are_the_same = |(issuer, generation): (usize, u64)| {
            self.issuers.get(issuer).is_some_and(|issuer| issuer.keys.generation() == generation)
        };
        now() < verified.until && verified.keys.is_none_or(keys_are_the_same)
    }

    /// The claims of a token whose signature, times, issuer and audience are right. The algorithm that its header names
    /// chooses among keys, each of which is for one algorithm: it cannot have a key used in another way.
    async fn verify(&self, token: &str) -> Result<(Claims, Option<(usize, u64)>), AuthError> {
        let header = decode_header(token).map_err(|_| MALFORMED)?;
        if header.alg == Algorithm::HS256 {
            let (key, validation) = self.secret.as_ref().ok_or(UNKNOWN_ALGORITHM)?;
            return Ok((claims_of(token, key, validation)?, None));
        }
        if !PUBLISHED.contains(&header.alg) {
            return Err(UNKNOWN_ALGORITHM);
        }
        let place = self.issuer_of(token)?;
        let issuer = self.issuers.get(place).ok_or(UNKNOWN_ALGORITHM)?;
        let found = issuer.keys.find(header.alg, header.kid.as_deref()).await?;
        let validation = issuer.validations.get(&header.alg).ok_or(UNKNOWN_ALGORITHM)?;
        Ok((claims_of(token, &found.key, validation)?, Some((place, found.generation))))
    }

    /// Whose keys a token has to be checked with: of several issuers, those of the one it names. Nothing else of it counts
    /// before it was checked.
    fn issuer_of(&self, token: &str) -> Result<usize, AuthError> {
        #[derive(Deserialize)]
        struct Named {
            iss: String,
        }
        if self.issuers.len() <= 1 {
            return Ok(0);
        }
        let Named { iss } = dangerous::insecure_decode_claims(token).map_err(|_| UNKNOWN_ISSUER)?;
        self.issuers.iter().position(|issuer| issuer.name.as_ref() == Some(&iss)).ok_or(UNKNOWN_ISSUER)
    }
}

impl Issuer {
    async fn start(issuer: &IssuerSettings, settings: &JwtSettings) -> Result<Self, SetupError> {
        let failed = |cause| SetupError::Keys { place: issuer.jwks.clone(), cause };
        let source = Source::new(&issuer.jwks, settings.timeout).map_err(failed)?;
        if source.is_plain() {
            tracing::warn!(
                jwks = issuer.jwks,
                "the keys of the issuer are fetched without TLS: whoever is on the way can change them"
            );
        }
        let pace = Pace {
            interval: settings.refresh,
            least: settings.least_refresh,
            // A second for the work around it.
            patience: settings.timeout + Duration::from_secs(1),
        };
        let keys = Keys::follow(&issuer.jwks, source, pace).await.map_err(failed)?;
        let names: Vec<String> = issuer.name.iter().cloned().collect();
        let validations = PUBLISHED.map(|algorithm| (algorithm, validation(algorithm, &names, settings)));
        Ok(Self { name: issuer.name.clone(), keys, validations: validations.into() })
    }
}

fn validation(algorithm: Algorithm, issuers: &[String], settings: &JwtSettings) -> Validation {
    let mut validation = Validation::new(algorithm);
    validation.leeway = settings.skew.as_secs();
    validation.validate_nbf = true;
    let mut required = vec!["exp"];
    if !issuers.is_empty() {
        validation.set_issuer(issuers);
        required.push("iss");
    }
    if !settings.audience.is_empty() {
        validation.set_audience(&settings.audience);
        required.push("aud");
    }
    validation.set_required_spec_claims(&required);
    validation
}

const MALFORMED: AuthError = AuthError::Refused("the token is neither one of this server's nor a JWT that can be read");
const UNKNOWN_ALGORITHM: AuthError =
    AuthError::Refused("the token is signed in a way that this server does not accept");
const UNKNOWN_ISSUER: AuthError = AuthError::Refused("the token is of an issuer that this server does not know");

fn claims_of(token: &str, key: &DecodingKey, validation: &Validation) -> Result<Claims, AuthError> {
    let token = decode::<Claims>(token, key, validation).map_err(|error| {
        // Whatever is told beyond the signature is told to somebody who has a token of the issuer.
        AuthError::Refused(match error.kind() {
            ErrorKind::ExpiredSignature => "the token has expired",
            ErrorKind::ImmatureSignature => "the token is not valid yet",
            ErrorKind::InvalidIssuer => "the token is of another issuer than those whom this server trusts",
            ErrorKind::InvalidAudience => "the token is meant for another audience than this server",
            ErrorKind::MissingRequiredClaim(_) | ErrorKind::InvalidClaimFormat(_) => {
                "the token lacks a claim that it must have: `exp`, and `iss` and `aud` where this server knows which"
            }
            ErrorKind::InvalidSignature => "the signature of the token is wrong",
            _ => "the token cannot be read",
        })
    })?;
    Ok(token.claims)
}

/// Seconds since 1970.
fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}
