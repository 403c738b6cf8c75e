//! Lanes are served by weight although their messages arrive one by one.

use std::time::Duration;

use super::{PATIENCE, broker, message};
use crate::domain::{Lane, LaneShare};
use crate::queue::JobQueue;

/// How long a worker has each message.
const WORK: Duration = Duration::from_millis(5);

#[tokio::test]
async fn lanes_with_work_are_served_by_weight() {
    let Some((_cleared, queue)) = broker::queue(100).await else { return };
    let shares = [(Lane::PhotoInteractive, 6), (Lane::VideoBatch, 2)];
    for (lane, _) in shares {
        for _ in 0..40 {
            queue.publish(lane, &message()).await.expect("published");
        }
    }
    let shares = shares.map(|(lane, weight)| LaneShare { lane, weight });
    let mut consumer = queue.consume(&shares, 1).await.expect("a consumer");
    let mut served = 0;
    for _ in 0..40 {
        let next = tokio::time::timeout(PATIENCE, consumer.next()).await.expect("a message comes in time");
        let delivery = next.expect("a delivery");
        served += u32::from(delivery.lane == Lane::PhotoInteractive);
        tokio::time::sleep(WORK).await;
        delivery.ack().await.expect("settled");
    }
    // 30 of 40 by weight; a message may come a moment too late for its turn.
    assert!((26..=34).contains(&served), "{served} of 40");
}
