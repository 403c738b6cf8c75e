//! The port's part about webhooks: the endpoints of a tenant, and what is on its way to them.
//!
//! Deliveries of a verification are written by the same transaction that makes it final, whichever that is: see
//! [`VerificationStore`](super::VerificationStore) and [`Upkeep`](super::Upkeep).

use std::time::Duration;

use async_trait::async_trait;

use super::StoreError;
use crate::domain::{
    Actor, Delivery, DeliveryAttempt, DeliveryId, DeliveryState, DisabledReason, NewWebhookEndpoint,
    TenantId, Timestamp, VerificationId, WebhookEndpoint, WebhookEndpointChange, WebhookId, WebhookSecret,
    WebhookSecrets,
};

/// Endpoints, their secrets, and a tenant's look at what was sent to them. Every change writes who made it into the audit
/// log, in ONE transaction with the change.
#[async_trait]
pub trait WebhookStore: Send + Sync {
    /// `Conflict` when the tenant has `most` already.
    async fn add_endpoint(
        &self,
        new: &NewWebhookEndpoint,
        most: u32,
        actor: Actor,
    ) -> Result<WebhookEndpoint, StoreError>;
    async fn endpoint(&self, tenant: TenantId, id: WebhookId) -> Result<WebhookEndpoint, StoreError>;
    /// The tenant's, oldest first.
    async fn endpoints(&self, tenant: TenantId) -> Result<Vec<WebhookEndpoint>, StoreError>;
    async fn change_endpoint(
        &self,
        tenant: TenantId,
        id: WebhookId,
        change: &WebhookEndpointChange,
        actor: Actor,
    ) -> Result<WebhookEndpoint, StoreError>;
    /// What is on its way to it is given up.
    async fn delete_endpoint(&self, tenant: TenantId, id: WebhookId, actor: Actor) -> Result<(), StoreError>;
    /// Gives it a new secret; the one before it signs too for `overlap` from now.
    async fn rotate_secret(
        &self,
        tenant: TenantId,
        id: WebhookId,
        secret: &WebhookSecret,
        overlap: Duration,
        actor: Actor,
    ) -> Result<WebhookEndpoint, StoreError>;
    /// As [`rotate_secret`](Self::rotate_secret), for what signs events to verifications' own URLs. Gives the time until
    /// which the one before signs too, if there was one.
    async fn rotate_tenant_secret(
        &self,
        tenant: TenantId,
        secret: &WebhookSecret,
        overlap: Duration,
        actor: Actor,
    ) -> Result<Option<Timestamp>, StoreError>;
    /// Writes a test event for the endpoint. `Conflict` when it is disabled.
    async fn test_endpoint(&self, tenant: TenantId, id: WebhookId) -> Result<DeliveryId, StoreError>;
    /// What was or is to be sent to the endpoint, newest first: those before `before`, at most `limit`.
    async fn deliveries(
        &self,
        tenant: TenantId,
        endpoint: WebhookId,
        state: Option<DeliveryState>,
        before: Option<DeliveryId>,
        limit: u32,
    ) -> Result<Vec<Delivery>, StoreError>;
    /// What was or is to be sent about a verification, to whichever endpoint and to its own URL, newest first: its end is told
    /// to each once.
    async fn deliveries_about(
        &self,
        tenant: TenantId,
        verification: VerificationId,
    ) -> Result<Vec<Delivery>, StoreError>;
    /// Sends it once more, at once, with every attempt before it. `Conflict` when an attempt runs, or the endpoint is
    /// disabled.
    async fn redeliver(
        &self,
        tenant: TenantId,
        endpoint: WebhookId,
        id: DeliveryId,
    ) -> Result<Delivery, StoreError>;
}

/// Proof that a sender holds a delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeliveryLease {
    pub id: DeliveryId,
    pub tenant: TenantId,
    /// Unique among processes and claims.
    pub owner: String,
}

/// How much is taken at once.
#[derive(Debug, Clone, Copy)]
pub struct DeliveryShare {
    pub most: u32,
    /// What may be under way to one endpoint, in all processes.
    pub most_each: u32,
}

/// How an attempt leaves its delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settlement {
    Delivered,
    /// To be tried again after so long.
    Retry(Duration),
    GivenUp,
}

/// Deliveries, as those who send them see them.
#[async_trait]
pub trait DeliveryStore: Send + Sync {
    /// Takes what is due, for `lease` from now. Endpoints take turns, so that one with thousands of rows holds up no other;
    /// all of a tenant's own URLs are one endpoint in this.
    async fn claim_deliveries(
        &self,
        share: DeliveryShare,
        owner: &str,
        lease: Duration,
    ) -> Result<Vec<Delivery>, StoreError>;
    /// Ends an attempt, and notes with the endpoint whether it is failing; gives since when it was before. `Conflict` when
    /// the lease is lost: nothing is written then.
    async fn settle_delivery(
        &self,
        held: &DeliveryLease,
        attempt: &DeliveryAttempt,
        settlement: Settlement,
    ) -> Result<Option<Timestamp>, StoreError>;
    /// Deletes what there is nothing to be told of any more.
    async fn drop_delivery(&self, held: &DeliveryLease) -> Result<(), StoreError>;
    /// The secrets that sign events to the endpoint.
    async fn endpoint_secrets(&self, tenant: TenantId, id: WebhookId) -> Result<WebhookSecrets, StoreError>;
    /// The secrets that sign events to verifications' own URLs; `fresh` becomes it when there is none.
    async fn tenant_secrets(
        &self,
        tenant: TenantId,
        fresh: &WebhookSecret,
    ) -> Result<WebhookSecrets, StoreError>;
    /// Disables the endpoint and writes notices of it for the tenant's other endpoints, in ONE transaction. False when it
    /// was disabled or gone already.
    async fn disable_endpoint(
        &self,
        tenant: TenantId,
        id: WebhookId,
        reason: DisabledReason,
    ) -> Result<bool, StoreError>;
    /// How long the oldest that is due has waited.
    async fn delivery_lag(&self) -> Result<Option<Duration>, StoreError>;
    /// Deletes those that ended longer ago than `keep`; at most `limit`.
    async fn delete_deliveries(&self, keep: Duration, limit: u32) -> Result<u64, StoreError>;
    /// Returns when deliveries were written, by this process, since the last call returned; never misses one, may wake
    /// early.
    async fn deliveries_added(&self);
}
