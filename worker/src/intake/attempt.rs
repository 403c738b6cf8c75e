//! One delivery: claimed, acknowledged, worked on, finished.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use countersign_shared::adapters::Adapters;
use countersign_shared::blob::Blobs;
use countersign_shared::config::{self, Config};
use countersign_shared::domain::{Failure, Kind, Lane, ProblemCode, State, Verification, VerificationId};
use countersign_shared::queue::{Delivery, JobMessage, JobQueue, MESSAGE_VERSION, QueueError};
use countersign_shared::signal::{Change, Signal};
use countersign_shared::store::{Claim, Lease, Outcome, StoreError, Stores};
use countersign_shared::telemetry::events;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

use super::execute::{Ended, Stop, execute};
use super::keeper::Keeper;
use crate::pipeline::Pipeline;

/// How often, and with which first wait, a result is written again when the store is away. The lease is kept meanwhile.
const FINISH_TRIES: u32 = 6;
const FINISH_PAUSE: Duration = Duration::from_millis(200);

/// The wait after a message could not be put off.
const PAUSE: Duration = Duration::from_secs(1);

/// How late the message of a job that is tried again may be, before the row is offered again without it.
const LATENESS: Duration = Duration::from_secs(30);

/// When what a newer build wrote comes back.
const LEFT_FOR: Duration = Duration::from_secs(5);

/// How long a pipeline may take to stop after it was told to.
const STOP_GRACE: Duration = Duration::from_secs(3);

/// What became of a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Handled {
    /// Nothing was waiting.
    Idle,
    /// The verification has reached that state.
    Finished(State),
    /// It will be tried again.
    Retried,
    /// It was given back because the worker stops.
    GivenBack,
    /// There was nothing left to do.
    Gone,
    /// Another worker has it.
    Held,
    /// Another worker has taken it over; nothing was written.
    LeaseLost,
    /// A newer build wrote it; it is left to that build's workers.
    Newer,
    /// The store was away; the message comes back.
    Unavailable,
}

/// What every attempt needs.
pub(super) struct Context {
    pub(super) stores: Stores,
    pub(super) queue: Arc<dyn JobQueue>,
    pub(super) signal: Arc<dyn Signal>,
    pub(super) blobs: Arc<dyn Blobs>,
    pub(super) pipeline: Arc<dyn Pipeline>,
    pub(super) settings: config::Worker,
    /// Cancelled when running jobs are to be given back.
    pub(super) draining: CancellationToken,
    pub(super) stop_grace: Duration,
    keeps_media: bool,
    name: String,
    claims: AtomicU64,
}

impl Context {
    pub(super) fn new(config: &Config, adapters: &Adapters, pipeline: Arc<dyn Pipeline>) -> Self {
        Self {
            stores: adapters.stores.clone(),
            queue: adapters.queue.clone(),
            signal: adapters.signal.clone(),
            blobs: adapters.blobs.clone(),
            pipeline,
            settings: config.worker.clone(),
            draining: CancellationToken::new(),
            stop_grace: STOP_GRACE,
            keeps_media: !config.retention.media.is_zero(),
            name: uuid::Uuid::now_v7().simple().to_string(),
            claims: AtomicU64::new(0),
        }
    }

    /// A name that no other claim has, of this process or another.
    fn owner(&self) -> String {
        format!("{}/{}", self.name, self.claims.fetch_add(1, Ordering::Relaxed))
    }
}

/// Claims the verification that the message is about and works on it. The permit is held for as long as the pipeline's
/// thread runs; the message only until the claim: from then on the row and its lease bring the job back, whatever
/// happens here, and the broker can send what comes next to whoever is free.
pub(super) async fn handle(context: &Context, delivery: Delivery, permit: OwnedSemaphorePermit) -> Handled {
    if delivery.message.v > MESSAGE_VERSION {
        return leave(delivery).await;
    }
    let id = delivery.message.verification_id;
    match context.stores.verifications.claim(id, &context.owner(), context.settings.lease).await {
        Ok(Claim::Claimed(lease, verification)) => {
            let span = tracing::info_span!(
                "job",
                job.id = %id,
                tenant.id = %lease.tenant,
                attempt = lease.attempt,
                traceparent = delivery.message.traceparent,
            );
            context.signal.announce(id, Change::Progress).await;
            let attempt = Attempt::begin(context, lease, Some(verification.request.kind), &delivery);
            settled(delivery.ack().await);
            attempt.run(*verification, permit).instrument(span).await
        }
        Ok(Claim::Unreadable(lease, error)) => {
            events::row_unreadable(&lease, &*error);
            let attempt = Attempt::begin(context, lease, None, &delivery);
            settled(delivery.ack().await);
            attempt.fail("the row is unreadable").await
        }
        Ok(Claim::Newer(_)) => leave(delivery).await,
        Ok(Claim::Gone) => {
            settled(delivery.ack().await);
            Handled::Gone
        }
        // Should that worker die, the reaper offers the row again.
        Ok(Claim::Held(_)) => {
            settled(delivery.ack().await);
            Handled::Held
        }
        Err(error) => {
            events::dependency_failed("claim", &error);
            put_off(delivery, context.settings.retry_delay(1)).await;
            Handled::Unavailable
        }
    }
}

/// Leaves a message to the workers of a newer build: it comes back until one of them has it.
async fn leave(delivery: Delivery) -> Handled {
    events::newer_left(delivery.lane, delivery.message.verification_id);
    put_off(delivery, LEFT_FOR).await;
    Handled::Newer
}

/// A claimed verification.
struct Attempt<'a> {
    context: &'a Context,
    /// Unknown when the row can't be read.
    kind: Option<Kind>,
    keeper: Keeper,
    lease: Lease,
    /// Where it came from, and goes to when it is tried again.
    lane: Lane,
    message: JobMessage,
    started: Instant,
}

impl<'a> Attempt<'a> {
    fn begin(context: &'a Context, lease: Lease, kind: Option<Kind>, delivery: &Delivery) -> Self {
        let store = context.stores.verifications.clone();
        let keeper = Keeper::start(store, lease.clone(), context.settings.lease);
        let (lane, message) = (delivery.lane, delivery.message.clone());
        Self { context, kind, keeper, lease, lane, message, started: Instant::now() }
    }

    async fn run(self, verification: Verification, permit: OwnedSemaphorePermit) -> Handled {
        events::job_claimed(&verification);
        if self.lease.attempt > self.context.settings.max_attempts {
            return self.fail("every earlier attempt was cut short").await;
        }
        match execute(self.context, verification.request, self.keeper.lost(), permit).await {
            Ended::Report(report) => self.end(Outcome::Succeeded(report)).await,
            Ended::Permanent(failure) => self.end(Outcome::Failed(failure)).await,
            Ended::Retryable(reason) => self.fail(&reason).await,
            Ended::Stopped(Stop::Deadline) => self.fail("it took longer than worker.job_time").await,
            Ended::Stopped(Stop::Draining) => self.end(Outcome::GivenBack).await,
            Ended::Stopped(Stop::LeaseLost) => self.lost(),
        }
    }

    /// Ends an attempt that failed for a reason of our own: another one follows unless this was the last.
    async fn fail(self, reason: &str) -> Handled {
        let is_last = self.lease.attempt >= self.context.settings.max_attempts;
        let next = (!is_last).then(|| self.delay());
        events::attempt_failed(reason, next);
        let outcome = if is_last {
            Outcome::Failed(Failure::new(ProblemCode::Internal, "every attempt failed"))
        } else {
            let message_due = self.delay() + LATENESS;
            Outcome::Retry {
                offered_ago: self.context.settings.offer_again_after.saturating_sub(message_due),
            }
        };
        self.end(outcome).await
    }

    /// Writes the outcome, then tells those who wait, or sends the message that brings the job back.
    async fn end(self, outcome: Outcome) -> Handled {
        match self.finish(&outcome).await {
            Ok(()) => {}
            Err(StoreError::Conflict) => return self.lost(),
            Err(error) => {
                // The lease runs out by itself, and then the row is offered again.
                events::dependency_failed("finish", &error);
                return Handled::Unavailable;
            }
        }
        events::attempt_ended(self.kind, &outcome, self.started.elapsed());
        let state = match outcome {
            Outcome::Succeeded(_) => State::Succeeded,
            Outcome::Failed(_) => State::Failed,
            Outcome::Retry { .. } => {
                self.context.signal.announce(self.lease.id, Change::Progress).await;
                self.come_back().await;
                return Handled::Retried;
            }
            Outcome::GivenBack => {
                self.context.signal.announce(self.lease.id, Change::Progress).await;
                return Handled::GivenBack;
            }
        };
        self.context.signal.announce(self.lease.id, Change::End).await;
        if !self.context.keeps_media {
            forget_media(self.context, self.lease.id).await;
        }
        Handled::Finished(state)
    }

    async fn finish(&self, outcome: &Outcome) -> Result<(), StoreError> {
        let mut pause = FINISH_PAUSE;
        for _ in 1..FINISH_TRIES {
            match self.context.stores.verifications.finish(&self.lease, outcome).await {
                Err(error @ StoreError::Unavailable(_)) => events::dependency_failed("finish", &error),
                other => return other,
            }
            sleep(pause).await;
            pause *= 2;
        }
        self.context.stores.verifications.finish(&self.lease, outcome).await
    }

    /// The wait before the next attempt.
    fn delay(&self) -> Duration {
        self.context.settings.retry_delay(self.lease.attempt)
    }

    /// Where it fails, the reaper offers the row again a little later.
    async fn come_back(&self) {
        if let Err(error) = self.context.queue.publish_after(self.delay(), self.lane, &self.message).await {
            events::dependency_failed("retry", &error);
        }
    }

    fn lost(self) -> Handled {
        events::lease_lost(self.kind, self.started.elapsed());
        Handled::LeaseLost
    }
}

/// A message that could not be settled is delivered again, and then the row says what is left to do.
fn settled(result: Result<(), QueueError>) {
    if let Err(error) = result {
        events::dependency_failed("settle", &error);
    }
}

/// Brings the message back later. Where that fails it comes back at once, so a moment passes first: each time counts
/// towards the queue's delivery limit.
async fn put_off(delivery: Delivery, after: Duration) {
    if let Err(error) = delivery.retry(after).await {
        events::dependency_failed("settle", &error);
        sleep(PAUSE).await;
    }
}

/// Deletes the media at the end of their verification; what fails is left to the reaper.
async fn forget_media(context: &Context, id: VerificationId) {
    if let Err(error) = context.blobs.delete_all(id).await {
        events::dependency_failed("delete media", &error);
        return;
    }
    match context.stores.upkeep.media_deleted(&[id]).await {
        Ok(()) => events::media_deleted(&[id]),
        Err(error) => events::dependency_failed("note deleted media", &error),
    }
}
