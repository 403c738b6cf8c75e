//! Receivers that refuse, lead elsewhere, are slow or must not be connected to.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio_util::sync::CancellationToken;
use wiremock::ResponseTemplate;

use super::{House, Names, answering, received, receiver};
use crate::domain::{Actor, DeliveryError, DeliveryState, DisabledReason, EventType, Timestamp};
use crate::roles::deliver::Deliverer;
use crate::roles::deliver::resolve::SystemLookup;

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
        let before = Timestamp::now();
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
