//! Endpoints, their secrets, and what a tenant sees of its deliveries: what every store must do.

use std::time::Duration;

use super::audit::audited;
use super::{LEASE, accept, claim, claim_deliveries, finish, is_conflict, is_not_found, report};
use crate::domain::{
    Actor, DeliveryState, DisabledReason, EventType, KeyId, Kind, NewVerification, NewWebhookEndpoint,
    Priority, Recipient, Subject, TenantId, Timestamp, VerificationId, WebhookEndpoint,
    WebhookEndpointChange, WebhookId, WebhookSecret, WebhookUrl,
};
use crate::store::{Outcome, Stores};

pub async fn an_endpoint_reads_back(stores: &Stores) {
    let tenant = TenantId::new();
    let new = new_endpoint(tenant, &[EventType::Failed]);
    let added = stores.webhooks.add_endpoint(&new, 5, Actor::System).await.expect("added");
    assert_eq!((added.id, added.tenant, &added.url), (new.id, tenant, &new.url));
    assert_eq!((added.description.as_str(), &added.events[..]), ("orders", &[EventType::Failed][..]));
    assert_eq!((added.disabled, added.failing_since, added.previous_secret_until), (None, None, None));
    assert_eq!(stores.webhooks.endpoint(tenant, new.id).await.expect("the endpoint"), added);
    let second = add(stores, tenant, &[]).await;
    assert_eq!(stores.webhooks.endpoints(tenant).await.expect("endpoints"), [added, second]);
}

pub async fn a_tenant_has_no_more_endpoints_than_it_may(stores: &Stores) {
    let tenant = TenantId::new();
    let adds = (0..8)
        .map(|_| async { stores.webhooks.add_endpoint(&new_endpoint(tenant, &[]), 3, Actor::System).await });
    let added = futures::future::join_all(adds).await;
    assert_eq!(added.iter().filter(|added| added.is_ok()).count(), 3, "{added:?}");
    assert_eq!(added.iter().filter(|added| is_conflict(added)).count(), 5, "{added:?}");
    stores
        .webhooks
        .add_endpoint(&new_endpoint(TenantId::new(), &[]), 3, Actor::System)
        .await
        .expect("another's are its own");
}

pub async fn an_endpoint_is_changed_as_far_as_is_said(stores: &Stores) {
    let endpoint = add(stores, TenantId::new(), &[]).await;
    let change = async |change: WebhookEndpointChange| {
        stores
            .webhooks
            .change_endpoint(endpoint.tenant, endpoint.id, &change, Actor::System)
            .await
            .expect("changed")
    };
    assert_eq!(change(WebhookEndpointChange::default()).await, endpoint);
    let events = Some(vec![EventType::Canceled]);
    let changed = change(WebhookEndpointChange { events, ..WebhookEndpointChange::default() }).await;
    assert_eq!(changed, WebhookEndpoint { events: vec![EventType::Canceled], ..endpoint.clone() });
    for _ in 0..2 {
        let off = WebhookEndpointChange { enabled: Some(false), ..WebhookEndpointChange::default() };
        assert_eq!(change(off).await.disabled.expect("disabled").0, DisabledReason::Requested);
    }
    let on = WebhookEndpointChange { enabled: Some(true), ..WebhookEndpointChange::default() };
    assert_eq!(change(on).await.disabled, None);
}

pub async fn a_secret_is_rotated_and_the_old_one_stays_for_a_while(stores: &Stores) {
    let new = new_endpoint(TenantId::new(), &[]);
    stores.webhooks.add_endpoint(&new, 5, Actor::System).await.expect("added");
    let secrets = async || stores.deliveries.endpoint_secrets(new.tenant, new.id).await.expect("secrets");
    assert_eq!((secrets().await.current, secrets().await.previous), (new.secret.clone(), None));
    let (fresh, before) = (WebhookSecret::generate(), Timestamp::now());
    let rotated = stores
        .webhooks
        .rotate_secret(new.tenant, new.id, &fresh, LEASE, Actor::System)
        .await
        .expect("rotated");
    let until = rotated.previous_secret_until.expect("the old one is valid");
    assert!(until.after(Duration::from_secs(5)) >= before.after(LEASE), "{until}");
    assert_eq!(secrets().await.current, fresh);
    assert_eq!(secrets().await.previous, Some((new.secret.clone(), until)));
    let rotated = stores
        .webhooks
        .rotate_secret(new.tenant, new.id, &new.secret, Duration::ZERO, Actor::System)
        .await
        .expect("rotated");
    assert_eq!(rotated.previous_secret_until, None, "the old one ends at once");
}

pub async fn a_tenants_secret_is_made_once_and_rotated(stores: &Stores) {
    let tenant = TenantId::new();
    let (first, second) = (WebhookSecret::generate(), WebhookSecret::generate());
    for fresh in [&first, &second] {
        let secrets = stores.deliveries.tenant_secrets(tenant, fresh).await.expect("secrets");
        assert_eq!((secrets.current, secrets.previous), (first.clone(), None));
    }
    let until =
        stores.webhooks.rotate_tenant_secret(tenant, &second, LEASE, Actor::System).await.expect("rotated");
    let secrets = stores.deliveries.tenant_secrets(tenant, &first).await.expect("secrets");
    assert_eq!(secrets.current, second);
    assert_eq!(secrets.previous, until.map(|until| (first.clone(), until)));
    assert!(until.is_some());
    let other = stores.webhooks.rotate_tenant_secret(TenantId::new(), &second, LEASE, Actor::System).await;
    assert_eq!(other.expect("made"), None, "there was none before");
}

pub async fn who_changes_an_endpoint_is_audited(stores: &Stores) {
    let webhooks = &stores.webhooks;
    let WebhookEndpoint { tenant, id, .. } = add(stores, TenantId::new(), &[]).await;
    let (actor, other) = (Actor::Key(KeyId::new()), TenantId::new());
    let secret = WebhookSecret::generate();
    let change = WebhookEndpointChange { enabled: Some(true), ..WebhookEndpointChange::default() };
    assert!(
        webhooks.change_endpoint(other, id, &change, actor).await.is_err(),
        "changes nothing, so says nothing"
    );
    assert!(webhooks.delete_endpoint(other, id, actor).await.is_err());
    webhooks.change_endpoint(tenant, id, &WebhookEndpointChange::default(), actor).await.expect("as it was");
    webhooks.change_endpoint(tenant, id, &change, actor).await.expect("changed");
    webhooks.rotate_secret(tenant, id, &secret, LEASE, actor).await.expect("rotated");
    assert!(stores.deliveries.disable_endpoint(tenant, id, DisabledReason::Gone).await.expect("disabled"));
    webhooks.delete_endpoint(tenant, id, actor).await.expect("deleted");
    let expected = ["deleted", "disabled", "secret_rotated", "changed", "created"];
    assert_eq!(audited(stores, id).await, expected.map(|action| format!("webhook.{action}")));
    webhooks.rotate_tenant_secret(tenant, &secret, LEASE, actor).await.expect("made");
    assert_eq!(audited(stores, tenant).await, ["webhook.secret_rotated"]);
}

pub async fn another_tenants_endpoint_does_not_exist(stores: &Stores) {
    let endpoint = add(stores, TenantId::new(), &[]).await;
    let delivery = stores.webhooks.test_endpoint(endpoint.tenant, endpoint.id).await.expect("written");
    let (other, id, secret) = (TenantId::new(), endpoint.id, WebhookSecret::generate());
    let webhooks = &stores.webhooks;
    assert!(is_not_found(&webhooks.endpoint(other, id).await));
    assert_eq!(webhooks.endpoints(other).await.expect("none"), []);
    assert!(is_not_found(
        &webhooks.change_endpoint(other, id, &WebhookEndpointChange::default(), Actor::System).await
    ));
    assert!(is_not_found(&webhooks.delete_endpoint(other, id, Actor::System).await));
    assert!(is_not_found(&webhooks.rotate_secret(other, id, &secret, LEASE, Actor::System).await));
    assert!(is_not_found(&webhooks.test_endpoint(other, id).await));
    assert_eq!(webhooks.deliveries(other, id, None, None, 10).await.expect("none"), []);
    assert!(is_not_found(&webhooks.redeliver(other, id, delivery).await));
    assert!(is_not_found(&stores.deliveries.endpoint_secrets(other, id).await));
    assert!(!stores.deliveries.disable_endpoint(other, id, DisabledReason::Gone).await.expect("an answer"));
    assert_eq!(webhooks.endpoint(endpoint.tenant, id).await.expect("as it was"), endpoint);
    webhooks.delete_endpoint(endpoint.tenant, id, Actor::System).await.expect("deleted");
    assert!(is_not_found(&webhooks.delete_endpoint(endpoint.tenant, id, Actor::System).await));
}

pub async fn an_end_is_told_to_those_who_want_to_hear_of_it(stores: &Stores) {
    let new = accept(stores).await;
    let everything = add(stores, new.tenant, &[]).await;
    let wanted = add(stores, new.tenant, &[EventType::Succeeded, EventType::Failed]).await;
    let unwanted = add(stores, new.tenant, &[EventType::Canceled]).await;
    let disabled = add(stores, new.tenant, &[]).await;
    let off = WebhookEndpointChange { enabled: Some(false), ..WebhookEndpointChange::default() };
    stores.webhooks.change_endpoint(new.tenant, disabled.id, &off, Actor::System).await.expect("disabled");
    let stranger = add(stores, TenantId::new(), &[]).await;
    let lease = claim(stores, new.id, "worker", LEASE).await;
    for endpoint in [&everything, &wanted] {
        assert_eq!(sent_to(stores, endpoint).await, [], "not before the end");
    }
    finish(stores, &lease, Outcome::Succeeded(Box::new(report()))).await;
    for endpoint in [&everything, &wanted] {
        let deliveries = stores.webhooks.deliveries(new.tenant, endpoint.id, None, None, 10).await;
        let [delivery] = &deliveries.expect("deliveries")[..] else { panic!("one delivery") };
        assert_eq!(delivery.recipient, Recipient::Endpoint(endpoint.id));
        assert_eq!((delivery.event, delivery.subject), (EventType::Succeeded, Subject::Verification(new.id)));
        assert_eq!((delivery.state, delivery.attempts), (DeliveryState::Pending, 0));
        assert_eq!((delivery.finished_at, &delivery.log[..]), (None, &[][..]));
        assert_eq!(delivery.id.as_uuid().get_version_num(), 7);
        let made = delivery.id.to_string().parse().map(|id: crate::domain::DeliveryId| id);
        assert_eq!(made, Ok(delivery.id));
    }
    for endpoint in [&unwanted, &disabled, &stranger] {
        assert_eq!(sent_to(stores, endpoint).await, []);
    }
}

pub async fn every_way_to_an_end_is_told(stores: &Stores) {
    let tenant = TenantId::new();
    let endpoint = add(stores, tenant, &[]).await;
    let accept = async || {
        let new = super::new_verification(Kind::Photo, Priority::Batch);
        let new = NewVerification { tenant, ..new };
        stores.verifications.accept(&new).await.expect("accepted");
        new
    };
    let failed = accept().await;
    let lease = claim(stores, failed.id, "worker", LEASE).await;
    finish(stores, &lease, Outcome::GivenBack).await;
    let lease = claim(stores, failed.id, "worker", LEASE).await;
    let failure = crate::domain::Failure::new(crate::domain::ProblemCode::MediaUnreadable, "it ends early");
    finish(stores, &lease, Outcome::Failed(failure)).await;
    let canceled = accept().await;
    stores.verifications.cancel(tenant, canceled.id).await.expect("canceled");
    assert!(is_conflict(&stores.verifications.cancel(tenant, canceled.id).await));
    let exhausted = accept().await;
    for _ in 0..super::ATTEMPTS {
        claim(stores, exhausted.id, "dead", Duration::ZERO).await;
    }
    tokio::time::sleep(Duration::from_millis(2)).await;
    super::reoffer_leases(stores).await;
    let recovered = accept().await;
    for _ in 0..super::ATTEMPTS {
        claim(stores, recovered.id, "dead", Duration::ZERO).await;
    }
    stores.upkeep.recover(super::ATTEMPTS).await.expect("recovered");
    let mut told = sent_to(stores, &endpoint).await;
    told.sort_by_key(|(_, subject)| format!("{subject:?}"));
    let expected = [
        (EventType::Failed, failed.id),
        (EventType::Canceled, canceled.id),
        (EventType::Failed, exhausted.id),
        (EventType::Failed, recovered.id),
    ];
    let mut expected = expected.map(|(event, id)| (event, Subject::Verification(id)));
    expected.sort_by_key(|(_, subject)| format!("{subject:?}"));
    assert_eq!(told, expected, "each once");
}

pub async fn a_verifications_own_url_is_told_too(stores: &Stores) {
    let (new, url) = accept_with_url(stores).await;
    let lease = claim(stores, new.id, "worker", LEASE).await;
    finish(stores, &lease, Outcome::Succeeded(Box::new(report()))).await;
    let claimed = claim_deliveries(stores, "sender", 10).await;
    let [delivery] = &claimed[..] else { panic!("one delivery: {claimed:?}") };
    assert_eq!((&delivery.recipient, delivery.tenant), (&Recipient::Url(url), new.tenant));
    assert_eq!(delivery.subject, Subject::Verification(new.id));
}

pub async fn deliveries_go_with_their_verification(stores: &Stores) {
    let new = accept(stores).await;
    let endpoint = add(stores, new.tenant, &[]).await;
    let lease = claim(stores, new.id, "worker", LEASE).await;
    finish(stores, &lease, Outcome::Succeeded(Box::new(report()))).await;
    stores.upkeep.media_deleted(&[new.id]).await.expect("noted");
    assert_eq!(stores.upkeep.delete_finished(super::later(), 10).await.expect("a count"), 1);
    assert_eq!(sent_to(stores, &endpoint).await, []);
    assert_eq!(claim_deliveries(stores, "sender", 10).await, []);
}

pub async fn deliveries_are_listed_newest_first_and_by_state(stores: &Stores) {
    let endpoint = add(stores, TenantId::new(), &[]).await;
    let mut newest_first = Vec::new();
    for _ in 0..5 {
        let test = stores.webhooks.test_endpoint(endpoint.tenant, endpoint.id).await.expect("written");
        newest_first.insert(0, test);
        tokio::time::sleep(Duration::from_millis(3)).await;
    }
    let mut listed = Vec::new();
    loop {
        let before = listed.last().copied();
        let page = stores.webhooks.deliveries(endpoint.tenant, endpoint.id, None, before, 2).await;
        let page = page.expect("a page");
        listed.extend(page.iter().map(|delivery| delivery.id));
        if page.len() < 2 {
            break;
        }
    }
    assert_eq!(listed, newest_first);
    for (state, count) in [(DeliveryState::Pending, 5), (DeliveryState::Delivered, 0)] {
        let page = stores.webhooks.deliveries(endpoint.tenant, endpoint.id, Some(state), None, 10).await;
        assert_eq!(page.expect("a page").len(), count);
    }
}

pub async fn deliveries_about_a_verification_are_listed_whoever_they_go_to(stores: &Stores) {
    let (new, url) = accept_with_url(stores).await;
    let endpoint = add(stores, new.tenant, &[]).await;
    stores.webhooks.test_endpoint(endpoint.tenant, endpoint.id).await.expect("written");
    let about = async |tenant, id| stores.webhooks.deliveries_about(tenant, id).await;
    assert_eq!(about(new.tenant, new.id).await.expect("none yet"), []);
    let lease = claim(stores, new.id, "worker", LEASE).await;
    finish(stores, &lease, Outcome::Succeeded(Box::new(report()))).await;
    let listed = about(new.tenant, new.id).await.expect("two");
    let mut recipients: Vec<&Recipient> = listed.iter().map(|delivery| &delivery.recipient).collect();
    recipients.sort_by_key(|recipient| matches!(recipient, Recipient::Url(_)));
    assert_eq!(recipients, [&Recipient::Endpoint(endpoint.id), &Recipient::Url(url)]);
    assert!(listed[0].id > listed[1].id, "newest first");
    for (tenant, id) in [(TenantId::new(), new.id), (new.tenant, VerificationId::new())] {
        assert!(is_not_found(&about(tenant, id).await));
    }
}

async fn accept_with_url(stores: &Stores) -> (NewVerification, WebhookUrl) {
    let mut new = super::new_verification(Kind::Photo, Priority::Batch);
    let url: WebhookUrl = "https://example.com/own?token=1".parse().expect("a URL");
    new.request.webhook_url = Some(url.clone());
    stores.verifications.accept(&new).await.expect("accepted");
    (new, url)
}

pub(super) async fn add(stores: &Stores, tenant: TenantId, events: &[EventType]) -> WebhookEndpoint {
    stores.webhooks.add_endpoint(&new_endpoint(tenant, events), 100, Actor::System).await.expect("added")
}

fn new_endpoint(tenant: TenantId, events: &[EventType]) -> NewWebhookEndpoint {
    NewWebhookEndpoint {
        id: WebhookId::new(),
        tenant,
        url: "https://example.com/hooks?token=1".parse().expect("a URL"),
        description: "orders".to_owned(),
        events: events.to_vec(),
        secret: WebhookSecret::generate(),
    }
}

async fn sent_to(stores: &Stores, endpoint: &WebhookEndpoint) -> Vec<(EventType, Subject)> {
    let deliveries = stores.webhooks.deliveries(endpoint.tenant, endpoint.id, None, None, 100).await;
    deliveries.expect("deliveries").iter().map(|delivery| (delivery.event, delivery.subject)).collect()
}
