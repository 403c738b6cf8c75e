//! Messages in: whose turn it is among those that have arrived, over losses of the channel.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, sleep_until};
use tokio_util::task::AbortOnDropHandle;

use super::Shared;
use super::failure::Failure;
use super::settle::{RabbitSettle, Settled, set_aside};
use super::subscribe::{Arrived, Subscription};
use crate::domain::{Lane, LaneShare};
use crate::queue::turns::Turns;
use crate::queue::{Consumer, Delivery, JobMessage, QueueError};
use crate::telemetry::events;

/// How long a lane keeps its turn for the successor of a message that was just settled. Without it a worker would
/// find, whenever it is done with a message, that the next of that lane is still on the way, and serve another lane.
const SUCCESSOR: Duration = Duration::from_millis(5);
/// A subscription that is lost sooner than this is not made again at once.
const SHORT_LIFE: Duration = Duration::from_secs(1);

pub(super) struct RabbitConsumer {
    shared: Arc<Shared>,
    lanes: Vec<LaneShare>,
    turns: Turns,
    prefetch: usize,
    /// One for each delivery that may be unsettled.
    permits: Arc<Semaphore>,
    settled: Arc<Settled>,
    /// On its way, however often the wait for it is abandoned.
    opening: Option<AbortOnDropHandle<Result<Subscription, Failure>>>,
    subscription: Option<Subscription>,
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
            settled: Arc::default(),
            opening: None,
            subscription: None,
        };
        consumer.subscribed().await?;
        Ok(consumer)
    }

    async fn subscribed(&mut self) -> Result<&mut Subscription, Failure> {
        if self.subscription.is_none() {
            let (shared, lanes, prefetch) = (self.shared.clone(), self.lanes.clone(), self.prefetch);
            let open = async move { Subscription::open(&shared, &lanes, prefetch).await };
            let opening = self.opening.get_or_insert_with(|| AbortOnDropHandle::new(tokio::spawn(open)));
            let opened = opening.await;
            self.opening = None;
            self.subscription = Some(opened.unwrap_or(Err(Failure::Cancelled))?);
        }
        Ok(self.subscription.as_mut().expect("it was made above, this is a bug"))
    }

    /// The next message of the lane whose turn it is.
    async fn arrived(&mut self) -> Result<(Lane, Arrived), Failure> {
        self.subscribed().await?;
        let subscription = self.subscription.as_mut().expect("it was made above, this is a bug");
        let (turns, settled) = (&mut self.turns, &self.settled);
        let mut alarm = pin!(sleep_until(subscription.first_look()));
        alarm.as_mut().await;
        poll_fn(|context| {
            loop {
                if let Err(cause) = subscription.collect(context) {
                    return Poll::Ready(Err(cause));
                }
                let kept = kept_until(turns, settled, subscription, Instant::now());
                if kept.is_none()
                    && let Some(arrived) = turns.take(|lane| subscription.take(lane))
                {
                    return Poll::Ready(Ok(arrived));
                }
                let Some(look) = kept.into_iter().chain(subscription.next_look()).min() else {
                    return Poll::Pending;
                };
                alarm.as_mut().reset(look);
                if alarm.as_mut().poll(context).is_pending() {
                    return Poll::Pending;
                }
            }
        })
        .await
    }

    /// As [`arrived`](Self::arrived), over losses of the channel and past messages that nobody can read.
    async fn next_readable(&mut self, permit: OwnedSemaphorePermit) -> Result<Delivery, QueueError> {
        loop {
            let (lane, arrived) = match self.arrived().await {
                Ok(arrived) => arrived,
                Err(failure) => {
                    // The broker gives to others what had arrived on the channel.
                    let lived = self.subscription.take().map(|lost| lost.lived());
                    if lived.is_none_or(|lived| lived < SHORT_LIFE) {
                        return Err(failure.into());
                    }
                    events::consumer_lost(&failure);
                    continue;
                }
            };
            let Arrived { delivery, channel } = arrived;
            match JobMessage::from_bytes(&delivery.data) {
                Ok(message) => {
                    let settle = RabbitSettle {
                        acker: delivery.acker,
                        _channel: channel,
                        publisher: self.shared.publisher(lane).clone(),
                        lane,
                        body: delivery.data,
                        id: message.verification_id.to_string(),
                        settled: self.settled.clone(),
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

/// Until when the first lane with a turn left keeps it, although nothing of it is here.
fn kept_until(
    turns: &Turns,
    settled: &Settled,
    subscription: &Subscription,
    now: Instant,
) -> Option<Instant> {
    for lane in turns.in_turn() {
        if subscription.has(lane) {
            return None;
        }
        let until = settled.at(lane).map(|at| at + SUCCESSOR);
        if until.is_some_and(|until| until > now) {
            return until;
        }
    }
    None
}
