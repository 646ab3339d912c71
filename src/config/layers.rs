//! Flag over variable over file over default.

use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::path::Path;

use clap::builder::{OsStr as ClapOsStr, Resettable};
use clap::parser::ValueSource;
use clap::{ArgMatches, Command};

use super::catalog::{Setting, catalog};
use super::effective::{Effective, EffectiveValue, Origin};
use super::error::Faults;
use super::file;
use super::settings::Settings;

/// What the variables and the file say: the layers between the flags and the defaults.
///
/// They are put in the place of clap's defaults, so that clap reads a value the same way wherever it comes from.
#[derive(Debug)]
pub struct Layers {
    settings: Vec<Setting>,
    given: HashMap<String, (OsString, Origin)>,
}

impl Layers {
    /// Reads the variables and the file. A variable that is empty is one that is not set, as in compose files. What a
    /// flag overrides is not looked at, so that a flag helps against a wrong variable; a file is checked as a whole.
    ///
    /// # Errors
    /// With everything that is wrong.
    pub fn read(
        file: Option<&Path>,
        variable: impl Fn(&str) -> Option<OsString>,
        flags: &ArgMatches,
    ) -> Result<Self, Faults> {
        let settings = catalog();
        let (entries, mut faults) = file.map_or_else(Default::default, |path| file::read(path, &settings));
        let mut given: HashMap<_, _> =
            entries.into_iter().map(|entry| (entry.key, (entry.value, entry.origin))).collect();
        for setting in settings.iter().filter(|setting| !is_flag(setting, flags)) {
            let set = |name: &str| Some((name.to_owned(), variable(name).filter(|value| !value.is_empty())?));
            let Some((name, value)) = setting.variables().into_iter().find_map(set) else { continue };
            let origin = Origin::Variable(name);
            match setting.check(&value, &origin) {
                Ok(()) => drop(given.insert(setting.key().to_owned(), (value, origin))),
                Err(fault) => faults.push(fault),
            }
        }
        if faults.is_empty() { Ok(Self { settings, given }) } else { Err(Faults(faults)) }
    }

    /// Puts what was read in the place of a command's defaults.
    #[must_use]
    pub fn apply(&self, command: Command) -> Command {
        command.mut_args(|argument| match self.given.get(argument.get_id().as_str()) {
            Some((value, _)) => argument.default_value(ClapOsStr::from(value.clone())),
            None => argument,
        })
    }

    /// The values that the settings have come to. `matches` are of the command that the layers were put into.
    #[must_use]
    pub fn effective(&self, matches: &ArgMatches, parsed: &Settings) -> Effective {
        let value = |setting: &Setting| {
            let key = setting.key();
            let given = matches.get_raw(key).and_then(|mut values| values.next().map(OsStr::to_owned));
            let (value, origin) = match (given, parsed.derived(key)) {
                (Some(value), _) => (Some(value), self.origin(setting, matches)),
                (None, Some((value, from))) => (Some(value.into()), Origin::Derived(from)),
                (None, None) => (None, Origin::Default),
            };
            EffectiveValue { setting: setting.clone(), value, origin }
        };
        Effective(self.settings.iter().map(value).collect())
    }

    fn origin(&self, setting: &Setting, matches: &ArgMatches) -> Origin {
        if is_flag(setting, matches) {
            return Origin::Flag(setting.flag());
        }
        self.given.get(setting.key()).map_or(Origin::Default, |(_, origin)| origin.clone())
    }
}

fn is_flag(setting: &Setting, matches: &ArgMatches) -> bool {
    matches.value_source(setting.key()) == Some(ValueSource::CommandLine)
}

/// A command whose own arguments are not read from variables: [`Layers`] does that.
#[must_use]
pub fn without_variables(command: Command) -> Command {
    command.mut_args(|argument| argument.env(Resettable::Reset))
}
