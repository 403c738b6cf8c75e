//! What the lanes have set aside: listed, sent again, deleted.

use async_trait::async_trait;
use lapin::Channel;
use lapin::message::{BasicGetMessage, Delivery};
use lapin::options::{BasicAckOptions, BasicGetOptions, QueuePurgeOptions};
use lapin::types::{AMQPValue, FieldTable};

use super::failure::{Failure, within};
use super::{RabbitQueue, Shared};
use crate::domain::{Lane, Timestamp};
use crate::queue::{DeadLetter, DeadLetters, JobMessage, QueueError, Replayed};

#[async_trait]
impl DeadLetters for RabbitQueue {
    async fn list(&self, limit: usize) -> Result<Vec<DeadLetter>, QueueError> {
        let pile = Pile::open(&self.shared).await?;
        let mut letters = Vec::new();
        while letters.len() < limit
            && let Some(letter) = pile.next().await?
        {
            letters.push(describe(&letter));
        }
        pile.close().await?;
        Ok(letters)
    }

    async fn replay(&self, limit: usize) -> Result<Replayed, QueueError> {
        let pile = Pile::open(&self.shared).await?;
        let mut replayed = Replayed::default();
        let mut limit = limit as u64;
        while replayed.sent + replayed.left < limit
            && let Some(letter) = pile.next().await?
        {
            if replayed.sent + replayed.left == 0 {
                // What is set aside again meanwhile is not sent again.
                limit = limit.min(u64::from(letter.message_count) + 1);
            }
            match replay(&self.shared, &letter).await {
                Ok(true) => replayed.sent += 1,
                Ok(false) => replayed.left += 1,
                Err(failure) => {
                    replayed.stopped_by = Some(failure.into());
                    break;
                }
            }
        }
        pile.close().await?;
        Ok(replayed)
    }

    async fn purge(&self) -> Result<u64, QueueError> {
        let pile = Pile::open(&self.shared).await?;
        let purged = pile.channel.queue_purge(pile.queue.as_str().into(), QueuePurgeOptions::default());
        Ok(u64::from(within(purged).await?))
    }
}

/// Whether it was sent: published first, and only then taken off the pile.
async fn replay(shared: &Shared, letter: &Delivery) -> Result<bool, Failure> {
    let (Some(lane), Ok(message)) = (lane(letter), JobMessage::from_bytes(&letter.data)) else {
        return Ok(false);
    };
    shared.publisher(lane).send(letter.data.clone(), &message.verification_id.to_string()).await?;
    within(letter.acker.ack(BasicAckOptions::default())).await?;
    Ok(true)
}

/// The dead letters' queue. What is taken from it and not acknowledged is back when the channel is closed.
struct Pile {
    channel: Channel,
    queue: String,
}

impl Pile {
    async fn open(shared: &Shared) -> Result<Self, Failure> {
        Ok(Self { channel: shared.reading.channel().await?, queue: shared.topology.dead() })
    }

    async fn next(&self) -> Result<Option<BasicGetMessage>, Failure> {
        within(self.channel.basic_get(self.queue.as_str().into(), BasicGetOptions::default())).await
    }

    async fn close(self) -> Result<(), Failure> {
        within(self.channel.close(lapin::protocol::constants::REPLY_SUCCESS, "done".into())).await
    }
}

fn lane(letter: &Delivery) -> Option<Lane> {
    letter.routing_key.as_str().parse().ok()
}

fn describe(letter: &Delivery) -> DeadLetter {
    let death = last_death(letter);
    let value = |key| death.and_then(|death| death.inner().get(key));
    DeadLetter {
        lane: lane(letter),
        message: JobMessage::from_bytes(&letter.data).ok(),
        size_bytes: letter.data.len(),
        reason: match value("reason") {
            Some(AMQPValue::LongString(reason)) => reason.to_string(),
            _ => "unknown".to_owned(),
        },
        died_at: match value("time") {
            Some(AMQPValue::Timestamp(seconds)) => Some(Timestamp::from_millis(*seconds as i64 * 1000)),
            _ => None,
        },
        deaths: match value("count") {
            Some(AMQPValue::LongLongInt(count)) => u64::try_from(*count).unwrap_or(0),
            _ => 0,
        },
    }
}

/// The broker notes each death in a header, the last one first.
fn last_death(letter: &Delivery) -> Option<&FieldTable> {
    match letter.properties.headers().as_ref()?.inner().get("x-death")? {
        AMQPValue::FieldArray(deaths) => match deaths.as_slice().first()? {
            AMQPValue::FieldTable(death) => Some(death),
            _ => None,
        },
        _ => None,
    }
}
