//! `countersign`: the one binary. Parses, loads the settings, hands over to a command.

mod commands;
mod embedded;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use countersign_shared::command;

/// `verify` has no verdict; 1 is the verdict "rejected".
const EXIT_NOT_VERIFIED: u8 = 2;

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
    /// Ask the process of these settings on this machine whether it is ready; exit 0: yes, 1: no.
    Healthcheck {
        /// Whose address is asked: `api` (also `serve`) listens on server.listen, `worker` on worker.listen.
        #[arg(default_value = "api")]
        process: commands::healthcheck::Listener,
    },
    /// Bring the database's tables up to date.
    Migrate,
    /// Create, list, suspend and resume tenants.
    #[command(subcommand)]
    Tenants(commands::tenants::TenantsCommand),
    /// Create, list, rotate and revoke API keys.
    #[command(subcommand)]
    Keys(commands::keys::KeysCommand),
    /// Print what a tenant has used in a month.
    Usage(commands::usage::UsageArguments),
    /// Export the audit log.
    #[command(subcommand)]
    Audit(commands::audit::AuditCommand),
    /// See what waits on the broker; list, replay and purge what was set aside.
    #[command(subcommand)]
    Queue(commands::queue::QueueCommand),
    /// Pull, list and verify the models.
    #[command(subcommand)]
    Models(commands::models::ModelsCommand),
    /// Verify files without a server; exit 0: passed, 1: rejected, 2: error.
    Verify(commands::verify::VerifyArguments),
    /// Measure speed and memory on this machine.
    #[command(subcommand)]
    Bench(commands::bench::BenchCommand),
    /// Measure how often it errs, on your own files.
    #[command(subcommand)]
    Eval(commands::eval::EvalCommand),
    /// Print every setting with its default and meaning.
    Settings,
    /// Print the OpenAPI document of every operation.
    Openapi,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    command::run(arguments.config.as_deref(), async |config| {
        let result = match arguments.command {
            Command::Serve => commands::serve::run(config).await,
            Command::Api => countersign_api::process::run(config).await,
            Command::Worker => countersign_worker::process::run(config).await,
            Command::Healthcheck { process } => commands::healthcheck::run(process, &config).await,
            Command::Migrate => commands::migrate::run(&config).await,
            Command::Tenants(command) => commands::tenants::run(command, &config).await,
            Command::Keys(command) => commands::keys::run(command, &config).await,
            Command::Usage(arguments) => commands::usage::run(arguments, &config).await,
            Command::Audit(command) => commands::audit::run(command, &config).await,
            Command::Queue(command) => commands::queue::run(command, &config).await,
            Command::Models(command) => commands::models::run(command, &config).await,
            Command::Verify(command) => {
                return commands::verify::run(command, &config).await.unwrap_or_else(|error| {
                    command::complain(&*error);
                    ExitCode::from(EXIT_NOT_VERIFIED)
                });
            }
            Command::Bench(command) => commands::bench::run(command, config).await,
            Command::Eval(command) => commands::eval::run(command, config).await,
            Command::Settings => commands::settings::run(),
            Command::Openapi => commands::openapi::run(),
        };
        result.unwrap_or_else(|error| command::failure(&*error))
    })
}
