//! One lane's messages on a channel of their own, in the order in which they arrive.

use std::collections::VecDeque;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures::{FutureExt, StreamExt};
use lapin::Channel;
use lapin::message::Delivery;
use lapin::options::{BasicCancelOptions, BasicConsumeOptions, BasicQosOptions};
use lapin::types::FieldTable;
use tokio::time::Instant;

use super::Shared;
use super::failure::{Failure, within};
use super::settle::give_back;
use super::subscribe::Arrived;
use crate::domain::Lane;

/// The most that the broker sends ahead.
const MOST_AHEAD: u16 = 2_000;

/// At most `prefetch` messages of the lane have arrived or are in a worker's hands.
pub(super) struct LaneStream {
    pub(super) lane: Lane,
    channel: Channel,
    stream: lapin::Consumer,
    arrived: VecDeque<Delivery>,
    /// Since when nothing has come.
    idle_since: Instant,
}

impl LaneStream {
    /// Makes the lane's queue, unless it exists, and subscribes to it.
    pub(super) async fn open(shared: Arc<Shared>, lane: Lane, prefetch: usize) -> Result<Self, Failure> {
        let channel = shared.reading.channel().await?;
        shared.topology.declare_lane(&channel, lane).await?;
        let ahead = u16::try_from(prefetch).unwrap_or(MOST_AHEAD).min(MOST_AHEAD);
        within(channel.basic_qos(ahead, BasicQosOptions::default())).await?;
        let queue = shared.topology.lane(lane);
        let options = BasicConsumeOptions::default();
        let consumed = channel.basic_consume(queue.into(), "".into(), options, FieldTable::default());
        let stream = within(consumed).await?;
        Ok(Self { lane, channel, stream, arrived: VecDeque::new(), idle_since: Instant::now() })
    }

    pub(super) fn collect(&mut self, context: &mut Context<'_>) -> Result<(), Failure> {
        while let Poll::Ready(next) = self.stream.poll_next_unpin(context) {
            self.arrived.push_back(next.ok_or(Failure::Cancelled)??);
            self.idle_since = Instant::now();
        }
        Ok(())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.arrived.is_empty()
    }

    pub(super) fn take(&mut self) -> Option<Arrived> {
        Some(Arrived { delivery: self.arrived.pop_front()?, channel: self.channel.clone() })
    }

    /// Since when nothing has come, where nothing waits.
    pub(super) fn quiet_since(&self) -> Option<Instant> {
        self.is_empty().then_some(self.idle_since)
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
