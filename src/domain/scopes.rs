//! Sets of scopes.

use std::fmt;

use super::enums::{ParseEnumError, TokenScope};

/// What a credential may be used for.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Scopes(u8);

/// Every scope with its bit, in the order in which they are told.
const BITS: [(TokenScope, u8); 4] =
    [(TokenScope::Read, 1), (TokenScope::Write, 2), (TokenScope::Ingest, 4), (TokenScope::Admin, 8)];

impl Scopes {
    /// Nothing.
    pub const NONE: Self = Self(0);
    /// Everything that concerns what is the user's own.
    pub const OWN: Self = Self(1 | 2 | 4);
    /// Everything.
    pub const ALL: Self = Self(1 | 2 | 4 | 8);

    /// These scopes. The scope of administrators holds all others.
    #[must_use]
    pub fn of(scopes: impl IntoIterator<Item = TokenScope>) -> Self {
        let union = scopes.into_iter().fold(0, |bits, scope| bits | bit(scope));
        if union & bit(TokenScope::Admin) == 0 { Self(union) } else { Self::ALL }
    }

    /// Reads what [`Scopes`] are written as: their names, with spaces between them.
    ///
    /// # Errors
    /// When one of the words is no scope.
    pub fn parse(text: &str) -> Result<Self, ParseEnumError> {
        let scopes: Result<Vec<TokenScope>, _> = text.split_ascii_whitespace().map(str::parse).collect();
        Ok(Self::of(scopes?))
    }

    /// Whether this is among them.
    #[must_use]
    pub fn contains(self, scope: TokenScope) -> bool {
        self.0 & bit(scope) != 0
    }

    /// Whether all of the others are among them.
    #[must_use]
    pub const fn contains_all(self, others: Self) -> bool {
        self.0 & others.0 == others.0
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Each of them.
    pub fn iter(self) -> impl Iterator<Item = TokenScope> {
        BITS.into_iter().filter(move |(_, bit)| self.0 & bit != 0).map(|(scope, _)| scope)
    }
}

fn bit(scope: TokenScope) -> u8 {
    match scope {
        TokenScope::Read => 1,
        TokenScope::Write => 2,
        TokenScope::Ingest => 4,
        TokenScope::Admin => 8,
    }
}

impl fmt::Display for Scopes {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.iter().map(TokenScope::as_str).collect();
        formatter.write_str(&names.join(" "))
    }
}

impl fmt::Debug for Scopes {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Scopes({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        for text in ["", "read", "write", "read ingest", "read write ingest", "read write ingest admin"] {
            assert_eq!(Scopes::parse(text).unwrap().to_string(), text);
        }
        assert_eq!(Scopes::parse(" ingest  read ").unwrap(), Scopes::of([TokenScope::Read, TokenScope::Ingest]));
        assert!(Scopes::parse("read everything").is_err());
    }

    #[test]
    fn administrators_may_do_everything() {
        assert_eq!(Scopes::of([TokenScope::Admin]), Scopes::ALL);
        assert!(Scopes::ALL.contains_all(Scopes::OWN) && !Scopes::OWN.contains_all(Scopes::ALL));
        assert!(!Scopes::OWN.contains(TokenScope::Admin) && Scopes::OWN.contains(TokenScope::Ingest));
    }
}
