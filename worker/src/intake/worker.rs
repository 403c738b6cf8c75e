//! What the process starts: the consumer with its permits, the relay, the reaper; and how they drain.

use std::sync::Arc;
use std::time::Duration;

use countersign_shared::adapters::Adapters;
use countersign_shared::config::Config;
use countersign_shared::domain::{LaneShare, Timestamp};
use countersign_shared::queue::{Consumer, Delivery, JobQueue, QueueError};
use countersign_shared::roles::{Duties, Role};
use countersign_shared::telemetry::events;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::attempt::{Context, Handled, handle};
use crate::pipeline::Pipeline;

/// One message in so many permits is ahead in each lane: enough to keep them busy, and few that wait here while another
/// worker is idle.
const PERMITS_TO_ONE_AHEAD: usize = 8;

/// The wait before a queue or a store that failed is asked again.
const PAUSE: Duration = Duration::from_secs(1);

/// Takes jobs and finishes them; one to a process.
pub struct Worker {
    context: Arc<Context>,
    duties: Duties,
    roles: Vec<Role>,
    queue: Arc<dyn JobQueue>,
    lanes: Vec<LaneShare>,
    permits: Arc<Semaphore>,
    prefetch: usize,
    /// The queue lives and dies with this process, so the rows of its predecessor are nobody else's.
    embedded: bool,
    drain: Duration,
    consumer: Option<Box<dyn Consumer>>,
}

impl Worker {
    pub fn build(config: &Config, adapters: &Adapters, pipeline: Arc<dyn Pipeline>) -> Self {
        let permits = config.worker.effective_permits();
        Self {
            duties: Duties::new(config, adapters),
            roles: config.worker.roles.clone(),
            context: Arc::new(Context::new(config, adapters, pipeline)),
            queue: adapters.queue.clone(),
            lanes: config.worker.lanes.clone(),
            permits: Arc::new(Semaphore::new(permits)),
            prefetch: permits.div_ceil(PERMITS_TO_ONE_AHEAD),
            embedded: config.is_embedded(),
            drain: config.server.drain,
            consumer: None,
        }
    }

    /// Works until `shutdown`, then takes no more jobs and gives those that run the drain's time to finish; what is
    /// not finished by then is stopped and given back.
    pub async fn run(mut self, shutdown: CancellationToken) {
        let Some(()) = shutdown.run_until_cancelled(self.recover_until_done()).await else { return };
        let background = TaskTracker::new();
        background.spawn(self.duties.clone().run(self.roles.clone(), shutdown.clone()));
        background.close();
        let attempts = TaskTracker::new();
        while let Some((delivery, permit)) = shutdown.run_until_cancelled(self.next()).await {
            let context = self.context.clone();
            attempts.spawn(async move { handle(&context, delivery, permit).await });
        }
        // What it had ahead goes to other workers now, not at the end of the drain.
        self.consumer = None;
        attempts.close();
        if timeout(self.drain, attempts.wait()).await.is_err() {
            events::drain_exceeded(attempts.len());
            self.context.draining.cancel();
            // An attempt ends soon after it is told to, whether its pipeline does or not.
            attempts.wait().await;
        }
        background.wait().await;
    }

    /// Handles one delivery, or none when none waits, after sending what is in the outbox.
    pub async fn step(&mut self) -> Handled {
        self.duties.relay().await;
        let mut waiting = 0;
        for share in &self.lanes {
            waiting += self.queue.depth(share.lane).await.unwrap_or(0);
        }
        if waiting == 0 {
            return Handled::Idle;
        }
        let (delivery, permit) = self.next().await;
        handle(&self.context, delivery, permit).await
    }

    /// Sweeps once, as if it were `now`.
    pub async fn reap(&mut self, now: Timestamp) {
        self.duties.reap(now).await;
    }

    /// Queues again what a predecessor that was killed has left behind; only for a process that is alone with its
    /// rows.
    pub async fn recover(&mut self) -> bool {
        match self.context.stores.upkeep.recover(self.context.settings.max_attempts).await {
            Ok(recovered) => {
                events::reoffered(&recovered);
                true
            }
            Err(error) => {
                events::dependency_failed("recover", &error);
                false
            }
        }
    }

    async fn recover_until_done(&mut self) {
        while self.embedded && !self.recover().await {
            sleep(PAUSE).await;
        }
    }

    /// The next delivery, asked for only when there is a permit to work on it.
    async fn next(&mut self) -> (Delivery, OwnedSemaphorePermit) {
        let permit =
            self.permits.clone().acquire_owned().await.expect("permits are never closed, this is a bug");
        loop {
            match self.try_next().await {
                Ok(delivery) => return (delivery, permit),
                Err(error) => {
                    events::dependency_failed("queue", &error);
                    self.consumer = None;
                    sleep(PAUSE).await;
                }
            }
        }
    }

    async fn try_next(&mut self) -> Result<Delivery, QueueError> {
        if self.consumer.is_none() {
            self.consumer = Some(self.queue.consume(&self.lanes, self.prefetch).await?);
        }
        let consumer = self.consumer.as_mut().expect("it was made above, this is a bug");
        consumer.next().await
    }
}
