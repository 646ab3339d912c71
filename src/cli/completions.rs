//! `evalgraph completions`.

use std::io::Write as _;

use clap::Command;
use clap_complete::Shell;

/// Prints the script that teaches a shell to complete the command's arguments.
pub fn run(mut command: Command, shell: Shell) -> anyhow::Result<()> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut command, "evalgraph", &mut script);
    Ok(std::io::stdout().write_all(&script)?)
}
