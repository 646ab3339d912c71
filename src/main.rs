//! The `evalgraph` command.

use std::process::ExitCode;

use evalgraph::cli::{Cli, Refusal};

/// Many small allocations make an answer; this allocator is the faster one for them.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args_os().collect();
    let cli = match Cli::read(&arguments, |name| std::env::var_os(name)) {
        Ok(cli) => cli,
        Err(Refusal::Usage(error)) => error.exit(),
        Err(Refusal::Configuration(faults)) => return fail(&faults.into()),
    };
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
