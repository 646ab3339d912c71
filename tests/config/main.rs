//! The configuration: its layers, what is said of it, and that every setting does something.

#[path = "../common/mod.rs"]
mod common;

mod command;
mod documentation;
mod effects;
mod faults;
mod layers;

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use evalgraph::cli::{Cli, Refusal};
use evalgraph::config::Settings;
use tempfile::TempDir;

/// A configuration file that is removed in the end.
struct ConfigFile {
    directory: TempDir,
}

impl ConfigFile {
    fn new(text: &str) -> Self {
        let file = Self { directory: tempfile::tempdir().unwrap() };
        std::fs::write(file.path(), text).unwrap();
        file
    }

    fn path(&self) -> PathBuf {
        self.directory.path().join("evalgraph.toml")
    }

    fn flag(&self) -> String {
        format!("--config={}", self.path().display())
    }
}

/// Reads a configuration in this process, with these variables and no others.
fn read(arguments: &[&str], variables: &[(&str, &str)]) -> Result<Cli, Refusal> {
    let arguments: Vec<_> = ["evalgraph"].iter().chain(arguments).map(OsString::from).collect();
    let variable = |name: &str| {
        let found = variables.iter().find(|(variable, _)| *variable == name);
        found.map(|(_, value)| OsString::from(value))
    };
    Cli::read(&arguments, variable)
}

/// The settings that a file makes.
fn settings(file: &str) -> Settings {
    let file = ConfigFile::new(file);
    let settings = read(&[&file.flag()], &[]).unwrap().settings().clone();
    settings.validate().unwrap();
    settings
}

/// What is wrong with a file, with the path of the file left out.
fn faults_of(file: &str) -> String {
    let file = ConfigFile::new(file);
    let refusal = read(&[&file.flag()], &[]).unwrap_err();
    assert!(matches!(refusal, Refusal::Configuration(_)), "{refusal}");
    without(&refusal.to_string(), &file.path())
}

fn without(message: &str, path: &Path) -> String {
    message.replace(path.to_str().unwrap(), "FILE")
}
