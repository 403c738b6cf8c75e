//! What every request handler shares.

use std::sync::Arc;
use std::time::Duration;

use countersign_shared::adapters::Adapters;
use countersign_shared::blob::Blobs;
use countersign_shared::config::{Config, Limits};
use countersign_shared::domain::{AuditEntry, Lane, ProblemCode, Targets, TenantId};
use countersign_shared::rate::RateLimiter;
use countersign_shared::signal::Signal;
use countersign_shared::store::{
    AuditLog, ChallengeStore, ErasureStore, IdempotencyStore, KeyStore, Overview, ReviewStore, TenantStore,
    UsageStore, VerificationStore, WebhookStore,
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::app::RenderMetrics;
use crate::background::Background;
use crate::problem::Problem;
use crate::quota::Quotas;
use crate::readiness::Readiness;
use crate::room::Room;
use crate::wait::Watcher;

/// Who has nothing in any lane.
const NOBODY: TenantId = TenantId::from_uuid(Uuid::nil());

pub(crate) struct Front {
    pub(crate) verifications: Arc<dyn VerificationStore>,
    pub(crate) keys: Arc<dyn KeyStore>,
    pub(crate) overview: Arc<dyn Overview>,
    pub(crate) reviews: Arc<dyn ReviewStore>,
    pub(crate) webhooks: Arc<dyn WebhookStore>,
    /// Where events may be sent.
    pub(crate) targets: Targets,
    /// Webhook endpoints that a tenant may have.
    pub(crate) most_endpoints: u32,
    pub(crate) tenants: Arc<dyn TenantStore>,
    pub(crate) usage: Arc<dyn UsageStore>,
    pub(crate) erasures: Arc<dyn ErasureStore>,
    pub(crate) audit_log: Arc<dyn AuditLog>,
    pub(crate) idempotency: Arc<dyn IdempotencyStore>,
    pub(crate) challenges: Arc<dyn ChallengeStore>,
    pub(crate) blobs: Arc<dyn Blobs>,
    pub(crate) signal: Arc<dyn Signal>,
    pub(crate) rates: Arc<dyn RateLimiter>,
    pub(crate) quotas: Quotas,
    pub(crate) readiness: watch::Receiver<Readiness>,
    pub(crate) metrics: RenderMetrics,
    pub(crate) background: Background,
    pub(crate) limits: Limits,
    /// How long a synchronous call waits.
    pub(crate) wait: Duration,
    /// How long the answer to a request with an idempotency key is kept.
    pub(crate) keep_answers: Duration,
    /// How long a challenge is open when its client does not say.
    pub(crate) challenges_expire_in: Duration,
    /// Set when a shutdown begins.
    pub(crate) stopping: CancellationToken,
    /// Set when a shutdown can't wait for results any longer.
    pub(crate) stop_waiting: CancellationToken,
    room: Room,
    uploads: Arc<Semaphore>,
    _watcher: Watcher,
}

impl Front {
    pub(crate) fn new(
        config: &Config,
        adapters: &Adapters,
        readiness: watch::Receiver<Readiness>,
        metrics: RenderMetrics,
        background: Background,
    ) -> Self {
        let watcher =
            Watcher::start(adapters.signal.clone(), adapters.stores.overview.clone(), background.runtime());
        Self {
            room: Room::new(adapters.stores.verifications.clone(), config.lanes.clone()),
            verifications: adapters.stores.verifications.clone(),
            keys: adapters.stores.keys.clone(),
            overview: adapters.stores.overview.clone(),
            reviews: adapters.stores.reviews.clone(),
            webhooks: adapters.stores.webhooks.clone(),
            targets: config.webhooks.targets(),
            most_endpoints: config.webhooks.endpoints,
            tenants: adapters.stores.tenants.clone(),
            usage: adapters.stores.usage.clone(),
            erasures: adapters.stores.erasures.clone(),
            audit_log: adapters.stores.audit.clone(),
            idempotency: adapters.stores.idempotency.clone(),
            challenges: adapters.stores.challenges.clone(),
            blobs: adapters.blobs.clone(),
            signal: adapters.signal.clone(),
            rates: adapters.rates.clone(),
            quotas: Quotas::new(adapters.stores.usage.clone()),
            readiness,
            metrics,
            background,
            limits: config.limits.clone(),
            wait: config.v1.wait,
            keep_answers: config.idempotency.keep,
            challenges_expire_in: config.challenges.expires_in,
            stopping: CancellationToken::new(),
            stop_waiting: CancellationToken::new(),
            uploads: Arc::new(Semaphore::new(config.limits.uploads)),
            _watcher: watcher,
        }
    }

    pub(crate) fn readiness(&self) -> Readiness {
        if self.stopping.is_cancelled() { Readiness::Stopping } else { *self.readiness.borrow() }
    }

    /// Refuses work while the process can't do it.
    pub(crate) fn ensure_ready(&self) -> Result<(), Problem> {
        match self.readiness() {
            Readiness::Ready => Ok(()),
            other => {
                let detail = format!("the service is {}", other.name());
                Err(Problem::new(ProblemCode::Unavailable, detail))
            }
        }
    }

    /// Refuses work for a lane that holds as much of the tenant's as it may; of a tenant not known yet, work for a lane
    /// that takes nobody's.
    pub(crate) async fn ensure_room(&self, lane: Lane, tenant: Option<TenantId>) -> Result<(), Problem> {
        self.room.ensure(lane, tenant.unwrap_or(NOBODY)).await
    }

    /// One more is in the lane.
    pub(crate) async fn room_taken(&self, lane: Lane, tenant: TenantId) {
        self.room.added(lane, tenant).await;
    }

    /// Writes down what changes no row, such as a look at somebody's media: before it is done, so that nothing is done
    /// which can't be written down.
    pub(crate) async fn audit(&self, entry: &AuditEntry) -> Result<(), Problem> {
        Ok(self.audit_log.append(entry).await?)
    }

    /// One of the places for uploads at the same time.
    pub(crate) fn place_for_upload(&self) -> Result<OwnedSemaphorePermit, Problem> {
        Arc::clone(&self.uploads)
            .try_acquire_owned()
            .map_err(|_| Problem::new(ProblemCode::QueueFull, "too many uploads at the same time"))
    }
}
