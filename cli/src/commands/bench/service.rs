//! The whole service in this process, on a free port and an empty data folder, and a client to drive it.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Context;
use countersign_shared::adapters::Adapters;
use countersign_shared::config::Config;
use countersign_shared::domain::{Actor, ApiKey, ApiKeyInfo, KeyId, KeyLimits, Scope, Timestamp};
use countersign_shared::telemetry::metrics::Page;
use countersign_worker::pipeline::Pipeline;
use reqwest::multipart::{Form, Part};
use serde_json::Value;
use tempfile::TempDir;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

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
    _folder: TempDir,
}

/// Somebody who calls it.
#[derive(Clone)]
pub(crate) struct Client {
    url: String,
    key: String,
    http: reqwest::Client,
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
        let client = Client { url, key, http: reqwest::Client::new() };
        Ok(Self { client, stop, running, ready_after, _folder: folder })
    }

    pub(crate) fn client(&self) -> Client {
        self.client.clone()
    }

    pub(crate) async fn stop(self) -> anyhow::Result<()> {
        self.stop.cancel();
        self.running.await.context("the service panicked")?
    }
}

impl Client {
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
        self.send(endpoint, form).await
    }

    /// A documented call with that photo; the time from the first byte sent to the whole answer read.
    pub(crate) async fn spoofdetect(&self, photo: &[u8]) -> anyhow::Result<Duration> {
        let part = Part::bytes(photo.to_vec()).file_name("photo");
        let form = Form::new().text("api_key", self.key.clone()).part("photo", part);
        Ok(self.send("spoofdetect", form).await?.0)
    }

    /// Submits the photo, then waits for its result: the times until it was accepted and until it was finished.
    pub(crate) async fn submit(&self, photo: &[u8]) -> anyhow::Result<(Duration, Duration)> {
        let started = Instant::now();
        let part = Part::bytes(photo.to_vec()).file_name("photo");
        let form = Form::new().text("kind", "spoof").part("photo", part);
        let url = format!("{}/v2/verifications", self.url);
        let accepted = self.http.post(&url).header("x-api-key", &self.key).multipart(form).send().await?;
        let resource: Value = accepted.error_for_status()?.json().await?;
        let accepted_after = started.elapsed();
        let id = resource["id"].as_str().context("the resource has no id")?;
        let url = format!("{url}/{id}?wait=60");
        let resource: Value = self
            .http
            .get(url)
            .header("x-api-key", &self.key)
            .send()
            .await?
            .error_for_status()?
            .json()
            .await?;
        anyhow::ensure!(resource["state"] == "succeeded", "{id} did not succeed in a minute");
        Ok((accepted_after, started.elapsed()))
    }

    async fn send(&self, endpoint: &str, form: Form) -> anyhow::Result<(Duration, Value)> {
        let started = Instant::now();
        let request = self.http.post(format!("{}/v1.1/{endpoint}", self.url)).multipart(form);
        let response = request.send().await?;
        let status = response.status();
        let body: Value = response.json().await?;
        anyhow::ensure!(status.is_success(), "{endpoint} answered {status}: {body}");
        Ok((started.elapsed(), body))
    }
}
