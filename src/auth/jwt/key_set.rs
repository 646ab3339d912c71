//! The keys of an issuer, as it publishes them (RFC 7517).

use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyAlgorithm, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey};
use serde::Deserialize;
use serde_json::Value;
use thiserror::Error;

/// How many keys of a set are looked at: issuers have a handful.
const MOST_KEYS: usize = 100;

/// A key that tokens can be signed with.
#[derive(Debug, Clone)]
pub struct Key {
    /// What the issuer calls it.
    id: Option<String>,
    /// The one algorithm that it is used with.
    algorithm: Algorithm,
    /// What signatures are checked with.
    pub key: DecodingKey,
}

/// The keys of an issuer.
#[derive(Debug, Clone, Default)]
pub struct KeySet {
    keys: Vec<Key>,
    /// What they were read from, to be compared.
    written: Vec<String>,
}

/// Why a text is no set of keys.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum KeySetError {
    /// It is not in the form of one.
    #[error("is no set of keys, a JSON object with the list `keys`: {0}")]
    Form(String),
    /// It has none that can be used.
    #[error("has no key for RS256, ES256 or EdDSA")]
    Empty,
}

#[derive(Deserialize)]
struct Written {
    keys: Vec<Value>,
}

impl KeySet {
    /// Reads a set of keys. Those of other kinds are left out.
    pub fn read(text: &[u8]) -> Result<Self, KeySetError> {
        let Written { keys } = serde_json::from_slice(text).map_err(|error| KeySetError::Form(error.to_string()))?;
        let mut set = Self::default();
        for value in keys.into_iter().take(MOST_KEYS) {
            let written = value.to_string();
            if let Some(key) = Jwk::deserialize(value).ok().as_ref().and_then(Key::read) {
                set.keys.push(key);
                set.written.push(written);
            }
        }
        if set.keys.is_empty() { Err(KeySetError::Empty) } else { Ok(set) }
    }

    /// The key that a token says it is signed with. One that does not say may be signed with the only key there is.
    pub fn find(&self, algorithm: Algorithm, id: Option<&str>) -> Option<&Key> {
        let mut suitable = self.keys.iter().filter(|key| key.algorithm == algorithm);
        match id {
            Some(id) => suitable.find(|key| key.id.as_deref() == Some(id)),
            None => suitable.next().filter(|_| suitable.next().is_none()),
        }
    }

    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// Whether they are the same as those of another set.
    pub fn is_same(&self, other: &Self) -> bool {
        self.written == other.written
    }
}

impl Key {
    fn read(jwk: &Jwk) -> Option<Self> {
        let is_for_signatures = matches!(jwk.common.public_key_use, None | Some(PublicKeyUse::Signature));
        let (algorithm, named) = match &jwk.algorithm {
            AlgorithmParameters::RSA(_) => (Algorithm::RS256, KeyAlgorithm::RS256),
            AlgorithmParameters::EllipticCurve(key) if key.curve == EllipticCurve::P256 => {
                (Algorithm::ES256, KeyAlgorithm::ES256)
            }
            AlgorithmParameters::OctetKeyPair(key) if key.curve == EllipticCurve::Ed25519 => {
                (Algorithm::EdDSA, KeyAlgorithm::EdDSA)
            }
            // A secret that is published is none.
            _ => return None,
        };
        let is_for_it = jwk.common.key_algorithm.is_none_or(|algorithm| algorithm == named);
        let key = DecodingKey::from_jwk(jwk).ok()?;
        (is_for_signatures && is_for_it).then(|| Self { id: jwk.common.key_id.clone(), algorithm, key })
    }
}
