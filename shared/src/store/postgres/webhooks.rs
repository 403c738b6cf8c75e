//! The endpoints of a tenant, their secrets, and a tenant's look at what was sent to them.

use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use sqlx::FromRow;
use uuid::Uuid;

use super::call::RowStatement;
use super::deliveries::{DeliveryRow, delivery_columns};
use super::row::timestamp;
use super::told::fresh_id;
use super::{Postgres, audit};
use crate::domain::{
    Action, Actor, AuditEntry, Delivery, DeliveryId, DeliveryState, NewWebhookEndpoint, TenantId, Timestamp,
    VerificationId, WebhookEndpoint, WebhookEndpointChange, WebhookId, WebhookSecret,
};
use crate::store::error::unreadable;
use crate::store::{StoreError, WebhookStore};

macro_rules! endpoint_columns {
    () => {
        "id, tenant, url, description, events::text, disabled_reason, disabled_at, failing_since,
            CASE WHEN previous_until > now() THEN previous_until END AS previous_until, created_at"
    };
}

/// Those who add one at the same time wait for each other, or they would both be the last that may.
const ADDING: &str = "SELECT pg_advisory_xact_lock(hashtextextended('webhook endpoints of ' || $1::text, 0))";
const ADD: &str = concat!(
    "INSERT INTO webhook_endpoints (id, tenant, url, description, events, secret, created_at)
    SELECT $1::uuid, $2::uuid, $3, $4, $5::jsonb, $6, now()
    WHERE (SELECT count(*) FROM webhook_endpoints WHERE tenant = $2) < $7
    RETURNING ",
    endpoint_columns!()
);
const READ: &str =
    concat!("SELECT ", endpoint_columns!(), " FROM webhook_endpoints WHERE id = $1 AND tenant = $2");
const LIST: &str =
    concat!("SELECT ", endpoint_columns!(), " FROM webhook_endpoints WHERE tenant = $1 ORDER BY id");
const CHANGE: &str = concat!(
    "UPDATE webhook_endpoints SET
        url = coalesce($3, url),
        description = coalesce($4, description),
        events = coalesce($5::jsonb, events),
        failing_since = CASE WHEN $6 THEN NULL ELSE failing_since END,
        disabled_reason = CASE WHEN $6 THEN NULL WHEN NOT $6 THEN coalesce(disabled_reason, 'requested')
            ELSE disabled_reason END,
        disabled_at = CASE WHEN $6 THEN NULL WHEN NOT $6 THEN coalesce(disabled_at, now()) ELSE disabled_at END
    WHERE id = $1 AND tenant = $2
    RETURNING ",
    endpoint_columns!()
);
const DELETE: &str = "DELETE FROM webhook_endpoints WHERE id = $1 AND tenant = $2";
const ROTATE: &str = concat!(
    "UPDATE webhook_endpoints
    SET previous_secret = secret, previous_until = now() + make_interval(secs => $4), secret = $3
    WHERE id = $1 AND tenant = $2
    RETURNING ",
    endpoint_columns!()
);
const ROTATE_TENANTS: &str = "INSERT INTO webhook_secrets AS known (tenant, secret) VALUES ($1, $2)
    ON CONFLICT (tenant) DO UPDATE SET previous_secret = known.secret,
        previous_until = now() + make_interval(secs => $3), secret = excluded.secret
    RETURNING CASE WHEN previous_until > now() THEN previous_until END";
const TEST: &str = concat!(
    "INSERT INTO webhook_deliveries (id, tenant, target, endpoint, event, about, next_attempt_at, created_at)
    SELECT ",
    fresh_id!(),
    ", tenant, id, id, 'webhook.test', id, now(), now()
    FROM webhook_endpoints WHERE id = $1 AND tenant = $2 AND disabled_at IS NULL
    RETURNING id"
);
pub(super) const DELIVERIES: &str = concat!(
    "SELECT ",
    delivery_columns!(),
    " FROM webhook_deliveries
    WHERE tenant = $1 AND endpoint = $2 AND id < $4 AND ($3::text IS NULL OR state = $3)
    ORDER BY id DESC LIMIT $5"
);
pub(super) const DELIVERIES_ABOUT: &str = concat!(
    "SELECT ",
    delivery_columns!(),
    " FROM webhook_deliveries WHERE verification = $1 AND tenant = $2 ORDER BY id DESC"
);
const REDELIVER: &str = concat!(
    "UPDATE webhook_deliveries
    SET state = 'pending', attempts = 0, next_attempt_at = now(), finished_at = NULL, lease_owner = NULL
    WHERE id = $1 AND tenant = $2 AND endpoint = $3 AND (lease_owner IS NULL OR next_attempt_at <= now())
        AND EXISTS (SELECT 1 FROM webhook_endpoints WHERE id = $3 AND tenant = $2 AND disabled_at IS NULL)
    RETURNING ",
    delivery_columns!()
);
const DELIVERY_EXISTS: &str =
    "SELECT id FROM webhook_deliveries WHERE id = $1 AND tenant = $2 AND endpoint = $3";

/// After every identifier.
const LAST: Uuid = Uuid::max();

#[derive(FromRow)]
struct EndpointRow {
    id: Uuid,
    tenant: Uuid,
    url: String,
    description: String,
    events: String,
    disabled_reason: Option<String>,
    disabled_at: Option<DateTime<Utc>>,
    failing_since: Option<DateTime<Utc>>,
    previous_until: Option<DateTime<Utc>>,
    created_at: DateTime<Utc>,
}

impl EndpointRow {
    fn decode(self) -> Result<WebhookEndpoint, StoreError> {
        let reason = self.disabled_reason.map(|reason| reason.parse()).transpose().map_err(unreadable)?;
        Ok(WebhookEndpoint {
            id: WebhookId::from_uuid(self.id),
            tenant: TenantId::from_uuid(self.tenant),
            url: self.url.parse().map_err(|error| StoreError::Other(Box::new(error)))?,
            description: self.description,
            events: serde_json::from_str(&self.events)?,
            disabled: reason.zip(self.disabled_at.map(timestamp)),
            failing_since: self.failing_since.map(timestamp),
            previous_secret_until: self.previous_until.map(timestamp),
            created_at: timestamp(self.created_at),
        })
    }
}

#[async_trait]
impl WebhookStore for Postgres {
    async fn add_endpoint(
        &self,
        new: &NewWebhookEndpoint,
        most: u32,
        actor: Actor,
    ) -> Result<WebhookEndpoint, StoreError> {
        let mut transaction = self.requests.begin().await?;
        transaction.run(sqlx::query(ADDING).bind(new.tenant.as_uuid())).await?;
        let add = sqlx::query_as(ADD)
            .bind(new.id.as_uuid())
            .bind(new.tenant.as_uuid())
            .bind(new.url.as_str())
            .bind(&new.description)
            .bind(serde_json::to_string(&new.events)?)
            .bind(new.secret.reveal())
            .bind(i64::from(most));
        let row: Option<EndpointRow> = transaction.first(add).await?;
        let Some(row) = row else { return transaction.refuse(StoreError::Conflict).await };
        let entry = AuditEntry::new(actor, Action::WebhookCreated, new.tenant, new.id);
        transaction.run(audit::append(&entry)?).await?;
        transaction.commit().await?;
        row.decode()
    }

    async fn endpoint(&self, tenant: TenantId, id: WebhookId) -> Result<WebhookEndpoint, StoreError> {
        let read = sqlx::query_as(READ).bind(id.as_uuid()).bind(tenant.as_uuid());
        let row: Option<EndpointRow> = self.requests.first(read).await?;
        row.ok_or(StoreError::NotFound)?.decode()
    }

    async fn endpoints(&self, tenant: TenantId) -> Result<Vec<WebhookEndpoint>, StoreError> {
        let rows: Vec<EndpointRow> = self.requests.all(sqlx::query_as(LIST).bind(tenant.as_uuid())).await?;
        rows.into_iter().map(EndpointRow::decode).collect()
    }

    async fn change_endpoint(
        &self,
        tenant: TenantId,
        id: WebhookId,
        change: &WebhookEndpointChange,
        actor: Actor,
    ) -> Result<WebhookEndpoint, StoreError> {
        let changed = change.names();
        if changed.is_empty() {
            return self.endpoint(tenant, id).await;
        }
        let events = change.events.as_ref().map(serde_json::to_string).transpose()?;
        let change = sqlx::query_as(CHANGE)
            .bind(id.as_uuid())
            .bind(tenant.as_uuid())
            .bind(change.url.as_ref().map(|url| url.as_str().to_owned()))
            .bind(change.description.clone())
            .bind(events)
            .bind(change.enabled);
        let entry = AuditEntry::new(actor, Action::WebhookChanged, tenant, id).with("changed", changed);
        self.endpoint_changed(change, &entry).await
    }

    async fn delete_endpoint(&self, tenant: TenantId, id: WebhookId, actor: Actor) -> Result<(), StoreError> {
        let delete = sqlx::query(DELETE).bind(id.as_uuid()).bind(tenant.as_uuid());
        let mut transaction = self.requests.begin().await?;
        if transaction.run(delete).await? == 0 {
            return transaction.refuse(StoreError::NotFound).await;
        }
        let entry = AuditEntry::new(actor, Action::WebhookDeleted, tenant, id);
        transaction.run(audit::append(&entry)?).await?;
        transaction.commit().await
    }

    async fn rotate_secret(
        &self,
        tenant: TenantId,
        id: WebhookId,
        secret: &WebhookSecret,
        overlap: Duration,
        actor: Actor,
    ) -> Result<WebhookEndpoint, StoreError> {
        let rotate = sqlx::query_as(ROTATE)
            .bind(id.as_uuid())
            .bind(tenant.as_uuid())
            .bind(secret.reveal())
            .bind(overlap.as_secs_f64());
        let entry = AuditEntry::new(actor, Action::WebhookSecretRotated, tenant, id);
        self.endpoint_changed(rotate, &entry).await
    }

    async fn rotate_tenant_secret(
        &self,
        tenant: TenantId,
        secret: &WebhookSecret,
        overlap: Duration,
        actor: Actor,
    ) -> Result<Option<Timestamp>, StoreError> {
        let rotate = sqlx::query_as(ROTATE_TENANTS)
            .bind(tenant.as_uuid())
            .bind(secret.reveal())
            .bind(overlap.as_secs_f64());
        let mut transaction = self.requests.begin().await?;
        let row: Option<(Option<DateTime<Utc>>,)> = transaction.first(rotate).await?;
        let entry = AuditEntry::new(actor, Action::WebhookSecretRotated, tenant, tenant);
        transaction.run(audit::append(&entry)?).await?;
        transaction.commit().await?;
        Ok(row.and_then(|(until,)| until).map(timestamp))
    }

    async fn test_endpoint(&self, tenant: TenantId, id: WebhookId) -> Result<DeliveryId, StoreError> {
        let test = sqlx::query_as(TEST).bind(id.as_uuid()).bind(tenant.as_uuid());
        let row: Option<(Uuid,)> = self.requests.first(test).await?;
        if let Some((delivery,)) = row {
            self.deliveries_added.notify_one();
            return Ok(DeliveryId::from_uuid(delivery));
        }
        self.endpoint(tenant, id).await?;
        Err(StoreError::Conflict)
    }

    async fn deliveries(
        &self,
        tenant: TenantId,
        endpoint: WebhookId,
        state: Option<DeliveryState>,
        before: Option<DeliveryId>,
        limit: u32,
    ) -> Result<Vec<Delivery>, StoreError> {
        let deliveries = sqlx::query_as(DELIVERIES)
            .bind(tenant.as_uuid())
            .bind(endpoint.as_uuid())
            .bind(state.map(DeliveryState::name))
            .bind(before.map_or(LAST, |id| *id.as_uuid()))
            .bind(i64::from(limit));
        let rows: Vec<DeliveryRow> = self.requests.all(deliveries).await?;
        rows.into_iter().map(DeliveryRow::decode).collect()
    }

    async fn deliveries_about(
        &self,
        tenant: TenantId,
        verification: VerificationId,
    ) -> Result<Vec<Delivery>, StoreError> {
        self.verification_exists(tenant, verification).await?;
        let about = sqlx::query_as(DELIVERIES_ABOUT).bind(verification.as_uuid()).bind(tenant.as_uuid());
        let rows: Vec<DeliveryRow> = self.requests.all(about).await?;
        rows.into_iter().map(DeliveryRow::decode).collect()
    }

    async fn redeliver(
        &self,
        tenant: TenantId,
        endpoint: WebhookId,
        id: DeliveryId,
    ) -> Result<Delivery, StoreError> {
        let redeliver =
            sqlx::query_as(REDELIVER).bind(id.as_uuid()).bind(tenant.as_uuid()).bind(endpoint.as_uuid());
        let row: Option<DeliveryRow> = self.requests.first(redeliver).await?;
        if let Some(row) = row {
            self.deliveries_added.notify_one();
            return row.decode();
        }
        let exists = sqlx::query_as(DELIVERY_EXISTS)
            .bind(id.as_uuid())
            .bind(tenant.as_uuid())
            .bind(endpoint.as_uuid());
        let row: Option<(Uuid,)> = self.requests.first(exists).await?;
        Err(row.map_or(StoreError::NotFound, |_| StoreError::Conflict))
    }
}

impl Postgres {
    async fn endpoint_changed(
        &self,
        change: RowStatement<'_, EndpointRow>,
        entry: &AuditEntry,
    ) -> Result<WebhookEndpoint, StoreError> {
        let mut transaction = self.requests.begin().await?;
        let Some(row) = transaction.first(change).await? else {
            return transaction.refuse(StoreError::NotFound).await;
        };
        transaction.run(audit::append(entry)?).await?;
        transaction.commit().await?;
        row.decode()
    }
}
