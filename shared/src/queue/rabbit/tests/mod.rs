//! On the broker of `COUNTERSIGN_TEST_RABBITMQ`, each test below a prefix of its own.

mod broker;
mod dead;
mod kill;
mod lanes;
mod losses;
mod proxy;
mod refusals;
mod versions;
mod weights;

use std::time::Duration;

use tokio::time::timeout;

use self::broker::queue;
use super::RabbitQueue;
use crate::domain::{Lane, LaneShare, VerificationId};
use crate::queue::{Consumer, Delivery, JobMessage, JobQueue, contract};

crate::queue::contract::suite!(queue(contract::MAX_DEPTH as u32).await);

/// Longer than anything takes that does happen, a new connection among it.
const PATIENCE: Duration = Duration::from_secs(30);
/// Long enough to see that nothing comes.
const QUIET: Duration = Duration::from_millis(200);
const LANE: Lane = Lane::PhotoInteractive;

fn message() -> JobMessage {
    JobMessage::new(VerificationId::new(), None)
}

async fn publish(queue: &RabbitQueue, count: usize) -> Vec<VerificationId> {
    let mut ids = Vec::new();
    for _ in 0..count {
        let message = message();
        queue.publish(LANE, &message).await.expect("published");
        ids.push(message.verification_id);
    }
    ids
}

/// A consumer of the lane, as soon as the broker is there.
async fn consumer(queue: &RabbitQueue, prefetch: usize) -> Box<dyn Consumer> {
    loop {
        match queue.consume(&[LaneShare { lane: LANE, weight: 1 }], prefetch).await {
            Ok(consumer) => return consumer,
            Err(_) => tokio::time::sleep(QUIET).await,
        }
    }
}

async fn next(consumer: &mut Box<dyn Consumer>) -> Delivery {
    timeout(PATIENCE, async {
        loop {
            match consumer.next().await {
                Ok(delivery) => return delivery,
                // As a worker does: the broker may be away.
                Err(_) => tokio::time::sleep(QUIET).await,
            }
        }
    })
    .await
    .expect("a message comes in time")
}

async fn is_quiet(consumer: &mut Box<dyn Consumer>) -> bool {
    timeout(QUIET, consumer.next()).await.is_err()
}

/// Waits until `holds`.
async fn eventually<Holding: Future<Output = bool>>(mut holds: impl FnMut() -> Holding) {
    timeout(PATIENCE, async {
        while !holds().await {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    })
    .await
    .expect("it holds in time");
}
