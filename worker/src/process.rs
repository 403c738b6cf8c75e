//! A worker as a process of its own: jobs in, and the duties that its settings give it.

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::Context;
use countersign_shared::adapters::Adapters;
use countersign_shared::config::Config;
use countersign_shared::process::Process;
use countersign_shared::telemetry::listen;
use tokio::sync::watch;

use crate::intake::Worker;
use crate::pipeline::Pipeline;

/// Works until the process is told to stop, with the pipeline that `load` makes. `on_ready` is called once, with the
/// address of its health and metrics.
pub async fn run<Loaded: Pipeline + 'static>(
    config: Config,
    process: Process,
    load: impl FnOnce(&Config) -> anyhow::Result<Loaded> + Send + 'static,
    on_ready: impl FnOnce(SocketAddr),
) -> anyhow::Result<()> {
    config.ensure_distributed()?;
    let Process { page, shutdown } = process;
    let (ready, watched) = watch::channel(false);
    let address = config.worker.listen;
    let address =
        listen(address, page, watched).await.with_context(|| format!("failed to listen on {address}"))?;
    let started = async {
        let adapters = Adapters::open(&config).await?;
        let settings = config.clone();
        let loading = tokio::task::spawn_blocking(move || load(&settings));
        let pipeline =
            loading.await.context("loading the models panicked")?.context("failed to load the models")?;
        anyhow::Ok((adapters, Arc::new(pipeline)))
    };
    let Some(started) = shutdown.run_until_cancelled(started).await else { return Ok(()) };
    let (adapters, pipeline) = started?;
    ready.send_replace(true);
    on_ready(address);
    Worker::build(&config, &adapters, pipeline).run(shutdown).await;
    ready.send_replace(false);
    adapters.queue.close().await;
    Ok(())
}
