//! Taking secrets out of configurations before they are stored.
//!
//! Two signs tell a secret: the name it has, and its own look. In commands and messages the name can be in the same
//! text. Prompts, variables and assertions are quoted in a configuration too: they are prose, where «password: » means
//! nothing.

mod looks;
mod names;
mod pairs;

use serde_json::{Map, Value};

use self::looks::redact_looks;
use self::names::{Sensitivity, normalized, sensitivity};
use self::pairs::{is_secret_option, redact_pairs};
use super::json::text_form;

/// What stands in the place of a secret.
pub(super) const REDACTED: &str = "[redacted]";

/// Redacts a configuration: texts with the name of a secret, everything in environments, and whatever looks like one.
pub(super) fn redact_config(value: &mut Value) {
    Texts::Settings.redact(value);
}

/// Redacts data that is no configuration: what looks like a secret, and the headers of requests and answers.
pub(super) fn redact_data(value: &mut Value) {
    match value {
        Value::Object(object) => redact_members(object),
        Value::Array(elements) => elements.iter_mut().for_each(redact_data),
        Value::String(text) => *text = redact_looks(text),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Redacts an object that is no configuration.
pub(super) fn redact_members(object: &mut Map<String, Value>) {
    for (key, member) in object.iter_mut() {
        if normalized(key) == "headers" { redact_config(member) } else { redact_data(member) }
    }
    redact_keys(object, redact_looks);
}

/// The text without what looks like a secret or has the name of one before it.
pub(super) fn redact_text(text: &str) -> String {
    redact_pairs(&redact_looks(text))
}

/// The text form of a message, without its secrets.
pub(super) fn redacted_form(message: &Value) -> Option<String> {
    let mut message = message.clone();
    redact_config(&mut message);
    text_form(&message)
}

/// What the texts in a part of a configuration are.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Texts {
    /// Commands, headers and the like.
    Settings,
    /// For people and models.
    Prose,
    /// Prose whose names the user chose.
    Variables,
}

impl Texts {
    fn redact(self, value: &mut Value) {
        match value {
            Value::Object(object) => self.redact_object(object),
            Value::Array(elements) => self.redact_array(elements),
            Value::String(text) => *text = self.redacted(text),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    fn redact_object(self, object: &mut Map<String, Value>) {
        for (key, member) in object.iter_mut() {
            match sensitivity(key) {
                Sensitivity::Environment => redact_wholly(member, true),
                Sensitivity::Secret { numbers } => redact_secret(member, numbers),
                Sensitivity::None => self.below(key).redact(member),
            }
        }
        redact_keys(object, |key| self.redacted(key));
    }

    /// An element can be the argument of the option before it.
    fn redact_array(self, elements: &mut [Value]) {
        let mut is_argument = false;
        for element in elements {
            let option = element.as_str().filter(|text| text.starts_with('-'));
            let is_next_argument = option.is_some_and(is_secret_option);
            if is_argument && option.is_none() {
                redact_secret(element, true)
            } else {
                self.redact(element)
            }
            is_argument = is_next_argument;
        }
    }

    fn redacted(self, text: &str) -> String {
        let is_command = text.trim_start().starts_with("exec:");
        if self == Self::Settings || is_command { redact_text(text) } else { redact_looks(text) }
    }

    /// What the texts in the member with this key are.
    fn below(self, key: &str) -> Self {
        match (self, key) {
            (Self::Variables, _) | (_, "vars") => Self::Variables,
            (_, "prompts" | "assert" | "description") => Self::Prose,
            (_, "config" | "options" | "provider" | "providers") => Self::Settings,
            _ => self,
        }
    }
}

/// Everything but null is a secret here, or everything but null and booleans, at whatever depth.
fn redact_wholly(value: &mut Value, booleans: bool) {
    match value {
        Value::Null => {}
        Value::Bool(_) if !booleans => {}
        Value::Array(elements) => elements.iter_mut().for_each(|element| redact_wholly(element, booleans)),
        Value::Object(object) => {
            object.values_mut().for_each(|member| redact_wholly(member, booleans));
            redact_keys(object, redact_text);
        }
        scalar => *scalar = Value::from(REDACTED),
    }
}

/// Every text is a secret here, at whatever depth, and maybe every number.
fn redact_secret(value: &mut Value, numbers: bool) {
    match value {
        _ if numbers => redact_wholly(value, false),
        Value::String(text) => *text = REDACTED.to_owned(),
        Value::Array(elements) => elements.iter_mut().for_each(|element| redact_secret(element, numbers)),
        Value::Object(object) => {
            for (key, member) in object.iter_mut() {
                let is_secret_number = matches!(sensitivity(key), Sensitivity::Secret { numbers: true });
                redact_secret(member, is_secret_number);
            }
            redact_keys(object, redact_text);
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Addresses and commands can be keys. Keys that are the same without their secrets are kept apart by asterisks.
fn redact_keys(object: &mut Map<String, Value>, redacted: impl Fn(&str) -> String) {
    if object.keys().all(|key| redacted(key) == *key) {
        return;
    }
    for (key, member) in std::mem::take(object) {
        let mut key = redacted(&key);
        while object.contains_key(&key) {
            key.push('*');
        }
        object.insert(key, member);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn redacted(mut value: Value) -> Value {
        redact_config(&mut value);
        value
    }

    #[test]
    fn what_only_sounds_like_a_secret_stays() {
        let config = json!({
            "maxTokens": 100, "max_tokens": "100", "tokenUsage": {"total": 7, "note": "n"}, "total_tokens": 5,
            "keywords": ["a", "b"], "tokenizer": "cl100k", "keyboard": "qwerty", "monkeys": 3, "passed": "yes",
            "apiKeyRequired": true, "token": 17, "secret": null, "description": "the bearer of bad news",
            "text": "sk-learn", "url": "https://user@example.org/a?b=c", "skill": "task-12345678",
            "monkey": "m", "author": "a", "tokens": {"total": 5},
        });
        assert_eq!(redacted(config.clone()), config);
    }

    #[test]
    fn numbers_with_the_name_of_a_secret_go() {
        let config = json!({"password": 12345678, "secret": 4711, "pin": 1234, "pass": true, "tokens": {"pin": 5}});
        let expected = json!({"password": REDACTED, "secret": REDACTED, "pin": REDACTED, "pass": true,
            "tokens": {"pin": REDACTED}});
        assert_eq!(redacted(config), expected);
    }

    #[test]
    fn everything_at_any_depth_below_a_secret_name_goes() {
        let config = json!({"credentials": {"user": "u", "pins": ["1"], "port": 5, "tls": true}});
        let expected = json!({"credentials": {"user": REDACTED, "pins": [REDACTED], "port": REDACTED, "tls": true}});
        assert_eq!(redacted(config), expected);
    }

    #[test]
    fn environments_go_altogether() {
        let config = json!({"env": {"HOME": "/home/a", "PIN": 1234, "ON": true, "EMPTY": null}});
        let expected = json!({"env": {"HOME": REDACTED, "PIN": REDACTED, "ON": REDACTED, "EMPTY": null}});
        assert_eq!(redacted(config), expected);
    }

    #[test]
    fn keys_can_contain_secrets() {
        let config = json!({
            "https://me:pw@host/ask": {"config": {"a": 1}}, "https://me:pz@host/ask": 2, "exec:a --api-key=b": {"c": "d"},
        });
        let expected = json!({
            "https://me:[redacted]@host/ask": {"config": {"a": 1}}, "https://me:[redacted]@host/ask*": 2,
            "exec:a --api-key=[redacted]": {"c": "d"},
        });
        assert_eq!(redacted(config), expected);
        let mut data = json!({"https://me:pw@host": {"sk-1234567890": 1}});
        redact_data(&mut data);
        assert_eq!(data, json!({"https://me:[redacted]@host": {"[redacted]": 1}}));
    }

    #[test]
    fn commands_and_headers_lose_their_arguments() {
        let config = json!({
            "id": "exec:TOKEN=abc node x.js --password hunter2", "args": ["--api-key", "hunter2", "--token", "--fast"],
            "db": {"connectionString": "Server=a;Password=x", "url": "Server=a;Password=x"}, "X-Auth": "x",
            "basicAuth": {"username": "u"}, "bearer": "b", "pem": "-----BEGIN PRIVATE KEY-----\nabc",
        });
        let expected = json!({
            "id": "exec:TOKEN=[redacted] node x.js --password [redacted]",
            "args": ["--api-key", REDACTED, "--token", "--fast"],
            "db": {"connectionString": REDACTED, "url": "Server=a;Password=[redacted]"}, "X-Auth": REDACTED,
            "basicAuth": {"username": REDACTED}, "bearer": REDACTED, "pem": REDACTED,
        });
        assert_eq!(redacted(config), expected);
    }

    #[test]
    fn prose_within_a_configuration_stays() {
        let prose = "Your password: ordinary words";
        let config = json!({
            "description": prose, "prompts": [prose, {"raw": prose, "label": prose}],
            "defaultTest": {"vars": {"config": prose}},
            "tests": [{"vars": {"a": [prose]}, "description": prose, "assert": [{"value": prose}]}],
        });
        assert_eq!(redacted(config.clone()), config);
        let config = json!({
            "prompts": ["exec:a --password b", {"raw": prose, "config": {"args": "--password b"}}],
            "assert": [{"value": "sk-1234567890", "provider": "ask --password b"}],
        });
        let expected = json!({
            "prompts": ["exec:a --password [redacted]", {"raw": prose, "config": {"args": "--password [redacted]"}}],
            "assert": [{"value": REDACTED, "provider": "ask --password [redacted]"}],
        });
        assert_eq!(redacted(config), expected);
    }

    #[test]
    fn messages_are_redacted_by_name_and_look() {
        assert_eq!(redacted_form(&json!("no: api_key=abc")).as_deref(), Some("no: api_key=[redacted]"));
        let error = json!({"code": 400, "request": {"headers": {"x-api-key": "abc"}}});
        let expected = r#"{"code":400,"request":{"headers":{"x-api-key":"[redacted]"}}}"#;
        assert_eq!(redacted_form(&error).as_deref(), Some(expected));
        assert_eq!(redacted_form(&Value::Null), None);
    }

    #[test]
    fn data_keeps_its_keys_but_for_headers() {
        let mut data = json!({"key": "greeting", "headers": {"set-cookie": "a=b"}, "note": "Bearer abc",
            "say": "password: hello"});
        redact_data(&mut data);
        let expected = json!({"key": "greeting", "headers": {"set-cookie": REDACTED}, "note": "Bearer [redacted]",
            "say": "password: hello"});
        assert_eq!(data, expected);
    }
}
