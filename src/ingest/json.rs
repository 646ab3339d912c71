//! JSON values as texts that can be compared, and short texts.

use serde_json::{Map, Value};

use crate::domain::sha256_hex;

/// The value as compact JSON with the keys of every object in order: equal values have equal texts.
pub(super) fn canonical(value: &Value) -> String {
    let mut text = String::new();
    write_canonical(value, &mut text);
    text
}

fn write_canonical(value: &Value, text: &mut String) {
    match value {
        Value::Object(object) => {
            let mut members: Vec<_> = object.iter().collect();
            members.sort_unstable_by_key(|&(key, _)| key);
            text.push('{');
            for (index, (key, member)) in members.into_iter().enumerate() {
                if index > 0 {
                    text.push(',');
                }
                text.push_str(&Value::from(key.as_str()).to_string());
                text.push(':');
                write_canonical(member, text);
            }
            text.push('}');
        }
        Value::Array(elements) => {
            text.push('[');
            for (index, element) in elements.iter().enumerate() {
                if index > 0 {
                    text.push(',');
                }
                write_canonical(element, text);
            }
            text.push(']');
        }
        scalar => text.push_str(&scalar.to_string()),
    }
}

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

/// SHA-256 of the variables as canonical JSON; `None` without variables.
pub(super) fn case_hash(vars: &Map<String, Value>) -> Option<String> {
    let has_vars = !vars.is_empty();
    has_vars.then(|| sha256_hex(canonical(&Value::Object(vars.clone())).as_bytes()))
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
    use serde_json::json;

    use super::*;

    #[test]
    fn canonical_json_sorts_keys_at_every_depth() {
        let value = json!({"b": [{"z": 1, "a": "\"\n"}], "a": null});
        assert_eq!(canonical(&value), r#"{"a":null,"b":[{"a":"\"\n","z":1}]}"#);
    }

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

    #[test]
    fn the_hash_knows_values_but_not_their_order() {
        let hash = |text: &str| case_hash(&serde_json::from_str(text).unwrap());
        assert_eq!(hash(r#"{"a":1,"b":{"c":2,"d":3}}"#), hash(r#"{"b":{"d":3,"c":2},"a":1}"#));
        assert_ne!(hash(r#"{"a":1}"#), hash(r#"{"a":"1"}"#));
        assert_eq!(hash(r#"{"a":1}"#).unwrap(), "015abd7f5cc57a2dd94b7590f04ad8084273905ee33ec5cebeae62276a97f862");
        assert_eq!(hash("{}"), None);
    }
}
