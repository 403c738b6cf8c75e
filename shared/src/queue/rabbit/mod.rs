//! The queue between processes: RabbitMQ.
//!
//! - `link`: a connection that is opened again whenever it is lost. There are two, because a broker that is short of
//!   memory stops reading from a connection that publishes.
//! - `topology`: exchanges and queues. `publish`, `stream`, `subscribe`, `consume`, `settle`, `depth`, `dead`: what is
//!   done with them. Lanes share no channel, so one whose queue is broken holds up no other.
//! - `failure`: what can go wrong, and the time after which it has.

mod consume;
mod dead;
mod depth;
mod failure;
mod link;
mod publish;
mod settle;
mod stream;
mod subscribe;
#[cfg(test)]
mod tests;
mod topology;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use lapin::uri::AMQPUri;
use tokio_util::sync::CancellationToken;

use self::consume::RabbitConsumer;
use self::depth::Gauge;
use self::failure::{Failure, Refusal};
use self::link::Link;
use self::publish::Publisher;
use self::topology::Topology;
use super::{Consumer, JobMessage, JobQueue, OpenError, QueueError};
use crate::config::ServiceUrl;
use crate::domain::{Lane, LaneShare};

/// What the names of all exchanges and queues begin with.
const PREFIX: &str = "countersign";
/// Messages that a lane may hold at the most, whatever the relays' window is.
const MAX_LENGTH: u32 = 1_000_000;

pub struct RabbitQueue {
    shared: Arc<Shared>,
}

struct Shared {
    topology: Arc<Topology>,
    publishers: [Arc<Publisher>; Lane::ALL.len()],
    /// Never publishes.
    reading: Arc<Link>,
    gauge: Gauge,
    closed: CancellationToken,
}

impl Shared {
    fn publisher(&self, lane: Lane) -> &Arc<Publisher> {
        &self.publishers[lane as usize]
    }
}

impl RabbitQueue {
    /// Connects and makes the exchanges and queues, unless they exist.
    pub async fn open(url: &ServiceUrl) -> Result<Self, OpenError> {
        Self::open_with(url, PREFIX, MAX_LENGTH).await
    }

    async fn open_with(url: &ServiceUrl, prefix: &str, max_length: u32) -> Result<Self, OpenError> {
        // Its error would print the URL.
        let uri: AMQPUri = url.as_str().parse().map_err(|_| OpenError::InvalidUrl)?;
        let topology = Arc::new(Topology::new(prefix.to_owned(), max_length));
        let writing = Arc::new(Link::open(&uri, "publish").await?);
        topology.declare(&writing.channel().await?).await?;
        let reading = Arc::new(Link::open(&uri, "consume").await?);
        let shared = Shared {
            publishers: Lane::ALL
                .map(|lane| Arc::new(Publisher::new(writing.clone(), topology.clone(), lane))),
            gauge: Gauge::new(reading.clone()),
            reading,
            topology,
            closed: CancellationToken::new(),
        };
        Ok(Self { shared: Arc::new(shared) })
    }
}

#[async_trait]
impl JobQueue for RabbitQueue {
    async fn publish(&self, lane: Lane, message: &JobMessage) -> Result<(), QueueError> {
        self.publish_after(Duration::ZERO, lane, message).await
    }

    async fn publish_after(
        &self,
        delay: Duration,
        lane: Lane,
        message: &JobMessage,
    ) -> Result<(), QueueError> {
        if self.shared.closed.is_cancelled() {
            return Err(QueueError::Closed);
        }
        let id = message.verification_id.to_string();
        let (delay, publisher) = (topology::delay(delay), self.shared.publisher(lane));
        if delay.is_zero() {
            return Ok(publisher.send(message.to_bytes(), &id).await?);
        }
        Ok(publisher.send_after(delay, message.to_bytes(), &id).await?)
    }

    async fn consume(&self, lanes: &[LaneShare], prefetch: usize) -> Result<Box<dyn Consumer>, QueueError> {
        if self.shared.closed.is_cancelled() {
            return Err(QueueError::Closed);
        }
        Ok(Box::new(RabbitConsumer::open(self.shared.clone(), lanes, prefetch).await?))
    }

    async fn depth(&self, lane: Lane) -> Result<u64, QueueError> {
        Ok(self.shared.gauge.depth(self.shared.topology.lane(lane)).await?)
    }

    async fn dead(&self) -> Result<u64, QueueError> {
        Ok(self.shared.gauge.depth(self.shared.topology.dead()).await?)
    }

    async fn close(&self) {
        self.shared.closed.cancel();
    }
}

impl From<Failure> for OpenError {
    fn from(failure: Failure) -> Self {
        match failure.refusal() {
            Some(Refusal::Forbidden) => Self::Forbidden(failure.into()),
            Some(Refusal::Different) | None => Self::Unavailable(failure.into()),
        }
    }
}
