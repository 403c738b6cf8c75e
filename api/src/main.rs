//! `countersign-api`: a front end as a process of its own, without a native library.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use countersign_shared::{command, health};

/// Countersign's front end. Without a command it serves HTTP.
#[derive(Parser)]
#[command(version, about)]
struct Arguments {
    /// A settings file (TOML); every setting can be an environment variable `COUNTERSIGN_SECTION__KEY` instead.
    #[arg(long, global = true, env = "COUNTERSIGN_CONFIG")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Ask the process of these settings on this machine whether it is ready; exit 0: yes, 1: no.
    Healthcheck,
    /// Print the OpenAPI document of every operation.
    Openapi,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    command::run(arguments.config.as_deref(), async |config| match arguments.command {
        None => countersign_api::process::run(config).await.unwrap_or_else(|error| command::failure(&*error)),
        Some(Command::Healthcheck) => match health::ready(config.server.listen).await {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => command::failure(&error),
        },
        Some(Command::Openapi) => {
            command::say(countersign_api::openapi::pretty().trim_end());
            ExitCode::SUCCESS
        }
    })
}
