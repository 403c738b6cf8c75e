//! `countersign bench`: what things cost on this machine, as ratios within one run where a ratio says more.

mod client;
mod idle;
mod load;
mod process;
mod queue;
mod service;
mod verify;
mod waiting;

use std::process::ExitCode;

use clap::Subcommand;
use countersign_shared::config::Config;

#[derive(Subcommand)]
pub(crate) enum BenchCommand {
    /// Photo verifications, beside the bare calls of their models and, if you like, another server.
    Photo(verify::PhotoArguments),
    /// The same of spoof detections.
    Spoof(verify::SpoofArguments),
    /// The same of video verifications.
    Video(verify::VideoArguments),
    /// The way of a job without its models: HTTP, media, rows, queue, signal.
    Queue(queue::QueueArguments),
    /// Thousands of clients that each wait for a result on one front end: its memory, and how soon they are told.
    Waiting(waiting::WaitingArguments),
    /// Whether anything grows: hours of nothing, or many jobs of every kind.
    Idle(idle::IdleArguments),
}

pub(crate) async fn run(command: BenchCommand, config: Config) -> anyhow::Result<ExitCode> {
    match command {
        BenchCommand::Photo(arguments) => verify::photo(arguments, config).await,
        BenchCommand::Spoof(arguments) => verify::spoof(arguments, config).await,
        BenchCommand::Video(arguments) => verify::video(arguments, config).await,
        BenchCommand::Queue(arguments) => queue::run(arguments, config).await,
        BenchCommand::Waiting(arguments) => waiting::run(arguments, config).await,
        BenchCommand::Idle(arguments) => idle::run(arguments, config).await,
    }
}
