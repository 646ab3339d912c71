//! The `evalgraph` command.

use std::process::ExitCode;

use clap::Parser as _;
use evalgraph::cli::Cli;

/// Many small allocations make an answer; this allocator is the faster one for them.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&error.into()),
    };
    let result = runtime.block_on(cli.run());
    // A statement of SQLite cannot be stopped; the process does not wait for one that nobody waits for.
    runtime.shutdown_background();
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&error),
    }
}

fn fail(error: &anyhow::Error) -> ExitCode {
    eprintln!("evalgraph: {error:#}");
    ExitCode::FAILURE
}
