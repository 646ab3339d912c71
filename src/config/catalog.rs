//! What is known of every setting, read from the definition of [`Settings`].

use std::any::TypeId;
use std::error::Error as _;
use std::ffi::{OsStr, OsString};
use std::num::{NonZeroU8, NonZeroU16, NonZeroU32, NonZeroU64, NonZeroUsize};

use clap::builder::Resettable;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, ArgAction, Args, Command};

use super::effective::Origin;
use super::error::SettingsError;
use super::secret::SecretUrl;
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
    /// A number.
    Float,
    /// Everything else.
    Text,
}

/// Every setting, in the order of the definitions.
#[must_use]
pub fn catalog() -> Vec<Setting> {
    definitions::<Settings>()
}

/// What the fields of a type define.
pub(super) fn definitions<T: Args>() -> Vec<Setting> {
    let command = T::augment_args(Command::new("settings"));
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
        let values = self.0.get_default_values();
        let values: Vec<_> = values.iter().map(|value| value.to_string_lossy()).collect();
        (!values.is_empty()).then(|| values.join(","))
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
        let integers = [
            TypeId::of::<u8>(),
            TypeId::of::<u16>(),
            TypeId::of::<u32>(),
            TypeId::of::<u64>(),
            TypeId::of::<usize>(),
            TypeId::of::<i32>(),
            TypeId::of::<i64>(),
            TypeId::of::<NonZeroU8>(),
            TypeId::of::<NonZeroU16>(),
            TypeId::of::<NonZeroU32>(),
            TypeId::of::<NonZeroU64>(),
            TypeId::of::<NonZeroUsize>(),
        ];
        if integers.iter().any(|integer| parsed == *integer) {
            ValueType::Integer
        } else if parsed == TypeId::of::<f32>() || parsed == TypeId::of::<f64>() {
            ValueType::Float
        } else if parsed == TypeId::of::<bool>() {
            ValueType::Boolean
        } else {
            ValueType::Text
        }
    }

    /// What separates several values on the command line and in variables; in the file they are a list. `None` when there
    /// is only one.
    #[must_use]
    pub fn delimiter(&self) -> Option<char> {
        self.0.get_value_delimiter()
    }

    /// Whether it may have several values.
    #[must_use]
    pub fn is_list(&self) -> bool {
        self.delimiter().is_some()
    }

    /// What the value must be in the file, in words.
    pub(super) fn expected(&self) -> String {
        let one = match self.value_type() {
            ValueType::Boolean => "true or false",
            ValueType::Integer => "a whole number",
            ValueType::Float => "a number",
            ValueType::Text => "a text in quotes",
        };
        if self.is_list() { format!("a list, each of it {one}") } else { one.to_owned() }
    }

    /// A value as it may be shown: the type of the setting says whether it is a secret.
    pub(super) fn shown(&self, value: &str) -> String {
        if self.is_secret() {
            let Ok(secret) = value.parse::<SecretUrl>();
            return secret.to_string();
        }
        value.to_owned()
    }

    /// Whether its value must not be shown as it is.
    #[must_use]
    pub fn is_secret(&self) -> bool {
        self.0.get_value_parser().type_id() == TypeId::of::<SecretUrl>()
    }

    /// Has clap read values as it would read them after the flag.
    ///
    /// # Errors
    /// With the place and the reason when it refuses them.
    pub(super) fn check(&self, values: &[OsString], origin: &Origin) -> Result<(), SettingsError> {
        let mut argument = self.0.clone().env(Resettable::Reset);
        if !argument.get_action().takes_values() {
            argument = argument.action(ArgAction::Set);
        }
        let flags = values.iter().map(|value| {
            let mut flag = OsString::from(self.flag() + "=");
            flag.push(value);
            flag
        });
        let command = Command::new("setting").no_binary_name(true).disable_help_flag(true).arg(argument);
        command.try_get_matches_from(flags).map(drop).map_err(|error| self.refusal(values, origin, reason(&error)))
    }

    /// Why it cannot have these values.
    pub(super) fn refusal(&self, values: &[OsString], origin: &Origin, reason: String) -> SettingsError {
        let shown = values.iter().map(|value| format!("«{}»", self.shown(&value.to_string_lossy())));
        let value = shown.collect::<Vec<_>>().join(", ");
        SettingsError::Value { origin: origin.clone(), key: self.key().to_owned(), value, reason }
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
