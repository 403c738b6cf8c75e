//! Countersign: self-hosted identity verification.

mod commands;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use countersign_shared::config::Config;

#[derive(Parser)]
#[command(name = "countersign", version, about)]
struct Arguments {
    /// A settings file; the built-in defaults hold for what it leaves out
    #[arg(long, global = true)]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Bring, list and verify the models
    #[command(subcommand)]
    Models(commands::models::ModelsCommand),
}

#[tokio::main]
async fn main() -> anyhow::Result<ExitCode> {
    let arguments = Arguments::parse();
    let config = Config::load(arguments.config.as_deref(), std::env::vars())?;
    match arguments.command {
        Command::Models(command) => commands::models::run(command, &config).await,
    }
}
