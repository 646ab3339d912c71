//! The settings: one place for each, its default and the reason for it.
//!
//! A setting is a field of [`Settings`] and nothing else: its flag and variable are stated there, its key in the
//! configuration file is the name of the field, and the [`catalog`] reads from there what the help, the command
//! `evalgraph config` and the documentation say of it. A flag wins over a variable, that over the file ([`Layers`]), and
//! that over the default.

mod admin_listen;
mod catalog;
mod effective;
mod error;
mod file;
mod layers;
mod resolved;
mod secret;
mod settings;
mod validate;

pub use admin_listen::AdminListen;
pub use catalog::{Secrecy, Setting, ValueType, catalog};
pub use effective::{Effective, EffectiveValue, Origin};
pub use error::{Faults, SettingsError};
pub use layers::{Layers, without_variables};
pub use secret::{Secret, SecretUrl};
pub use settings::{Environment, LogFormat, Settings, heading};
