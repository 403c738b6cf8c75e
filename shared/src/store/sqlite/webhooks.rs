//! The endpoints of a tenant, their secrets, and a tenant's look at what was sent to them.

use std::cmp::Reverse;
use std::time::Duration;

use async_trait::async_trait;
use sqlx::FromRow;
use uuid::Uuid;

use super::deliveries::{DeliveryRow, delivery_columns};
use super::told::fresh_id;
use super::{Sqlite, audit};
use crate::domain::{
    Action, Actor, AuditEntry, Delivery, DeliveryId, DeliveryState, NewWebhookEndpoint, TenantId, Timestamp,
    VerificationId, WebhookEndpoint, WebhookEndpointChange, WebhookId, WebhookSecret,
};
use crate::store::error::unreadable;
use crate::store::{StoreError, WebhookStore};

macro_rules! endpoint_columns {
    () => {
        "id, tenant, url, description, events, disabled_reason, disabled_at, failing_since, previous_until, created_at"
    };
}

const ADD: &str = concat!(
    "INSERT INTO webhook_endpoints (id, tenant, url, description, events, secret, created_at)
    SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7
    WHERE (SELECT count(*) FROM webhook_endpoints WHERE tenant = ?2) < ?8
    RETURNING ",
    endpoint_columns!()
);
const READ: &str =
    concat!("SELECT ", endpoint_columns!(), " FROM webhook_endpoints WHERE id = ?1 AND tenant = ?2");
const LIST: &str =
    concat!("SELECT ", endpoint_columns!(), " FROM webhook_endpoints WHERE tenant = ?1 ORDER BY id");
const CHANGE: &str = concat!(
    "UPDATE webhook_endpoints SET
        url = coalesce(?3, url),
        description = coalesce(?4, description),
        events = coalesce(?5, events),
        failing_since = CASE WHEN ?6 THEN NULL ELSE failing_since END,
        disabled_reason = CASE WHEN ?6 THEN NULL WHEN NOT ?6 THEN coalesce(disabled_reason, 'requested')
            ELSE disabled_reason END,
        disabled_at = CASE WHEN ?6 THEN NULL WHEN NOT ?6 THEN coalesce(disabled_at, ?7) ELSE disabled_at END
    WHERE id = ?1 AND tenant = ?2
    RETURNING ",
    endpoint_columns!()
);
const DELETE: &str = "DELETE FROM webhook_endpoints WHERE id = ?1 AND tenant = ?2";
const ROTATE: &str = concat!(
    "UPDATE webhook_endpoints SET previous_secret = secret, previous_until = ?4, secret = ?3
    WHERE id = ?1 AND tenant = ?2
    RETURNING ",
    endpoint_columns!()
);
const ROTATE_TENANTS: &str = "INSERT INTO webhook_secrets (tenant, secret) VALUES (?1, ?2)
    ON CONFLICT (tenant) DO UPDATE SET previous_secret = secret, previous_until = ?3, secret = excluded.secret
    RETURNING previous_until";
const TEST: &str = concat!(
    "INSERT INTO webhook_deliveries (id, tenant, target, endpoint, event, about, next_attempt_at, created_at)
    SELECT ",
    fresh_id!("?3"),
    ", tenant, id, id, 'webhook.test', id, ?3, ?3
    FROM webhook_endpoints WHERE id = ?1 AND tenant = ?2 AND disabled_at IS NULL
    RETURNING id"
);
pub(super) const DELIVERIES: &str = concat!(
    "SELECT ",
    delivery_columns!(),
    " FROM webhook_deliveries
    WHERE tenant = ?1 AND endpoint = ?2 AND id < ?4 AND (?3 IS NULL OR state = ?3)
    ORDER BY id DESC LIMIT ?5"
);
pub(super) const DELIVERIES_ABOUT: &str = concat!(
    "SELECT ",
    delivery_columns!(),
    " FROM webhook_deliveries WHERE verification = ?1 AND tenant = ?2"
);
const REDELIVER: &str = concat!(
    "UPDATE webhook_deliveries
    SET state = 'pending', attempts = 0, next_attempt_at = ?4, finished_at = NULL, lease_owner = NULL
    WHERE id = ?1 AND tenant = ?2 AND endpoint = ?3 AND (lease_owner IS NULL OR next_attempt_at <= ?4)
        AND EXISTS (SELECT 1 FROM webhook_endpoints WHERE id = ?3 AND tenant = ?2 AND disabled_at IS NULL)
    RETURNING ",
    delivery_columns!()
);

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
    disabled_at: Option<i64>,
    failing_since: Option<i64>,
    previous_until: Option<i64>,
    created_at: i64,
}

impl EndpointRow {
    fn decode(self) -> Result<WebhookEndpoint, StoreError> {
        let reason = self.disabled_reason.map(|reason| reason.parse()).transpose().map_err(unreadable)?;
        let now = Timestamp::now();
        Ok(WebhookEndpoint {
            id: WebhookId::from_uuid(self.id),
            tenant: TenantId::from_uuid(self.tenant),
            url: self.url.parse().map_err(|error| StoreError::Other(Box::new(error)))?,
            description: self.description,
            events: serde_json::from_str(&self.events)?,
            disabled: reason.zip(self.disabled_at.map(Timestamp::from_millis)),
            failing_since: self.failing_since.map(Timestamp::from_millis),
            previous_secret_until: self
                .previous_until
                .map(Timestamp::from_millis)
                .filter(|until| now < *until),
            created_at: Timestamp::from_millis(self.created_at),
        })
    }
}

#[async_trait]
impl WebhookStore for Sqlite {
    async fn add_endpoint(
        &self,
        new: &NewWebhookEndpoint,
        most: u32,
        actor: Actor,
    ) -> Result<WebhookEndpoint, StoreError> {
        let mut transaction = self.writer.begin().await?;
        let row: Option<EndpointRow> = sqlx::query_as(ADD)
            .bind(new.id.as_uuid())
            .bind(new.tenant.as_uuid())
            .bind(new.url.as_str())
            .bind(&new.description)
            .bind(serde_json::to_string(&new.events)?)
            .bind(new.secret.reveal())
            .bind(Timestamp::now().as_millis())
            .bind(most)
            .fetch_optional(&mut *transaction)
            .await?;
        let added = row.ok_or(StoreError::Conflict)?.decode()?;
        let entry = AuditEntry::new(actor, Action::WebhookCreated, new.tenant, new.id);
        audit::append(&entry)?.execute(&mut *transaction).await?;
        transaction.commit().await?;
        Ok(added)
    }

    async fn endpoint(&self, tenant: TenantId, id: WebhookId) -> Result<WebhookEndpoint, StoreError> {
        let row: EndpointRow =
            sqlx::query_as(READ).bind(id.as_uuid()).bind(tenant.as_uuid()).fetch_one(&self.reader).await?;
        row.decode()
    }

    async fn endpoints(&self, tenant: TenantId) -> Result<Vec<WebhookEndpoint>, StoreError> {
        let rows: Vec<EndpointRow> =
            sqlx::query_as(LIST).bind(tenant.as_uuid()).fetch_all(&self.reader).await?;
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
        let mut transaction = self.writer.begin().await?;
        let row: EndpointRow = sqlx::query_as(CHANGE)
            .bind(id.as_uuid())
            .bind(tenant.as_uuid())
            .bind(change.url.as_ref().map(|url| url.as_str().to_owned()))
            .bind(change.description.clone())
            .bind(events)
            .bind(change.enabled)
            .bind(Timestamp::now().as_millis())
            .fetch_one(&mut *transaction)
            .await?;
        let entry = AuditEntry::new(actor, Action::WebhookChanged, tenant, id).with("changed", changed);
        audit::append(&entry)?.execute(&mut *transaction).await?;
        transaction.commit().await?;
        row.decode()
    }

    async fn delete_endpoint(&self, tenant: TenantId, id: WebhookId, actor: Actor) -> Result<(), StoreError> {
        let mut transaction = self.writer.begin().await?;
        let delete = sqlx::query(DELETE).bind(id.as_uuid()).bind(tenant.as_uuid());
        if delete.execute(&mut *transaction).await?.rows_affected() == 0 {
            return Err(StoreError::NotFound);
        }
        let entry = AuditEntry::new(actor, Action::WebhookDeleted, tenant, id);
        audit::append(&entry)?.execute(&mut *transaction).await?;
        transaction.commit().await?;
        Ok(())
    }

    async fn rotate_secret(
        &self,
        tenant: TenantId,
        id: WebhookId,
        secret: &WebhookSecret,
        overlap: Duration,
        actor: Actor,
    ) -> Result<WebhookEndpoint, StoreError> {
        let mut transaction = self.writer.begin().await?;
        let row: EndpointRow = sqlx::query_as(ROTATE)
            .bind(id.as_uuid())
            .bind(tenant.as_uuid())
            .bind(secret.reveal())
            .bind(Timestamp::now().after(overlap).as_millis())
            .fetch_one(&mut *transaction)
            .await?;
        let entry = AuditEntry::new(actor, Action::WebhookSecretRotated, tenant, id);
        audit::append(&entry)?.execute(&mut *transaction).await?;
        transaction.commit().await?;
        row.decode()
    }

    async fn rotate_tenant_secret(
        &self,
        tenant: TenantId,
        secret: &WebhookSecret,
        overlap: Duration,
        actor: Actor,
    ) -> Result<Option<Timestamp>, StoreError> {
        let now = Timestamp::now();
        let mut transaction = self.writer.begin().await?;
        let until: Option<i64> = sqlx::query_scalar(ROTATE_TENANTS)
            .bind(tenant.as_uuid())
            .bind(secret.reveal())
            .bind(now.after(overlap).as_millis())
            .fetch_one(&mut *transaction)
            .await?;
        let entry = AuditEntry::new(actor, Action::WebhookSecretRotated, tenant, tenant);
        audit::append(&entry)?.execute(&mut *transaction).await?;
        transaction.commit().await?;
        Ok(until.map(Timestamp::from_millis).filter(|until| now < *until))
    }

    async fn test_endpoint(&self, tenant: TenantId, id: WebhookId) -> Result<DeliveryId, StoreError> {
        let test =
            sqlx::query_as(TEST).bind(id.as_uuid()).bind(tenant.as_uuid()).bind(Timestamp::now().as_millis());
        if let Some((delivery,)) = self.writer.first(test).await? {
            self.told(1);
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
        let rows: Vec<DeliveryRow> = sqlx::query_as(DELIVERIES)
            .bind(tenant.as_uuid())
            .bind(endpoint.as_uuid())
            .bind(state.map(DeliveryState::name))
            .bind(before.map_or(LAST, |id| *id.as_uuid()))
            .bind(limit)
            .fetch_all(&self.reader)
            .await?;
        rows.into_iter().map(DeliveryRow::decode).collect()
    }

    async fn deliveries_about(
        &self,
        tenant: TenantId,
        verification: VerificationId,
    ) -> Result<Vec<Delivery>, StoreError> {
        self.verification_exists(tenant, verification).await?;
        let rows: Vec<DeliveryRow> = sqlx::query_as(DELIVERIES_ABOUT)
            .bind(verification.as_uuid())
            .bind(tenant.as_uuid())
            .fetch_all(&self.reader)
            .await?;
        let mut deliveries = rows.into_iter().map(DeliveryRow::decode).collect::<Result<Vec<_>, _>>()?;
        // They are few, and no statement here sorts.
        deliveries.sort_unstable_by_key(|delivery| Reverse(delivery.id));
        Ok(deliveries)
    }

    async fn redeliver(
        &self,
        tenant: TenantId,
        endpoint: WebhookId,
        id: DeliveryId,
    ) -> Result<Delivery, StoreError> {
        let again = sqlx::query_as(REDELIVER)
            .bind(id.as_uuid())
            .bind(tenant.as_uuid())
            .bind(endpoint.as_uuid())
            .bind(Timestamp::now().as_millis());
        let row: Option<DeliveryRow> = self.writer.first(again).await?;
        if let Some(row) = row {
            self.told(1);
            return row.decode();
        }
        let exists = "SELECT 1 FROM webhook_deliveries WHERE id = ?1 AND tenant = ?2 AND endpoint = ?3";
        let _: i64 = sqlx::query_scalar(exists)
            .bind(id.as_uuid())
            .bind(tenant.as_uuid())
            .bind(endpoint.as_uuid())
            .fetch_one(&self.reader)
            .await?;
        Err(StoreError::Conflict)
    }
}
