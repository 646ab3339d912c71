//! How a token looks, and what is stored of it.

use ring::hmac;
use sha2::{Digest as _, Sha256};

use crate::domain::hex;

/// What every token begins with, for programs that look for secrets where there should be none.
const PREFIX: &str = "evg_";
/// How many random bytes it has.
const RANDOM: usize = 32;
/// How many bytes of a digest of all that follow them: a token that was cut or mistyped is found out without the database.
const CHECK: usize = 4;

/// A token as its owner is shown it once.
pub struct ApiToken(String);

impl ApiToken {
    /// A new token, which nobody can guess.
    #[must_use]
    pub fn generate() -> Self {
        let mut text = format!("{PREFIX}{}", hex(&rand::random::<[u8; RANDOM]>()));
        let check = check(&text);
        text.push_str(&check);
        Self(text)
    }

    /// The token.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

/// Whether a text is meant to be a token of this server.
pub fn is_meant(text: &str) -> bool {
    text.starts_with(PREFIX)
}

/// Whether a text can be a token.
pub fn is_well_formed(text: &str) -> bool {
    let body = text.len().checked_sub(2 * CHECK).and_then(|end| text.split_at_checked(end));
    body.is_some_and(|(body, ending)| {
        body.len() == PREFIX.len() + 2 * RANDOM && is_meant(body) && check(body) == ending
    })
}

fn check(body: &str) -> String {
    hex(&Sha256::digest(body)[..CHECK])
}

/// Makes of tokens what is stored of them. Without the key of the server, nobody can.
pub struct Hasher(hmac::Key);

/// What is stored of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TokenHash([u8; 32]);

impl Hasher {
    /// With this secret.
    pub fn new(secret: &str) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes()))
    }

    /// What is stored of a token.
    pub fn hash(&self, token: &str) -> TokenHash {
        let mut hash = [0; 32];
        hash.copy_from_slice(hmac::sign(&self.0, token.as_bytes()).as_ref());
        TokenHash(hash)
    }
}

impl TokenHash {
    /// In hexadecimal digits.
    pub fn in_digits(&self) -> String {
        hex(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_token_is_found_out_without_asking_anybody() {
        let token = ApiToken::generate();
        let token = token.expose();
        assert_eq!(token.len(), 4 + 64 + 8);
        assert!(is_well_formed(token) && is_meant(token));
        assert_ne!(ApiToken::generate().expose(), token);
        let mistyped = token.replacen(&token[10..11], if &token[10..11] == "0" { "1" } else { "0" }, 1);
        let capitals = format!("evg_{}", token[4..].to_uppercase());
        for bad in [
            "",
            "evg_",
            "evg_ü",
            &token[..75],
            &token[1..],
            &format!("{token}0"),
            &mistyped,
            &capitals,
            &"ü".repeat(38),
        ] {
            assert!(!is_well_formed(bad), "{bad}");
        }
    }

    #[test]
    fn what_is_stored_depends_on_the_secret() {
        let (one, other) = (Hasher::new("one"), Hasher::new("other"));
        assert_eq!(one.hash("evg_1"), one.hash("evg_1"));
        assert_ne!(one.hash("evg_1"), other.hash("evg_1"));
        assert_ne!(one.hash("evg_1"), one.hash("evg_2"));
        // The figures of RFC 4231, section 4.3.
        assert_eq!(
            Hasher::new("Jefe").hash("what do ya want for nothing?").in_digits(),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
        );
    }
}
