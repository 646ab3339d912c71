//! Names of entries.

use std::hash::{Hash, Hasher};

use sha2::{Digest as _, Sha256};

use crate::domain::Principal;

/// Changes with every version of the program: rows and questions may look different there.
const SCHEMA_VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), "/1");

/// The name of an entry: a digest of the question that it answers and of whom it was answered for. The database decides
/// who may see what, so an answer is given only to those it gave it to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fingerprint([u8; 32]);

impl Fingerprint {
    /// The name of what `loader` answers to `principal` about `key`.
    #[must_use]
    pub fn of(loader: &str, principal: &Principal, key: &impl Hash) -> Self {
        let mut digest = Feed(Sha256::new());
        (SCHEMA_VERSION, loader, principal.is_admin).hash(&mut digest);
        // Administrators all see the same.
        if !principal.is_admin {
            principal.user_id.hash(&mut digest);
        }
        key.hash(&mut digest);
        Self(digest.0.finalize().into())
    }

    /// Its bytes.
    #[must_use]
    pub const fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// Feeds to the digest what `Hash` says of a value. Two versions of the program may disagree about that: then they miss.
struct Feed(Sha256);

impl Hasher for Feed {
    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    fn finish(&self) -> u64 {
        // Nobody asks: the whole digest is taken.
        0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_shares_a_name_with_another_question_or_another_asker() {
        let (ada, bob) = (Principal::user("ada"), Principal::user("bob"));
        let names = [
            Fingerprint::of("rows", &ada, &(1, "a")),
            Fingerprint::of("rows", &ada, &(1, "b")),
            Fingerprint::of("row", &ada, &(1, "a")),
            Fingerprint::of("rows", &bob, &(1, "a")),
            Fingerprint::of("rows", &Principal { is_admin: true, ..ada.clone() }, &(1, "a")),
            // Whose texts are the same when they are written one after the other.
            Fingerprint::of("rows", &ada, &("ab", "c")),
            Fingerprint::of("rows", &ada, &("a", "bc")),
        ];
        for (place, name) in names.iter().enumerate() {
            assert!(!names[..place].contains(name), "{place}");
        }
        assert_eq!(names[0], Fingerprint::of("rows", &ada, &(1, "a")));
    }
}
