//! A worker as a process of its own: jobs in, and the duties that its settings give it.

use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context;
use countersign_shared::adapters::Adapters;
use countersign_shared::command::{note, say};
use countersign_shared::config::Config;
use countersign_shared::process::Process;
use countersign_shared::roles::{Duties, Role};
use countersign_shared::telemetry::listen;
use tokio::sync::watch;

use crate::intake::Worker;
use crate::models::{Manifest, licence_notices};
use crate::pipeline::Pipeline;
use crate::pipeline::load::VerificationPipeline;

/// Works with the configured models until the process is told to stop.
pub async fn run(config: Config) -> anyhow::Result<ExitCode> {
    for notice in licence_notices(&Manifest::load(&config.models.manifest)?.profile(&config.models.profile)?)
    {
        note(&notice);
    }
    run_with(config, |config| Ok(VerificationPipeline::load(config)?)).await
}

/// Works with the pipeline that `load` makes, or only has its duties when `worker.roles` names no pipeline; prints the address of health and metrics once it takes jobs.
pub async fn run_with<Loaded: Pipeline + 'static>(
    config: Config,
    load: impl FnOnce(&Config) -> anyhow::Result<Loaded> + Send + 'static,
) -> anyhow::Result<ExitCode> {
    config.ensure_distributed()?;
    let Process { page, shutdown } = Process::start(&config.log)?;
    let (ready, watched) = watch::channel(false);
    let address = config.worker.listen;
    let address =
        listen(address, page, watched).await.with_context(|| format!("failed to listen on {address}"))?;
    if !config.worker.roles.contains(&Role::Pipeline) {
        let adapters = Adapters::open_patiently(&config);
        let Some(adapters) = shutdown.run_until_cancelled(adapters).await else {
            return Ok(ExitCode::SUCCESS);
        };
        let duties = Duties::new(&config, &adapters?);
        ready.send_replace(true);
        say(&format!("working, metrics on http://{address}/metrics"));
        duties.run(config.worker.roles, shutdown).await;
        return Ok(ExitCode::SUCCESS);
    }
    let started = async {
        let adapters = Adapters::open_patiently(&config).await?;
        let settings = config.clone();
        let loading = tokio::task::spawn_blocking(move || load(&settings));
        let pipeline =
            loading.await.context("loading the models panicked")?.context("failed to load the models")?;
        anyhow::Ok((adapters, Arc::new(pipeline)))
    };
    let Some(started) = shutdown.run_until_cancelled(started).await else { return Ok(ExitCode::SUCCESS) };
    let (adapters, pipeline) = started?;
    ready.send_replace(true);
    say(&format!("working, metrics on http://{address}/metrics"));
    Worker::build(&config, &adapters, pipeline).run(shutdown).await;
    ready.send_replace(false);
    adapters.queue.close().await;
    Ok(ExitCode::SUCCESS)
}
