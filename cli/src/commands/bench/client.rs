//! A client of any server that speaks v1.1.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Context;
use bytes::Bytes;
use reqwest::multipart::{Form, Part};
use serde_json::Value;

/// Less than any server keeps an idle connection, so that none is closed just as a call is sent on it.
const IDLE: Duration = Duration::from_secs(3);

/// Somebody who calls a service.
#[derive(Clone)]
pub(crate) struct Client {
    pub(super) url: String,
    pub(super) key: String,
    pub(super) http: reqwest::Client,
}

/// A documented call, its files already read.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    endpoint: &'static str,
    files: Vec<(&'static str, Bytes)>,
    fields: Vec<(&'static str, String)>,
}

impl Call {
    pub(crate) fn new(endpoint: &'static str, fields: Vec<(&'static str, String)>) -> Self {
        Self { endpoint, files: Vec::new(), fields }
    }

    pub(crate) fn file(mut self, name: &'static str, content: impl Into<Bytes>) -> Self {
        self.files.push((name, content.into()));
        self
    }

    pub(crate) async fn read(self, name: &'static str, path: &Path) -> anyhow::Result<Self> {
        let content = tokio::fs::read(path).await;
        Ok(self.file(name, content.with_context(|| format!("failed to read {}", path.display()))?))
    }

    fn form(&self) -> Form {
        let mut form = Form::new();
        for (name, content) in &self.files {
            let part = Part::stream_with_length(content.clone(), content.len() as u64);
            form = form.part(*name, part.file_name(*name));
        }
        self.fields.iter().fold(form, |form, (name, value)| form.text(*name, value.clone()))
    }
}

impl Client {
    pub(crate) fn new(url: String, key: String) -> anyhow::Result<Self> {
        let http = reqwest::Client::builder().pool_idle_timeout(IDLE).build();
        Ok(Self { url, key, http: http.context("failed to make a client")? })
    }

    /// The time from the first byte sent to the whole answer read, and the answer.
    pub(crate) async fn call(&self, call: &Call) -> anyhow::Result<(Duration, Value)> {
        let form = call.form().text("api_key", self.key.clone());
        let started = Instant::now();
        let request = self.http.post(format!("{}/v1.1/{}", self.url, call.endpoint)).multipart(form);
        let response = request.send().await?;
        let status = response.status();
        let body: Value = response.json().await?;
        anyhow::ensure!(status.is_success(), "{} answered {status}: {body}", call.endpoint);
        Ok((started.elapsed(), body))
    }

    /// Submits the photo, then waits for its result: the times until it was accepted and until it was finished.
    pub(crate) async fn submit(&self, photo: Bytes) -> anyhow::Result<(Duration, Duration)> {
        let started = Instant::now();
        let id = self.queue(photo).await?;
        let accepted_after = started.elapsed();
        let url = format!("{}/v2/verifications/{id}?wait=60", self.url);
        let finished = self.http.get(url).header("x-api-key", &self.key).send().await?;
        let resource: Value = finished.error_for_status()?.json().await?;
        anyhow::ensure!(resource["state"] == "succeeded", "{id} did not succeed in a minute");
        Ok((accepted_after, started.elapsed()))
    }

    /// Submits the photo; its id.
    pub(crate) async fn queue(&self, photo: Bytes) -> anyhow::Result<String> {
        let form = Call::new("", vec![("kind", "spoof".to_owned())]).file("photo", photo).form();
        let url = format!("{}/v2/verifications", self.url);
        let accepted = self.http.post(&url).header("x-api-key", &self.key).multipart(form).send().await?;
        let resource: Value = accepted.error_for_status()?.json().await?;
        Ok(resource["id"].as_str().context("the resource has no id")?.to_owned())
    }
}
