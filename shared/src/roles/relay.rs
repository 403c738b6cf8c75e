//! From the outbox to the queue: published, confirmed, and only then removed.

use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::config::Config;
use crate::domain::Lane;
use crate::queue::{JobQueue, QueueError};
use crate::store::{Outbox, StoreError};
use crate::telemetry::events;

/// Messages on their way to the queue at the same time.
const BATCH: u64 = 100;

/// How often it looks without being woken, for rows that another process wrote.
const SLOW: Duration = Duration::from_secs(2);
/// How soon it looks again when a lane was full.
const FULL: Duration = Duration::from_millis(20);
/// How soon it looks again when something was away.
const AWAY: Duration = Duration::from_secs(1);

/// Keeps the queue short, so that the rows that wait can still be put in a fair order: a tenant's ten jobs are sent
/// before the rest of another's 100,000.
#[derive(Clone)]
pub(super) struct Relay {
    outbox: Arc<dyn Outbox>,
    queue: Arc<dyn JobQueue>,
    /// How many messages may wait in each of the queue's lanes.
    window: u64,
}

/// How a lane, or all of them, stand after a pass; the worst comes last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Standing {
    Empty,
    More,
    Full,
    Away,
}

impl Relay {
    pub(super) fn new(config: &Config, outbox: Arc<dyn Outbox>, queue: Arc<dyn JobQueue>) -> Self {
        Self { outbox, queue, window: config.queue.window }
    }

    /// A pass can be broken off anywhere: what it holds is free again, and a message sent twice is harmless.
    pub(super) async fn run(self, shutdown: CancellationToken) {
        while let Some(standing) = shutdown.run_until_cancelled(self.pass()).await {
            let pause = match standing {
                Standing::Empty | Standing::More => SLOW,
                Standing::Full => FULL,
                Standing::Away => AWAY,
            };
            tokio::select! {
                () = shutdown.cancelled() => return,
                () = self.outbox.added() => {}
                () = sleep(pause) => {}
            }
        }
    }

    /// Sends what there is, a batch of each lane that has rows in turn, until every lane is empty, full or away. Which
    /// lanes have rows is asked each time, so that a long backlog in one holds up no other.
    pub(super) async fn pass(&self) -> Standing {
        loop {
            let lanes = match self.outbox.waiting().await {
                Ok(lanes) => lanes,
                Err(error) => return away("outbox", &error),
            };
            let (mut worst, mut sends) = (Standing::Empty, false);
            for lane in lanes {
                match self.batch(lane).await {
                    Ok(Standing::More) => sends = true,
                    Ok(standing) => worst = worst.max(standing),
                    Err(error) => return away("outbox", &error),
                }
            }
            if !sends {
                return worst;
            }
        }
    }

    async fn batch(&self, lane: Lane) -> Result<Standing, StoreError> {
        let depth = match self.queue.depth(lane).await {
            Ok(depth) => depth,
            Err(error) => return Ok(standing(&error)),
        };
        let room = self.window.saturating_sub(depth).min(BATCH);
        if room == 0 {
            return Ok(Standing::Full);
        }
        let batch = self.outbox.take(lane, room as u32).await?;
        if batch.rows().is_empty() {
            // Another relay has them. Dropping the batch would cost its connection.
            batch.sent(&[]).await?;
            return Ok(Standing::Empty);
        }
        let published = join_all(batch.rows().iter().map(|row| self.queue.publish(lane, &row.message))).await;
        let taken = batch.rows().iter().zip(&published);
        let sent: Vec<i64> =
            taken.filter(|(_, result)| result.is_ok()).map(|(row, _)| row.sequence).collect();
        batch.sent(&sent).await?;
        let worst = published.iter().filter_map(|result| result.as_ref().err()).map(standing).max();
        Ok(worst.unwrap_or(Standing::More))
    }
}

fn away(what: &'static str, error: &StoreError) -> Standing {
    events::dependency_failed(what, error);
    Standing::Away
}

fn standing(error: &QueueError) -> Standing {
    match error {
        QueueError::Full => Standing::Full,
        QueueError::Unavailable(_) | QueueError::Closed => {
            events::dependency_failed("publish", error);
            Standing::Away
        }
    }
}
