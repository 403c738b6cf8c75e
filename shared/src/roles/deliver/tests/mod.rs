//! Against real receivers on the loopback: the house that the tests live in, and two rooms.

mod events;
mod receivers;

use std::collections::HashMap;
use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

use super::Deliverer;
use super::resolve::{Lookup, SystemLookup};
use crate::adapters::Adapters;
use crate::config::Config;
use crate::domain::{
    Actor, Delivery, Kind, NewVerification, NewWebhookEndpoint, Priority, TenantId, WebhookEndpoint,
    WebhookId, WebhookSecret, WebhookSecrets,
};
use crate::store::contract::{new_verification, report};
use crate::store::{Claim, Outcome};

const LEASE: Duration = Duration::from_mins(1);

/// An embedded process of which only the deliverer runs.
struct House {
    config: Config,
    adapters: Adapters,
    tenant: TenantId,
    _folder: tempfile::TempDir,
}

/// Knows the names that a test gives it.
struct Names(HashMap<&'static str, Vec<IpAddr>>);

#[async_trait]
impl Lookup for Names {
    async fn lookup(&self, name: &str) -> io::Result<Vec<IpAddr>> {
        self.0.get(name).cloned().ok_or_else(|| io::Error::other("unknown"))
    }
}

impl House {
    async fn new(settings: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let data = folder.path().display().to_string();
        let fixed = [
            ("DATA__DIR", data.as_str()),
            ("WEBHOOKS__ALLOW", r#"["127.0.0.0/8"]"#),
            ("WEBHOOKS__RETRY_DELAYS", r#"["0s", "0s"]"#),
        ];
        let environment = fixed
            .iter()
            .chain(settings)
            .map(|(name, value)| (format!("COUNTERSIGN_{name}"), (*value).to_owned()));
        let config = Config::load(None, environment).expect("the settings load");
        let adapters = Adapters::open(&config).await.expect("the adapters open");
        Self { config, adapters, tenant: TenantId::new(), _folder: folder }
    }

    fn deliverer(&self) -> Deliverer {
        Deliverer::with(&self.config, &self.adapters, Arc::new(SystemLookup))
    }

    async fn endpoint(&self, url: &str) -> (WebhookEndpoint, WebhookSecret) {
        let secret = WebhookSecret::generate();
        let new = NewWebhookEndpoint {
            id: WebhookId::new(),
            tenant: self.tenant,
            url: url.parse().expect("a URL"),
            description: String::new(),
            events: Vec::new(),
            secret: secret.clone(),
        };
        (self.adapters.stores.webhooks.add_endpoint(&new, 50, Actor::System).await.expect("added"), secret)
    }

    /// A verification that ends well.
    async fn finish_one(&self) -> NewVerification {
        let new =
            NewVerification { tenant: self.tenant, ..new_verification(Kind::Spoof, Priority::Interactive) };
        self.finish(&new).await;
        new
    }

    async fn finish(&self, new: &NewVerification) {
        let verifications = &self.adapters.stores.verifications;
        verifications.accept(new).await.expect("accepted");
        let claim = verifications.claim(new.id, "worker", LEASE).await;
        let Ok(Claim::Claimed(lease, _)) = claim else { panic!("{claim:?}") };
        let outcome = Outcome::Succeeded(Box::new(report()));
        verifications.finish(&lease, &outcome).await.expect("finished");
    }

    async fn test(&self, endpoint: &WebhookEndpoint) {
        self.adapters.stores.webhooks.test_endpoint(self.tenant, endpoint.id).await.expect("written");
    }

    async fn deliveries(&self, endpoint: &WebhookEndpoint) -> Vec<Delivery> {
        let rows = self.adapters.stores.webhooks.deliveries(self.tenant, endpoint.id, None, None, 50).await;
        rows.expect("rows")
    }

    async fn only(&self, endpoint: &WebhookEndpoint) -> Delivery {
        let [delivery] = &self.deliveries(endpoint).await[..] else { panic!("one") };
        delivery.clone()
    }

    async fn reread(&self, endpoint: &WebhookEndpoint) -> WebhookEndpoint {
        self.adapters.stores.webhooks.endpoint(self.tenant, endpoint.id).await.expect("the endpoint")
    }
}

/// A receiver that answers with these, the last one again and again.
async fn receiver(answers: Vec<ResponseTemplate>) -> MockServer {
    let server = MockServer::start().await;
    let last = answers.len() - 1;
    for (index, answer) in answers.into_iter().enumerate() {
        let mock = Mock::given(any()).respond_with(answer);
        if index < last { mock.up_to_n_times(1).mount(&server).await } else { mock.mount(&server).await }
    }
    server
}

async fn answering(status: u16) -> MockServer {
    receiver(vec![ResponseTemplate::new(status)]).await
}

async fn received(server: &MockServer) -> Vec<Request> {
    server.received_requests().await.expect("they are recorded")
}

fn header<'a>(request: &'a Request, name: &str) -> &'a str {
    request.headers.get(name).unwrap_or_else(|| panic!("{name} is missing")).to_str().expect("text")
}

/// As a receiver would check it.
fn verifies(request: &Request, secret: &WebhookSecret) -> bool {
    let id = header(request, "webhook-id").parse().expect("an id");
    let seconds: i64 = header(request, "webhook-timestamp").parse().expect("seconds");
    let at = crate::domain::Timestamp::from_millis(seconds * 1000);
    let expected = WebhookSecrets { current: secret.clone(), previous: None };
    let expected = expected.signature(id, at, &request.body);
    header(request, "webhook-signature").split(' ').any(|signature| signature == expected)
}
