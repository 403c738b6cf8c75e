//! The exchanges and queues on the broker: their names, their arguments, and how they are made.

use std::time::Duration;

use lapin::options::{ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions};
use lapin::types::{AMQPValue, FieldTable, LongString};
use lapin::{Channel, ExchangeKind};

use super::failure::{Failure, Refusal, within};
use crate::domain::Lane;
use crate::queue::OpenError;

/// How often a message of a lane may be given back before it is set aside. A worker that drains gives back too, so it is
/// generous; attempts are counted in the row.
const DELIVERY_LIMIT: i64 = 50;
/// Nothing that was set aside is ever dropped for having been looked at, which counts as a delivery.
const NO_DELIVERY_LIMIT: i64 = 1_000_000_000;
/// The longest delay of a retry.
const LONGEST_DELAY: Duration = Duration::from_hours(1);

/// What is on the broker, below one prefix:
///
/// - `countersign.jobs`, direct, leads to a queue for each lane, `countersign.jobs.photo.interactive` and so on;
/// - `countersign.retry.5000ms`, one for each delay, holds messages for that long and sends them back to
///   `countersign.jobs`, with their lane as routing key;
/// - `countersign.dead` takes what the lanes set aside.
pub(super) struct Topology {
    prefix: String,
    /// Messages that a lane may hold.
    max_length: u32,
}

/// Something could not be declared.
#[derive(Debug, thiserror::Error)]
#[error("failed to declare `{name}`")]
pub(super) struct Undeclared {
    name: String,
    #[source]
    pub(super) cause: Failure,
}

impl Topology {
    pub(super) fn new(prefix: String, max_length: u32) -> Self {
        Self { prefix, max_length }
    }

    /// The exchange for jobs; the routing key is the lane's name.
    pub(super) fn jobs(&self) -> String {
        format!("{}.jobs", self.prefix)
    }

    /// The queue of a lane.
    pub(super) fn lane(&self, lane: Lane) -> String {
        format!("{}.jobs.{lane}", self.prefix)
    }

    /// The exchange and the queue for what was set aside.
    pub(super) fn dead(&self) -> String {
        format!("{}.dead", self.prefix)
    }

    /// The exchange and the queue for messages that come back after a delay.
    pub(super) fn retry(&self, delay: Duration) -> String {
        format!("{}.retry.{}ms", self.prefix, delay.as_millis())
    }

    /// Makes what every process needs, unless it exists.
    pub(super) async fn declare(&self, channel: &Channel) -> Result<(), Undeclared> {
        for lane in Lane::ALL {
            self.declare_lane(channel, lane).await?;
        }
        Ok(())
    }

    /// Makes what one lane needs, unless it exists.
    pub(super) async fn declare_lane(&self, channel: &Channel, lane: Lane) -> Result<(), Undeclared> {
        declare_exchange(channel, self.jobs(), ExchangeKind::Direct).await?;
        declare_exchange(channel, self.dead(), ExchangeKind::Fanout).await?;
        declare_queue(channel, self.dead(), &[("x-delivery-limit", NO_DELIVERY_LIMIT.into())]).await?;
        bind(channel, self.dead(), self.dead(), "").await?;
        let arguments = [
            ("x-delivery-limit", DELIVERY_LIMIT.into()),
            ("x-max-length", i64::from(self.max_length).into()),
            ("x-overflow", text("reject-publish")),
            ("x-dead-letter-exchange", text(&self.dead())),
            ("x-dead-letter-strategy", text("at-least-once")),
        ];
        declare_queue(channel, self.lane(lane), &arguments).await?;
        bind(channel, self.lane(lane), self.jobs(), lane.name()).await
    }

    /// Makes the exchange and the queue of one delay, unless they exist.
    pub(super) async fn declare_retry(&self, channel: &Channel, delay: Duration) -> Result<(), Undeclared> {
        let name = self.retry(delay);
        let arguments = [
            ("x-message-ttl", (delay.as_millis() as i64).into()),
            ("x-max-length", i64::from(self.max_length).into()),
            ("x-overflow", text("reject-publish")),
            ("x-dead-letter-exchange", text(&self.jobs())),
            ("x-dead-letter-strategy", text("at-least-once")),
        ];
        declare_exchange(channel, name.clone(), ExchangeKind::Fanout).await?;
        declare_queue(channel, name.clone(), &arguments).await?;
        bind(channel, name.clone(), name, "").await
    }
}

/// A delay for which there can be a queue: whole milliseconds, not too long.
pub(super) fn delay(after: Duration) -> Duration {
    Duration::from_millis(after.as_nanos().div_ceil(1_000_000) as u64).min(LONGEST_DELAY)
}

impl From<Undeclared> for OpenError {
    fn from(Undeclared { name, cause }: Undeclared) -> Self {
        match cause.refusal() {
            Some(Refusal::Different) => Self::Different { name, cause: cause.into() },
            Some(Refusal::Forbidden) => Self::Forbidden(cause.into()),
            None => Self::Unavailable(cause.into()),
        }
    }
}

impl From<Undeclared> for Failure {
    fn from(Undeclared { cause, .. }: Undeclared) -> Self {
        cause
    }
}

async fn declare_exchange(channel: &Channel, name: String, kind: ExchangeKind) -> Result<(), Undeclared> {
    let declared = channel.exchange_declare(
        name.as_str().into(),
        kind,
        ExchangeDeclareOptions { durable: true, ..Default::default() },
        FieldTable::default(),
    );
    within(declared).await.map_err(|cause| Undeclared { name, cause })
}

async fn declare_queue(
    channel: &Channel,
    name: String,
    arguments: &[(&str, AMQPValue)],
) -> Result<(), Undeclared> {
    let mut table = FieldTable::default();
    table.insert("x-queue-type".into(), text("quorum"));
    for (key, value) in arguments {
        table.insert((*key).into(), value.clone());
    }
    let declared = channel.queue_declare(name.as_str().into(), QueueDeclareOptions::durable(), table);
    within(declared).await.map(drop).map_err(|cause| Undeclared { name, cause })
}

async fn bind(channel: &Channel, queue: String, exchange: String, key: &str) -> Result<(), Undeclared> {
    let bound = channel.queue_bind(
        queue.as_str().into(),
        exchange.into(),
        key.into(),
        QueueBindOptions::default(),
        FieldTable::default(),
    );
    within(bound).await.map_err(|cause| Undeclared { name: queue, cause })
}

fn text(text: &str) -> AMQPValue {
    AMQPValue::LongString(LongString::from(text))
}
