//! What is known of every setting, read from the definition of [`Settings`].

use std::any::TypeId;
use std::error::Error as _;
use std::ffi::{OsStr, OsString};
use std::num::NonZeroU32;

use clap::builder::Resettable;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, Args as _, Command};

use super::effective::Origin;
use super::error::SettingsError;
use super::secret::{Secret, SecretUrl};
use super::settings::{CUSTOMARY_VARIABLES, Settings};

/// The definition of a setting.
#[derive(Debug, Clone)]
pub struct Setting(Arg);

/// What the value of a setting is in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ValueType {
    /// `true` or `false`.
    Boolean,
    /// A number without a fraction.
    Integer,
    /// Everything else.
    Text,
}

/// How much of a value must not be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Secrecy {
    /// It may be shown.
    None,
    /// A password in it must not.
    Password,
    /// Nothing of it may.
    Whole,
}

/// Every setting, in the order of the definitions.
#[must_use]
pub fn catalog() -> Vec<Setting> {
    let command = Settings::augment_args(Command::new("settings"));
    command.get_arguments().cloned().map(Setting).collect()
}

impl Setting {
    /// The key in the configuration file.
    #[must_use]
    pub fn key(&self) -> &str {
        self.0.get_id().as_str()
    }

    /// The flag, with its dashes.
    #[must_use]
    pub fn flag(&self) -> String {
        format!("--{}", self.0.get_long().unwrap_or_default())
    }

    /// The environment variables; the first that is set counts.
    #[must_use]
    pub fn variables(&self) -> Vec<&str> {
        let own = self.0.get_env().and_then(OsStr::to_str);
        let customary = CUSTOMARY_VARIABLES.iter().filter(|(key, _)| *key == self.key()).map(|(_, name)| *name);
        own.into_iter().chain(customary).collect()
    }

    /// The group of settings that it belongs to.
    #[must_use]
    pub fn heading(&self) -> &str {
        self.0.get_help_heading().unwrap_or_default()
    }

    /// What it is and why its default is as it is.
    #[must_use]
    pub fn meaning(&self) -> String {
        self.0.get_help().map(ToString::to_string).unwrap_or_default()
    }

    /// The value without any other, where it does not depend on another setting.
    #[must_use]
    pub fn default(&self) -> Option<String> {
        self.0.get_default_values().first().map(|value| value.to_string_lossy().into_owned())
    }

    /// The values to choose from, each with its meaning; none where there is no such list.
    #[must_use]
    pub fn choices(&self) -> Vec<(String, String)> {
        let values = self.0.get_possible_values().into_iter();
        let meaning = |value: &clap::builder::PossibleValue| value.get_help().map(ToString::to_string);
        values.map(|value| (value.get_name().to_owned(), meaning(&value).unwrap_or_default())).collect()
    }

    /// What the value is in the file.
    #[must_use]
    pub fn value_type(&self) -> ValueType {
        let parsed = self.0.get_value_parser().type_id();
        let integers = [TypeId::of::<u16>(), TypeId::of::<u32>(), TypeId::of::<u64>(), TypeId::of::<NonZeroU32>()];
        if integers.iter().any(|integer| parsed == *integer) {
            ValueType::Integer
        } else if parsed == TypeId::of::<bool>() {
            ValueType::Boolean
        } else {
            ValueType::Text
        }
    }

    /// What the value must be in the file, in words.
    pub(super) fn expected(&self) -> &'static str {
        match self.value_type() {
            ValueType::Boolean => "true or false",
            ValueType::Integer => "a whole number",
            ValueType::Text => "a text in quotes",
        }
    }

    /// A value as it may be shown: the type of the setting says whether it is a secret.
    pub(super) fn shown(&self, value: &str) -> String {
        let Ok(address) = value.parse::<SecretUrl>();
        let Ok(secret) = value.parse::<Secret>();
        match self.secrecy() {
            Secrecy::None => value.to_owned(),
            Secrecy::Password => address.to_string(),
            Secrecy::Whole => secret.to_string(),
        }
    }

    /// How much of its value must not be shown.
    #[must_use]
    pub fn secrecy(&self) -> Secrecy {
        let parsed = self.0.get_value_parser().type_id();
        if parsed == TypeId::of::<SecretUrl>() {
            Secrecy::Password
        } else if parsed == TypeId::of::<Secret>() {
            Secrecy::Whole
        } else {
            Secrecy::None
        }
    }

    /// Has clap read a value as it would read it after the flag.
    ///
    /// # Errors
    /// With the place and the reason when it refuses it.
    pub(super) fn check(&self, value: &OsStr, origin: &Origin) -> Result<(), SettingsError> {
        let mut flag = OsString::from(self.flag() + "=");
        flag.push(value);
        let argument = self.0.clone().env(Resettable::Reset);
        let command = Command::new("setting").no_binary_name(true).disable_help_flag(true).arg(argument);
        command.try_get_matches_from([flag]).map(drop).map_err(|error| SettingsError::Value {
            origin: origin.clone(),
            key: self.key().to_owned(),
            value: self.shown(&value.to_string_lossy()),
            reason: reason(&error),
        })
    }
}

/// Why clap refuses a value, without its words about flags.
fn reason(error: &clap::Error) -> String {
    if let Some(source) = error.source() {
        return source.to_string();
    }
    match (error.kind(), error.get(ContextKind::ValidValue)) {
        (ErrorKind::InvalidUtf8, _) => "it is not valid Unicode".to_owned(),
        (_, Some(ContextValue::Strings(choices))) if !choices.is_empty() => {
            format!("it must be one of {}", choices.join(", "))
        }
        _ => "it must not be empty".to_owned(),
    }
}
