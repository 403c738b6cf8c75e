//! One lane that the queue does not take, beside others that it does.

use std::future::pending;
use std::time::Duration;

use async_trait::async_trait;
use tokio::time::timeout;

use super::*;
use crate::domain::{Kind, LaneShare, Priority};
use crate::queue::{Consumer, JobMessage, MemoryQueue};
use crate::store::Stores;
use crate::store::contract::new_verification;

/// Longer than anything takes here.
const PATIENCE: Duration = Duration::from_secs(20);

/// Never answers to a message for the lane `photo.batch`, as a broker whose other halves are away.
struct OneLaneHangs(MemoryQueue);

#[async_trait]
impl JobQueue for OneLaneHangs {
    async fn publish(&self, lane: Lane, message: &JobMessage) -> Result<(), QueueError> {
        if lane == Lane::PhotoBatch { pending().await } else { self.0.publish(lane, message).await }
    }

    async fn publish_after(
        &self,
        delay: Duration,
        lane: Lane,
        message: &JobMessage,
    ) -> Result<(), QueueError> {
        self.0.publish_after(delay, lane, message).await
    }

    async fn consume(&self, lanes: &[LaneShare], prefetch: usize) -> Result<Box<dyn Consumer>, QueueError> {
        self.0.consume(lanes, prefetch).await
    }

    async fn depth(&self, lane: Lane) -> Result<u64, QueueError> {
        self.0.depth(lane).await
    }

    async fn dead(&self) -> Result<u64, QueueError> {
        self.0.dead().await
    }

    async fn close(&self) {
        self.0.close().await;
    }
}

async fn accept(stores: &Stores, priority: Priority) {
    let new = new_verification(Kind::Photo, priority);
    stores.verifications.accept(&new).await.expect("accepted");
}

#[tokio::test]
async fn a_lane_that_does_not_answer_holds_up_no_other() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let data = ("COUNTERSIGN_DATA__DIR".to_owned(), folder.path().display().to_string());
    let config = Config::load(None, [data]).expect("the settings load");
    let stores = Stores::open(&config.store, &config.data).await.expect("the stores open");
    let queue = Arc::new(OneLaneHangs(MemoryQueue::new(10)));
    let relay = Relay::new(&config, stores.outbox.clone(), queue.clone());
    let shutdown = CancellationToken::new();
    let running = tokio::spawn(relay.run(shutdown.clone()));

    accept(&stores, Priority::Batch).await;
    let lanes = [LaneShare { lane: Lane::PhotoInteractive, weight: 1 }];
    let mut consumer = queue.consume(&lanes, 1).await.expect("a consumer");
    for _ in 0..3 {
        accept(&stores, Priority::Interactive).await;
        let delivery = timeout(PATIENCE, consumer.next()).await.expect("it comes").expect("a delivery");
        delivery.ack().await.expect("settled");
    }
    assert!(stores.outbox.waiting().await.expect("lanes").contains(&Lane::PhotoBatch));
    shutdown.cancel();
    running.await.expect("it ends");
}
