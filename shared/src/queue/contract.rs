//! What every queue must do. Each test takes a queue that is empty and holds about [`MAX_DEPTH`] messages a lane.

use std::collections::HashSet;
use std::time::Duration;

use tokio::time::timeout;

use super::{Consumer, Delivery, JobMessage, JobQueue, QueueError};
use crate::domain::{Lane, LaneShare, VerificationId};

/// The depth that the queue under test is made for.
pub const MAX_DEPTH: u64 = 8;

/// Longer than any delivery takes.
const PATIENCE: Duration = Duration::from_secs(10);
/// Long enough to see that nothing comes.
const QUIET: Duration = Duration::from_millis(100);

/// Runs every contract test, each as a test of its own. The expression makes a fresh queue and whatever must live as long
/// as it does, `Some((guard, queue))`, or `None` where it can't be tested.
#[macro_export]
macro_rules! queue_contract {
    ($made:expr) => {
        $crate::queue_contract!(@each $made,
            a_message_is_delivered_as_it_was_published
            messages_of_a_lane_are_delivered_in_order
            an_acknowledged_message_does_not_come_back
            a_rejected_message_does_not_come_back
            a_delivery_that_is_dropped_comes_back
            a_retried_message_comes_back_after_its_delay
            a_message_can_be_published_for_later
            a_waiting_consumer_is_woken
            no_more_than_prefetch_are_delivered_unsettled
            a_consumer_gets_only_its_lanes
            an_urgent_lane_goes_first
            a_later_lane_is_not_starved
            several_consumers_share_the_messages
            a_full_queue_says_so_and_takes_more_when_it_has_drained
            a_full_lane_holds_up_no_other
            depth_counts_what_waits
            an_abandoned_wait_loses_nothing
            a_closed_queue_delivers_and_takes_nothing
        );
    };
    (@each $made:expr, $($name:ident)*) => {
        $(#[tokio::test]
        async fn $name() {
            let Some((_guard, queue)) = $made else { return };
            $crate::queue::contract::$name(&queue).await;
        })*
    };
}
pub use queue_contract as suite;

fn message() -> JobMessage {
    JobMessage::new(VerificationId::new(), None)
}

async fn publish(queue: &dyn JobQueue, lane: Lane, count: usize) -> Vec<JobMessage> {
    let messages: Vec<JobMessage> = (0..count).map(|_| message()).collect();
    for message in &messages {
        queue.publish(lane, message).await.expect("the queue has room");
    }
    messages
}

async fn consumer(queue: &dyn JobQueue, prefetch: usize) -> Box<dyn Consumer> {
    queue.consume(&all_lanes(), prefetch).await.expect("the queue is open")
}

/// Every lane, each with twice the weight of the next.
fn all_lanes() -> Vec<LaneShare> {
    Lane::ALL.into_iter().zip([8, 4, 2, 1]).map(|(lane, weight)| LaneShare { lane, weight }).collect()
}

async fn next(consumer: &mut Box<dyn Consumer>) -> Delivery {
    timeout(PATIENCE, consumer.next()).await.expect("a message comes in time").expect("the queue is open")
}

async fn is_quiet(consumer: &mut Box<dyn Consumer>) -> bool {
    timeout(QUIET, consumer.next()).await.is_err()
}

pub async fn a_message_is_delivered_as_it_was_published(queue: &dyn JobQueue) {
    let traced = JobMessage::new(VerificationId::new(), Some("00-4bf9-00f0-01".to_owned()));
    queue.publish(Lane::VideoBatch, &traced).await.expect("the queue has room");
    let delivery = next(&mut consumer(queue, 1).await).await;
    assert_eq!((delivery.lane, &delivery.message), (Lane::VideoBatch, &traced));
    delivery.ack().await.expect("settled");
}

pub async fn messages_of_a_lane_are_delivered_in_order(queue: &dyn JobQueue) {
    let sent = publish(queue, Lane::PhotoBatch, 5).await;
    let mut consumer = consumer(queue, 1).await;
    for message in sent {
        let delivery = next(&mut consumer).await;
        assert_eq!(delivery.message, message);
        delivery.ack().await.expect("settled");
    }
}

pub async fn an_acknowledged_message_does_not_come_back(queue: &dyn JobQueue) {
    publish(queue, Lane::PhotoInteractive, 1).await;
    let mut consumer = consumer(queue, 1).await;
    next(&mut consumer).await.ack().await.expect("settled");
    assert!(is_quiet(&mut consumer).await);
}

pub async fn a_rejected_message_does_not_come_back(queue: &dyn JobQueue) {
    publish(queue, Lane::PhotoInteractive, 1).await;
    let mut consumer = consumer(queue, 1).await;
    next(&mut consumer).await.reject().await.expect("settled");
    assert!(is_quiet(&mut consumer).await);
}

pub async fn a_delivery_that_is_dropped_comes_back(queue: &dyn JobQueue) {
    let sent = publish(queue, Lane::PhotoInteractive, 1).await;
    let mut consumer = consumer(queue, 1).await;
    drop(next(&mut consumer).await);
    let again = next(&mut consumer).await;
    assert_eq!(again.message, sent[0]);
    again.ack().await.expect("settled");
}

pub async fn a_retried_message_comes_back_after_its_delay(queue: &dyn JobQueue) {
    let sent = publish(queue, Lane::VideoInteractive, 1).await;
    let mut consumer = consumer(queue, 1).await;
    let before = std::time::Instant::now();
    next(&mut consumer).await.retry(2 * QUIET).await.expect("settled");
    assert!(is_quiet(&mut consumer).await);
    let again = next(&mut consumer).await;
    assert!(before.elapsed() >= 2 * QUIET);
    assert_eq!((again.lane, &again.message), (Lane::VideoInteractive, &sent[0]));
    again.ack().await.expect("settled");
}

pub async fn a_message_can_be_published_for_later(queue: &dyn JobQueue) {
    let sent = message();
    let before = std::time::Instant::now();
    queue.publish_after(2 * QUIET, Lane::PhotoBatch, &sent).await.expect("taken");
    let mut consumer = consumer(queue, 1).await;
    assert!(is_quiet(&mut consumer).await);
    let delivery = next(&mut consumer).await;
    assert!(before.elapsed() >= 2 * QUIET);
    assert_eq!((delivery.lane, &delivery.message), (Lane::PhotoBatch, &sent));
    delivery.ack().await.expect("settled");
}

pub async fn a_waiting_consumer_is_woken(queue: &dyn JobQueue) {
    let mut consumer = consumer(queue, 1).await;
    let (delivery, sent) = tokio::join!(next(&mut consumer), async {
        tokio::time::sleep(QUIET).await;
        publish(queue, Lane::PhotoBatch, 1).await
    });
    assert_eq!(delivery.message, sent[0]);
    delivery.ack().await.expect("settled");
}

pub async fn no_more_than_prefetch_are_delivered_unsettled(queue: &dyn JobQueue) {
    publish(queue, Lane::PhotoInteractive, 3).await;
    let mut consumer = consumer(queue, 2).await;
    let first = next(&mut consumer).await;
    let second = next(&mut consumer).await;
    assert!(is_quiet(&mut consumer).await);
    first.ack().await.expect("settled");
    next(&mut consumer).await.ack().await.expect("settled");
    second.ack().await.expect("settled");
}

pub async fn a_consumer_gets_only_its_lanes(queue: &dyn JobQueue) {
    publish(queue, Lane::VideoBatch, 1).await;
    let mut photos = queue
        .consume(&[LaneShare { lane: Lane::PhotoInteractive, weight: 1 }], 1)
        .await
        .expect("the queue is open");
    assert!(is_quiet(&mut photos).await);
}

pub async fn an_urgent_lane_goes_first(queue: &dyn JobQueue) {
    publish(queue, Lane::VideoBatch, 3).await;
    let urgent = publish(queue, Lane::PhotoInteractive, 1).await;
    let first = next(&mut consumer(queue, 1).await).await;
    assert_eq!(first.message, urgent[0]);
    first.ack().await.expect("settled");
}

/// A stream of urgent work that never ends must not keep a later lane waiting for ever.
pub async fn a_later_lane_is_not_starved(queue: &dyn JobQueue) {
    publish(queue, Lane::VideoBatch, 1).await;
    publish(queue, Lane::PhotoInteractive, 4).await;
    let mut consumer = consumer(queue, 1).await;
    for _ in 0..100 {
        let delivery = next(&mut consumer).await;
        let lane = delivery.lane;
        delivery.ack().await.expect("settled");
        if lane == Lane::VideoBatch {
            return;
        }
        publish(queue, Lane::PhotoInteractive, 1).await;
    }
    panic!("100 urgent messages were delivered and the other one was not");
}

pub async fn several_consumers_share_the_messages(queue: &dyn JobQueue) {
    let sent = publish(queue, Lane::PhotoBatch, 6).await;
    let (mut first, mut second) = (consumer(queue, 1).await, consumer(queue, 1).await);
    let mut seen = HashSet::new();
    for _ in 0..3 {
        let (left, right) = tokio::join!(next(&mut first), next(&mut second));
        assert!(seen.insert(left.message.verification_id) && seen.insert(right.message.verification_id));
        left.ack().await.expect("settled");
        right.ack().await.expect("settled");
    }
    assert_eq!(seen, sent.iter().map(|message| message.verification_id).collect());
}

pub async fn a_full_queue_says_so_and_takes_more_when_it_has_drained(queue: &dyn JobQueue) {
    fill(queue, Lane::PhotoBatch).await;
    let mut consumer = consumer(queue, 1).await;
    // How far it must drain, and how soon it notices, is the adapter's own.
    for _ in 0..MAX_DEPTH {
        next(&mut consumer).await.ack().await.expect("settled");
        match queue.publish(Lane::PhotoBatch, &message()).await {
            Ok(()) => return,
            Err(QueueError::Full) => {}
            Err(error) => panic!("neither taken nor full: {error}"),
        }
    }
    panic!("it stays full");
}

pub async fn a_full_lane_holds_up_no_other(queue: &dyn JobQueue) {
    fill(queue, Lane::VideoBatch).await;
    publish(queue, Lane::PhotoInteractive, 1).await;
}

/// Publishes until the queue is full, which must come at or somewhat above the depth that it was made for.
async fn fill(queue: &dyn JobQueue, lane: Lane) {
    for count in 0..MAX_DEPTH * 100 {
        match queue.publish(lane, &message()).await {
            Ok(()) => {}
            Err(QueueError::Full) => {
                assert!(count >= MAX_DEPTH, "full after {count}");
                return;
            }
            Err(error) => panic!("neither taken nor full: {error}"),
        }
    }
    panic!("the queue has no bound");
}

pub async fn depth_counts_what_waits(queue: &dyn JobQueue) {
    publish(queue, Lane::PhotoBatch, 3).await;
    let delivery = next(&mut consumer(queue, 1).await).await;
    assert_eq!(queue.depth(Lane::PhotoBatch).await.expect("a depth"), 2);
    assert_eq!(queue.depth(Lane::VideoBatch).await.expect("a depth"), 0);
    delivery.ack().await.expect("settled");
}

pub async fn an_abandoned_wait_loses_nothing(queue: &dyn JobQueue) {
    let mut consumer = consumer(queue, 1).await;
    assert!(is_quiet(&mut consumer).await);
    let sent = publish(queue, Lane::PhotoInteractive, 1).await;
    let delivery = next(&mut consumer).await;
    assert_eq!(delivery.message, sent[0]);
    delivery.ack().await.expect("settled");
}

pub async fn a_closed_queue_delivers_and_takes_nothing(queue: &dyn JobQueue) {
    publish(queue, Lane::PhotoInteractive, 2).await;
    let mut consumer = consumer(queue, 2).await;
    let delivered = next(&mut consumer).await;
    queue.close().await;
    assert!(matches!(consumer.next().await, Err(QueueError::Closed)));
    assert!(matches!(queue.publish(Lane::PhotoInteractive, &message()).await, Err(QueueError::Closed)));
    delivered.ack().await.expect("what was delivered can be settled");
}
