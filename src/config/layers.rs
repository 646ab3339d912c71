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
    given: HashMap<String, (Vec<OsString>, Origin)>,
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
            entries.into_iter().map(|entry| (entry.key, (entry.values, entry.origin))).collect();
        for setting in settings.iter().filter(|setting| !is_flag(setting, flags)) {
            let set = |name: &str| Some((name.to_owned(), variable(name).filter(|value| !value.is_empty())?));
            let Some((name, value)) = setting.variables().into_iter().find_map(set) else { continue };
            let (values, origin) = (vec![value], Origin::Variable(name));
            match setting.check(&values, &origin) {
                Ok(()) => drop(given.insert(setting.key().to_owned(), (values, origin))),
                Err(fault) => faults.push(fault),
            }
        }
        if faults.is_empty() { Ok(Self { settings, given }) } else { Err(Faults(faults)) }
    }

    /// Puts what was read in the place of a command's defaults.
    #[must_use]
    pub fn apply(&self, command: Command) -> Command {
        command.mut_args(|argument| match self.given.get(argument.get_id().as_str()) {
            Some((values, _)) => argument.default_values(values.iter().cloned().map(ClapOsStr::from)),
            None => argument,
        })
    }

    /// The values that the settings have come to. `matches` are of the command that the layers were put into.
    #[must_use]
    pub fn effective(&self, matches: &ArgMatches, parsed: &Settings) -> Effective {
        let value = |setting: &Setting| {
            let key = setting.key();
            let raw = matches.get_raw(key).map(|values| values.map(OsStr::to_owned).collect::<Vec<_>>());
            let (values, origin) = match (raw, parsed.derived(key)) {
                (Some(values), _) => (values, self.origin(setting, matches)),
                (None, Some((value, from))) => (vec![value.into()], Origin::Derived(from)),
                (None, None) => (Vec::new(), Origin::Default),
            };
            EffectiveValue { setting: setting.clone(), values, origin }
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

#[cfg(test)]
mod tests {
    use clap::{Args, FromArgMatches as _};

    use super::super::catalog::definitions;
    use super::*;

    /// Settings of the types that others may come to have.
    #[derive(Debug, PartialEq, Args)]
    struct Sample {
        #[arg(long, value_delimiter = ',', default_value = "z")]
        names: Vec<String>,
        #[arg(long, default_value = "true", action = clap::ArgAction::Set)]
        on: bool,
        #[arg(long)]
        off: bool,
        #[arg(long)]
        ratio: Option<f64>,
    }

    fn read_sample(file: &str, arguments: &[&str]) -> Result<(Sample, Vec<String>), String> {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("sample.toml");
        std::fs::write(&path, file).unwrap();
        let settings = definitions::<Sample>();
        let (entries, faults) = file::read(&path, &settings);
        if let Some(fault) = faults.first() {
            return Err(fault.to_string().replace(path.to_str().unwrap(), "FILE"));
        }
        let given = entries.into_iter().map(|entry| (entry.key, (entry.values, entry.origin))).collect();
        let layers = Layers { settings, given };
        let command = layers.apply(Sample::augment_args(Command::new("sample").no_binary_name(true)));
        let matches = command.try_get_matches_from(arguments).unwrap();
        let effective = layers.effective(&matches, &Settings::default());
        let shown =
            effective.0.iter().map(|value| format!("{}: {}", value.origin.kind(), value.shown().unwrap().join(" ")));
        Ok((Sample::from_arg_matches(&matches).unwrap(), shown.collect()))
    }

    #[test]
    fn lists_and_switches_may_stand_in_the_file() {
        let file = "names = ['a', 'b']\non = false\noff = true\nratio = 2";
        let (sample, shown) = read_sample(file, &[]).unwrap();
        let names = ["a", "b"].map(str::to_owned).to_vec();
        assert_eq!(sample, Sample { names, on: false, off: true, ratio: Some(2.0) });
        assert_eq!(shown, ["file: a b", "file: false", "file: true", "file: 2"]);

        let (sample, shown) = read_sample(file, &["--names=x,y", "--on=true"]).unwrap();
        assert_eq!((sample.names, sample.on), (["x", "y"].map(str::to_owned).to_vec(), true));
        assert_eq!(shown[..2], ["flag: x y", "flag: true"]);

        let (sample, shown) = read_sample("", &[]).unwrap();
        assert_eq!(sample, Sample { names: vec!["z".to_owned()], on: true, off: false, ratio: None });
        assert_eq!(shown, ["default: z", "default: true", "default: false", "default: "]);
    }

    #[test]
    fn what_does_not_fit_them_is_refused() {
        for (file, expected) in [
            ("names = 'a'", "FILE:1: names must be a list, each of it a text in quotes, and is a text"),
            ("names = [1]", "FILE:1: names must be a list, each of it a text in quotes, and is a list"),
            ("names = ['a,b', 'c']", "FILE:1: names cannot be «a,b», «c»: none of the list may contain «,»"),
            ("off = 1", "FILE:1: off must be true or false, and is a whole number"),
            ("ratio = '1'", "FILE:1: ratio must be a number, and is a text"),
        ] {
            assert_eq!(read_sample(file, &[]).unwrap_err(), expected);
        }
    }
}
