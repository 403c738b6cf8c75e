//! The embedded service in this process, on a free port and an empty data folder, and a client to drive it.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Context;
use countersign_shared::config::Config;
use countersign_shared::domain::{ApiKey, ApiKeyInfo, KeyId, Scope, Timestamp};
use countersign_shared::telemetry::metrics::Page;
use reqwest::multipart::{Form, Part};
use serde_json::Value;
use tempfile::TempDir;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::embedded::Embedded;

pub(crate) struct Service {
    url: String,
    key: String,
    client: reqwest::Client,
    stop: CancellationToken,
    running: JoinHandle<anyhow::Result<()>>,
    /// From the start to the first job that could be taken.
    pub(crate) ready_after: Duration,
    _folder: TempDir,
}

impl Service {
    pub(crate) async fn start(mut config: Config, page: Page) -> anyhow::Result<Self> {
        let folder = TempDir::new().context("failed to make a temporary folder")?;
        config.models.dir = std::path::absolute(config.data.resolve(&config.models.dir))?;
        config.data.dir = folder.path().to_owned();
        // Nothing of an operator's own rows and media may be touched, wherever the settings put them.
        config.store.url = "sqlite://bench.db".into();
        config.blobs.url = "file://media".into();
        config.server.listen.set_port(0);
        let started = Instant::now();
        let embedded = Embedded::build(config, page).await?;
        let key = ApiKey::generate();
        let tenant_name = "bench".to_owned();
        let info = ApiKeyInfo {
            id: KeyId::new(),
            tenant: embedded.stores().keys.tenant(&tenant_name).await?,
            tenant_name,
            label: String::new(),
            scopes: vec![Scope::VerifyWrite],
            created_at: Timestamp::now(),
            expires_at: None,
            revoked_at: None,
            last_used_at: None,
        };
        embedded.stores().keys.add_key(&info, &key.hash()).await?;
        let url = format!("http://{}", embedded.address());
        let stop = CancellationToken::new();
        let (say_ready, ready) = oneshot::channel();
        let running = tokio::spawn(embedded.run(stop.clone(), move || {
            let _ = say_ready.send(());
        }));
        if ready.await.is_err() {
            running.await.context("the service panicked")??;
            anyhow::bail!("the service ended before it was ready");
        }
        let ready_after = started.elapsed();
        let key = key.reveal().to_owned();
        Ok(Self { url, key, client: reqwest::Client::new(), stop, running, ready_after, _folder: folder })
    }

    /// One documented call; the time from the first byte sent to the whole answer read.
    pub(crate) async fn call(
        &self,
        endpoint: &str,
        files: &[(&'static str, &Path)],
        fields: &[(&'static str, &str)],
    ) -> anyhow::Result<(Duration, Value)> {
        let mut form = Form::new().text("api_key", self.key.clone());
        for (name, path) in files {
            let content =
                tokio::fs::read(path).await.with_context(|| format!("failed to read {}", path.display()))?;
            form = form.part(*name, Part::bytes(content).file_name((*name).to_owned()));
        }
        for (name, value) in fields {
            form = form.text(*name, (*value).to_owned());
        }
        let started = Instant::now();
        let response =
            self.client.post(format!("{}/v1.1/{endpoint}", self.url)).multipart(form).send().await?;
        let status = response.status();
        let body: Value = response.json().await?;
        anyhow::ensure!(status.is_success(), "{endpoint} answered {status}: {body}");
        Ok((started.elapsed(), body))
    }

    pub(crate) async fn stop(self) -> anyhow::Result<()> {
        self.stop.cancel();
        self.running.await.context("the service panicked")?
    }
}
