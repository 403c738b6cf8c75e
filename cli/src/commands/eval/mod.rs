//! `countersign eval`: how often the service errs, measured on the operator's own files.

mod calibrate;
mod claims;
mod faces;
mod gallery;
mod models;
mod report;
mod speech;
mod spoof;
mod stats;
mod table;
mod video;
mod work;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use clap::{Args, Subcommand};
use countersign_shared::config::Config;
use serde::Serialize;

#[derive(Subcommand)]
pub(crate) enum EvalCommand {
    /// Pairs of pictures: false match and false non-match rates (ISO/IEC 19795-1).
    Faces(faces::FacesArguments),
    /// Bona fide pictures and attacks: APCER by species, BPCER, ACER (ISO/IEC 30107-3).
    Spoof(spoof::SpoofArguments),
    /// Clips of spoken digits: right codes refused, wrong ones accepted, misreadings.
    Speech(speech::SpeechArguments),
    /// Bona fide videos and attacks: APCER by species, BPCER, and which check stops what.
    Video(video::VideoArguments),
    /// Thresholds for a wanted FMR or APCER from the reports of evaluations, as settings for --config.
    Calibrate(calibrate::CalibrateArguments),
}

/// Which evaluation a report is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Evaluation {
    Faces,
    Spoof,
    Speech,
    Video,
}

/// What every evaluation is told.
#[derive(Args)]
struct Common {
    /// Tab-separated values, the first line names the columns.
    table: PathBuf,
    /// What the table's paths are relative to, in place of the table's own folder.
    #[arg(long)]
    root: Option<PathBuf>,
    /// Where the report goes. An interrupted run goes on from what it left there.
    #[arg(long)]
    out: PathBuf,
    /// Columns by whose values the rates are broken down too.
    #[arg(long, value_delimiter = ',')]
    by: Vec<String>,
    /// Files that are looked at at the same time; by default, one for each processor.
    #[arg(long)]
    threads: Option<usize>,
    /// Leave the worst cases' pictures out of the page.
    #[arg(long)]
    no_pictures: bool,
}

impl Common {
    fn table(&self) -> anyhow::Result<table::Table> {
        let table = table::Table::read(&self.table, self.root.as_deref())?;
        table.require(self.by.iter().map(String::as_str))?;
        std::fs::create_dir_all(&self.out)
            .with_context(|| format!("failed to create {}", self.out.display()))?;
        Ok(table)
    }

    fn threads(&self) -> usize {
        self.threads.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from))
    }
}

pub(crate) async fn run(command: EvalCommand, config: Config) -> anyhow::Result<ExitCode> {
    // Everything here blocks: it runs beside the runtime's threads.
    tokio::task::spawn_blocking(move || match command {
        EvalCommand::Faces(arguments) => faces::run(&arguments, &config),
        EvalCommand::Spoof(arguments) => spoof::run(&arguments, &config),
        EvalCommand::Video(arguments) => video::run(&arguments, &config),
        EvalCommand::Calibrate(arguments) => calibrate::run(&arguments),
        EvalCommand::Speech(arguments) => speech::run(&arguments, &config),
    })
    .await
    .context("the evaluation panicked, which is a bug")??;
    Ok(ExitCode::SUCCESS)
}
