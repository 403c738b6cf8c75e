//! From the outbox to the queue: published, confirmed, and only then removed.

#[cfg(test)]
mod tests;

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use futures::future::{join, join_all};
use tokio::sync::Notify;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use crate::config::Config;
use crate::domain::Lane;
use crate::queue::{JobQueue, QueueError};
use crate::store::{Outbox, StoreError};
use crate::telemetry::events;

/// Messages on their way to a lane at the same time.
const BATCH: u64 = 100;

/// How long what the queue said of its room counts. Another relay may send as much meanwhile.
const FRESH: Duration = Duration::from_millis(100);

/// How often it looks without being woken, for rows that another process wrote.
const SLOW: Duration = Duration::from_secs(2);
/// How soon a lane that was full is tried again.
const FULL: Duration = Duration::from_millis(20);
/// How soon one that was away is: the first time, and the longest wait.
const AWAY: Duration = Duration::from_secs(1);
const LONG_AWAY: Duration = Duration::from_secs(5);

/// Keeps the queue short, so that the rows that wait can still be put in a fair order: a tenant's ten jobs are sent
/// before the rest of another's 100,000.
#[derive(Clone)]
pub(super) struct Relay {
    outbox: Arc<dyn Outbox>,
    queue: Arc<dyn JobQueue>,
    /// About how many messages may wait in each of the queue's lanes.
    window: u64,
}

/// How many more messages a lane of the queue takes, and until when that counts.
#[derive(Default)]
struct Room {
    left: u64,
    until: Option<Instant>,
}

/// How a lane stands after a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Standing {
    Drained,
    More,
    Full,
    Away,
}

impl Relay {
    pub(super) fn new(config: &Config, outbox: Arc<dyn Outbox>, queue: Arc<dyn JobQueue>) -> Self {
        Self { outbox, queue, window: config.queue.window }
    }

    /// Sends to each lane on its own, so that one that is full or away, or has a long backlog, holds up no other. It can
    /// be broken off anywhere: what it holds is free again, and a message sent twice is harmless.
    pub(super) async fn run(self, shutdown: CancellationToken) {
        let wakes = Lane::ALL.map(|_| Notify::new());
        let lanes = join_all(Lane::ALL.map(|lane| self.keep_sending(lane, &wakes[lane as usize])));
        shutdown.run_until_cancelled(join(self.keep_looking(&wakes), lanes)).await;
    }

    /// Sends what there is now, until every lane is empty, full or away.
    pub(super) async fn pass(&self) {
        let drain = async |lane| {
            let mut room = Room::default();
            while self.batch(lane, BATCH, &mut room).await == Standing::More {}
        };
        join_all(self.waiting().await.into_iter().map(drain)).await;
    }

    /// Wakes the lanes that have rows, whoever added them.
    async fn keep_looking(&self, wakes: &[Notify; Lane::ALL.len()]) -> Infallible {
        loop {
            for lane in self.waiting().await {
                wakes[lane as usize].notify_one();
            }
            sleep(SLOW).await;
        }
    }

    async fn keep_sending(&self, lane: Lane, wake: &Notify) -> Infallible {
        let (mut most, mut away, mut room) = (BATCH, AWAY, Room::default());
        loop {
            match self.batch(lane, most, &mut room).await {
                Standing::Drained => {
                    (most, away) = (BATCH, AWAY);
                    tokio::select! {
                        () = self.outbox.added(lane) => {}
                        () = wake.notified() => {}
                    }
                }
                Standing::More => (most, away) = (BATCH, AWAY),
                Standing::Full => sleep(FULL).await,
                Standing::Away => {
                    sleep(away).await;
                    // One message shows whether it is back.
                    (most, away) = (1, (away * 2).min(LONG_AWAY));
                }
            }
        }
    }

    async fn waiting(&self) -> Vec<Lane> {
        self.outbox.waiting().await.unwrap_or_else(|error| {
            events::dependency_failed("outbox", &error);
            Vec::new()
        })
    }

    async fn batch(&self, lane: Lane, most: u64, room: &mut Room) -> Standing {
        self.try_batch(lane, most, room).await.unwrap_or_else(|error| {
            events::dependency_failed("outbox", &error);
            Standing::Away
        })
    }

    async fn try_batch(&self, lane: Lane, most: u64, room: &mut Room) -> Result<Standing, StoreError> {
        if let Err(error) = self.look(lane, room).await {
            return Ok(failed(lane, &error));
        }
        let limit = room.left.min(most);
        if limit == 0 {
            return Ok(Standing::Full);
        }
        let batch = self.outbox.take(lane, limit as u32).await?;
        let sent_all = if batch.more() { Standing::More } else { Standing::Drained };
        room.left = room.left.saturating_sub(batch.rows().len() as u64);
        let published = join_all(batch.rows().iter().map(|row| self.queue.publish(lane, &row.message))).await;
        let taken = batch.rows().iter().zip(&published);
        let sent: Vec<i64> =
            taken.filter(|(_, result)| result.is_ok()).map(|(row, _)| row.sequence).collect();
        batch.sent(&sent).await?;
        let worst =
            published.iter().filter_map(|result| result.as_ref().err()).max_by_key(|error| standing(error));
        let Some(worst) = worst else { return Ok(sent_all) };
        *room = Room::default();
        Ok(failed(lane, worst))
    }

    /// Asks the queue how much room it has, unless what it said still counts.
    async fn look(&self, lane: Lane, room: &mut Room) -> Result<(), QueueError> {
        if room.left == 0 || room.until.is_none_or(|until| until <= Instant::now()) {
            let left = self.window.saturating_sub(self.queue.depth(lane).await?);
            *room = Room { left, until: Some(Instant::now() + FRESH) };
        }
        Ok(())
    }
}

fn failed(lane: Lane, error: &QueueError) -> Standing {
    let standing = standing(error);
    if standing == Standing::Away {
        events::lane_failed(lane, "publish", error);
    }
    standing
}

fn standing(error: &QueueError) -> Standing {
    match error {
        QueueError::Full => Standing::Full,
        QueueError::Unavailable(_) | QueueError::Closed => Standing::Away,
    }
}
