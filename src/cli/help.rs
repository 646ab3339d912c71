//! What the help of each command shows.

use clap::Command;

use crate::config::heading::{AUTHENTICATION, DATABASE, LOG};

/// The groups of settings that a command uses, where it does not use all.
const USED: [(&str, &[&str]); 5] = [
    ("migrate", &[DATABASE, LOG]),
    ("import", &[DATABASE, LOG]),
    ("token", &[AUTHENTICATION, DATABASE, LOG]),
    ("schema", &[]),
    ("completions", &[]),
];

/// Leaves the settings that a command does not use out of its help; it takes them all the same. Expects the
/// arguments as they are to be read: those of subcommands are made here.
pub fn arranged(command: Command) -> Command {
    // Values of variables are shown by `evalgraph config`.
    let command = command.mut_args(|argument| argument.hide_env_values(true));
    USED.iter().fold(command, |command, (name, headings)| {
        let is_used = |heading: Option<&str>| heading.is_none_or(|heading| headings.contains(&heading));
        let unused = command.get_arguments().filter(|argument| !is_used(argument.get_help_heading()));
        let hidden: Vec<_> = unused.map(|argument| argument.clone().hide(true)).collect();
        command.mut_subcommand(name, |subcommand| subcommand.args(hidden))
    })
}
