//! `countersign`: the one binary. Parses, loads the settings, hands over to a command.

mod commands;
mod embedded;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use countersign_shared::config::Config;

/// Bad settings (`EX_USAGE` of sysexits).
const EXIT_BAD_SETTINGS: u8 = 64;

/// Self-hosted identity verification.
#[derive(Parser)]
#[command(version, about)]
struct Arguments {
    /// A settings file (TOML); `countersign settings` prints every setting with its default.
    #[arg(long, global = true, env = "COUNTERSIGN_CONFIG")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serve HTTP and work on the jobs, in one process.
    Serve,
    /// Serve HTTP, beside other front ends and the workers.
    Api,
    /// Work on the jobs, beside other workers and the front ends.
    Worker,
    /// Create, list and revoke API keys.
    #[command(subcommand)]
    Keys(commands::keys::KeysCommand),
    /// Pull, list and verify the models.
    #[command(subcommand)]
    Models(commands::models::ModelsCommand),
    /// Verify files without a server; exit 0: passed, 1: rejected, 2: error.
    Verify(commands::verify::VerifyArguments),
    /// Measure speed and memory on this machine.
    #[command(subcommand)]
    Bench(commands::bench::BenchCommand),
    /// Print every setting with its default and meaning.
    Settings,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let config = match Config::load(arguments.config.as_deref(), environment()) {
        Ok(config) => config,
        Err(error) => {
            commands::complain(&anyhow::Error::new(error));
            return ExitCode::from(EXIT_BAD_SETTINGS);
        }
    };
    // Only the first provider installed counts, and nothing has installed one before `main`.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            commands::complain(&anyhow::Error::new(error).context("failed to start the runtime"));
            return ExitCode::FAILURE;
        }
    };
    let (result, on_error) = runtime.block_on(async {
        match arguments.command {
            Command::Serve => (commands::serve::run(config).await, ExitCode::FAILURE),
            Command::Api => (commands::api::run(config).await, ExitCode::FAILURE),
            Command::Worker => (commands::worker::run(config).await, ExitCode::FAILURE),
            Command::Keys(command) => (commands::keys::run(command, &config).await, ExitCode::FAILURE),
            Command::Models(command) => (commands::models::run(command, &config).await, ExitCode::FAILURE),
            Command::Verify(command) => (commands::verify::run(command, &config).await, ExitCode::from(2)),
            Command::Bench(command) => (commands::bench::run(command, config).await, ExitCode::FAILURE),
            Command::Settings => (commands::settings::run(), ExitCode::FAILURE),
        }
    });
    // A library call that hangs must not keep the process from ending.
    runtime.shutdown_background();
    result.unwrap_or_else(|error| {
        commands::complain(&error);
        on_error
    })
}

/// The variables that are text; no setting is anything else.
fn environment() -> impl Iterator<Item = (String, String)> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
}
