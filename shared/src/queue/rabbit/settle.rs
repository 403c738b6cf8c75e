//! What a worker answers to a delivery.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use futures::FutureExt;
use lapin::options::{BasicAckOptions, BasicNackOptions, BasicRejectOptions};
use lapin::{Acker, Channel};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::Instant;

use super::failure::{Failure, within};
use super::publish::Publisher;
use super::topology;
use crate::domain::Lane;
use crate::queue::{QueueError, Settle};

/// Knows the channel on which the message came, and settles on no other: on the one that follows after a loss, the same
/// number means another message.
pub(super) struct RabbitSettle {
    pub(super) acker: Acker,
    /// Open as long as a delivery of it is unsettled.
    pub(super) _channel: Channel,
    pub(super) publisher: Arc<Publisher>,
    pub(super) lane: Lane,
    /// As it came: a newer build's message holds more than this build can read.
    pub(super) body: Vec<u8>,
    pub(super) id: String,
    pub(super) settled: Arc<Settled>,
    pub(super) _permit: OwnedSemaphorePermit,
}

/// When a message of each lane was last settled: from then on its successor is on the way.
#[derive(Default)]
pub(super) struct Settled([Mutex<Option<Instant>>; Lane::ALL.len()]);

impl Settled {
    pub(super) fn at(&self, lane: Lane) -> Option<Instant> {
        *self.0[lane as usize].lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, lane: Lane) {
        *self.0[lane as usize].lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }
}

#[async_trait]
impl Settle for RabbitSettle {
    async fn ack(self: Box<Self>) -> Result<(), QueueError> {
        Ok(acknowledged(within(self.acker.ack(BasicAckOptions::default())).await)?)
    }

    async fn retry(mut self: Box<Self>, after: Duration) -> Result<(), QueueError> {
        let delay = topology::delay(after);
        if !delay.is_zero() {
            let body = std::mem::take(&mut self.body);
            self.publisher.send_after(delay, body, &self.id).await?;
            // Not before: twice is harmless, never is not.
            return self.ack().await;
        }
        Ok(acknowledged(within(self.acker.nack(GIVE_BACK)).await)?)
    }

    async fn reject(self: Box<Self>) -> Result<(), QueueError> {
        Ok(acknowledged(within(self.acker.reject(SET_ASIDE)).await)?)
    }
}

impl Drop for RabbitSettle {
    /// Does nothing to a message that was settled.
    fn drop(&mut self) {
        give_back(&self.acker);
        self.settled.note(self.lane);
    }
}

const GIVE_BACK: BasicNackOptions = BasicNackOptions { multiple: false, requeue: true };
const SET_ASIDE: BasicRejectOptions = BasicRejectOptions { requeue: false };

/// Back to the lane, without waiting: the first poll hands it to the connection's thread.
pub(super) fn give_back(acker: &Acker) {
    let _ = acker.nack(GIVE_BACK).now_or_never();
}

/// To the dead letters, without waiting.
pub(super) fn set_aside(acker: &Acker) {
    let _ = acker.reject(SET_ASIDE).now_or_never();
}

fn acknowledged(answer: Result<bool, Failure>) -> Result<(), Failure> {
    if answer? { Ok(()) } else { Err(Failure::ChannelGone) }
}
