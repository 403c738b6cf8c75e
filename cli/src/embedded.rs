//! The embedded mode: front end and worker in one process over SQLite, an in-process queue and a local folder.

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::Context;
use countersign_api::{App, Readiness};
use countersign_shared::adapters::Adapters;
use countersign_shared::config::Config;
use countersign_shared::store::Stores;
use countersign_shared::telemetry::metrics::Page;
use countersign_worker::intake::Worker;
use countersign_worker::pipeline::Pipeline;
use countersign_worker::pipeline::load::VerificationPipeline;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// The whole service, bound to its address and not yet answering.
pub(crate) struct Embedded {
    config: Config,
    adapters: Adapters,
    app: App,
    readiness: watch::Sender<Readiness>,
}

impl Embedded {
    /// Binds the address.
    pub(crate) fn build(config: Config, adapters: Adapters, page: Page) -> anyhow::Result<Self> {
        let (readiness, watched) = watch::channel(Readiness::Starting);
        let app = App::build(&config, &adapters, watched, Arc::new(move || page.render()))?;
        Ok(Self { config, adapters, app, readiness })
    }

    pub(crate) const fn address(&self) -> SocketAddr {
        self.app.addr()
    }

    pub(crate) const fn stores(&self) -> &Stores {
        &self.adapters.stores
    }

    /// Answers at once (not ready), loads the models with `load`, works (ready) until `shutdown`, then drains both halves. When one
    /// half ends by itself, the other is stopped too. `on_ready` is called once.
    pub(crate) async fn run<Loaded: Pipeline + 'static>(
        self,
        load: impl FnOnce(&Config) -> anyhow::Result<Loaded> + Send + 'static,
        shutdown: CancellationToken,
        on_ready: impl FnOnce(),
    ) -> anyhow::Result<()> {
        let Self { config, adapters, app, readiness } = self;
        let stop = shutdown.child_token();
        let front = tokio::spawn(stopping(stop.clone(), app.run(stop.clone())));
        let work = async {
            let settings = config.clone();
            let loading = tokio::task::spawn_blocking(move || load(&settings));
            let Some(loaded) = stop.run_until_cancelled(loading).await else { return Ok(()) };
            let pipeline =
                loaded.context("loading the models panicked")?.context("failed to load the models")?;
            let worker = Worker::build(&config, &adapters, Arc::new(pipeline));
            readiness.send_replace(Readiness::Ready);
            on_ready();
            worker.run(stop.clone()).await;
            Ok(())
        };
        let worked = stopping(stop.clone(), work).await;
        let served = front.await.context("the front end panicked")?;
        worked.and(served)
    }
}

/// The pipeline of the settings, its models loaded.
pub(crate) fn load_models(config: &Config) -> anyhow::Result<VerificationPipeline> {
    Ok(VerificationPipeline::load(config)?)
}

/// Stops the rest when this half ends.
async fn stopping(
    stop: CancellationToken,
    half: impl Future<Output = anyhow::Result<()>>,
) -> anyhow::Result<()> {
    let _guard = stop.drop_guard();
    half.await
}
