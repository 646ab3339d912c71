//! JSON values as texts, and short texts.

use serde_json::Value;

use crate::domain::sha256_hex;

pub(super) use crate::domain::{canonical, case_hash};

/// A text as it is, anything else as JSON; null is no text.
pub(super) fn text_form(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(canonical(other)),
    }
}

/// The text, cut to at most `limit` characters; what is cut off is replaced by `…`.
pub(super) fn cut(text: &str, limit: usize) -> String {
    if text.chars().nth(limit).is_none() {
        return text.to_owned();
    }
    text.chars().take(limit.saturating_sub(1)).chain(['…']).collect()
}

/// The longest id that is kept as it is.
const ID_LIMIT: usize = 255;

/// An id of another tool. One that is too long for an index is replaced by its hash.
pub(super) fn fit_id(id: String) -> String {
    if id.chars().nth(ID_LIMIT).is_none() { id } else { format!("sha256:{}", sha256_hex(id.as_bytes())) }
}

/// The longest name of anything, and the longest title, in characters.
pub(super) const NAME_LIMIT: usize = 255;

/// The name itself or, when it is too long, its beginning and what tells it from others with the same beginning.
pub(super) fn fit_name(name: &str) -> String {
    if name.chars().nth(NAME_LIMIT).is_none() {
        return name.to_owned();
    }
    format!("{}-{}", cut(name, NAME_LIMIT - 9), &sha256_hex(name.as_bytes())[..8])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_ids_are_hashed() {
        assert_eq!(fit_id("ä".repeat(255)), "ä".repeat(255));
        let hashed = fit_id("ä".repeat(256));
        assert!(hashed.starts_with("sha256:") && hashed.len() == 71, "{hashed}");
    }

    #[test]
    fn texts_are_cut_between_characters() {
        assert_eq!(cut("äöü", 3), "äöü");
        assert_eq!(cut("äöüß", 3), "äö…");
    }
}
