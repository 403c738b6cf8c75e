//! Connections and queues that go away.

use std::time::{Duration, Instant};

use lapin::options::QueueDeleteOptions;

use super::broker;
use super::proxy::Proxy;
use super::{LANE, consumer, eventually, message, next, publish};
use crate::queue::rabbit::RabbitQueue;
use crate::queue::{JobQueue, QueueError};

#[tokio::test]
async fn a_cut_redelivers_what_was_unsettled_and_late_answers_settle_nothing() {
    let Some((cleared, direct)) = broker::queue(100).await else { return };
    let proxy = Proxy::start(&cleared.url, "").await;
    let queue = RabbitQueue::open_with(&proxy.url, &cleared.prefix, 100).await.expect("a queue");
    let sent = publish(&queue, 3).await;
    let mut worker = consumer(&queue, 3).await;
    let first = [next(&mut worker).await, next(&mut worker).await, next(&mut worker).await];
    proxy.cut();
    // Its deliveries hold the permits, as in a worker whose jobs run on.
    let mut worker = consumer(&queue, 3).await;
    let second = [next(&mut worker).await, next(&mut worker).await, next(&mut worker).await];
    for late in first {
        let settled = late.ack().await;
        assert!(matches!(settled, Err(QueueError::Unavailable(_))), "{settled:?}");
    }
    for (again, id) in second.into_iter().zip(sent) {
        assert_eq!(again.message.verification_id, id);
        drop(again);
    }
    drop(worker);
    eventually(async || direct.depth(LANE).await.expect("a depth") == 3).await;
    publish(&queue, 1).await;
    assert_eq!(queue.depth(LANE).await.expect("a depth"), 4);
}

#[tokio::test]
async fn a_waiting_consumer_survives_cuts() {
    let Some((cleared, direct)) = broker::queue(100).await else { return };
    let proxy = Proxy::start(&cleared.url, "").await;
    let queue = RabbitQueue::open_with(&proxy.url, &cleared.prefix, 100).await.expect("a queue");
    let mut worker = consumer(&queue, 1).await;
    for _ in 0..3 {
        let (mut delivery, sent) = tokio::join!(next(&mut worker), async {
            proxy.cut();
            publish(&direct, 1).await
        });
        while delivery.message.verification_id != sent[0] {
            // The one before, whose acknowledgement was cut off.
            delivery.ack().await.expect("settled");
            delivery = next(&mut worker).await;
        }
        delivery.ack().await.expect("settled");
    }
}

#[tokio::test]
async fn a_broker_that_says_nothing_is_unavailable_until_it_is_back() {
    let Some((cleared, direct)) = broker::queue(100).await else { return };
    let proxy = Proxy::start(&cleared.url, "?heartbeat=1").await;
    let queue = RabbitQueue::open_with(&proxy.url, &cleared.prefix, 100).await.expect("a queue");
    publish(&queue, 1).await;
    let mut worker = consumer(&queue, 1).await;
    let delivery = next(&mut worker).await;
    proxy.hold(true);
    let began = Instant::now();
    let message = message();
    let (published, depth, acknowledged) =
        tokio::join!(queue.publish(LANE, &message), queue.depth(LANE), delivery.ack());
    assert!(matches!(published, Err(QueueError::Unavailable(_))), "{published:?}");
    assert!(matches!(depth, Err(QueueError::Unavailable(_))), "{depth:?}");
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
    proxy.hold(false);
    eventually(async || queue.publish(LANE, &message).await.is_ok()).await;
    // Whatever became of the acknowledgement, nothing is lost: one that failed leaves the message where it was.
    let least = if acknowledged.is_ok() { 1 } else { 2 };
    drop(worker);
    eventually(async || direct.depth(LANE).await.expect("a depth") >= least).await;
}

#[tokio::test]
async fn a_queue_that_was_deleted_is_made_again() {
    let Some((_cleared, queue)) = broker::queue(100).await else { return };
    publish(&queue, 1).await;
    let mut worker = consumer(&queue, 1).await;
    next(&mut worker).await.ack().await.expect("settled");
    let channel = queue.shared.reading.channel().await.expect("a channel");
    let lane = queue.shared.topology.lane(LANE);
    channel.queue_delete(lane.into(), QueueDeleteOptions::default()).await.expect("deleted");
    // Nobody takes it, it comes back, the queue is made, and it is sent again.
    let sent = publish(&queue, 1).await;
    let delivery = next(&mut worker).await;
    assert_eq!(delivery.message.verification_id, sent[0]);
    delivery.ack().await.expect("settled");
}
