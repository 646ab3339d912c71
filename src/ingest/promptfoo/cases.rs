//! What tells test cases from each other: their name and their variables. What is equal in both is a repetition.

use std::collections::HashMap;

use serde_json::{Map, Value};

use crate::domain::sha256_hex;
use crate::ingest::json::{canonical, cut, text_form};

/// The longest name.
const NAME_LIMIT: usize = 255;

/// The name of a case: its description, or else its variables, or else its place.
pub(super) fn case_name(descriptions: [Option<&Value>; 2], vars: &Map<String, Value>, position: i32) -> String {
    let described = descriptions.into_iter().flatten().filter_map(text_form).find(|text| !text.trim().is_empty());
    let name = described.unwrap_or_else(|| variables(vars));
    let name = if name.trim().is_empty() { format!("test {position}") } else { name };
    cut(name.trim(), NAME_LIMIT)
}

/// `a=1, b=text`, in the order of the names.
fn variables(vars: &Map<String, Value>) -> String {
    let mut vars: Vec<_> = vars.iter().collect();
    vars.sort_unstable_by_key(|&(name, _)| name);
    let pairs: Vec<_> =
        vars.into_iter().map(|(name, value)| format!("{name}={}", text_form(value).unwrap_or_default())).collect();
    pairs.join(", ")
}

/// SHA-256 of the variables as canonical JSON; `None` without variables.
pub(super) fn case_hash(vars: &Map<String, Value>) -> Option<String> {
    let has_vars = !vars.is_empty();
    has_vars.then(|| sha256_hex(canonical(&Value::Object(vars.clone())).as_bytes()))
}

/// Counts how often each case came up.
#[derive(Debug, Default)]
pub(super) struct Repetitions(HashMap<(String, Option<String>), i32>);

impl Repetitions {
    /// How often the case came up before.
    pub fn next(&mut self, name: &str, hash: Option<&str>) -> i32 {
        let count = self.0.entry((name.to_owned(), hash.map(str::to_owned))).or_insert(0);
        *count += 1;
        *count - 1
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn vars(value: Value) -> Map<String, Value> {
        value.as_object().cloned().unwrap()
    }

    #[test]
    fn names_come_from_description_variables_or_place() {
        let some = vars(json!({"b": "text", "a": {"y": 1, "x": null}}));
        assert_eq!(case_name([Some(&json!("a case")), Some(&json!("other"))], &some, 0), "a case");
        assert_eq!(case_name([None, Some(&json!("other"))], &some, 0), "other");
        assert_eq!(case_name([Some(&json!(404)), None], &some, 0), "404");
        assert_eq!(case_name([Some(&json!(" ")), None], &some, 0), r#"a={"x":null,"y":1}, b=text"#);
        assert_eq!(case_name([None, None], &Map::new(), 7), "test 7");
    }

    #[test]
    fn long_names_are_cut_between_characters() {
        let name = case_name([Some(&json!("ö".repeat(300))), None], &Map::new(), 0);
        assert_eq!((name.chars().count(), name.ends_with("ö…")), (255, true));
        let full = "ö".repeat(255);
        assert_eq!(case_name([Some(&json!(full)), None], &Map::new(), 0), full);
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
    fn equal_cases_are_repetitions() {
        let mut repetitions = Repetitions::default();
        assert_eq!(repetitions.next("a", Some("1")), 0);
        assert_eq!(repetitions.next("a", Some("2")), 0);
        assert_eq!(repetitions.next("a", None), 0);
        assert_eq!(repetitions.next("a", Some("1")), 1);
    }
}
