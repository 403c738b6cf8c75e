//! A consumer's lanes: each is subscribed to, lost and subscribed to again on its own.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures::FutureExt;
use lapin::Channel;
use lapin::message::Delivery;
use tokio::time::Instant;
use tokio_util::task::AbortOnDropHandle;

use super::Shared;
use super::failure::{Failure, set_up};
use super::stream::LaneStream;
use crate::domain::{Lane, LaneShare};
use crate::telemetry::events;

/// What waits in a lane arrives a moment after the subscription, and the heaviest lane shall come first.
const FIRST_LOOK: Duration = Duration::from_millis(50);
/// A lane of which nothing has come for this long is subscribed to again, on a fresh channel: when a quorum queue is
/// deleted and made anew, RabbitMQ 3.10 neither tells a channel that had subscribed to the old one nor ever delivers
/// anything of the new one on it.
const IDLE: Duration = Duration::from_secs(if cfg!(test) { 1 } else { 60 });
/// The wait before a lane that could not be subscribed to is tried again: the first one, and the longest.
const SHORTEST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(if cfg!(test) { 1 } else { 30 });

/// As long as one of its lanes is subscribed to.
pub(super) struct Subscription {
    since: Instant,
    lanes: Vec<Subscribed>,
}

/// A message, and the channel on which it came.
pub(super) struct Arrived {
    pub(super) delivery: Delivery,
    pub(super) channel: Channel,
}

/// One lane.
struct Subscribed {
    lane: Lane,
    prefetch: usize,
    shared: Arc<Shared>,
    /// `None` while the lane is lost.
    stream: Option<LaneStream>,
    /// The next one, on its way.
    opening: Option<AbortOnDropHandle<Result<LaneStream, Failure>>>,
    /// No other is opened before, and how long that is put off should it fail.
    not_before: Instant,
    pause: Duration,
}

impl Subscription {
    /// Fails when no lane can be subscribed to; one that can't is tried again later.
    pub(super) async fn open(
        shared: &Arc<Shared>,
        lanes: &[LaneShare],
        prefetch: usize,
    ) -> Result<Self, Failure> {
        let lanes = lanes.iter().map(|share| Subscribed::new(shared.clone(), share.lane, prefetch)).collect();
        let mut subscription = Self { since: Instant::now(), lanes };
        let mut failed = None;
        poll_fn(|context| {
            failed = subscription.collect(context).err().or(failed.take());
            let are_tried = subscription.lanes.iter().all(|lane| lane.opening.is_none());
            if are_tried { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
        subscription.since = Instant::now();
        match failed {
            Some(failure) if subscription.is_lost() => Err(failure),
            _ => Ok(subscription),
        }
    }

    pub(super) fn first_look(&self) -> Instant {
        self.since + FIRST_LOOK
    }

    pub(super) fn lived(&self) -> Duration {
        self.since.elapsed()
    }

    /// Takes in what has arrived. Fails when the last lane is lost; one that is lost alone is logged and opened again.
    pub(super) fn collect(&mut self, context: &mut Context<'_>) -> Result<(), Failure> {
        let collected = self.lanes.iter_mut().map(|lane| (lane.lane, lane.collect(context)));
        let failed = collected.filter_map(|(lane, result)| Some((lane, result.err()?)));
        let mut failed: Vec<(Lane, Failure)> = failed.collect();
        if self.is_lost()
            && let Some((_, failure)) = failed.pop()
        {
            return Err(failure);
        }
        for (lane, failure) in failed {
            events::lane_failed(lane, "consume", &failure);
        }
        Ok(())
    }

    pub(super) fn has(&self, lane: Lane) -> bool {
        self.streams().any(|stream| stream.lane == lane && !stream.is_empty())
    }

    pub(super) fn take(&mut self, lane: Lane) -> Option<Arrived> {
        let lane = self.lanes.iter_mut().find(|subscribed| subscribed.lane == lane)?;
        lane.stream.as_mut()?.take()
    }

    /// When [`collect`](Self::collect) has something to do of which nobody will tell it.
    pub(super) fn next_look(&self) -> Option<Instant> {
        self.lanes.iter().filter_map(Subscribed::due).min()
    }

    fn is_lost(&self) -> bool {
        self.streams().next().is_none()
    }

    fn streams(&self) -> impl Iterator<Item = &LaneStream> {
        self.lanes.iter().filter_map(|lane| lane.stream.as_ref())
    }
}

impl Subscribed {
    fn new(shared: Arc<Shared>, lane: Lane, prefetch: usize) -> Self {
        let not_before = Instant::now();
        Self { lane, prefetch, shared, stream: None, opening: None, not_before, pause: SHORTEST_PAUSE }
    }

    /// Takes in what has arrived, and opens the next stream when it is time.
    fn collect(&mut self, context: &mut Context<'_>) -> Result<(), Failure> {
        if self.due().is_some_and(|due| due <= Instant::now()) {
            let open = LaneStream::open(self.shared.clone(), self.lane, self.prefetch);
            self.opening = Some(AbortOnDropHandle::new(tokio::spawn(set_up(open))));
        }
        let mut result = Ok(());
        if let Some(Poll::Ready(opened)) = self.opening.as_mut().map(|opening| opening.poll_unpin(context)) {
            self.opening = None;
            result = opened.unwrap_or(Err(Failure::Cancelled)).map(|stream| {
                self.stream = Some(stream);
                self.pause = SHORTEST_PAUSE;
            });
        }
        if let Some(Err(failure)) = self.stream.as_mut().map(|stream| stream.collect(context)) {
            self.stream = None;
            result = Err(failure);
        }
        result.inspect_err(|_| {
            self.not_before = Instant::now() + self.pause;
            self.pause = (self.pause * 2).min(LONGEST_PAUSE);
        })
    }

    /// When the next stream is to be opened, unless that is under way or nobody knows yet.
    fn due(&self) -> Option<Instant> {
        if self.opening.is_some() {
            return None;
        }
        match &self.stream {
            Some(stream) => Some((stream.quiet_since()? + IDLE).max(self.not_before)),
            None => Some(self.not_before),
        }
    }
}
