//! From the outbox to the queue: published, confirmed, and only then removed.

use std::sync::Arc;
use std::time::Duration;

use countersign_shared::domain::Lane;
use countersign_shared::queue::{JobQueue, QueueError};
use countersign_shared::store::{Outbox, StoreError};
use countersign_shared::telemetry::events;
use futures::{StreamExt, stream};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

const BATCH: u32 = 100;
/// Messages on their way to the queue at the same time.
const IN_FLIGHT: usize = 16;

/// How often it looks without being woken, for rows that another process wrote.
const SLOW: Duration = Duration::from_secs(2);
/// How soon it looks again when a lane was full.
const FULL: Duration = Duration::from_millis(250);
/// How soon it looks again when something was away.
const AWAY: Duration = Duration::from_secs(1);

#[derive(Clone)]
pub(super) struct Relay {
    outbox: Arc<dyn Outbox>,
    queue: Arc<dyn JobQueue>,
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
    pub(super) fn new(outbox: Arc<dyn Outbox>, queue: Arc<dyn JobQueue>) -> Self {
        Self { outbox, queue }
    }

    pub(super) async fn run(self, shutdown: CancellationToken) {
        loop {
            let pause = match self.pass().await {
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

    /// Sends what there is, lane by lane in turns, until each is empty, full or away.
    pub(super) async fn pass(&self) -> Standing {
        let mut lanes = Lane::ALL.to_vec();
        let mut worst = Standing::Empty;
        while !lanes.is_empty() {
            let mut unfinished = Vec::new();
            for lane in lanes {
                match self.batch(lane).await {
                    Ok(Standing::More) => unfinished.push(lane),
                    Ok(standing) => worst = worst.max(standing),
                    Err(error) => {
                        events::dependency_failed("outbox", &error);
                        return Standing::Away;
                    }
                }
            }
            lanes = unfinished;
        }
        worst
    }

    async fn batch(&self, lane: Lane) -> Result<Standing, StoreError> {
        let rows = self.outbox.pending(lane, BATCH).await?;
        let is_last = rows.len() < BATCH as usize;
        let published: Vec<(i64, Result<(), QueueError>)> = stream::iter(rows)
            .map(|row| async move { (row.sequence, self.queue.publish(lane, &row.message).await) })
            .buffered(IN_FLIGHT)
            .collect()
            .await;
        let sent: Vec<i64> =
            published.iter().filter(|(_, result)| result.is_ok()).map(|(sequence, _)| *sequence).collect();
        if !sent.is_empty() {
            self.outbox.sent(&sent).await?;
        }
        let standing = published.iter().filter_map(|(_, result)| result.as_ref().err()).map(standing).max();
        Ok(standing.unwrap_or(if is_last { Standing::Empty } else { Standing::More }))
    }
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
