//! `countersign bench`: what things cost on this machine, as ratios within one run where a ratio says more.

mod percentiles;
mod photo;
mod process;
mod queue;
mod service;
mod waiting;

use std::process::ExitCode;

use clap::Subcommand;
use countersign_shared::config::Config;

#[derive(Subcommand)]
pub(crate) enum BenchCommand {
    /// Photo jobs, and videos if one is given, beside the bare calls of their models.
    Photo(photo::PhotoArguments),
    /// The way of a job without its models: HTTP, media, rows, queue, signal.
    Queue(queue::QueueArguments),
    /// Thousands of clients that each wait for a result on one front end: its memory, and how soon they are told.
    Waiting(waiting::WaitingArguments),
}

pub(crate) async fn run(command: BenchCommand, config: Config) -> anyhow::Result<ExitCode> {
    match command {
        BenchCommand::Photo(arguments) => photo::run(arguments, config).await,
        BenchCommand::Queue(arguments) => queue::run(arguments, config).await,
        BenchCommand::Waiting(arguments) => waiting::run(arguments, config).await,
    }
}
