//! Secrets that are told by their own look, wherever they are.

use std::borrow::Cow;

use super::REDACTED;
use super::names::is_secret_name;

/// The text with everything that looks like a secret replaced: keys, bearer tokens, passwords in URLs.
pub(super) fn redact_looks(text: &str) -> String {
    let text = &redact_private_keys(text);
    let mut redacted = String::with_capacity(text.len());
    let mut previous = "";
    for (space, word) in words(text) {
        redacted.push_str(space);
        if is_credential_after(previous, word, text) {
            // The quote after a header is no part of the credential.
            let credential = word.trim_end_matches(['"', '\'', '\\', ',', ';', ')', ']', '}']);
            redacted.push_str(REDACTED);
            redacted.push_str(&word[credential.len()..]);
        } else {
            redacted.push_str(&redact_word(word));
        }
        previous = word;
    }
    redacted
}

/// The text without its private keys in PEM form. A key without an end goes on to the end of the text.
fn redact_private_keys(text: &str) -> Cow<'_, str> {
    const BEGIN: &str = "-----BEGIN ";
    const END: &str = "-----END ";
    if !text.contains(BEGIN) {
        return Cow::Borrowed(text);
    }
    let mut redacted = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(BEGIN) {
        redacted.push_str(before);
        let is_private = after.split_once("-----").is_some_and(|(label, _)| label.contains("PRIVATE KEY"));
        if is_private {
            redacted.push_str(REDACTED);
            let end = after.split_once(END).and_then(|(_, end)| Some(end.split_once("-----")?.1));
            rest = end.unwrap_or_default();
        } else {
            redacted.push_str(BEGIN);
            rest = after;
        }
    }
    Cow::Owned(redacted + rest)
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
    text.split_whitespace().take(3).count() == 2 || looks_random(word, 8)
}

/// Long, or with a digit in it.
pub(super) fn looks_random(word: &str, least: usize) -> bool {
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
    let mut redacted = String::with_capacity(word.len());
    let mut rest = word;
    while let Some((scheme, after)) = rest.split_once("://") {
        let authority_end = after.find(['/', '?', '#', '"', '\'']).unwrap_or(after.len());
        let (authority, path) = after.split_at(authority_end);
        redacted.push_str(scheme);
        redacted.push_str("://");
        match authority.rsplit_once('@').and_then(|(userinfo, host)| Some((userinfo.split_once(':')?.0, host))) {
            Some((user, host)) => redacted.extend([user, ":", REDACTED, "@", host]),
            None => redacted.push_str(authority),
        }
        rest = path;
    }
    redacted + rest
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
                Some((name, _)) if index > 0 && is_secret_name(name) => format!("{name}={REDACTED}{tail}"),
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
    const PREFIXES: [&str; 21] = [
        "sk-",
        "sk_live_",
        "sk_test_",
        "rk_live_",
        "ghp_",
        "gho_",
        "ghs_",
        "ghu_",
        "ghr_",
        "github_pat_",
        "glpat-",
        "xoxa-",
        "xoxb-",
        "xoxp-",
        "xoxs-",
        "xapp-",
        "hf_",
        "gsk_",
        "r8_",
        "nvapi-",
        "eyJ",
    ];
    /// Prefixes that names of models have as well, `pplx-70b-chat`: but they have hyphens, and keys do not.
    const UNHYPHENATED: [&str; 2] = ["xai-", "pplx-"];
    /// Prefixes that are followed by a fixed number of letters and digits.
    const FIXED: [(&str, usize); 3] = [("AKIA", 20), ("ASIA", 20), ("AIza", 39)];
    let rest_after = |prefix: &&str| part.strip_prefix(*prefix);
    PREFIXES.iter().filter_map(rest_after).any(|rest| looks_random(rest, 6))
        || UNHYPHENATED.iter().filter_map(rest_after).any(|rest| !rest.contains('-') && looks_random(rest, 8))
        || FIXED.iter().any(|(prefix, length)| part.starts_with(prefix) && part.len() == *length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_repeated_without_end_takes_no_stack() {
        let keys = "-----BEGIN x".repeat(100_000);
        assert_eq!(redact_looks(&keys), keys);
        let addresses = "x://".repeat(200_000);
        assert_eq!(redact_looks(&addresses), addresses);
    }

    #[test]
    fn what_looks_like_a_secret_goes_wherever_it_is() {
        for (text, expected) in [
            ("Bearer abc", "Bearer [redacted]"),
            ("curl -H 'Authorization: Bearer a1b2c3d4e5' x", "curl -H 'Authorization: Bearer [redacted]' x"),
            ("Basic dXNlcjpwYXNz", "Basic [redacted]"),
            ("sk-proj-abcdefghijklmnopqrstuvwxyz", "[redacted]"),
            ("key=sk-1234567890,", "key=[redacted],"),
            ("https://me:pw@example.org/x", "https://me:[redacted]@example.org/x"),
            ("postgres://me:p@w@db:5432/x", "postgres://me:[redacted]@db:5432/x"),
            ("webhook:https://a.example/x?v=1&api_key=q#f", "webhook:https://a.example/x?v=1&api_key=[redacted]#f"),
            ("  two\n words ", "  two\n words "),
        ] {
            assert_eq!(redact_looks(text), expected);
        }
    }

    #[test]
    fn keys_of_known_providers_go() {
        for key in [
            "gsk_a1b2c3d4e5f6",
            "xai-a1b2c3d4e5f6",
            "pplx-a1b2c3d4e5f6",
            "nvapi-a1b2-c3d4e5f6",
            "r8_a1b2c3d4e5f6",
            "hf_a1b2c3d4e5f6",
            "AIzaSyA0123456789abcdefghijklmnopqrstuv",
            "AKIAIOSFODNN7EXAMPLE",
            "ghp_0123456789abcdef0123456789abcdef0123",
            "github_pat_0123456789abcdef",
            "xoxb-123456789012-abcdef",
        ] {
            assert_eq!(redact_looks(&format!("(see {key})")), "(see [redacted])", "{key}");
        }
        for model in ["pplx-70b-chat", "pplx-7b-online", "xai-grok-2-1212", "sk-learn"] {
            assert_eq!(redact_looks(model), model);
        }
    }

    #[test]
    fn private_keys_go() {
        let key = "-----BEGIN RSA PRIVATE KEY-----\nMIIE\nabc\n-----END RSA PRIVATE KEY-----";
        let escaped = key.replace('\n', "\\n");
        for key in [key, escaped.as_str()] {
            assert_eq!(redact_looks(&format!("a {key} b {key}")), "a [redacted] b [redacted]");
        }
        assert_eq!(redact_looks("-----BEGIN PRIVATE KEY-----\nMIIE"), "[redacted]");
        let certificate = "-----BEGIN CERTIFICATE-----\nMIIE\n-----END CERTIFICATE-----";
        assert_eq!(redact_looks(&format!("{certificate}\n{key}")), format!("{certificate}\n[redacted]"));
    }
}
