//! The queue inside one process: bounded, by lane, refilled from the rows when the process starts.

mod lanes;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, sleep_until};

use self::lanes::Lanes;
use super::turns::Turns;
use super::{Consumer, Delivery, JobMessage, JobQueue, QueueError, Settle};
use crate::domain::{Lane, LaneShare};

/// Room beyond the window that a relay fills, for those that are offered again or come back late.
const HEADROOM: u64 = 64;

pub struct MemoryQueue {
    shared: Arc<Shared>,
}

struct Shared {
    lanes: Mutex<Lanes>,
    /// Wakes every consumer: something arrived, or is due sooner than it was, or the queue was closed.
    changed: Notify,
}

impl MemoryQueue {
    /// A queue that holds `window` messages in each lane, and a few more.
    pub fn new(window: u64) -> Self {
        let capacity = window.saturating_add((window / 4).max(HEADROOM));
        Self { shared: Arc::new(Shared { lanes: Mutex::new(Lanes::new(capacity)), changed: Notify::new() }) }
    }
}

impl Shared {
    /// A panic while it was held can't have left the lanes half-changed: nothing in there panics between two steps.
    fn lanes(&self) -> MutexGuard<'_, Lanes> {
        self.lanes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn delay(&self, delay: Duration, lane: Lane, message: JobMessage) {
        self.lanes().delay(lane, message, Instant::now() + delay);
        self.changed.notify_waiters();
    }
}

#[async_trait]
impl JobQueue for MemoryQueue {
    async fn publish(&self, lane: Lane, message: &JobMessage) -> Result<(), QueueError> {
        self.shared.lanes().publish(lane, message.clone())?;
        self.shared.changed.notify_waiters();
        Ok(())
    }

    async fn publish_after(
        &self,
        delay: Duration,
        lane: Lane,
        message: &JobMessage,
    ) -> Result<(), QueueError> {
        if self.shared.lanes().is_closed() {
            return Err(QueueError::Closed);
        }
        self.shared.delay(delay, lane, message.clone());
        Ok(())
    }

    async fn consume(&self, lanes: &[LaneShare], prefetch: usize) -> Result<Box<dyn Consumer>, QueueError> {
        Ok(Box::new(MemoryConsumer {
            shared: self.shared.clone(),
            turns: Turns::new(lanes),
            prefetch: Arc::new(Semaphore::new(prefetch.max(1))),
        }))
    }

    async fn depth(&self, lane: Lane) -> Result<u64, QueueError> {
        let mut lanes = self.shared.lanes();
        lanes.bring_back_due(Instant::now());
        Ok(lanes.depth(lane))
    }

    async fn dead(&self) -> Result<u64, QueueError> {
        Ok(0)
    }

    async fn close(&self) {
        self.shared.lanes().close();
        self.shared.changed.notify_waiters();
    }
}

struct MemoryConsumer {
    shared: Arc<Shared>,
    turns: Turns,
    prefetch: Arc<Semaphore>,
}

#[async_trait]
impl Consumer for MemoryConsumer {
    async fn next(&mut self) -> Result<Delivery, QueueError> {
        let permit = self.prefetch.clone().acquire_owned().await.map_err(|_| QueueError::Closed)?;
        loop {
            let shared = self.shared.clone();
            let mut changed = std::pin::pin!(shared.changed.notified());
            // Registered before looking, so that what arrives in between is not missed.
            changed.as_mut().enable();
            let due = {
                let mut lanes = shared.lanes();
                if lanes.is_closed() {
                    return Err(QueueError::Closed);
                }
                lanes.bring_back_due(Instant::now());
                if let Some((lane, message)) = self.turns.take(|lane| lanes.take(lane)) {
                    drop(lanes);
                    return Ok(self.delivery(lane, message, permit));
                }
                lanes.next_due()
            };
            match due {
                Some(due) => tokio::select! { () = &mut changed => {}, () = sleep_until(due) => {} },
                None => changed.await,
            }
        }
    }
}

impl MemoryConsumer {
    fn delivery(&self, lane: Lane, message: JobMessage, permit: OwnedSemaphorePermit) -> Delivery {
        let settle = MemorySettle {
            shared: self.shared.clone(),
            lane,
            unsettled: Some(message.clone()),
            _permit: permit,
        };
        Delivery::new(lane, message, Box::new(settle))
    }
}

struct MemorySettle {
    shared: Arc<Shared>,
    lane: Lane,
    /// Taken when it is settled.
    unsettled: Option<JobMessage>,
    _permit: OwnedSemaphorePermit,
}

#[async_trait]
impl Settle for MemorySettle {
    async fn ack(mut self: Box<Self>) -> Result<(), QueueError> {
        self.unsettled = None;
        Ok(())
    }

    async fn retry(mut self: Box<Self>, after: Duration) -> Result<(), QueueError> {
        if let Some(message) = self.unsettled.take() {
            self.shared.delay(after, self.lane, message);
        }
        Ok(())
    }

    /// There is no place to set it aside, and the row that it is about is still there.
    async fn reject(mut self: Box<Self>) -> Result<(), QueueError> {
        self.unsettled = None;
        Ok(())
    }
}

impl Drop for MemorySettle {
    fn drop(&mut self) {
        if let Some(message) = self.unsettled.take() {
            self.shared.lanes().give_back(self.lane, message);
            self.shared.changed.notify_waiters();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::queue::contract;

    crate::queue::contract::suite!(Some(((), MemoryQueue::new(contract::MAX_DEPTH))));
}
