//! The whole service in this process, on a free port and an empty data folder.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Context;
use countersign_shared::adapters::Adapters;
use countersign_shared::config::{Config, ServiceUrl};
use countersign_shared::domain::{Actor, ApiKey, ApiKeyInfo, KeyId, KeyLimits, Scope, Timestamp};
use countersign_shared::telemetry::metrics::Page;
use countersign_worker::pipeline::Pipeline;
use tempfile::TempDir;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::client::Client;
use crate::commands::note;
use crate::embedded::Embedded;

/// Which rows, queue, signal and media are measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Servers {
    /// Empty embedded ones.
    Embedded,
    /// Those of the settings.
    Configured,
}

pub(crate) struct Service {
    client: Client,
    stop: CancellationToken,
    running: JoinHandle<anyhow::Result<()>>,
    /// From the start to the first job that could be taken.
    pub(crate) ready_after: Duration,
    folder: TempDir,
}

impl Service {
    pub(crate) async fn start<Loaded: Pipeline + 'static>(
        mut config: Config,
        servers: Servers,
        page: Page,
        load: impl FnOnce(&Config) -> anyhow::Result<Loaded> + Send + 'static,
    ) -> anyhow::Result<Self> {
        let folder = TempDir::new().context("failed to make a temporary folder")?;
        config.models.dir = std::path::absolute(config.data.resolve(&config.models.dir))?;
        config.data.dir = folder.path().to_owned();
        if servers == Servers::Embedded {
            // Nothing of an operator's own rows and media may be touched, wherever the settings put them.
            config.store.url = "sqlite://bench.db".into();
            config.queue.url = "memory://".into();
            config.signal.url = "memory://".into();
            config.blobs.url = "file://media".into();
        }
        let kind = |url: &ServiceUrl| url.to_string().split(':').next().unwrap_or_default().to_owned();
        let Config { store, queue, signal, blobs, .. } = &config;
        let kinds = [&store.url, &queue.url, &signal.url, &blobs.url].map(kind);
        note(&format!("rows, queue, signal and media in {}", kinds.join(", ")));
        config.server.listen.set_port(0);
        let started = Instant::now();
        let adapters = Adapters::open(&config).await?;
        let embedded = Embedded::build(config, adapters, page)?;
        let key = ApiKey::generate();
        let tenant_name = "bench".to_owned();
        let info = ApiKeyInfo {
            id: KeyId::new(),
            tenant: embedded.stores().tenants.tenant_named(&tenant_name, Actor::CommandLine).await?,
            tenant_name,
            label: String::new(),
            scopes: vec![Scope::VerifyWrite, Scope::VerifyRead],
            created_at: Timestamp::now(),
            expires_at: None,
            revoked_at: None,
            last_used_at: None,
            limits: KeyLimits::default(),
        };
        embedded.stores().keys.add_key(&info, &key.hash(), Actor::CommandLine).await?;
        let url = format!("http://{}", embedded.address());
        let stop = CancellationToken::new();
        let (say_ready, ready) = oneshot::channel();
        let running = tokio::spawn(embedded.run(load, stop.clone(), move || {
            let _ = say_ready.send(());
        }));
        if ready.await.is_err() {
            running.await.context("the service panicked")??;
            anyhow::bail!("the service ended before it was ready");
        }
        let ready_after = started.elapsed();
        let key = key.reveal().to_owned();
        let client = Client::new(url, key)?;
        Ok(Self { client, stop, running, ready_after, folder })
    }

    pub(crate) fn client(&self) -> Client {
        self.client.clone()
    }

    /// Where its rows and media lie.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) async fn stop(self) -> anyhow::Result<()> {
        self.stop.cancel();
        self.running.await.context("the service panicked")?
    }
}
