//! `countersign api`: a front end, beside others and the workers.

use std::process::ExitCode;

use countersign_shared::config::Config;
use countersign_shared::process::Process;

use super::say;

pub(crate) async fn run(config: Config) -> anyhow::Result<ExitCode> {
    let process = Process::start(&config.log)?;
    countersign_api::process::run(config, process, |address| say(&format!("listening on http://{address}")))
        .await?;
    Ok(ExitCode::SUCCESS)
}
