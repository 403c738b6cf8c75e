//! Retention, and uploads that belong to nobody.

use std::time::Duration;

use countersign_shared::domain::{Actor, State, Timestamp};
use countersign_shared::queue::JobMessage;
use countersign_shared::store::StoreError;
use countersign_shared::store::contract::report;

use super::house::{House, later, step, until_cancelled};
use crate::intake::Handled;

const HOUR: Duration = Duration::from_hours(1);

#[tokio::test]
async fn media_are_deleted_when_their_retention_ends() {
    let house = House::new().await;
    let new = house.accept().await;
    let (mut worker, _) = house.worker(|_, _| Ok(report()));
    assert_eq!(step(&mut worker).await, Handled::Finished(State::Succeeded));
    worker.reap(Timestamp::now().after(23 * HOUR)).await;
    assert!(house.media_are_there(&new).await);
    worker.reap(Timestamp::now().after(25 * HOUR)).await;
    assert!(!house.media_are_there(&new).await);
    assert_eq!(house.row(&new).await.report, Some(report()));
}

#[tokio::test]
async fn media_without_retention_are_deleted_at_the_end_of_the_job() {
    let house = House::with(|config| config.retention.media = Duration::ZERO).await;
    let new = house.accept().await;
    let (mut worker, _) = house.worker(|_, _| Ok(report()));
    assert_eq!(step(&mut worker).await, Handled::Finished(State::Succeeded));
    assert!(!house.media_are_there(&new).await);
    assert_eq!(house.adapters.stores.upkeep.media_due(later(), 10).await.expect("rows"), []);
}

#[tokio::test]
async fn the_media_of_a_canceled_job_are_deleted_too() {
    let house = House::with(|config| config.retention.media = Duration::ZERO).await;
    let new = house.accept().await;
    house.adapters.stores.verifications.cancel(new.tenant, new.id).await.expect("canceled");
    let (mut worker, _) = house.worker(|_, _| Ok(report()));
    worker.reap(later()).await;
    assert!(!house.media_are_there(&new).await);
}

#[tokio::test]
async fn results_are_deleted_when_their_retention_ends() {
    let house = House::new().await;
    let new = house.accept().await;
    let (mut worker, _) = house.worker(|_, _| Ok(report()));
    assert_eq!(step(&mut worker).await, Handled::Finished(State::Succeeded));
    worker.reap(Timestamp::now().after(29 * 24 * HOUR)).await;
    assert_eq!(house.row(&new).await.state, State::Succeeded);
    worker.reap(Timestamp::now().after(31 * 24 * HOUR)).await;
    let gone = house.adapters.stores.verifications.verification(new.tenant, new.id).await;
    assert!(matches!(gone, Err(StoreError::NotFound)));
}

#[tokio::test]
async fn uploads_that_were_never_accepted_are_swept() {
    let house = House::with(|config| config.retention.orphans = Duration::ZERO).await;
    let (accepted, orphan) = (house.accept().await, house.upload().await);
    let (mut worker, _) = house.worker(|_, _| Ok(report()));
    worker.reap(Timestamp::now()).await;
    assert!(house.media_are_there(&accepted).await);
    assert!(!house.media_are_there(&orphan).await);
}

#[tokio::test]
async fn an_upload_in_progress_is_not_swept() {
    let house = House::new().await;
    let new = house.upload().await;
    let (mut worker, _) = house.worker(|_, _| Ok(report()));
    worker.reap(Timestamp::now()).await;
    assert!(house.media_are_there(&new).await);
}

#[tokio::test]
async fn a_job_that_is_erased_in_work_writes_nothing_and_leaves_nothing() {
    let house = House::new().await;
    let new = house.accept().await;
    let (erasures, blobs) = (house.adapters.stores.erasures.clone(), house.adapters.blobs.clone());
    let (runtime, tenant, id) = (tokio::runtime::Handle::current(), new.tenant, new.id);
    let (mut worker, _) = house.worker(move |job, _| {
        runtime.block_on(erasures.erase(tenant, id, Actor::System)).expect("erased");
        runtime.block_on(blobs.delete_all(id)).expect("deleted");
        until_cancelled(job)
    });
    assert_eq!(step(&mut worker).await, Handled::LeaseLost, "noticed at the next renewal");
    let row = house.adapters.stores.verifications.verification(tenant, id).await;
    assert!(matches!(row, Err(StoreError::NotFound)));
    assert!(!house.media_are_there(&new).await);
    worker.reap(later()).await;
    assert_eq!(house.adapters.stores.outbox.depth().await.expect("a count"), 0);
}

#[tokio::test]
async fn the_message_of_an_erased_job_finds_nothing() {
    let house = House::new().await;
    let new = house.accept().await;
    house.adapters.stores.erasures.erase(new.tenant, new.id, Actor::System).await.expect("erased");
    house.publish(&JobMessage::new(new.id, None)).await;
    let (mut worker, pipeline) = house.worker(|_, _| Ok(report()));
    assert_eq!((step(&mut worker).await, pipeline.runs()), (Handled::Gone, 0));
    assert!(house.media_are_there(&new).await, "nobody deleted them yet");
    worker.reap(Timestamp::now()).await;
    assert!(!house.media_are_there(&new).await);
}
