//! What the assertions of a test said, as a flat list.

use serde_json::{Map, Value, json};

use crate::ingest::redact::{redact_config, redact_data};

/// The assertions with what became of them. Members of a set follow it and name it by its `ordinal`.
pub(super) fn assertion_results(components: &[Value]) -> Vec<Value> {
    let mut results = Vec::new();
    flatten(components, None, &mut results);
    results
}

fn flatten(components: &[Value], parent: Option<usize>, results: &mut Vec<Value>) {
    let mut rest = components;
    while let Some((component, others)) = rest.split_first() {
        rest = others;
        // Files contain null where an assertion said nothing.
        if !component.is_object() {
            continue;
        }
        let ordinal = results.len();
        results.push(assertion_result(component, ordinal, parent));
        if let Some(members) = component["componentResults"].as_array() {
            flatten(members, Some(ordinal), results);
            // promptfoo lists the members of a set within it and, since some version, after it once more.
            rest = rest.strip_prefix(members.as_slice()).unwrap_or(rest);
        }
    }
}

fn assertion_result(component: &Value, ordinal: usize, parent: Option<usize>) -> Value {
    let assertion = match &component["assertion"] {
        Value::Null => &component["metadata"]["assertionSet"],
        assertion => assertion,
    };
    let kind = assertion["type"].as_str().unwrap_or("assert-set");
    let mut value = assertion["value"].clone();
    redact_data(&mut value);
    let mut reason = component["reason"].clone();
    redact_config(&mut reason);
    let fields = [
        ("ordinal", json!(ordinal)),
        ("parent_ordinal", json!(parent)),
        ("type", json!(kind)),
        ("metric", assertion["metric"].clone()),
        ("passed", component["pass"].clone()),
        ("score", component["score"].clone()),
        ("weight", assertion["weight"].clone()),
        ("threshold", assertion["threshold"].clone()),
        ("value", value),
        ("reason", reason),
    ];
    let present = fields.into_iter().filter(|(_, value)| !value.is_null());
    Value::Object(present.map(|(name, value)| (name.to_owned(), value)).collect())
}

/// What the test hoped for: the value of its only `equals` assertion, or else the variable `expected`.
pub(super) fn expected_output(assertions: &[Value], vars: &Map<String, Value>) -> Option<Value> {
    let mut found = Vec::new();
    collect_equals(assertions, &mut found);
    let expected = match found.as_slice() {
        [value] => resolve(value, vars).clone(),
        [] => vars.get("expected").or_else(|| vars.get("__expected"))?.clone(),
        _ => return None,
    };
    (!expected.is_null()).then_some(expected)
}

fn collect_equals<'a>(assertions: &'a [Value], found: &mut Vec<&'a Value>) {
    for assertion in assertions {
        if assertion["type"] == "equals" {
            found.push(&assertion["value"]);
        }
        if let Some(members) = assertion["assert"].as_array() {
            collect_equals(members, found);
        }
    }
}

/// The variable where the value is nothing but `{{variable}}`, else the value.
fn resolve<'a>(value: &'a Value, vars: &'a Map<String, Value>) -> &'a Value {
    value
        .as_str()
        .and_then(|text| text.trim().strip_prefix("{{")?.strip_suffix("}}"))
        .and_then(|name| vars.get(name.trim()))
        .unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leaf(value: &str) -> Value {
        json!({"pass": true, "score": 1, "reason": "r", "assertion": {"type": "equals", "value": value}})
    }

    #[test]
    fn assertions_are_numbered() {
        let results = assertion_results(&[leaf("a"), Value::Null, leaf("b")]);
        assert_eq!(
            results[1],
            json!({"ordinal": 1, "type": "equals", "passed": true, "score": 1, "value": "b", "reason": "r"})
        );
        assert_eq!(results.len(), 2);
    }

    #[test]
    fn reasons_are_stored_without_their_secrets() {
        let component = json!({"pass": false, "reason": "exit 1: ask --api-key=hunter2 https://me:pw@host"});
        let results = assertion_results(&[component]);
        assert_eq!(results[0]["reason"], "exit 1: ask --api-key=[redacted] https://me:[redacted]@host");
    }

    #[test]
    fn values_lose_what_looks_like_a_secret() {
        let results = assertion_results(&[leaf("the key is sk-1234567890abcdef")]);
        assert_eq!(results[0]["value"], "the key is [redacted]");
    }

    #[test]
    fn sets_are_flattened_once() {
        let set = json!({"pass": false, "score": 0, "reason": "s", "componentResults": [leaf("a"), leaf("b")],
            "metadata": {"assertionSet": {"type": "assert-set", "metric": "m", "threshold": 0.5}}});
        for components in [vec![set.clone(), leaf("c")], vec![set, leaf("a"), leaf("b"), leaf("c")]] {
            let results = assertion_results(&components);
            let parents: Vec<_> = results.iter().map(|result| result["parent_ordinal"].as_u64()).collect();
            assert_eq!(parents, [None, Some(0), Some(0), None]);
            assert_eq!(
                results[0],
                json!({"ordinal": 0, "type": "assert-set", "metric": "m", "passed": false, "score": 0,
                    "threshold": 0.5, "reason": "s"})
            );
        }
        assert_eq!(assertion_results(&[json!({"pass": true})])[0]["type"], "assert-set");
    }

    #[test]
    fn one_expected_value_is_the_expected_output() {
        let vars = json!({"answer": 42, "expected": "e"}).as_object().cloned().unwrap();
        let equals = |value: &str| json!({"type": "equals", "value": value});
        let set = json!({"type": "assert-set", "assert": [equals("a"), {"type": "contains", "value": "x"}]});
        assert_eq!(expected_output(std::slice::from_ref(&set), &vars), Some(json!("a")));
        assert_eq!(expected_output(&[equals("{{ answer }}")], &vars), Some(json!(42)));
        assert_eq!(expected_output(&[set, equals("b")], &vars), None);
        assert_eq!(expected_output(&[], &vars), Some(json!("e")));
        let vars = json!({"__expected": "of a table"}).as_object().cloned().unwrap();
        assert_eq!(expected_output(&[], &vars), Some(json!("of a table")));
        assert_eq!(expected_output(&[], &Map::new()), None);
    }
}
