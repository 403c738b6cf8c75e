//! Who is told of every end: a real server, which checks what comes, remembers it, and now and then refuses.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use countersign_shared::domain::{DeliveryId, Timestamp, WebhookSecret, WebhookSecrets};
use serde_json::{Value, json};
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, Request, Respond, ResponseTemplate};

use crate::client::http;
use crate::cluster::installation::Installation;

/// Waits enough for one event to be refused, and cut off, again and again.
pub(super) const RETRY_DELAYS: &str =
    r#"["200ms", "500ms", "1s", "1s", "1s", "1s", "1s", "1s", "1s", "1s", "1s", "1s"]"#;

/// How often it answers 500, and how often only after a while, in which its sender may be killed.
const REFUSES: f64 = 0.2;
const HESITATES: f64 = 0.2;
const LONGEST_HESITATION: Duration = Duration::from_millis(800);

pub(super) struct Receiver {
    heard: Arc<Mutex<Heard>>,
    _server: MockServer,
}

#[derive(Default)]
pub(super) struct Heard {
    /// What it has answered 200 to.
    pub(super) taken: HashMap<DeliveryId, Taken>,
    pub(super) refused: u64,
    /// Requests that nobody has signed who knows the secret, or that tell nothing.
    pub(super) strange: Vec<String>,
}

pub(super) struct Taken {
    /// Such as `verification.succeeded`.
    pub(super) event: String,
    pub(super) verification: String,
    pub(super) times: u64,
}

struct Answering {
    secret: WebhookSecret,
    heard: Arc<Mutex<Heard>>,
}

impl Receiver {
    /// Starts it and adds it as an endpoint of the installation's tenant.
    pub(super) async fn register(installation: &Installation) -> Self {
        let server = MockServer::builder().disable_request_recording().start().await;
        let added = http(Duration::from_secs(10))
            .post(format!("{}/v2/webhooks", installation.front_ends[0].url()))
            .bearer_auth(&installation.key)
            .json(&json!({"url": server.uri()}))
            .send()
            .await
            .expect("an answer");
        assert_eq!(added.status(), 201, "{:?}", added.text().await);
        let endpoint: Value = added.json().await.expect("JSON");
        let secret = endpoint["secret"].as_str().and_then(|text| text.parse().ok()).expect("a secret");
        let heard = Arc::new(Mutex::new(Heard::default()));
        let answering = Answering { secret, heard: Arc::clone(&heard) };
        Mock::given(any()).respond_with(answering).mount(&server).await;
        Self { heard, _server: server }
    }

    pub(super) fn heard(&self) -> MutexGuard<'_, Heard> {
        self.heard.lock().expect("no panic")
    }
}

impl Respond for Answering {
    fn respond(&self, request: &Request) -> ResponseTemplate {
        let mut heard = self.heard.lock().expect("no panic");
        let Some((id, body)) = read(request, &self.secret) else {
            heard.strange.push(format!("{request:?}"));
            return ResponseTemplate::new(400);
        };
        if rand::random_bool(REFUSES) {
            heard.refused += 1;
            return ResponseTemplate::new(500);
        }
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let taken = heard.taken.entry(id).or_insert_with(|| Taken {
            event: text(&body["type"]),
            verification: text(&body["data"]["id"]),
            times: 0,
        });
        taken.times += 1;
        let hesitation = if rand::random_bool(HESITATES) { rand::random() } else { 0.0 };
        ResponseTemplate::new(200).set_delay(LONGEST_HESITATION.mul_f64(hesitation))
    }
}

/// The event and its id, when it is signed with the secret.
fn read(request: &Request, secret: &WebhookSecret) -> Option<(DeliveryId, Value)> {
    let header = |name| request.headers.get(name)?.to_str().ok();
    let id = header("webhook-id")?.parse().ok()?;
    let at = Timestamp::from_millis(header("webhook-timestamp")?.parse::<i64>().ok()? * 1000);
    let secrets = WebhookSecrets { current: secret.clone(), previous: None };
    let signature = secrets.signature(id, at, &request.body);
    if !header("webhook-signature")?.split(' ').any(|each| each == signature) {
        return None;
    }
    Some((id, request.body_json().ok()?))
}
