//! The outbox: what every store must do.

use std::time::Duration;

use tokio::time::{sleep, timeout};

use super::{accept, accept_in, new_verification, outbox, reoffer_queued};
use crate::domain::{Kind, Lane, NewVerification, Priority, TenantId, VerificationId};
use crate::store::{OutboxBatch, Stores};

pub async fn the_outbox_is_read_by_lane_in_order(stores: &Stores) {
    let tenant = TenantId::new();
    let photos = accept_many(stores, tenant, 3).await;
    accept_in(stores, Kind::Video, Priority::Batch).await;
    let batch = stores.outbox.take(Lane::PhotoInteractive, 2).await.expect("rows");
    assert_eq!(ids(&*batch), photos[..2]);
    assert!(batch.rows().iter().all(|row| row.lane == Lane::PhotoInteractive));
    drop(batch);
    let waiting = stores.outbox.waiting().await.expect("lanes");
    assert_eq!(waiting, [Lane::PhotoInteractive, Lane::VideoBatch]);
}

pub async fn tenants_take_turns_in_the_outbox(stores: &Stores) {
    let (many, few) = (TenantId::new(), TenantId::new());
    let many = accept_many(stores, many, 20).await;
    let few = accept_many(stores, few, 2).await;
    let batch = stores.outbox.take(Lane::PhotoInteractive, 6).await.expect("rows");
    assert_eq!(ids(&*batch), [many[0], few[0], many[1], few[1], many[2]], "three each, as far as there are");
    assert!(batch.more());
    drop(batch);
    for _ in 0..3 {
        accept_many(stores, TenantId::new(), 1).await;
    }
    let batch = stores.outbox.take(Lane::VideoBatch, 2).await.expect("rows");
    assert_eq!(ids(&*batch), [], "another lane");
    assert!(!batch.more());
    drop(batch);
    let batch = stores.outbox.take(Lane::PhotoInteractive, 2).await.expect("rows");
    assert_eq!(ids(&*batch), [many[0], few[0]], "of more tenants than that, those who have waited longest");
    assert!(batch.more());
    drop(batch);
    let batch = stores.outbox.take(Lane::PhotoInteractive, 200).await.expect("rows");
    assert_eq!(batch.rows().len(), 25);
    assert!(!batch.more(), "no tenant has more than its share");
}

pub async fn a_batch_that_is_dropped_is_free_again(stores: &Stores) {
    let photos = accept_many(stores, TenantId::new(), 2).await;
    drop(stores.outbox.take(Lane::PhotoInteractive, 2).await.expect("rows"));
    // A store on the network may need a moment to hear of it.
    for _ in 0..100 {
        let batch = stores.outbox.take(Lane::PhotoInteractive, 2).await.expect("rows");
        if ids(&*batch) == photos {
            return;
        }
        drop(batch);
        sleep(Duration::from_millis(20)).await;
    }
    panic!("the rows of a dropped batch were never free again");
}

pub async fn a_sent_row_leaves_the_outbox(stores: &Stores) {
    let photos = accept_many(stores, TenantId::new(), 2).await;
    let batch = stores.outbox.take(Lane::PhotoInteractive, 10).await.expect("rows");
    let first = batch.rows()[0].sequence;
    batch.sent(&[first]).await.expect("removed");
    let again = stores.outbox.take(Lane::PhotoInteractive, 10).await.expect("rows");
    assert_eq!(ids(&*again), photos[1..]);
    again.sent(&[first]).await.expect("removing what is gone is fine");
    let last = stores.outbox.take(Lane::PhotoInteractive, 10).await.expect("rows");
    last.sent(&[]).await.expect("nothing is fine");
    let left: Vec<_> = outbox(stores).await.into_iter().map(|message| message.verification_id).collect();
    assert_eq!(left, photos[1..]);
}

pub async fn the_outbox_says_when_rows_were_added(stores: &Stores) {
    let added = || timeout(Duration::from_secs(10), stores.outbox.added(Lane::PhotoInteractive));
    accept(stores).await;
    added().await.expect("an addition before the wait is heard");
    let (heard, _) = tokio::join!(added(), accept(stores));
    heard.expect("an addition during the wait is heard");
    reoffer_queued(stores).await;
    added().await.expect("a row that is offered again is heard");
}

/// Accepts that many of one tenant; their identifiers, in order.
async fn accept_many(stores: &Stores, tenant: TenantId, count: usize) -> Vec<VerificationId> {
    let mut accepted = Vec::new();
    for _ in 0..count {
        let new = NewVerification { tenant, ..new_verification(Kind::Photo, Priority::Interactive) };
        stores.verifications.accept(&new).await.expect("accepted");
        accepted.push(new.id);
    }
    accepted
}

fn ids(batch: &dyn OutboxBatch) -> Vec<VerificationId> {
    batch.rows().iter().map(|row| row.message.verification_id).collect()
}
