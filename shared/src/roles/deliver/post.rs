//! One HTTP request to a receiver that may be anybody's: bounded in time and size, led nowhere else.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER};
use reqwest::redirect::Policy;
use reqwest::{Client, Response, StatusCode};
use tokio::time::timeout;

use super::resolve::{Checked, Lookup, NameNotFound};
use crate::config;
use crate::domain::{DeliveryError, DeliveryId, RefusedTarget, Targets, Timestamp, WebhookUrl};

const ID: HeaderName = HeaderName::from_static("webhook-id");
const TIMESTAMP: HeaderName = HeaderName::from_static("webhook-timestamp");
const SIGNATURE: HeaderName = HeaderName::from_static("webhook-signature");

const USER_AGENT: &str = concat!("Countersign/", env!("CARGO_PKG_VERSION"));

/// An answer is read so far, and for so long, that its connection can be used again; what it says is of no interest.
const ANSWER_BYTES: usize = 64 * 1024;
const ANSWER_REST: Duration = Duration::from_secs(1);

const IDLE: Duration = Duration::from_secs(30);
const IDLE_EACH: usize = 2;

/// What is sent.
pub(super) struct Message<'a> {
    pub(super) url: &'a WebhookUrl,
    pub(super) id: DeliveryId,
    pub(super) at: Timestamp,
    pub(super) signature: String,
    pub(super) body: Vec<u8>,
}

/// What a receiver said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) status: u16,
    /// When it wants to be asked again.
    pub(super) retry_after: Option<Duration>,
}

pub(super) struct Post {
    client: Client,
    targets: Arc<Targets>,
}

impl Post {
    /// Fails where the machine trusts no certificate at all.
    pub(super) fn new(settings: &config::Webhooks, lookup: Arc<dyn Lookup>) -> Result<Self, reqwest::Error> {
        // Only the first provider installed counts, and a process has installed this one before.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let targets = Arc::new(settings.targets());
        let client = Client::builder()
            .dns_resolver(Checked { lookup, targets: Arc::clone(&targets) })
            .no_proxy()
            .redirect(Policy::none())
            .referer(false)
            .connect_timeout(settings.connect_time)
            .timeout(settings.answer_time)
            .pool_idle_timeout(IDLE)
            .pool_max_idle_per_host(IDLE_EACH)
            .user_agent(USER_AGENT)
            .build()?;
        Ok(Self { client, targets })
    }

    /// The answer, whatever its status.
    pub(super) async fn post(&self, message: Message<'_>) -> Result<Answer, DeliveryError> {
        // A host that is an address is never resolved, so it is checked here.
        self.targets.check(message.url).map_err(|_| DeliveryError::TargetRefused)?;
        let seconds = message.at.as_millis() / 1000;
        let headers = HeaderMap::from_iter([
            (CONTENT_TYPE, HeaderValue::from_static("application/json")),
            (ID, header(&message.id.to_string())),
            (TIMESTAMP, header(&seconds.to_string())),
            (SIGNATURE, header(&message.signature)),
        ]);
        let sending = self.client.post(message.url.as_str()).headers(headers).body(message.body).send();
        let response = sending.await.map_err(|error| class(&error))?;
        let answer = Answer { status: response.status().as_u16(), retry_after: retry_after(&response) };
        let _ = timeout(ANSWER_REST, read_on(response)).await;
        Ok(answer)
    }
}

fn header(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).expect("ids, numbers and base64 make a header; this is a bug")
}

/// Only in seconds: a date would be by a clock that is not ours.
fn retry_after(response: &Response) -> Option<Duration> {
    let asks = matches!(response.status(), StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE);
    let seconds = response.headers().get(RETRY_AFTER)?.to_str().ok()?.parse().ok()?;
    asks.then(|| Duration::from_secs(seconds))
}

async fn read_on(mut response: Response) {
    let mut read = 0;
    while let Ok(Some(chunk)) = response.chunk().await {
        read += chunk.len();
        if read > ANSWER_BYTES {
            return;
        }
    }
}

/// What went wrong, without a word of what a receiver or a resolver said.
fn class(error: &reqwest::Error) -> DeliveryError {
    let mut cause: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(inner) = cause {
        if inner.is::<RefusedTarget>() {
            return DeliveryError::TargetRefused;
        }
        if inner.is::<NameNotFound>() {
            return DeliveryError::NameNotFound;
        }
        cause = inner.source();
    }
    if error.is_timeout() {
        DeliveryError::TimedOut
    } else if error.is_connect() {
        DeliveryError::ConnectionFailed
    } else {
        DeliveryError::AnswerUnreadable
    }
}
