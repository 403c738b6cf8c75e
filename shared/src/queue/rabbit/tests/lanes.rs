//! A lane whose queue is broken, beside another one that is not.

use lapin::options::{QueueDeclareOptions, QueueDeleteOptions};
use lapin::types::FieldTable;

use super::{LANE, broker, eventually, message, next, publish};
use crate::domain::{Lane, LaneShare};
use crate::queue::rabbit::RabbitQueue;
use crate::queue::{Consumer, JobQueue, QueueError};

const OTHER: Lane = Lane::VideoBatch;

async fn consumer_of_both(queue: &RabbitQueue) -> Box<dyn Consumer> {
    let both = [LANE, OTHER].map(|lane| LaneShare { lane, weight: 1 });
    queue.consume(&both, 1).await.expect("a consumer")
}

async fn delete(queue: &RabbitQueue) {
    let channel = queue.shared.reading.channel().await.expect("a channel");
    let name = queue.shared.topology.lane(OTHER);
    channel.queue_delete(name.into(), QueueDeleteOptions::default()).await.expect("deleted");
}

/// Puts a queue of other arguments, to which nothing leads, in the lane's place.
async fn spoil(queue: &RabbitQueue) {
    delete(queue).await;
    let channel = queue.shared.reading.channel().await.expect("a channel");
    let (name, options) = (queue.shared.topology.lane(OTHER), QueueDeclareOptions::durable());
    channel.queue_declare(name.into(), options, FieldTable::default()).await.expect("made");
}

async fn serves_the_sound_lane(queue: &RabbitQueue, worker: &mut Box<dyn Consumer>) {
    for _ in 0..3 {
        let sent = publish(queue, 1).await;
        let delivery = next(worker).await;
        assert_eq!((delivery.lane, delivery.message.verification_id), (LANE, sent[0]));
        delivery.ack().await.expect("settled");
    }
}

#[tokio::test]
async fn a_lane_that_was_made_otherwise_fails_alone_until_it_is_mended() {
    let Some((_cleared, queue)) = broker::queue(100).await else { return };
    let mut worker = consumer_of_both(&queue).await;
    spoil(&queue).await;
    let refused = queue.publish(OTHER, &message()).await;
    assert!(matches!(refused, Err(QueueError::Unavailable(_))), "{refused:?}");
    serves_the_sound_lane(&queue, &mut worker).await;
    drop(worker);
    let mut worker = consumer_of_both(&queue).await;
    serves_the_sound_lane(&queue, &mut worker).await;

    delete(&queue).await;
    let message = message();
    eventually(async || queue.publish(OTHER, &message).await.is_ok()).await;
    let delivery = next(&mut worker).await;
    assert_eq!((delivery.lane, &delivery.message), (OTHER, &message));
    delivery.ack().await.expect("settled");
}

#[tokio::test]
async fn a_lane_without_a_queue_holds_nothing_and_is_made_by_who_sends_to_it() {
    let Some((_cleared, queue)) = broker::queue(100).await else { return };
    delete(&queue).await;
    let (missing, sound) = tokio::join!(queue.depth(OTHER), queue.depth(LANE));
    assert_eq!((missing.expect("a depth"), sound.expect("a depth")), (0, 0));
    queue.publish(OTHER, &message()).await.expect("published");
    eventually(async || queue.depth(OTHER).await.expect("a depth") == 1).await;
}
