//! JSON values as texts that can be compared.

use serde_json::{Map, Number, Value};

use super::sha256_hex;

/// The value as compact JSON with the keys of every object in order: equal values have equal texts.
#[must_use]
pub fn canonical(value: &Value) -> String {
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

/// SHA-256 of the variables as canonical JSON; `None` without variables.
#[must_use]
pub fn case_hash(vars: &Map<String, Value>) -> Option<String> {
    let has_vars = !vars.is_empty();
    has_vars.then(|| sha256_hex(canonical(&Value::Object(vars.clone())).as_bytes()))
}

/// How far apart, relative to themselves, numbers may be that were one before they were written down and read.
const ROUNDING: f64 = 4.0 * f64::EPSILON;

/// Whether two values are the same, however they were written: a database keeps the number `1e2` as `100`, and the keys of
/// objects in an order of its own.
#[must_use]
pub fn same_json(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Object(one), Value::Object(other)) => {
            one.len() == other.len()
                && one.iter().all(|(key, value)| other.get(key).is_some_and(|other| same_json(value, other)))
        }
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| same_json(one, other))
        }
        (Value::Number(one), Value::Number(other)) => same_number(one, other),
        _ => one == other,
    }
}

fn same_number(one: &Number, other: &Number) -> bool {
    let is_whole = |number: &Number| number.is_i64() || number.is_u64();
    if is_whole(one) && is_whole(other) {
        return one == other;
    }
    let (Some(one), Some(other)) = (one.as_f64(), other.as_f64()) else { return false };
    (one - other).abs() <= ROUNDING * one.abs().max(other.abs())
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
    fn the_hash_knows_values_but_not_their_order() {
        let hash = |text: &str| case_hash(&serde_json::from_str(text).unwrap());
        assert_eq!(hash(r#"{"a":1,"b":{"c":2,"d":3}}"#), hash(r#"{"b":{"d":3,"c":2},"a":1}"#));
        assert_ne!(hash(r#"{"a":1}"#), hash(r#"{"a":"1"}"#));
        assert_eq!(hash(r#"{"a":1}"#).unwrap(), "015abd7f5cc57a2dd94b7590f04ad8084273905ee33ec5cebeae62276a97f862");
        assert_eq!(hash("{}"), None);
    }

    #[test]
    fn values_are_the_same_however_they_are_written() {
        let read = |text: &str| serde_json::from_str::<Value>(text).unwrap();
        for (one, other, expected) in [
            (r#"{"a":1,"b":[2,null]}"#, r#"{"b":[2,null],"a":1}"#, true),
            ("1e2", "100", true),
            ("-0.0", "0", true),
            ("0.1", "0.10000000000000001", true),
            ("0.1", "0.1000000000001", false),
            ("9007199254740993", "9007199254740992", false),
            ("[1,2]", "[2,1]", false),
            (r#"{"a":1}"#, r#"{"a":1,"b":null}"#, false),
            (r#"{"a":1}"#, r#"{"b":1}"#, false),
            ("1", r#""1""#, false),
        ] {
            assert_eq!(same_json(&read(one), &read(other)), expected, "{one} {other}");
        }
    }
}
