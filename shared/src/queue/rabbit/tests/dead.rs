//! What is set aside, and what becomes of it.

use super::{LANE, broker, consumer, eventually, is_quiet, next, publish};
use crate::queue::{DeadLetters, JobQueue};

const ROOM: u32 = 100;
/// More than the delivery limit.
const TOO_OFTEN: usize = 60;

#[tokio::test]
async fn what_is_given_back_too_often_is_set_aside_and_can_be_replayed() {
    let Some((_cleared, queue)) = broker::queue(ROOM).await else { return };
    let sent = publish(&queue, 1).await;
    let mut worker = consumer(&queue, 1).await;
    for _ in 0..TOO_OFTEN {
        if queue.dead().await.expect("a count") > 0 {
            break;
        }
        if let Ok(delivery) = tokio::time::timeout(super::QUIET, worker.next()).await {
            drop(delivery.expect("a delivery"));
        }
    }
    assert!(is_quiet(&mut worker).await);
    let letters = queue.list(10).await.expect("a list");
    let [letter] = letters.as_slice() else { panic!("{letters:?}") };
    assert_eq!((letter.lane, letter.reason.as_str(), letter.deaths), (Some(LANE), "delivery_limit", 1));
    assert_eq!(letter.message.as_ref().map(|message| message.verification_id), Some(sent[0]));
    assert!(letter.died_at.is_some());

    let replayed = queue.replay(10).await.expect("a replay");
    assert_eq!((replayed.sent, replayed.left), (1, 0));
    assert!(replayed.stopped_by.is_none());
    let again = next(&mut worker).await;
    assert_eq!(again.message.verification_id, sent[0]);
    again.ack().await.expect("settled");
    assert!(queue.list(10).await.expect("a list").is_empty());
}

#[tokio::test]
async fn a_listed_letter_stays_until_it_is_purged() {
    let Some((_cleared, queue)) = broker::queue(ROOM).await else { return };
    let sent = publish(&queue, 3).await;
    let mut worker = consumer(&queue, 3).await;
    for _ in 0..3 {
        next(&mut worker).await.reject().await.expect("settled");
    }
    eventually(async || queue.dead().await.expect("a count") == 3).await;
    for _ in 0..3 {
        let letters = queue.list(2).await.expect("a list");
        let ids: Vec<_> = letters.iter().filter_map(|letter| letter.message.as_ref()).collect();
        assert!(ids.iter().map(|message| message.verification_id).eq(sent[..2].iter().copied()));
        assert!(letters.iter().all(|letter| letter.reason == "rejected"));
    }
    assert_eq!(queue.purge().await.expect("purged"), 3);
    assert_eq!(queue.dead().await.expect("a count"), 0);
}

#[tokio::test]
async fn what_nobody_can_read_is_set_aside_and_holds_up_nothing() {
    let Some((_cleared, queue)) = broker::queue(ROOM).await else { return };
    let bodies: [&[u8]; 4] =
        [b"", b"\xff\x00 no text", b"{\"v\":1}", b"{\"v\":1,\"verification_id\":\"nobody\"}"];
    for body in bodies {
        queue.shared.publisher(LANE).send(body.to_vec(), "garbage").await.expect("published");
    }
    let sent = publish(&queue, 1).await;
    let mut worker = consumer(&queue, 1).await;
    let delivery = next(&mut worker).await;
    assert_eq!(delivery.message.verification_id, sent[0]);
    delivery.ack().await.expect("settled");

    eventually(async || queue.dead().await.expect("a count") == bodies.len() as u64).await;
    let letters = queue.list(10).await.expect("a list");
    assert!(letters.iter().map(|letter| letter.size_bytes).eq(bodies.map(<[u8]>::len)));
    assert!(letters.iter().all(|letter| letter.message.is_none() && letter.lane == Some(LANE)));
    let replayed = queue.replay(10).await.expect("a replay");
    assert_eq!((replayed.sent, replayed.left), (0, 4));
    assert_eq!(queue.purge().await.expect("purged"), 4);
}

#[tokio::test]
async fn a_replay_into_a_full_lane_stops_and_loses_nothing() {
    let Some((_cleared, queue)) = broker::queue(4).await else { return };
    publish(&queue, 2).await;
    let mut worker = consumer(&queue, 2).await;
    for _ in 0..2 {
        next(&mut worker).await.reject().await.expect("settled");
    }
    drop(worker);
    eventually(async || queue.dead().await.expect("a count") == 2).await;
    while queue.publish(LANE, &super::message()).await.is_ok() {}
    let replayed = queue.replay(10).await.expect("a replay");
    assert!(replayed.stopped_by.is_some(), "{replayed:?}");
    let left = 2 - replayed.sent;
    eventually(async || queue.dead().await.expect("a count") == left).await;
}
