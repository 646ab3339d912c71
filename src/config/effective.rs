//! The settings in effect, and where each came from.

use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;

use super::catalog::Setting;

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// This flag.
    Flag(String),
    /// This environment variable.
    Variable(String),
    /// The configuration file.
    File {
        /// Its path, as it was given.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
    },
    /// The definition of the setting.
    Default,
    /// This other setting, which decides it where nothing else does.
    Derived(&'static str),
}

impl Origin {
    /// The kind of origin in one word.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Flag(_) => "flag",
            Self::Variable(_) => "variable",
            Self::File { .. } => "file",
            Self::Default => "default",
            Self::Derived(_) => "derived",
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(name) | Self::Variable(name) => formatter.write_str(name),
            Self::File { path, line } => write!(formatter, "{}:{line}", path.display()),
            Self::Default => formatter.write_str("default"),
            Self::Derived(setting) => write!(formatter, "derived from {setting}"),
        }
    }
}

/// A setting with its value.
#[derive(Debug, Clone)]
pub struct EffectiveValue {
    /// The setting.
    pub setting: Setting,
    /// Its value as it was given. `None` where it has none.
    pub(super) value: Option<OsString>,
    /// Where it comes from.
    pub origin: Origin,
}

impl EffectiveValue {
    /// Whether it has a value.
    #[must_use]
    pub fn is_set(&self) -> bool {
        self.value.is_some()
    }

    /// The value as it may be shown. `None` when there is none, or one that is not Unicode, as paths may be.
    #[must_use]
    pub fn shown(&self) -> Option<String> {
        Some(self.setting.shown(self.value.as_ref()?.to_str()?))
    }

    /// Whether something of the value is hidden.
    #[must_use]
    pub fn is_masked(&self) -> bool {
        self.shown().is_some_and(|shown| self.value.as_ref().is_some_and(|value| *value != *shown))
    }
}

/// All settings with their values, in the order of their definitions.
#[derive(Debug, Clone, Default)]
pub struct Effective(pub Vec<EffectiveValue>);
