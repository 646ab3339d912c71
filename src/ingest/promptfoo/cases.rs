//! The names of test cases.

use serde_json::{Map, Value};

use crate::ingest::json::{NAME_LIMIT, cut, text_form};

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
}
