//! One attempt at one delivery: what is told is read from the rows, signed, sent, and settled.

use std::sync::Arc;
use std::time::{Duration, Instant};

use rand::Rng as _;
use tracing::Instrument;

use super::post::{Answer, Message, Post};
use super::resolve::Lookup;
use crate::config;
use crate::domain::{
    Delivery, DeliveryAttempt, DeliveryError, DisabledReason, Event, Recipient, Subject, TenantId, Timestamp,
    WebhookId, WebhookSecret, WebhookSecrets, WebhookUrl,
};
use crate::store::{
    DeliveryLease, DeliveryStore, Settlement, StoreError, Stores, VerificationStore, WebhookStore,
};
use crate::telemetry::events;

/// It wants to hear no more.
const GONE: u16 = 410;

/// A receiver may ask for at most so long a wait.
const LONGEST_RETRY_AFTER: Duration = Duration::from_hours(8);

/// Waits grow by up to this part of them, so that what failed together is not tried again together.
const JITTER: f64 = 0.2;

pub(super) struct Sender {
    verifications: Arc<dyn VerificationStore>,
    webhooks: Arc<dyn WebhookStore>,
    deliveries: Arc<dyn DeliveryStore>,
    /// None where the machine trusts no certificate; every attempt fails then.
    post: Option<Post>,
    settings: config::Webhooks,
}

/// What the rows say about a delivery.
enum Prepared {
    Ready {
        url: WebhookUrl,
        secrets: WebhookSecrets,
        body: Vec<u8>,
    },
    /// Its endpoint was disabled meanwhile.
    Disabled,
    /// Its endpoint, or what it is about, is no more.
    Gone,
}

impl Sender {
    pub(super) fn new(stores: &Stores, settings: config::Webhooks, lookup: Arc<dyn Lookup>) -> Self {
        Self {
            verifications: stores.verifications.clone(),
            webhooks: stores.webhooks.clone(),
            deliveries: stores.deliveries.clone(),
            post: Post::new(&settings, lookup)
                .inspect_err(|error| events::dependency_failed("prepare to send webhooks", error))
                .ok(),
            settings,
        }
    }

    /// Whatever the store refuses is left to the end of the lease.
    pub(super) async fn attempt(&self, delivery: Delivery, owner: String) {
        let span = tracing::info_span!(
            "delivery",
            delivery.id = %delivery.id,
            tenant.id = %delivery.tenant,
            event = %delivery.event,
            attempt = delivery.attempts + 1,
        );
        let lease = DeliveryLease { id: delivery.id, tenant: delivery.tenant, owner };
        if let Err(error) = self.try_once(&delivery, &lease).instrument(span).await {
            events::dependency_failed("deliver", &error);
        }
    }

    async fn try_once(&self, delivery: &Delivery, lease: &DeliveryLease) -> Result<(), StoreError> {
        let (url, secrets, body) = match self.prepare(delivery).await? {
            Prepared::Ready { url, secrets, body } => (url, secrets, body),
            Prepared::Gone => return self.deliveries.drop_delivery(lease).await,
            Prepared::Disabled => {
                let error = Some(DeliveryError::EndpointDisabled);
                let attempt = DeliveryAttempt { at: Timestamp::now(), duration_ms: 0, status: None, error };
                return self.settle(delivery, lease, &attempt, Settlement::GivenUp).await.map(|_| ());
            }
        };
        let (at, began) = (Timestamp::now(), Instant::now());
        let signature = secrets.signature(delivery.id, at, &body);
        let message = Message { url: &url, id: delivery.id, at, signature, body };
        let answer = match &self.post {
            Some(post) => post.post(message).await,
            None => Err(DeliveryError::ConnectionFailed),
        };
        let error = match answer {
            Ok(Answer { status: 200..=299, .. }) => None,
            Ok(Answer { status: 300..=399, .. }) => Some(DeliveryError::Redirected),
            Ok(_) => Some(DeliveryError::StatusNotSuccess),
            Err(error) => Some(error),
        };
        let attempt = DeliveryAttempt {
            at,
            duration_ms: began.elapsed().as_millis() as u64,
            status: answer.ok().map(|answer| answer.status),
            error,
        };
        let settlement =
            self.settlement(delivery, &attempt, answer.ok().and_then(|answer| answer.retry_after));
        let failing_since = self.settle(delivery, lease, &attempt, settlement).await?;
        self.judge(delivery, &attempt, failing_since).await
    }

    async fn prepare(&self, delivery: &Delivery) -> Result<Prepared, StoreError> {
        let tenant = delivery.tenant;
        let (url, secrets) = match &delivery.recipient {
            Recipient::Endpoint(id) => {
                let Some(endpoint) = found(self.webhooks.endpoint(tenant, *id).await)? else {
                    return Ok(Prepared::Gone);
                };
                if !endpoint.is_enabled() {
                    return Ok(Prepared::Disabled);
                }
                let Some(secrets) = found(self.deliveries.endpoint_secrets(tenant, *id).await)? else {
                    return Ok(Prepared::Gone);
                };
                (endpoint.url, secrets)
            }
            Recipient::Url(url) => {
                let secrets = self.deliveries.tenant_secrets(tenant, &WebhookSecret::generate()).await?;
                (url.clone(), secrets)
            }
        };
        let Some(event) = self.event(delivery).await? else { return Ok(Prepared::Gone) };
        Ok(Prepared::Ready { url, secrets, body: serde_json::to_vec(&event)? })
    }

    /// `None` when what it is about is no more.
    async fn event(&self, delivery: &Delivery) -> Result<Option<Event>, StoreError> {
        Ok(match delivery.subject {
            Subject::Verification(id) => found(self.verifications.verification(delivery.tenant, id).await)?
                .map(|verification| Event::of_verification(delivery, &verification)),
            Subject::Endpoint(id) => found(self.webhooks.endpoint(delivery.tenant, id).await)?
                .map(|endpoint| Event::of_endpoint(delivery, &endpoint)),
        })
    }

    fn settlement(
        &self,
        delivery: &Delivery,
        attempt: &DeliveryAttempt,
        retry_after: Option<Duration>,
    ) -> Settlement {
        if attempt.error.is_none() {
            return Settlement::Delivered;
        }
        if attempt.status == Some(GONE) {
            return Settlement::GivenUp;
        }
        let Some(delay) = self.settings.retry_delay(delivery.attempts + 1) else {
            return Settlement::GivenUp;
        };
        let delay = delay.mul_f64(1.0 + rand::rng().random_range(0.0..JITTER));
        Settlement::Retry(delay.max(retry_after.unwrap_or_default().min(LONGEST_RETRY_AFTER)))
    }

    async fn settle(
        &self,
        delivery: &Delivery,
        lease: &DeliveryLease,
        attempt: &DeliveryAttempt,
        settlement: Settlement,
    ) -> Result<Option<Timestamp>, StoreError> {
        let settled = self.deliveries.settle_delivery(lease, attempt, settlement).await;
        if settled.is_ok() {
            events::delivery_attempted(delivery, attempt, settlement);
        }
        match settled {
            // It took longer than the lease, and another one has it.
            Err(StoreError::Conflict) => Ok(None),
            settled => settled,
        }
    }

    /// Disables an endpoint that wants to hear no more, or has failed for too long.
    async fn judge(
        &self,
        delivery: &Delivery,
        attempt: &DeliveryAttempt,
        failing_since: Option<Timestamp>,
    ) -> Result<(), StoreError> {
        let Recipient::Endpoint(id) = delivery.recipient else { return Ok(()) };
        let is_too_long = |since: Timestamp| since.after(self.settings.disable_after) <= attempt.at;
        if attempt.status == Some(GONE) {
            self.disable(delivery.tenant, id, DisabledReason::Gone).await
        } else if attempt.error.is_some() && failing_since.is_some_and(is_too_long) {
            self.disable(delivery.tenant, id, DisabledReason::Failing).await
        } else {
            Ok(())
        }
    }

    async fn disable(
        &self,
        tenant: TenantId,
        id: WebhookId,
        reason: DisabledReason,
    ) -> Result<(), StoreError> {
        if self.deliveries.disable_endpoint(tenant, id, reason).await? {
            events::endpoint_disabled(tenant, id, reason);
        }
        Ok(())
    }
}

/// What is not there is an answer, not an error.
fn found<T>(read: Result<T, StoreError>) -> Result<Option<T>, StoreError> {
    match read {
        Ok(row) => Ok(Some(row)),
        Err(StoreError::NotFound) => Ok(None),
        Err(error) => Err(error),
    }
}
