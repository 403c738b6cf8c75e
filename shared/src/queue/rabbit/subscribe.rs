//! A consumer's lanes: a channel and a subscription for each, and what has arrived.

use std::collections::VecDeque;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures::future::try_join_all;
use futures::{FutureExt, StreamExt};
use lapin::Channel;
use lapin::message::Delivery;
use lapin::options::{BasicCancelOptions, BasicConsumeOptions, BasicQosOptions};
use lapin::types::FieldTable;
use tokio::time::Instant;

use super::Shared;
use super::failure::{Failure, within};
use super::settle::give_back;
use crate::domain::{Lane, LaneShare};

/// What waits in a lane arrives a moment after the subscription, and the heaviest lane shall come first.
const FIRST_LOOK: Duration = Duration::from_millis(50);
/// A lane of which nothing has come for this long is subscribed to again, on a fresh channel: when a quorum queue is
/// deleted and made anew, RabbitMQ 3.10 neither tells a channel that had subscribed to the old one nor ever delivers
/// anything of the new one on it.
const IDLE: Duration = Duration::from_secs(if cfg!(test) { 1 } else { 60 });
/// The most that the broker sends ahead to one subscription.
const MOST_AHEAD: u16 = 2_000;

/// A consumer's lanes. Each has a channel of its own, so that one can be renewed without the others.
pub(super) struct Subscription {
    shared: Arc<Shared>,
    since: Instant,
    prefetch: usize,
    lanes: Vec<LaneStream>,
}

/// A message, and the channel on which it came.
pub(super) struct Arrived {
    pub(super) delivery: Delivery,
    pub(super) channel: Channel,
}

/// At most `prefetch` messages of a lane have arrived or are in a worker's hands.
struct LaneStream {
    lane: Lane,
    channel: Channel,
    stream: lapin::Consumer,
    arrived: VecDeque<Delivery>,
    /// Since when nothing has come.
    idle_since: Instant,
}

impl Subscription {
    pub(super) async fn open(
        shared: Arc<Shared>,
        lanes: &[LaneShare],
        prefetch: usize,
    ) -> Result<Self, Failure> {
        shared.topology.declare(&shared.reading.channel().await?).await?;
        let open = lanes.iter().map(|share| LaneStream::open(&shared, share.lane, prefetch));
        let lanes = try_join_all(open).await?;
        Ok(Self { shared, since: Instant::now(), prefetch, lanes })
    }

    pub(super) fn first_look(&self) -> Instant {
        self.since + FIRST_LOOK
    }

    pub(super) fn lived(&self) -> Duration {
        self.since.elapsed()
    }

    /// Takes in what has arrived.
    pub(super) fn collect(&mut self, context: &mut Context<'_>) -> Result<(), Failure> {
        for lane in &mut self.lanes {
            while let Poll::Ready(next) = lane.stream.poll_next_unpin(context) {
                lane.arrived.push_back(next.ok_or(Failure::Cancelled)??);
                lane.idle_since = Instant::now();
            }
        }
        Ok(())
    }

    pub(super) fn has(&self, lane: Lane) -> bool {
        self.lanes.iter().any(|stream| stream.lane == lane && !stream.arrived.is_empty())
    }

    pub(super) fn take(&mut self, lane: Lane) -> Option<Arrived> {
        let stream = self.lanes.iter_mut().find(|stream| stream.lane == lane)?;
        Some(Arrived { delivery: stream.arrived.pop_front()?, channel: stream.channel.clone() })
    }

    /// When [`renew`](Self::renew) has something to do.
    pub(super) fn renewal(&self) -> Instant {
        let idle = self.lanes.iter().filter(|lane| lane.arrived.is_empty());
        let idle_since = idle.map(|lane| lane.idle_since).min();
        idle_since.unwrap_or_else(Instant::now) + IDLE
    }

    /// Subscribes again to lanes of which nothing has come for long. Can be broken off and taken up again.
    pub(super) async fn renew(&mut self) -> Result<(), Failure> {
        for lane in &mut self.lanes {
            if lane.idle_since.elapsed() >= IDLE && lane.arrived.is_empty() {
                *lane = LaneStream::open(&self.shared, lane.lane, self.prefetch).await?;
            }
        }
        Ok(())
    }
}

impl LaneStream {
    async fn open(shared: &Shared, lane: Lane, prefetch: usize) -> Result<Self, Failure> {
        let channel = shared.reading.channel().await?;
        let ahead = u16::try_from(prefetch).unwrap_or(MOST_AHEAD).min(MOST_AHEAD);
        within(channel.basic_qos(ahead, BasicQosOptions::default())).await?;
        let queue = shared.topology.lane(lane);
        let options = BasicConsumeOptions::default();
        let consumed = channel.basic_consume(queue.into(), "".into(), options, FieldTable::default());
        let stream = within(consumed).await?;
        Ok(Self { lane, channel, stream, arrived: VecDeque::new(), idle_since: Instant::now() })
    }
}

impl Drop for LaneStream {
    /// Gives back what has arrived and was not handed out. The channel stays open while deliveries of it are unsettled.
    fn drop(&mut self) {
        let (channel, stream) = (self.channel.clone(), self.stream.clone());
        let arrived = std::mem::take(&mut self.arrived);
        // Without a runtime the process ends, and the channel with it.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(end(channel, stream, arrived));
        }
    }
}

async fn end(channel: Channel, mut stream: lapin::Consumer, mut arrived: VecDeque<Delivery>) {
    // No message comes after the broker's answer. If it does not answer, the channel is gone, and it gives back by itself.
    let _ = within(channel.basic_cancel(stream.tag(), BasicCancelOptions::default())).await;
    while let Some(Some(Ok(delivery))) = stream.next().now_or_never() {
        arrived.push_back(delivery);
    }
    // The last first: each goes to the head of its queue.
    for delivery in arrived.iter().rev() {
        give_back(&delivery.acker);
    }
}
