//! `countersign serve`: the service in one process, until SIGTERM or Ctrl-C.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use countersign_shared::config::Config;
use countersign_shared::telemetry;
use countersign_shared::telemetry::metrics::Page;
use countersign_worker::models::{Manifest, licence_notices};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use super::{note, say};
use crate::embedded::Embedded;

/// Samples of metrics are kept at most this long before they are folded.
const FOLD_EVERY: Duration = Duration::from_secs(5);

pub(crate) async fn run(config: Config) -> anyhow::Result<ExitCode> {
    telemetry::init(&config.log).context("failed to start logging")?;
    let page = Page::install().context("failed to start the metrics")?;
    for notice in licence_notices(&Manifest::load(&config.models.manifest)?.profile(&config.models.profile)?)
    {
        note(&notice);
    }
    tokio::spawn(fold_metrics(page.clone()));
    let shutdown = stop_signal()?;
    let service = Embedded::build(config, page).await?;
    let address = service.address();
    service.run(shutdown, || say(&format!("listening on http://{address}"))).await?;
    Ok(ExitCode::SUCCESS)
}

async fn fold_metrics(page: Page) {
    let mut ticks = tokio::time::interval(FOLD_EVERY);
    loop {
        ticks.tick().await;
        page.fold();
    }
}

/// Cancelled by the first SIGTERM or Ctrl-C.
fn stop_signal() -> anyhow::Result<CancellationToken> {
    let token = CancellationToken::new();
    let mut terminate = signal(SignalKind::terminate()).context("failed to listen for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("failed to listen for SIGINT")?;
    let stopped = token.clone();
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        stopped.cancel();
    });
    Ok(token)
}
