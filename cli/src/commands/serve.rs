//! `countersign serve`: the service in one process, until SIGTERM or Ctrl-C.

use std::process::ExitCode;

use countersign_shared::adapters::Adapters;
use countersign_shared::config::Config;
use countersign_shared::process::Process;
use countersign_worker::models::{Manifest, licence_notices};

use super::{note, say};
use crate::embedded::{Embedded, load_models};

pub(crate) async fn run(config: Config) -> anyhow::Result<ExitCode> {
    let process = Process::start(&config.log)?;
    for notice in licence_notices(&Manifest::load(&config.models.manifest)?.profile(&config.models.profile)?)
    {
        note(&notice);
    }
    let opening = Adapters::open_patiently(&config);
    let Some(adapters) = process.shutdown.run_until_cancelled(opening).await else {
        return Ok(ExitCode::SUCCESS);
    };
    let service = Embedded::build(config, adapters?, process.page)?;
    let address = service.address();
    service.run(load_models, process.shutdown, || say(&format!("listening on http://{address}"))).await?;
    Ok(ExitCode::SUCCESS)
}
