//! Names that secrets have.

/// What a name says about the value that has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sensitivity {
    None,
    /// Texts are secrets.
    Secret {
        /// Numbers too. Of tokens they are counts.
        numbers: bool,
    },
    /// Everything is a secret.
    Environment,
}

pub(super) fn sensitivity(key: &str) -> Sensitivity {
    // An address or command, not a name: `https://host/secret`, `exec:x --password=y`.
    if key.trim_end_matches(':').contains([':', '=']) {
        return Sensitivity::None;
    }
    let key = normalized(key);
    match key.as_str() {
        "env" | "environment" | "envs" | "envoverrides" | "environmentvariables" => Sensitivity::Environment,
        _ if is_secret(&key) => Sensitivity::Secret { numbers: !key.contains("token") },
        _ => Sensitivity::None,
    }
}

/// Whether a text with this name is a secret.
pub(super) fn is_secret_name(name: &str) -> bool {
    is_secret(&normalized(name))
}

/// Whether the name is a secret's and would hardly stand before the colon of a sentence: not so `key` and `token`, as
/// in «unexpected token: …».
pub(super) fn is_certain_name(name: &str) -> bool {
    let name = normalized(name);
    has_secret_part(&name) || (ends_in_auth(&name) && name != "auth") || (is_secret_token(&name) && !is_bare(&name))
}

fn is_bare(name: &str) -> bool {
    matches!(name, "token" | "tokens")
}

/// Letters and digits only, in lower case: `api_key`, `api-key` and `apiKey` are one name.
pub(super) fn normalized(key: &str) -> String {
    key.chars().filter(|letter| letter.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

fn is_secret(key: &str) -> bool {
    const EXACT: [&str; 7] = ["bearer", "jwt", "otp", "pass", "pin", "pincode", "userinfo"];
    EXACT.contains(&key) || has_secret_part(key) || ends_in_key(key) || ends_in_auth(key) || is_secret_token(key)
}

fn has_secret_part(key: &str) -> bool {
    const PARTS: [&str; 13] = [
        "apikey",
        "accesskey",
        "privatekey",
        "secret",
        "password",
        "passwd",
        "passphrase",
        "passcode",
        "authorization",
        "credential",
        "cookie",
        "connectionstring",
        "bearertoken",
    ];
    PARTS.iter().any(|part| key.contains(part)) || key.ends_with("pwd")
}

fn ends_in_key(key: &str) -> bool {
    const ENDINGS: [&str; 3] = ["key", "keys", "keyid"];
    /// Words that end so by chance.
    const OTHERS: [&str; 7] = ["monkey", "donkey", "turkey", "hockey", "jockey", "whiskey", "hotkey"];
    ENDINGS.iter().any(|ending| key.ends_with(ending))
        && !OTHERS.iter().any(|word| key.strip_suffix('s').unwrap_or(key).ends_with(word))
}

/// `auth`, `X-Auth`, `basicAuth`; not `author`.
fn ends_in_auth(key: &str) -> bool {
    key.ends_with("auth")
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_told_by_their_names() {
        for name in [
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
            "connectionString",
            "X-Auth",
            "basicAuth",
            "bearer",
            "pin",
            "db-pwd",
        ] {
            assert!(matches!(sensitivity(name), Sensitivity::Secret { .. }), "{name}");
        }
    }

    #[test]
    fn other_names_are_not_taken_for_theirs() {
        for name in [
            "keywords",
            "tokenUsage",
            "maxTokens",
            "total_tokens",
            "monkey",
            "monkeys",
            "author",
            "authors",
            "tokenizer",
            "keyboard",
            "passed",
            "pinned",
            "spin",
            "https://host/secret",
            "exec:ask --password=x",
        ] {
            assert_eq!(sensitivity(name), Sensitivity::None, "{name}");
        }
    }
}
