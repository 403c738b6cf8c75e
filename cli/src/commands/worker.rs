//! `countersign worker`: a worker, beside others and the front ends.

use std::process::ExitCode;

use countersign_shared::config::Config;
use countersign_shared::process::Process;
use countersign_worker::models::{Manifest, licence_notices};

use super::{note, say};
use crate::embedded::load_models;

pub(crate) async fn run(config: Config) -> anyhow::Result<ExitCode> {
    let process = Process::start(&config.log)?;
    for notice in licence_notices(&Manifest::load(&config.models.manifest)?.profile(&config.models.profile)?)
    {
        note(&notice);
    }
    let ready = |address| say(&format!("working, metrics on http://{address}/metrics"));
    countersign_worker::process::run(config, process, load_models, ready).await?;
    Ok(ExitCode::SUCCESS)
}
