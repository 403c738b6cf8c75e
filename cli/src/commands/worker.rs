//! `countersign worker`: a worker, beside others and the front ends.

use std::process::ExitCode;

use countersign_shared::config::Config;
use countersign_shared::process::Process;
use countersign_worker::models::{Manifest, licence_notices};
use countersign_worker::pipeline::load::VerificationPipeline;

use super::{note, say};

pub(crate) async fn run(config: Config) -> anyhow::Result<ExitCode> {
    let process = Process::start(&config.log)?;
    for notice in licence_notices(&Manifest::load(&config.models.manifest)?.profile(&config.models.profile)?)
    {
        note(&notice);
    }
    let load = |config: &Config| Ok(VerificationPipeline::load(config)?);
    let ready = |address| say(&format!("working, metrics on http://{address}/metrics"));
    countersign_worker::process::run(config, process, load, ready).await?;
    Ok(ExitCode::SUCCESS)
}
