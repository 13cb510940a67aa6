use std::process::ExitCode;

use clap::Parser;
use daybook::{
    cli::{Cli, Command},
    commands, config,
};

/// Threads hand commits to each other all the time, which the system's allocator is slow at.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    // Whatever this process makes, nobody else on the machine reads.
    rustix::process::umask(rustix::fs::Mode::RWXG | rustix::fs::Mode::RWXO);
    let cli = Cli::parse();
    let flags = cli.flags();
    let settings = || config::of_process(&flags);
    let done = match cli.command {
        Command::Serve(serve) => settings().and_then(|settings| commands::serve::run(&serve, &settings)),
        Command::Demo(demo) => settings().and_then(|settings| commands::demo::run(&demo, &settings)),
        Command::Audit(audit) => settings().and_then(|settings| commands::audit::run(audit, &settings)),
        Command::Rebuild(rebuild) => {
            settings().and_then(|settings| commands::rebuild::run(&rebuild, &settings))
        }
        Command::Config(command) => commands::config::run(command, flags),
        Command::Openapi(_) => commands::openapi::run(),
        Command::Keys(keys) => settings().and_then(|settings| commands::keys::run(&keys, &settings)),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("daybook: {failure}");
            failure.exit_code()
        }
    }
}
