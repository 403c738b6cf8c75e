//! Against real receivers on the loopback: signatures, retries, and what is refused.

use std::collections::HashMap;
use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use serde_json::Value;
use tokio_util::sync::CancellationToken;
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

use super::Deliverer;
use super::resolve::{Lookup, SystemLookup};
use crate::adapters::Adapters;
use crate::config::Config;
use crate::domain::{
    Actor, Delivery, DeliveryError, DeliveryState, DisabledReason, EventType, Kind, NewVerification,
    NewWebhookEndpoint, Priority, TenantId, WebhookEndpoint, WebhookId, WebhookSecret, WebhookSecrets,
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

#[tokio::test]
async fn an_end_is_told_with_a_signature_and_without_the_report() {
    let (house, server) = (House::new(&[]).await, answering(200).await);
    let (endpoint, secret) = house.endpoint(&format!("{}/hooks?token=1", server.uri())).await;
    let new = house.finish_one().await;
    assert_eq!(house.deliverer().step().await, 1);
    let [request] = &received(&server).await[..] else { panic!("one request") };
    assert_eq!((request.method.as_str(), request.url.path()), ("POST", "/hooks"));
    assert_eq!(header(request, "content-type"), "application/json");
    assert!(header(request, "user-agent").starts_with("Countersign/"));
    assert!(verifies(request, &secret) && !verifies(request, &WebhookSecret::generate()));
    let body: Value = request.body_json().expect("JSON");
    assert_eq!(body["type"], "verification.succeeded");
    assert!(body["timestamp"].as_str().is_some_and(|time| time.ends_with('Z')), "{body}");
    assert_eq!(body["data"]["id"], new.id.to_string());
    assert_eq!((&body["data"]["state"], &body["data"]["verdict"]), (&"succeeded".into(), &"rejected".into()));
    assert!(body["data"].get("report").is_none(), "{body}");
    let delivery = house.only(&endpoint).await;
    assert_eq!((delivery.state, delivery.attempts), (DeliveryState::Delivered, 1));
    assert_eq!(delivery.id.to_string(), header(request, "webhook-id"));
    assert_eq!(house.deliverer().step().await, 0, "told once");
}

#[tokio::test]
async fn a_failure_is_tried_again_under_the_same_id_and_given_up_after_the_last_wait() {
    let house = House::new(&[]).await;
    let server = receiver(vec![ResponseTemplate::new(500), ResponseTemplate::new(204)]).await;
    let down = answering(503).await;
    let (endpoint, secret) = house.endpoint(&server.uri()).await;
    let (dead, _) = house.endpoint(&down.uri()).await;
    house.finish_one().await;
    for expected in [2, 2, 1, 0] {
        assert_eq!(house.deliverer().step().await, expected);
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let requests = received(&server).await;
    assert_eq!(requests.len(), 2);
    assert_eq!(header(&requests[0], "webhook-id"), header(&requests[1], "webhook-id"));
    assert!(requests.iter().all(|request| verifies(request, &secret)));
    let delivery = house.only(&endpoint).await;
    assert_eq!(delivery.state, DeliveryState::Delivered);
    let log: Vec<_> = delivery.log.iter().map(|attempt| (attempt.status, attempt.error)).collect();
    assert_eq!(log, [(Some(500), Some(DeliveryError::StatusNotSuccess)), (Some(204), None)]);
    let given_up = house.only(&dead).await;
    assert_eq!((given_up.state, given_up.attempts), (DeliveryState::Failed, 3));
    assert!(house.reread(&dead).await.is_enabled(), "not yet for a day");
}

#[tokio::test]
async fn what_was_delivered_can_be_sent_again_under_the_same_id() {
    let (house, server) = (House::new(&[]).await, answering(200).await);
    let (endpoint, _) = house.endpoint(&server.uri()).await;
    house.finish_one().await;
    house.deliverer().step().await;
    let id = house.only(&endpoint).await.id;
    house.adapters.stores.webhooks.redeliver(house.tenant, endpoint.id, id).await.expect("sent again");
    assert_eq!(house.deliverer().step().await, 1);
    let requests = received(&server).await;
    let ids: Vec<&str> = requests.iter().map(|request| header(request, "webhook-id")).collect();
    assert_eq!(ids, [id.to_string(), id.to_string()]);
}

#[tokio::test]
async fn two_secrets_sign_while_one_is_rotated() {
    let (house, server) = (House::new(&[]).await, answering(200).await);
    let (endpoint, old) = house.endpoint(&server.uri()).await;
    let new = WebhookSecret::generate();
    let webhooks = &house.adapters.stores.webhooks;
    for (overlap, old_is_valid) in [(LEASE, true), (Duration::ZERO, false)] {
        let secret = if old_is_valid { &new } else { &WebhookSecret::generate() };
        webhooks
            .rotate_secret(house.tenant, endpoint.id, secret, overlap, Actor::System)
            .await
            .expect("rotated");
        house.test(&endpoint).await;
        house.deliverer().step().await;
        let request = received(&server).await.pop().expect("a request");
        assert!(verifies(&request, secret));
        assert_eq!(verifies(&request, &old), old_is_valid);
        assert_eq!(verifies(&request, &new), old_is_valid, "the one in force, or neither");
    }
}

#[tokio::test]
async fn a_verifications_own_url_is_signed_with_the_tenants_secret() {
    let (house, server) = (House::new(&[]).await, answering(200).await);
    let secret = WebhookSecret::generate();
    let webhooks = &house.adapters.stores.webhooks;
    webhooks.rotate_tenant_secret(house.tenant, &secret, LEASE, Actor::System).await.expect("made");
    let mut new =
        NewVerification { tenant: house.tenant, ..new_verification(Kind::Spoof, Priority::Interactive) };
    new.request.webhook_url = Some(format!("{}/own", server.uri()).parse().expect("a URL"));
    house.finish(&new).await;
    assert_eq!(house.deliverer().step().await, 1);
    let [request] = &received(&server).await[..] else { panic!("one request") };
    assert!(verifies(request, &secret) && request.url.path() == "/own");
}

#[tokio::test]
async fn a_410_disables_the_endpoint_and_the_others_are_told() {
    let house = House::new(&[]).await;
    let (gone, server) = (answering(410).await, answering(200).await);
    let (endpoint, _) = house.endpoint(&gone.uri()).await;
    let (other, _) = house.endpoint(&server.uri()).await;
    house.test(&endpoint).await;
    house.test(&endpoint).await;
    let mut small = house.config.clone();
    small.webhooks.at_once = 1;
    let deliverer = Deliverer::with(&small, &house.adapters, Arc::new(SystemLookup));
    deliverer.step().await;
    assert_eq!(house.reread(&endpoint).await.disabled.map(|(reason, _)| reason), Some(DisabledReason::Gone));
    while deliverer.step().await > 0 {}
    assert_eq!(received(&gone).await.len(), 1, "what was still to be sent is given up");
    let errors: Vec<_> = house
        .deliveries(&endpoint)
        .await
        .iter()
        .map(|delivery| (delivery.state, delivery.log[0].error))
        .collect();
    assert!(errors.contains(&(DeliveryState::Failed, Some(DeliveryError::EndpointDisabled))), "{errors:?}");
    assert_eq!(house.only(&other).await.event, EventType::Disabled);
    let body: Value = received(&server).await[0].body_json().expect("JSON");
    assert_eq!(body["data"]["endpoint"], endpoint.id.to_string());
    assert_eq!(body["data"]["disabled_reason"], "gone");
    assert!(!body.to_string().contains("127.0.0.1"), "its URL is not told: {body}");
}

#[tokio::test]
async fn an_endpoint_that_fails_for_too_long_is_disabled() {
    let house = House::new(&[("WEBHOOKS__DISABLE_AFTER", "0s")]).await;
    let server = answering(500).await;
    let (endpoint, _) = house.endpoint(&server.uri()).await;
    house.test(&endpoint).await;
    house.deliverer().step().await;
    assert!(house.reread(&endpoint).await.is_enabled(), "the first failure is the beginning");
    tokio::time::sleep(Duration::from_millis(5)).await;
    house.deliverer().step().await;
    let disabled = house.reread(&endpoint).await.disabled;
    assert_eq!(disabled.map(|(reason, _)| reason), Some(DisabledReason::Failing));
}

#[tokio::test]
async fn a_redirect_is_a_failure_and_is_not_followed() {
    let (house, goal) = (House::new(&[]).await, answering(200).await);
    for status in [301, 302, 307, 308] {
        let server =
            receiver(vec![ResponseTemplate::new(status).insert_header("location", goal.uri())]).await;
        let (endpoint, _) = house.endpoint(&server.uri()).await;
        house.test(&endpoint).await;
        house.deliverer().step().await;
        let attempt = house.only(&endpoint).await.log[0].clone();
        assert_eq!((attempt.status, attempt.error), (Some(status), Some(DeliveryError::Redirected)));
        house
            .adapters
            .stores
            .webhooks
            .delete_endpoint(house.tenant, endpoint.id, Actor::System)
            .await
            .expect("deleted");
    }
    assert_eq!(received(&goal).await.len(), 0);
}

#[tokio::test]
async fn a_receiver_that_asks_for_a_wait_is_given_it() {
    let house = House::new(&[]).await;
    for (asked, at_least) in [("60", 55), ("999999999", 8 * 3600 - 5), ("soon", 0)] {
        let answer = ResponseTemplate::new(429).insert_header("retry-after", asked);
        let server = receiver(vec![answer]).await;
        let (endpoint, _) = house.endpoint(&server.uri()).await;
        house.test(&endpoint).await;
        let before = crate::domain::Timestamp::now();
        house.deliverer().step().await;
        let next = house.only(&endpoint).await.next_attempt_at.expect("pending");
        let bounds = [at_least, at_least + 30].map(|seconds| before.after(Duration::from_secs(seconds)));
        assert!(next >= bounds[0] && next <= bounds[1], "{asked}: {next}");
        house
            .adapters
            .stores
            .webhooks
            .delete_endpoint(house.tenant, endpoint.id, Actor::System)
            .await
            .expect("deleted");
    }
}

#[tokio::test]
async fn a_giant_answer_is_not_read_to_its_end() {
    let house = House::new(&[]).await;
    let giant = ResponseTemplate::new(200).set_body_bytes(vec![b'x'; 200 * 1024 * 1024]);
    let server = receiver(vec![giant]).await;
    let (endpoint, _) = house.endpoint(&server.uri()).await;
    house.test(&endpoint).await;
    let began = Instant::now();
    house.deliverer().step().await;
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
    assert_eq!(house.only(&endpoint).await.state, DeliveryState::Delivered);
}

#[tokio::test]
async fn a_slow_receiver_times_out_and_holds_up_nobody() {
    let house = House::new(&[("WEBHOOKS__ANSWER_TIME", "3s"), ("WEBHOOKS__AT_ONCE_EACH", "2")]).await;
    let slow = receiver(vec![ResponseTemplate::new(200).set_delay(Duration::from_mins(1))]).await;
    let quick = answering(200).await;
    let (dead, _) = house.endpoint(&slow.uri()).await;
    let (alive, _) = house.endpoint(&quick.uri()).await;
    for _ in 0..20 {
        house.test(&dead).await;
    }
    let stop = CancellationToken::new();
    let running = tokio::spawn(house.deliverer().run(stop.clone()));
    let began = Instant::now();
    for _ in 0..5 {
        house.test(&alive).await;
    }
    while received(&quick).await.len() < 5 {
        assert!(began.elapsed() < Duration::from_secs(3), "the quick one waits for the slow one");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    while house.deliveries(&dead).await.iter().all(|delivery| delivery.log.is_empty()) {
        assert!(began.elapsed() < Duration::from_secs(20), "the slow one is never given up");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let failed = house.deliveries(&dead).await;
    let error = failed.iter().find_map(|delivery| delivery.log.first()).and_then(|attempt| attempt.error);
    assert_eq!(error, Some(DeliveryError::TimedOut));
    stop.cancel();
    running.await.expect("it ends");
}

#[tokio::test]
async fn an_address_or_a_name_of_our_own_network_is_never_connected_to() {
    let (house, server) = (House::new(&[]).await, answering(200).await);
    let port = server.address().port();
    let mut strict = house.config.clone();
    strict.webhooks.allow = vec!["plain.test".parse().expect("a host")];
    let address = |text: &str| text.parse().expect("an address");
    let names = Names(HashMap::from([
        ("rebind.test", vec![address("93.184.216.34"), address("127.0.0.1")]),
        ("private.test", vec![address("10.0.0.1")]),
        ("mapped.test", vec![address("::ffff:127.0.0.1")]),
        ("plain.test", vec![address("127.0.0.1")]),
    ]));
    let deliverer = Deliverer::with(&strict, &house.adapters, Arc::new(names));
    for (url, expected) in [
        (format!("https://rebind.test:{port}/"), Some(DeliveryError::TargetRefused)),
        (format!("https://private.test:{port}/"), Some(DeliveryError::TargetRefused)),
        (format!("https://mapped.test:{port}/"), Some(DeliveryError::TargetRefused)),
        (format!("https://127.0.0.1:{port}/"), Some(DeliveryError::TargetRefused)),
        (format!("http://2130706433:{port}/"), Some(DeliveryError::TargetRefused)),
        ("https://169.254.169.254/latest".to_owned(), Some(DeliveryError::TargetRefused)),
        (format!("http://other.test:{port}/"), Some(DeliveryError::TargetRefused)),
        (format!("https://nobody.test:{port}/"), Some(DeliveryError::NameNotFound)),
        (format!("http://plain.test:{port}/"), None),
    ] {
        let (endpoint, _) = house.endpoint(&url).await;
        house.test(&endpoint).await;
        deliverer.step().await;
        let attempt = house.only(&endpoint).await.log[0].clone();
        assert_eq!(attempt.error, expected, "{url}");
        house
            .adapters
            .stores
            .webhooks
            .delete_endpoint(house.tenant, endpoint.id, Actor::System)
            .await
            .expect("deleted");
    }
    assert_eq!(received(&server).await.len(), 1, "the allowed one alone");
}

#[tokio::test]
async fn deliverers_that_work_at_once_tell_each_event_once() {
    let (house, server) = (House::new(&[]).await, answering(200).await);
    house.endpoint(&server.uri()).await;
    for _ in 0..40 {
        house.finish_one().await;
    }
    let stop = CancellationToken::new();
    let running: Vec<_> = (0..2).map(|_| tokio::spawn(house.deliverer().run(stop.clone()))).collect();
    let began = Instant::now();
    while received(&server).await.len() < 40 {
        assert!(began.elapsed() < Duration::from_secs(30), "{} came", received(&server).await.len());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    tokio::time::sleep(Duration::from_millis(200)).await;
    stop.cancel();
    for deliverer in running {
        deliverer.await.expect("it ends");
    }
    let requests = received(&server).await;
    let ids: std::collections::HashSet<_> = requests.iter().map(|one| header(one, "webhook-id")).collect();
    assert_eq!((requests.len(), ids.len()), (40, 40));
}

#[tokio::test]
async fn what_is_told_goes_with_what_it_is_about() {
    let (house, server) = (House::new(&[]).await, answering(200).await);
    let (endpoint, _) = house.endpoint(&server.uri()).await;
    house.test(&endpoint).await;
    house
        .adapters
        .stores
        .webhooks
        .delete_endpoint(house.tenant, endpoint.id, Actor::System)
        .await
        .expect("deleted");
    assert_eq!((house.deliverer().step().await, house.deliverer().step().await), (1, 0));
    assert_eq!(house.deliveries(&endpoint).await, []);
    assert_eq!(received(&server).await.len(), 0);
}
