//! Taking secrets out of configurations before they are stored.
//!
//! Two signs tell a secret: the name it has, and its own look. Numbers and booleans are never secrets, so that limits
//! and counts such as `maxTokens` stay.

use serde_json::{Map, Value};

/// What stands in the place of a secret.
pub(super) const REDACTED: &str = "[redacted]";

/// Redacts a configuration: texts with the name of a secret, everything in environments, and whatever looks like one.
pub(super) fn redact_config(value: &mut Value) {
    match value {
        Value::Object(object) => {
            for (key, member) in object.iter_mut() {
                match sensitivity(key) {
                    Sensitivity::Environment => redact_scalars(member),
                    Sensitivity::Secret => redact_texts_wholly(member),
                    Sensitivity::None => redact_config(member),
                }
            }
        }
        Value::Array(elements) => elements.iter_mut().for_each(redact_config),
        Value::String(text) => *text = redact_text(text),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Redacts data that is no configuration: what looks like a secret, and the headers of requests and answers.
pub(super) fn redact_data(value: &mut Value) {
    match value {
        Value::Object(object) => redact_members(object),
        Value::Array(elements) => elements.iter_mut().for_each(redact_data),
        Value::String(text) => *text = redact_text(text),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Redacts an object that is no configuration.
pub(super) fn redact_members(object: &mut Map<String, Value>) {
    for (key, member) in object.iter_mut() {
        if normalized(key) == "headers" { redact_config(member) } else { redact_data(member) }
    }
}

/// Everything but null is a secret here, even a number.
fn redact_scalars(value: &mut Value) {
    match value {
        Value::Null => {}
        Value::Array(elements) => elements.iter_mut().for_each(redact_scalars),
        Value::Object(object) => object.values_mut().for_each(redact_scalars),
        scalar => *scalar = Value::from(REDACTED),
    }
}

/// Every text is a secret here, at whatever depth.
fn redact_texts_wholly(value: &mut Value) {
    match value {
        Value::String(text) => *text = REDACTED.to_owned(),
        Value::Array(elements) => elements.iter_mut().for_each(redact_texts_wholly),
        Value::Object(object) => object.values_mut().for_each(redact_texts_wholly),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

enum Sensitivity {
    None,
    Secret,
    Environment,
}

fn sensitivity(key: &str) -> Sensitivity {
    let key = normalized(key);
    match key.as_str() {
        "env" | "environment" | "envs" | "envoverrides" | "environmentvariables" => Sensitivity::Environment,
        _ if is_secret(&key) => Sensitivity::Secret,
        _ => Sensitivity::None,
    }
}

/// Letters and digits only, in lower case: `api_key`, `api-key` and `apiKey` are one name.
fn normalized(key: &str) -> String {
    key.chars().filter(|letter| letter.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

fn is_secret(key: &str) -> bool {
    const EXACT: [&str; 5] = ["auth", "jwt", "pass", "pwd", "userinfo"];
    const PARTS: [&str; 9] =
        ["apikey", "accesskey", "secret", "password", "passwd", "passphrase", "authorization", "credential", "cookie"];
    const ENDINGS: [&str; 3] = ["key", "keys", "keyid"];
    EXACT.contains(&key)
        || PARTS.iter().any(|part| key.contains(part))
        || ENDINGS.iter().any(|ending| key.ends_with(ending))
        || is_secret_token(key)
}

/// Tokens are secrets unless they are those that models count.
fn is_secret_token(key: &str) -> bool {
    const COUNTED: [&str; 11] =
        ["max", "min", "total", "num", "prompt", "completion", "input", "output", "reasoning", "budget", "cached"];
    const ABOUT_COUNTED: [&str; 6] = ["tokeniz", "tokenusage", "tokenlimit", "tokencount", "tokenbudget", "tokensused"];
    let Some(place) = key.find("token") else { return false };
    let (before, rest) = key.split_at(place);
    let is_count = COUNTED.iter().any(|word| before.ends_with(word)) && rest.starts_with("tokens");
    !is_count && !ABOUT_COUNTED.iter().any(|word| rest.starts_with(word))
}

/// The text with everything that looks like a secret replaced: keys, bearer tokens, passwords in URLs.
pub(super) fn redact_text(text: &str) -> String {
    let mut redacted = String::with_capacity(text.len());
    let mut previous = "";
    for (space, word) in words(text) {
        redacted.push_str(space);
        if is_credential_after(previous, word, text) {
            redacted.push_str(REDACTED);
        } else {
            redacted.push_str(&redact_word(word));
        }
        previous = word;
    }
    redacted
}

/// The text as pairs of white space and the word after it; either can be empty.
fn words(text: &str) -> impl Iterator<Item = (&str, &str)> {
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let begin = rest.find(|letter: char| !letter.is_whitespace()).unwrap_or(rest.len());
        let (space, tail) = rest.split_at(begin);
        let end = tail.find(char::is_whitespace).unwrap_or(tail.len());
        let (word, tail) = tail.split_at(end);
        rest = tail;
        Some((space, word))
    })
}

/// Whether `word` is the credential after `Bearer` or `Basic`. Where the text is nothing else, any word is one; in
/// the midst of prose it has to look like one, as in «the bearer of bad news».
fn is_credential_after(previous: &str, word: &str, text: &str) -> bool {
    let scheme = previous.trim_start_matches(|letter: char| !letter.is_ascii_alphabetic());
    if !(scheme.eq_ignore_ascii_case("bearer") || scheme.eq_ignore_ascii_case("basic")) || word.is_empty() {
        return false;
    }
    text.split_whitespace().count() == 2 || looks_random(word, 8)
}

/// Long, or with a digit in it.
fn looks_random(word: &str, least: usize) -> bool {
    word.len() >= 20 || (word.len() >= least && word.bytes().any(|byte| byte.is_ascii_digit()))
}

/// The word with the secrets in it replaced.
fn redact_word(word: &str) -> String {
    let word = redact_userinfo(word);
    let word = redact_parameters(&word);
    redact_keys(&word)
}

/// `scheme://user:password@host` without the password.
fn redact_userinfo(word: &str) -> String {
    let Some((scheme, rest)) = word.split_once("://") else { return word.to_owned() };
    let authority_end = rest.find(['/', '?', '#', '"', '\'']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(authority_end);
    match authority.rsplit_once('@').and_then(|(userinfo, host)| Some((userinfo.split_once(':')?.0, host))) {
        Some((user, host)) => format!("{scheme}://{user}:{REDACTED}@{host}{}", redact_userinfo(path)),
        None => format!("{scheme}://{authority}{}", redact_userinfo(path)),
    }
}

/// `?api_key=…&token=…` without the values.
fn redact_parameters(word: &str) -> String {
    if !word.contains('?') {
        return word.to_owned();
    }
    word.split_inclusive(['?', '&'])
        .enumerate()
        .map(|(index, parameter)| {
            let end = parameter.find(['&', '#', '"', '\'']).unwrap_or(parameter.len());
            let (pair, tail) = parameter.split_at(end);
            match pair.split_once('=') {
                Some((name, _)) if index > 0 && is_secret(&normalized(name)) => format!("{name}={REDACTED}{tail}"),
                _ => parameter.to_owned(),
            }
        })
        .collect()
}

/// The word with keys of well-known forms replaced.
fn redact_keys(word: &str) -> String {
    let is_part = |letter: char| letter.is_ascii_alphanumeric() || letter == '-' || letter == '_' || letter == '.';
    let mut redacted = String::with_capacity(word.len());
    let mut rest = word;
    while !rest.is_empty() {
        let begin = rest.find(is_part).unwrap_or(rest.len());
        let (between, tail) = rest.split_at(begin);
        let end = tail.find(|letter| !is_part(letter)).unwrap_or(tail.len());
        let (part, tail) = tail.split_at(end);
        redacted.push_str(between);
        redacted.push_str(if is_key(part) { REDACTED } else { part });
        rest = tail;
    }
    redacted
}

fn is_key(part: &str) -> bool {
    const PREFIXES: [&str; 12] = [
        "sk-",
        "sk_live_",
        "sk_test_",
        "ghp_",
        "gho_",
        "ghs_",
        "github_pat_",
        "glpat-",
        "xoxb-",
        "xoxp-",
        "hf_",
        "eyJ",
    ];
    /// Prefixes that are followed by a fixed number of letters and digits.
    const FIXED: [(&str, usize); 2] = [("AKIA", 20), ("AIza", 39)];
    PREFIXES.iter().any(|prefix| part.strip_prefix(prefix).is_some_and(|rest| looks_random(rest, 6)))
        || FIXED.iter().any(|(prefix, length)| part.starts_with(prefix) && part.len() == *length)
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
    fn texts_with_the_name_of_a_secret_go() {
        for key in [
            "apiKey",
            "api_key",
            "OPENAI-API-KEY",
            "key",
            "privateKey",
            "token",
            "accessToken",
            "token_url_secret",
            "clientSecret",
            "password",
            "db_passwd",
            "Authorization",
            "credentials",
            "Set-Cookie",
            "tokens",
            "awsAccessKeyId",
            "sessionToken",
        ] {
            assert_eq!(redacted(json!({"a": [{key: "x"}]})), json!({"a": [{key: REDACTED}]}), "{key}");
        }
    }

    #[test]
    fn what_only_sounds_like_a_secret_stays() {
        let config = json!({
            "maxTokens": 100, "max_tokens": "100", "tokenUsage": {"total": 7, "note": "n"}, "total_tokens": 5,
            "keywords": ["a", "b"], "tokenizer": "cl100k", "keyboard": "qwerty", "monkeys": 3, "passed": "yes",
            "apiKeyRequired": true, "token": 17, "secret": null, "description": "the bearer of bad news",
            "text": "sk-learn", "url": "https://user@example.org/a?b=c", "skill": "task-12345678",
        });
        assert_eq!(redacted(config.clone()), config);
    }

    #[test]
    fn texts_at_any_depth_below_a_secret_name_go() {
        let config = json!({"credentials": {"user": "u", "pins": ["1"], "port": 5}});
        assert_eq!(redacted(config), json!({"credentials": {"user": REDACTED, "pins": [REDACTED], "port": 5}}));
    }

    #[test]
    fn environments_go_altogether() {
        let config = json!({"env": {"HOME": "/home/a", "PIN": 1234, "EMPTY": null}});
        assert_eq!(redacted(config), json!({"env": {"HOME": REDACTED, "PIN": REDACTED, "EMPTY": null}}));
    }

    #[test]
    fn what_looks_like_a_secret_goes_wherever_it_is() {
        for (text, expected) in [
            ("Bearer abc", "Bearer [redacted]"),
            ("curl -H 'Authorization: Bearer a1b2c3d4e5' x", "curl -H 'Authorization: Bearer [redacted] x"),
            ("Basic dXNlcjpwYXNz", "Basic [redacted]"),
            ("sk-proj-abcdefghijklmnopqrstuvwxyz", "[redacted]"),
            ("key=sk-1234567890,", "key=[redacted],"),
            ("ghp_0123456789abcdef0123456789abcdef0123", "[redacted]"),
            ("AKIAIOSFODNN7EXAMPLE", "[redacted]"),
            ("https://me:pw@example.org/x", "https://me:[redacted]@example.org/x"),
            ("postgres://me:p@w@db:5432/x", "postgres://me:[redacted]@db:5432/x"),
            ("webhook:https://a.example/x?v=1&api_key=q#f", "webhook:https://a.example/x?v=1&api_key=[redacted]#f"),
            ("  two\n words ", "  two\n words "),
        ] {
            assert_eq!(redact_text(text), expected);
        }
    }

    #[test]
    fn data_keeps_its_keys_but_for_headers() {
        let mut data = json!({"key": "greeting", "headers": {"set-cookie": "a=b"}, "note": "Bearer abc"});
        redact_data(&mut data);
        assert_eq!(data, json!({"key": "greeting", "headers": {"set-cookie": REDACTED}, "note": "Bearer [redacted]"}));
    }
}
