//! `countersign healthcheck`: whether the process of these settings is ready, for orchestrators without an HTTP client.

use std::process::ExitCode;

use clap::ValueEnum;
use countersign_shared::config::Config;
use countersign_shared::health;

/// Who listens.
#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum Listener {
    Api,
    Worker,
}

pub(crate) async fn run(listener: Listener, config: &Config) -> anyhow::Result<ExitCode> {
    let address = match listener {
        Listener::Api => config.server.listen,
        Listener::Worker => config.worker.listen,
    };
    health::ready(address).await?;
    Ok(ExitCode::SUCCESS)
}
