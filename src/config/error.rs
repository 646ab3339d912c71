//! What can be wrong with a configuration.

use std::fmt;
use std::path::PathBuf;

use thiserror::Error;

use super::effective::Origin;

/// A setting, or a combination of some, that cannot be. Never shows the value of a secret.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SettingsError {
    /// The configuration file cannot be read.
    #[error("{}: the configuration file cannot be read: {cause}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why not.
        cause: String,
    },
    /// The configuration file is no TOML.
    #[error("{}:{line}:{column}: {cause}", path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// The column, from 1.
        column: usize,
        /// What is wrong there.
        cause: String,
    },
    /// The file has a key that is no setting.
    #[error("{origin}: there is no setting «{key}»{hint}")]
    UnknownKey {
        /// Where it stands.
        origin: Origin,
        /// The key.
        key: String,
        /// What may have been meant.
        hint: String,
    },
    /// A value in the file is of another type than the setting.
    #[error("{origin}: {key} must be {expected}, and is {found}")]
    Type {
        /// Where it stands.
        origin: Origin,
        /// The setting.
        key: String,
        /// The type of the setting.
        expected: &'static str,
        /// The type of the value.
        found: &'static str,
    },
    /// A value that the setting cannot have.
    #[error("{origin}: {key} cannot be «{value}»: {reason}")]
    Value {
        /// Where it stands.
        origin: Origin,
        /// The setting.
        key: String,
        /// The value, where it may be shown.
        value: String,
        /// Why not.
        reason: String,
    },
    /// The database URL leads nowhere.
    #[error("database_url (--database-url, EVALGRAPH_DATABASE_URL or DATABASE_URL): {0}")]
    DatabaseUrl(&'static str),
    /// Places of keys and names of issuers do not belong together.
    #[error(
        "{} names {places} and {} names {names}: several need as many issuers, in the same order",
        named("auth_jwks"),
        named("auth_issuer")
    )]
    Issuers {
        /// How many places there are.
        places: usize,
        /// How many issuers.
        names: usize,
    },
    /// A secret that can be guessed.
    #[error("{} has {length} bytes, and must have at least {least}: `openssl rand -base64 48` makes one", named(key))]
    ShortSecret {
        /// The setting.
        key: &'static str,
        /// How long it is.
        length: usize,
        /// How long it must be.
        least: usize,
    },
    /// It is said which JWTs count, and not what they are signed with.
    #[error(
        "{} is given, but neither {} nor {}: no JWT counts",
        named(key),
        named("auth_jwks"),
        named("auth_jwt_secret")
    )]
    NoKeys {
        /// The setting.
        key: &'static str,
    },
    /// More connections than can be counted.
    #[error("{} and {}: at most {most} connections in all", named("pool_base"), named("pool_overflow"))]
    PoolSize {
        /// How many there may be.
        most: u32,
    },
    /// The log filter cannot be read.
    #[error("{}: {cause}", named("log"))]
    Log {
        /// What is wrong with it.
        cause: String,
    },
    /// A time limit does not lie within the one around it.
    #[error("{} is {inner_ms} ms and must be shorter than {}, which is {outer_ms} ms", named(inner), named(outer))]
    Nesting {
        /// The limit that should end first.
        inner: &'static str,
        /// How long it is.
        inner_ms: u128,
        /// The limit around it.
        outer: &'static str,
        /// How long that is.
        outer_ms: u128,
    },
    /// Pages are larger by default than they may be.
    #[error(
        "{} is {default} and must not exceed {}, which is {maximum}",
        named("default_page_size"),
        named("max_page_size")
    )]
    PageSize {
        /// The default size.
        default: u32,
        /// The largest size.
        maximum: u32,
    },
}

/// A setting as it is called in the file and on the command line.
fn named(key: &str) -> String {
    format!("{key} (--{})", key.replace('_', "-"))
}

/// Everything that is wrong with a configuration.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub struct Faults(pub Vec<SettingsError>);

impl From<SettingsError> for Faults {
    fn from(error: SettingsError) -> Self {
        Self(vec![error])
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let [only] = self.0.as_slice() {
            return only.fmt(formatter);
        }
        formatter.write_str("the configuration cannot be used:")?;
        self.0.iter().try_for_each(|fault| write!(formatter, "\n  {fault}"))
    }
}
