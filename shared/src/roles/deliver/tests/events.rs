//! What is told, how it is signed, and how often.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio_util::sync::CancellationToken;
use wiremock::ResponseTemplate;

use super::{House, LEASE, answering, header, received, receiver, verifies};
use crate::domain::{Actor, DeliveryError, DeliveryState, Kind, NewVerification, Priority, WebhookSecret};
use crate::store::contract::new_verification;

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
    let ids: HashSet<_> = requests.iter().map(|one| header(one, "webhook-id")).collect();
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
