//! Messages in: one channel for each consumer, one subscription for each of its lanes.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use async_trait::async_trait;
use futures::{FutureExt, StreamExt};
use lapin::Channel;
use lapin::options::{BasicCancelOptions, BasicConsumeOptions, BasicQosOptions};
use lapin::types::FieldTable;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, sleep_until};

use super::Shared;
use super::failure::{Failure, within};
use super::settle::{RabbitSettle, give_back, set_aside};
use crate::domain::{Lane, LaneShare};
use crate::queue::turns::Turns;
use crate::queue::{Consumer, Delivery, JobMessage, QueueError};
use crate::telemetry::events;

/// What waits in a lane arrives a moment after the subscription, and the heaviest lane shall come first.
const FIRST_LOOK: Duration = Duration::from_millis(50);
/// A subscription that is lost sooner than this is not made again at once.
const SHORT_LIFE: Duration = Duration::from_secs(1);
/// The most that the broker sends ahead to one subscription.
const MOST_AHEAD: u16 = 2_000;

pub(super) struct RabbitConsumer {
    shared: Arc<Shared>,
    lanes: Vec<LaneShare>,
    turns: Turns,
    prefetch: usize,
    /// One for each delivery that may be unsettled.
    permits: Arc<Semaphore>,
    subscription: Option<Subscription>,
}

/// A channel with its lanes' messages: at most `prefetch` of each lane have arrived or are in a worker's hands.
struct Subscription {
    channel: Channel,
    since: Instant,
    lanes: Vec<Arrivals>,
}

struct Arrivals {
    lane: Lane,
    stream: lapin::Consumer,
    arrived: VecDeque<lapin::message::Delivery>,
}

impl RabbitConsumer {
    pub(super) async fn open(
        shared: Arc<Shared>,
        lanes: &[LaneShare],
        prefetch: usize,
    ) -> Result<Self, QueueError> {
        let prefetch = prefetch.max(1);
        let mut consumer = Self {
            shared,
            lanes: lanes.to_vec(),
            turns: Turns::new(lanes),
            prefetch,
            permits: Arc::new(Semaphore::new(prefetch)),
            subscription: None,
        };
        consumer.subscribe().await?;
        Ok(consumer)
    }

    async fn subscribe(&mut self) -> Result<(), Failure> {
        let channel = self.shared.reading.channel().await?;
        self.shared.topology.declare(&channel).await?;
        let ahead = u16::try_from(self.prefetch).unwrap_or(MOST_AHEAD).min(MOST_AHEAD);
        within(channel.basic_qos(ahead, BasicQosOptions::default())).await?;
        let mut lanes = Vec::with_capacity(self.lanes.len());
        for share in &self.lanes {
            let stream = within(channel.basic_consume(
                self.shared.topology.lane(share.lane).into(),
                "".into(),
                BasicConsumeOptions::default(),
                FieldTable::default(),
            ));
            lanes.push(Arrivals { lane: share.lane, stream: stream.await?, arrived: VecDeque::new() });
        }
        self.subscription = Some(Subscription { channel, since: Instant::now(), lanes });
        Ok(())
    }

    /// The next message of the lane whose turn it is.
    async fn arrived(&mut self) -> Result<(Lane, Channel, lapin::message::Delivery), Failure> {
        if self.subscription.is_none() {
            self.subscribe().await?;
        }
        let subscription = self.subscription.as_mut().expect("it was made above, this is a bug");
        sleep_until(subscription.since + FIRST_LOOK).await;
        let turns = &mut self.turns;
        poll_fn(|context| {
            if let Err(cause) = subscription.collect(context) {
                return Poll::Ready(Err(cause));
            }
            match turns.take(|lane| subscription.take(lane)) {
                Some((lane, delivery)) => Poll::Ready(Ok((lane, subscription.channel.clone(), delivery))),
                None => Poll::Pending,
            }
        })
        .await
    }

    /// As [`arrived`](Self::arrived), over losses of the channel and past messages that nobody can read.
    async fn next_readable(&mut self, permit: OwnedSemaphorePermit) -> Result<Delivery, QueueError> {
        loop {
            let (lane, channel, delivery) = match self.arrived().await {
                Ok(arrived) => arrived,
                Err(failure) => {
                    // The broker gives to others what had arrived on the channel.
                    let lived = self.subscription.take().map(|lost| lost.since.elapsed());
                    if lived.is_none_or(|lived| lived < SHORT_LIFE) {
                        return Err(failure.into());
                    }
                    events::consumer_lost(&failure);
                    continue;
                }
            };
            match JobMessage::from_bytes(&delivery.data) {
                Ok(message) => {
                    let settle = RabbitSettle {
                        acker: delivery.acker,
                        _channel: channel,
                        publisher: self.shared.publisher.clone(),
                        lane,
                        body: delivery.data,
                        id: message.verification_id.to_string(),
                        _permit: permit,
                    };
                    return Ok(Delivery::new(lane, message, Box::new(settle)));
                }
                Err(error) => {
                    events::message_unreadable(lane, delivery.data.len(), &error);
                    set_aside(&delivery.acker);
                }
            }
        }
    }
}

#[async_trait]
impl Consumer for RabbitConsumer {
    async fn next(&mut self) -> Result<Delivery, QueueError> {
        let closed = self.shared.closed.clone();
        let permits = self.permits.clone();
        let next = async {
            let permit = permits.acquire_owned().await.map_err(|_| QueueError::Closed)?;
            self.next_readable(permit).await
        };
        let next = closed.run_until_cancelled(next).await;
        next.unwrap_or_else(|| {
            self.subscription = None;
            Err(QueueError::Closed)
        })
    }
}

impl Subscription {
    /// Takes in what has arrived.
    fn collect(&mut self, context: &mut Context<'_>) -> Result<(), Failure> {
        for lane in &mut self.lanes {
            while let Poll::Ready(next) = lane.stream.poll_next_unpin(context) {
                lane.arrived.push_back(next.ok_or(Failure::Cancelled)??);
            }
        }
        Ok(())
    }

    fn take(&mut self, lane: Lane) -> Option<lapin::message::Delivery> {
        self.lanes.iter_mut().find(|arrivals| arrivals.lane == lane)?.arrived.pop_front()
    }
}

impl Drop for Subscription {
    /// Gives back what has arrived and was not handed out. The channel stays open while deliveries of it are unsettled.
    fn drop(&mut self) {
        let (channel, lanes) = (self.channel.clone(), std::mem::take(&mut self.lanes));
        // Without a runtime the process ends, and the channel with it.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move {
                for lane in lanes {
                    lane.end(&channel).await;
                }
            });
        }
    }
}

impl Arrivals {
    async fn end(mut self, channel: &Channel) {
        // No message comes after the broker's answer; if it does not answer, the channel is gone.
        let _ = within(channel.basic_cancel(self.stream.tag(), BasicCancelOptions::default())).await;
        while let Some(Some(Ok(delivery))) = self.stream.next().now_or_never() {
            self.arrived.push_back(delivery);
        }
        // The last first: each goes to the head of its queue.
        for delivery in self.arrived.iter().rev() {
            give_back(&delivery.acker);
        }
    }
}
