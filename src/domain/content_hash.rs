//! Telling whether two prompt versions say the same.

use std::fmt::Write as _;

use sha2::{Digest, Sha256};

use super::PromptFormat;

/// SHA-256 over format, content and system message, in hexadecimal: equal for versions that say the same.
///
/// Each part goes in as the number of its bytes (64 bits, little-endian) and then the bytes, so that no text can move
/// from one part to the next unnoticed. An absent system message is no part at all, an empty one is a part of length 0.
#[must_use]
pub fn content_hash(format: PromptFormat, content: &str, system_message: Option<&str>) -> String {
    let mut hasher = Sha256::new();
    for part in [Some(format.as_str()), Some(content), system_message].into_iter().flatten() {
        hasher.update((part.len() as u64).to_le_bytes());
        hasher.update(part);
    }
    hex(&hasher.finalize())
}

/// SHA-256 over `bytes`, in hexadecimal.
#[must_use]
pub fn sha256_hex(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// The bytes in hexadecimal.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_counts() {
        let hashes = [
            content_hash(PromptFormat::Text, "ab", None),
            content_hash(PromptFormat::Chat, "ab", None),
            content_hash(PromptFormat::Text, "a", Some("b")),
            content_hash(PromptFormat::Text, "ab", Some("")),
            content_hash(PromptFormat::Text, "", Some("ab")),
        ];
        for (index, hash) in hashes.iter().enumerate() {
            assert_eq!(hash.len(), 64);
            assert!(!hashes[index + 1..].contains(hash), "{index}");
        }
        assert_eq!(hashes[0], content_hash(PromptFormat::Text, "ab", None));
    }

    #[test]
    fn hexadecimal_has_leading_zeros() {
        assert_eq!(sha256_hex(b""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    }
}
