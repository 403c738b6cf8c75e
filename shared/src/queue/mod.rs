//! The port to the job queue, and the one to what it has set aside. A message is a hint; the row is the truth.

#[cfg(any(test, feature = "contract"))]
pub mod contract;
mod dead;
mod memory;
mod rabbit;
mod turns;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::config;
use crate::domain::{Lane, LaneShare, VerificationId};

pub use dead::{DeadLetter, DeadLetters, Replayed};
pub use memory::MemoryQueue;
pub use rabbit::RabbitQueue;

/// The version of [`JobMessage`] that this build writes.
pub const MESSAGE_VERSION: u16 = 1;

/// "There may be work": enough to find the row and to continue the trace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobMessage {
    pub v: u16,
    pub verification_id: VerificationId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub traceparent: Option<String>,
}

impl JobMessage {
    pub fn new(verification_id: VerificationId, traceparent: Option<String>) -> Self {
        Self { v: MESSAGE_VERSION, verification_id, traceparent }
    }

    /// As JSON.
    pub fn to_bytes(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("numbers and texts are always JSON, this is a bug")
    }

    /// Of a newer version, what this build has to know: which verification it is about.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, serde_json::Error> {
        #[derive(Deserialize)]
        struct Core {
            v: u16,
            verification_id: VerificationId,
        }
        serde_json::from_slice(bytes).or_else(|error| match serde_json::from_slice(bytes) {
            Ok(Core { v, verification_id }) if v > MESSAGE_VERSION => {
                Ok(Self { v, verification_id, traceparent: None })
            }
            _ => Err(error),
        })
    }
}

type BoxError = Box<dyn std::error::Error + Send + Sync>;

#[derive(Debug, thiserror::Error)]
pub enum QueueError {
    /// The broker can't be reached or did not confirm; publishing again is harmless.
    #[error("the queue is unavailable")]
    Unavailable(#[source] BoxError),
    /// The queue holds as much as it may; publish again when it has drained.
    #[error("the queue is full")]
    Full,
    /// The queue was closed by this process.
    #[error("the queue is closed")]
    Closed,
}

/// The queue can't be used.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("queue.url must be memory:// or start with amqp:// or amqps://")]
    UnknownUrl,
    #[error(
        "queue.url is memory://, which sets nothing aside: its messages are only about rows that are still there"
    )]
    NoDeadLetters,
    #[error("queue.url must be amqp://USER:PASSWORD@HOST:PORT/VHOST, with % escapes where they are needed")]
    InvalidUrl,
    #[error("the broker at queue.url can't be used")]
    Unavailable(#[source] BoxError),
    /// Wrong user, password or vhost, or a user who may not make queues.
    #[error(
        "the broker refuses the user of queue.url, who must be able to configure, write and read in its vhost"
    )]
    Forbidden(#[source] BoxError),
    /// Something of that name was made by another version or by hand.
    #[error(
        "`{name}` exists on the broker with other arguments: let its messages be worked on, delete it and start \
         again, or name another vhost in queue.url"
    )]
    Different {
        name: String,
        #[source]
        cause: BoxError,
    },
}

impl OpenError {
    /// Whether waiting may mend it.
    pub const fn is_passing(&self) -> bool {
        matches!(self, Self::Unavailable(_))
    }
}

/// The queue of the settings.
pub async fn open(settings: &config::Queue) -> Result<Arc<dyn JobQueue>, OpenError> {
    match settings.url.as_str() {
        "memory://" => Ok(Arc::new(MemoryQueue::new(settings.window))),
        url if url.starts_with("amqp://") || url.starts_with("amqps://") => {
            Ok(Arc::new(Box::pin(RabbitQueue::open(&settings.url)).await?))
        }
        _ => Err(OpenError::UnknownUrl),
    }
}

/// The queue of the settings, for an operator.
pub async fn open_dead_letters(settings: &config::Queue) -> Result<Arc<dyn DeadLetters>, OpenError> {
    match settings.url.as_str() {
        "memory://" => Err(OpenError::NoDeadLetters),
        _ => Ok(Arc::new(Box::pin(RabbitQueue::open(&settings.url)).await?)),
    }
}

#[async_trait]
pub trait JobQueue: Send + Sync {
    /// Returns when the queue has taken responsibility for the message. A message about a verification that already
    /// waits in the lane may be merged with it.
    async fn publish(&self, lane: Lane, message: &JobMessage) -> Result<(), QueueError>;
    /// As [`publish`](Self::publish), and the message arrives in the lane after the delay.
    async fn publish_after(
        &self,
        delay: Duration,
        lane: Lane,
        message: &JobMessage,
    ) -> Result<(), QueueError>;
    /// A consumer that hands out at most `prefetch` unsettled deliveries. While several lanes have work, each is served
    /// in proportion to its weight, so none is starved; the heaviest goes first.
    async fn consume(&self, lanes: &[LaneShare], prefetch: usize) -> Result<Box<dyn Consumer>, QueueError>;
    /// Messages that wait in the lane, not counting unsettled deliveries and delayed retries.
    async fn depth(&self, lane: Lane) -> Result<u64, QueueError>;
    /// Messages that were set aside; none where there is no such place.
    async fn dead(&self) -> Result<u64, QueueError>;
    /// No more is published or delivered; what is already delivered can be settled.
    async fn close(&self);
}

#[async_trait]
pub trait Consumer: Send {
    /// The next message; waits for one, and while `prefetch` deliveries are unsettled. Cancel-safe.
    async fn next(&mut self) -> Result<Delivery, QueueError>;
}

/// A message in a worker's hands. Dropping it unsettled gives it back to the queue.
pub struct Delivery {
    pub lane: Lane,
    pub message: JobMessage,
    settle: Box<dyn Settle>,
}

impl Delivery {
    pub fn new(lane: Lane, message: JobMessage, settle: Box<dyn Settle>) -> Self {
        Self { lane, message, settle }
    }

    /// Done: the queue forgets it.
    pub async fn ack(self) -> Result<(), QueueError> {
        self.settle.ack().await
    }

    /// Comes back after the delay.
    pub async fn retry(self, after: Duration) -> Result<(), QueueError> {
        self.settle.retry(after).await
    }

    /// Can't be read or handled by anyone: the queue sets it aside (or drops it, where there is no such place).
    pub async fn reject(self) -> Result<(), QueueError> {
        self.settle.reject().await
    }
}

/// An adapter's half of a [`Delivery`]. Dropping it unsettled gives the message back.
#[async_trait]
pub trait Settle: Send {
    async fn ack(self: Box<Self>) -> Result<(), QueueError>;
    async fn retry(self: Box<Self>, after: Duration) -> Result<(), QueueError>;
    async fn reject(self: Box<Self>) -> Result<(), QueueError>;
}
