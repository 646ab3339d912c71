//! Values that are used and never shown.

use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;

use url::Url;

/// What stands in the place of a secret.
const MASK: &str = "***";

/// An address that may contain a password. A setting of this type is a secret: whatever shows it, shows it masked.
/// Reading one never fails, so that no error shows it either.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretUrl(String);

impl SecretUrl {
    /// The address, with its password.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

/// A value that is shown to nobody.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// The value.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl FromStr for Secret {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(MASK)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(MASK)
    }
}

impl FromStr for SecretUrl {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for SecretUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&masked(&self.0))
    }
}

impl fmt::Debug for SecretUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&masked(&self.0), formatter)
    }
}

/// What may be seen of an address: all of it but passwords, and nothing where it is not clear what is one.
fn masked(text: &str) -> String {
    let url = match Url::parse(text) {
        Ok(url) if url.has_authority() || url.scheme() == "sqlite" => url,
        _ => return MASK.to_owned(),
    };
    let has_user = url.password().is_some() || !url.username().is_empty();
    // A password with characters that should have been escaped ends at the wrong place; and what follows `sqlite:` may
    // be an address of another kind.
    if text.matches('@').count() > usize::from(has_user) {
        return MASK.to_owned();
    }
    let mut shown = url.clone();
    if url.password().is_some() && shown.set_password(Some(MASK)).is_err() {
        return MASK.to_owned();
    }
    if url.query_pairs().any(|(name, _)| is_secret(&name)) {
        let pairs = url.query_pairs().map(|(name, value)| {
            let value = if is_secret(&name) { MASK.into() } else { value };
            (name, value)
        });
        shown.query_pairs_mut().clear().extend_pairs(pairs);
    }
    if url.fragment().is_some() {
        shown.set_fragment(Some(MASK));
    }
    if shown == url { text.to_owned() } else { shown.into() }
}

fn is_secret(parameter: &str) -> bool {
    let parameter = parameter.to_ascii_lowercase();
    ["auth", "key", "pass", "pwd", "secret", "token"].iter().any(|word| parameter.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_a_secret_is_shown() {
        let Ok(secret) = "hunter2".parse::<Secret>();
        assert_eq!(
            (secret.expose(), secret.to_string(), format!("{secret:?}")),
            ("hunter2", "***".into(), "***".into())
        );
    }

    #[test]
    fn passwords_are_not_shown() {
        for (url, shown) in [
            ("postgres://me:hunter2@db:5432/x?sslmode=require", "postgres://me:***@db:5432/x?sslmode=require"),
            ("postgres://db/x?user=me&password=hunter2", "postgres://db/x?user=me&password=***"),
            ("postgres://db/x?pwd=hunter2", "postgres://db/x?pwd=***"),
            ("postgres://db/x?Auth=hunter2&api_key=hunter2", "postgres://db/x?Auth=***&api_key=***"),
            ("postgres://me@db/x?sslmode=require#hunter2", "postgres://me@db/x?sslmode=require#***"),
            ("postgres://me@db/x?keepalives_idle=9", "postgres://me@db/x?keepalives_idle=9"),
            ("postgres://me@db/x", "postgres://me@db/x"),
            ("redis://:hunter2@cache/0", "redis://:***@cache/0"),
            ("sqlite:./data dir/x.db", "sqlite:./data dir/x.db"),
            ("sqlite:///var/x.db", "sqlite:///var/x.db"),
            ("sqlite:x.db?pwd=hunter2", "sqlite:x.db?pwd=***"),
            ("sqlite:x.db#hunter2", "sqlite:x.db#***"),
            ("sqlite:postgres://me:hunter2@db/x", "***"),
            ("sqlite:me:hunter2@db/x", "***"),
            ("postgres://me:hunter/2@db/x", "***"),
            ("postgres://me:2/hunter@db/x", "***"),
            ("postgres://me:2#hunter@db/x", "***"),
            ("postgres://me:hun@ter2@db/x", "***"),
            ("postgres:me:hunter2@db/x", "***"),
            ("host=db password=hunter2", "***"),
            ("hunter2", "***"),
        ] {
            let Ok(secret) = url.parse::<SecretUrl>();
            assert_eq!(secret.to_string(), shown);
            assert_eq!(format!("{secret:?}"), format!("{shown:?}"));
            assert_eq!(secret.expose(), url);
        }
    }
}
