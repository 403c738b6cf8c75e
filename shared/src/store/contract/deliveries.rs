//! Deliveries on their way: what every store must do.

use std::time::Duration;

use tokio::time::{sleep, timeout};

use super::webhooks::add;
use super::{LEASE, is_conflict};
use crate::domain::{
    Delivery, DeliveryAttempt, DeliveryError, DeliveryState, DisabledReason, EventType, LONGEST_ATTEMPT_LOG,
    Recipient, Subject, TenantId, Timestamp, WebhookEndpoint,
};
use crate::store::{DeliveryLease, DeliveryShare, Settlement, Stores};

pub async fn a_delivery_is_held_by_one_sender(stores: &Stores) {
    let endpoint = add(stores, TenantId::new(), &[]).await;
    test(stores, &endpoint, 20).await;
    let owners: Vec<String> = (0..8).map(|number| format!("sender {number}")).collect();
    let claims = owners.iter().map(|owner| claim_deliveries(stores, owner, 5));
    let claimed: Vec<Delivery> = futures::future::join_all(claims).await.into_iter().flatten().collect();
    let mut ids: Vec<_> = claimed.iter().map(|delivery| delivery.id).collect();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), claimed.len(), "none twice");
    while !claim_deliveries(stores, "last", 5).await.is_empty() {}
    assert_eq!(stores.deliveries.delivery_lag().await.expect("an answer"), None, "nothing is due");
}

pub async fn endpoints_take_turns(stores: &Stores) {
    let (many, few) = (add(stores, TenantId::new(), &[]).await, add(stores, TenantId::new(), &[]).await);
    test(stores, &many, 20).await;
    test(stores, &few, 2).await;
    let claimed = claim_deliveries(stores, "sender", 4).await;
    let of = |endpoint: &WebhookEndpoint| {
        claimed.iter().filter(|delivery| delivery.recipient == Recipient::Endpoint(endpoint.id)).count()
    };
    assert_eq!((of(&many), of(&few)), (2, 2));
}

pub async fn an_endpoint_has_no_more_under_way_than_it_may(stores: &Stores) {
    let endpoint = add(stores, TenantId::new(), &[]).await;
    test(stores, &endpoint, 10).await;
    let share = DeliveryShare { most: 100, most_each: 3 };
    let claim = async |owner| stores.deliveries.claim_deliveries(share, owner, LEASE).await.expect("rows");
    let first = claim("first").await;
    assert_eq!((first.len(), claim("second").await.len()), (3, 0));
    settle(stores, &first[0], "first", None, Settlement::Delivered).await;
    assert_eq!(claim("third").await.len(), 1);
}

pub async fn a_lease_that_ran_out_is_taken_over(stores: &Stores) {
    let endpoint = add(stores, TenantId::new(), &[]).await;
    test(stores, &endpoint, 1).await;
    let share = DeliveryShare { most: 10, most_each: 10 };
    let lost = stores.deliveries.claim_deliveries(share, "dead", Duration::ZERO).await.expect("rows");
    sleep(Duration::from_millis(5)).await;
    let held = claim_deliveries(stores, "alive", 10).await;
    assert_eq!((lost.len(), held.len(), lost[0].id), (1, 1, held[0].id));
    let (of_the_dead, attempt) = (lease(&lost[0], "dead"), attempt(None));
    let settled = stores.deliveries.settle_delivery(&of_the_dead, &attempt, Settlement::Delivered).await;
    assert!(is_conflict(&settled));
    stores.deliveries.drop_delivery(&lease(&lost[0], "dead")).await.expect("nothing happens");
    settle(stores, &held[0], "alive", None, Settlement::Delivered).await;
}

pub async fn a_delivery_that_failed_is_due_again_later(stores: &Stores) {
    let endpoint = add(stores, TenantId::new(), &[]).await;
    test(stores, &endpoint, 1).await;
    let [first] = &claim_deliveries(stores, "sender", 10).await[..] else { panic!("one") };
    let error = Some(DeliveryError::TimedOut);
    settle(stores, first, "sender", error, Settlement::Retry(LEASE)).await;
    assert_eq!(claim_deliveries(stores, "sender", 10).await, []);
    let row = only(stores, &endpoint).await;
    assert_eq!((row.state, row.attempts, row.finished_at), (DeliveryState::Pending, 1, None));
    assert!(row.next_attempt_at.is_some_and(|at| at > Timestamp::now()));
    assert_eq!(row.log, [attempt(error)]);
    stores.webhooks.redeliver(endpoint.tenant, endpoint.id, first.id).await.expect("due at once");
    let [again] = &claim_deliveries(stores, "sender", 10).await[..] else { panic!("one") };
    assert_eq!((again.id, again.attempts), (first.id, 0));
    settle(stores, again, "sender", error, Settlement::Retry(Duration::ZERO)).await;
    sleep(Duration::from_millis(5)).await;
    assert_eq!(claim_deliveries(stores, "sender", 10).await.len(), 1);
}

pub async fn an_end_is_final_until_it_is_sent_again(stores: &Stores) {
    let endpoint = add(stores, TenantId::new(), &[]).await;
    for (settlement, state) in
        [(Settlement::Delivered, DeliveryState::Delivered), (Settlement::GivenUp, DeliveryState::Failed)]
    {
        let id = stores.webhooks.test_endpoint(endpoint.tenant, endpoint.id).await.expect("written");
        let [held] = &claim_deliveries(stores, "sender", 10).await[..] else { panic!("one") };
        let busy = stores.webhooks.redeliver(endpoint.tenant, endpoint.id, id).await;
        assert!(is_conflict(&busy), "an attempt is under way");
        settle(stores, held, "sender", None, settlement).await;
        assert_eq!(claim_deliveries(stores, "sender", 10).await, []);
        let listed = stores.webhooks.deliveries(endpoint.tenant, endpoint.id, Some(state), None, 10).await;
        let [row] = &listed.expect("rows")[..] else { panic!("one") };
        assert!(row.id == id && row.next_attempt_at.is_none() && row.finished_at.is_some());
        let again = stores.webhooks.redeliver(endpoint.tenant, endpoint.id, id).await.expect("sent again");
        assert_eq!((again.id, again.state, again.attempts), (id, DeliveryState::Pending, 0));
        let [held] = &claim_deliveries(stores, "sender", 10).await[..] else { panic!("one") };
        settle(stores, held, "sender", None, settlement).await;
    }
    stores
        .deliveries
        .disable_endpoint(endpoint.tenant, endpoint.id, DisabledReason::Gone)
        .await
        .expect("off");
    let listed = stores.webhooks.deliveries(endpoint.tenant, endpoint.id, None, None, 1).await.expect("rows");
    assert!(is_conflict(&stores.webhooks.redeliver(endpoint.tenant, endpoint.id, listed[0].id).await));
    assert!(is_conflict(&stores.webhooks.test_endpoint(endpoint.tenant, endpoint.id).await));
}

pub async fn the_log_of_attempts_is_bounded(stores: &Stores) {
    let endpoint = add(stores, TenantId::new(), &[]).await;
    test(stores, &endpoint, 1).await;
    for number in 0..u64::from(LONGEST_ATTEMPT_LOG) + 3 {
        let [held] = &claim_deliveries(stores, "sender", 10).await[..] else { panic!("one: {number}") };
        let attempt =
            DeliveryAttempt { duration_ms: number, ..attempt(Some(DeliveryError::StatusNotSuccess)) };
        let settlement = Settlement::Retry(Duration::ZERO);
        stores
            .deliveries
            .settle_delivery(&lease(held, "sender"), &attempt, settlement)
            .await
            .expect("settled");
        sleep(Duration::from_millis(2)).await;
    }
    let numbers: Vec<u64> = only(stores, &endpoint).await.log.iter().map(|one| one.duration_ms).collect();
    assert_eq!(numbers, (3..u64::from(LONGEST_ATTEMPT_LOG) + 3).collect::<Vec<_>>());
}

pub async fn an_endpoint_is_failing_from_its_first_failure_to_its_next_success(stores: &Stores) {
    let endpoint = add(stores, TenantId::new(), &[]).await;
    test(stores, &endpoint, 5).await;
    let held = claim_deliveries(stores, "sender", 10).await;
    let failing = async || {
        stores.webhooks.endpoint(endpoint.tenant, endpoint.id).await.expect("the endpoint").failing_since
    };
    let error = Some(DeliveryError::TimedOut);
    assert_eq!(settle(stores, &held[0], "sender", error, Settlement::GivenUp).await, None);
    let since = failing().await;
    assert!(since.is_some());
    assert_eq!(settle(stores, &held[1], "sender", error, Settlement::GivenUp).await, since);
    let disabled = Some(DeliveryError::EndpointDisabled);
    settle(stores, &held[2], "sender", disabled, Settlement::GivenUp).await;
    assert_eq!(failing().await, since, "the first counts, and what was not tried does not");
    settle(stores, &held[3], "sender", None, Settlement::Delivered).await;
    assert_eq!(failing().await, None);
    assert_eq!(settle(stores, &held[4], "sender", None, Settlement::Delivered).await, None);
}

pub async fn an_endpoint_that_is_disabled_is_a_notice_to_the_others(stores: &Stores) {
    let tenant = TenantId::new();
    let failing = add(stores, tenant, &[]).await;
    let everything = add(stores, tenant, &[]).await;
    let unwanted = add(stores, tenant, &[EventType::Succeeded]).await;
    let stranger = add(stores, TenantId::new(), &[]).await;
    for first in [true, false] {
        let disabled = stores.deliveries.disable_endpoint(tenant, failing.id, DisabledReason::Failing).await;
        assert_eq!(disabled.expect("an answer"), first);
    }
    let row = stores.webhooks.endpoint(tenant, failing.id).await.expect("the endpoint");
    assert_eq!(row.disabled.map(|(reason, _)| reason), Some(DisabledReason::Failing));
    let notice = only(stores, &everything).await;
    assert_eq!((notice.event, notice.subject), (EventType::Disabled, Subject::Endpoint(failing.id)));
    for silent in [&failing, &unwanted, &stranger] {
        let none = stores.webhooks.deliveries(silent.tenant, silent.id, None, None, 10).await;
        assert_eq!(none.expect("rows"), []);
    }
}

pub async fn deliveries_are_forgotten_after_their_end(stores: &Stores) {
    let endpoint = add(stores, TenantId::new(), &[]).await;
    test(stores, &endpoint, 4).await;
    let held = claim_deliveries(stores, "sender", 3).await;
    settle(stores, &held[0], "sender", None, Settlement::Delivered).await;
    settle(stores, &held[1], "sender", None, Settlement::GivenUp).await;
    stores.deliveries.drop_delivery(&lease(&held[2], "sender")).await.expect("dropped");
    let deliveries = &stores.deliveries;
    assert_eq!(deliveries.delete_deliveries(LEASE, 10).await.expect("a count"), 0);
    sleep(Duration::from_millis(5)).await;
    assert_eq!(deliveries.delete_deliveries(Duration::ZERO, 1).await.expect("a count"), 1);
    assert_eq!(deliveries.delete_deliveries(Duration::ZERO, 10).await.expect("a count"), 1);
    assert_eq!(only(stores, &endpoint).await.state, DeliveryState::Pending);
}

pub async fn the_oldest_that_is_due_is_known(stores: &Stores) {
    assert_eq!(stores.deliveries.delivery_lag().await.expect("an answer"), None);
    let endpoint = add(stores, TenantId::new(), &[]).await;
    test(stores, &endpoint, 1).await;
    sleep(Duration::from_millis(30)).await;
    let lag = stores.deliveries.delivery_lag().await.expect("an answer").expect("one is due");
    assert!(lag >= Duration::from_millis(20) && lag < Duration::from_mins(1), "{lag:?}");
}

pub async fn the_store_says_when_deliveries_were_added(stores: &Stores) {
    let endpoint = add(stores, TenantId::new(), &[]).await;
    let added = || timeout(Duration::from_secs(10), stores.deliveries.deliveries_added());
    test(stores, &endpoint, 1).await;
    added().await.expect("an addition before the wait is heard");
    let (heard, ()) = tokio::join!(added(), test(stores, &endpoint, 1));
    heard.expect("an addition during the wait is heard");
}

pub(super) async fn claim_deliveries(stores: &Stores, owner: &str, most: u32) -> Vec<Delivery> {
    let share = DeliveryShare { most, most_each: 100 };
    stores.deliveries.claim_deliveries(share, owner, LEASE).await.expect("rows")
}

async fn test(stores: &Stores, endpoint: &WebhookEndpoint, count: usize) {
    for _ in 0..count {
        stores.webhooks.test_endpoint(endpoint.tenant, endpoint.id).await.expect("written");
    }
}

async fn only(stores: &Stores, endpoint: &WebhookEndpoint) -> Delivery {
    let rows = stores.webhooks.deliveries(endpoint.tenant, endpoint.id, None, None, 10).await.expect("rows");
    assert_eq!(rows.len(), 1, "{rows:?}");
    rows.into_iter().next().expect("one")
}

async fn settle(
    stores: &Stores,
    delivery: &Delivery,
    owner: &str,
    error: Option<DeliveryError>,
    settlement: Settlement,
) -> Option<Timestamp> {
    let (held, attempt) = (lease(delivery, owner), attempt(error));
    stores.deliveries.settle_delivery(&held, &attempt, settlement).await.expect("settled")
}

fn lease(delivery: &Delivery, owner: &str) -> DeliveryLease {
    DeliveryLease { id: delivery.id, tenant: delivery.tenant, owner: owner.to_owned() }
}

fn attempt(error: Option<DeliveryError>) -> DeliveryAttempt {
    let status = if error.is_some() { 500 } else { 200 };
    DeliveryAttempt {
        at: Timestamp::from_millis(1_700_000_000_000),
        duration_ms: 12,
        status: Some(status),
        error,
    }
}
