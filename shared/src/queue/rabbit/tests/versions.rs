//! Messages of a build that is newer than this one.

use std::time::Duration;

use lapin::options::BasicGetOptions;

use super::{LANE, broker, consumer, eventually, next};
use crate::domain::VerificationId;
use crate::queue::{JobMessage, JobQueue, MESSAGE_VERSION};

fn newer(id: VerificationId) -> Vec<u8> {
    let version = MESSAGE_VERSION + 1;
    format!(r#"{{"v":{version},"verification_id":"{id}","traceparent":{{"id":"x"}},"region":"eu"}}"#)
        .into_bytes()
}

#[test]
fn a_newer_message_is_read_as_far_as_it_must_be() {
    let id = VerificationId::new();
    let message = JobMessage::from_bytes(&newer(id)).expect("a message");
    assert_eq!((message.v, message.verification_id), (MESSAGE_VERSION + 1, id));
}

#[test]
fn a_message_survives_its_own_bytes() {
    let message = JobMessage::new(VerificationId::new(), Some("00-4bf9-00f0-01".to_owned()));
    assert_eq!(JobMessage::from_bytes(&message.to_bytes()).expect("a message"), message);
}

#[tokio::test]
async fn an_older_worker_leaves_a_newer_message_as_it_came() {
    let Some((_cleared, queue)) = broker::queue(10).await else { return };
    let id = VerificationId::new();
    queue.shared.publisher(LANE).send(newer(id), &id.to_string()).await.expect("published");
    let mut older = consumer(&queue, 1).await;
    let delivery = next(&mut older).await;
    assert_eq!(delivery.message.v, MESSAGE_VERSION + 1);
    delivery.retry(Duration::from_millis(200)).await.expect("settled");
    drop(older);
    eventually(async || queue.depth(LANE).await.expect("a depth") == 1).await;
    let channel = queue.shared.reading.channel().await.expect("a channel");
    let lane = queue.shared.topology.lane(LANE);
    let left = channel.basic_get(lane.into(), BasicGetOptions::default()).await.expect("an answer");
    assert_eq!(left.expect("a message").data, newer(id));
}
