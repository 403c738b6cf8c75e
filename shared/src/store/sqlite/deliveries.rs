//! Deliveries, as those who send them see them.

use std::time::Duration;

use async_trait::async_trait;
use sqlx::FromRow;
use uuid::Uuid;

use super::told::fresh_id;
use super::{Sqlite, audit};
use crate::domain::{
    AuditEntry, Delivery, DeliveryAttempt, DeliveryId, DisabledReason, LONGEST_ATTEMPT_LOG, Recipient,
    Subject, TenantId, Timestamp, VerificationId, WebhookId, WebhookSecret, WebhookSecrets,
};
use crate::store::error::unreadable;
use crate::store::{DeliveryLease, DeliveryShare, DeliveryStore, Settlement, StoreError};

/// The columns of [`DeliveryRow`], for every query that reads one.
macro_rules! delivery_columns {
    () => {
        "id, tenant, endpoint, url, event, verification, about, state, attempts, next_attempt_at, created_at,
            finished_at, log"
    };
}
pub(super) use delivery_columns;

/// Every target with something that is not yet delivered: hops along the index, so that its cost is in targets, not in
/// rows that wait.
macro_rules! targets {
    () => {
        "targets (target) AS (
            SELECT min(target) FROM webhook_deliveries WHERE state = 'pending'
            UNION ALL
            SELECT (
                SELECT min(later.target) FROM webhook_deliveries AS later
                WHERE later.state = 'pending' AND later.target > targets.target
            )
            FROM targets WHERE target IS NOT NULL
        )"
    };
}

pub(super) const CLAIM: &str = concat!(
    "UPDATE webhook_deliveries SET lease_owner = ?3, next_attempt_at = ?4
    WHERE id IN (
        WITH RECURSIVE ",
    targets!(),
    ",
        due AS (
            SELECT due.id, due.target, due.next_attempt_at,
                row_number() OVER (PARTITION BY due.target ORDER BY due.next_attempt_at) AS turn
            FROM targets CROSS JOIN webhook_deliveries AS due ON due.id IN (
                SELECT own.id FROM webhook_deliveries AS own
                WHERE own.state = 'pending' AND own.target = targets.target AND own.next_attempt_at <= ?5
                ORDER BY own.next_attempt_at LIMIT ?2
            )
        )
        SELECT id FROM due
        WHERE turn <= ?2 - (
            SELECT count(*) FROM webhook_deliveries AS held
            WHERE held.target = due.target AND held.lease_owner IS NOT NULL AND held.next_attempt_at > ?5
        )
        ORDER BY turn, next_attempt_at LIMIT ?1
    )
    RETURNING ",
    delivery_columns!()
);
const SETTLE: &str = "UPDATE webhook_deliveries SET state = ?4, attempts = attempts + 1, lease_owner = NULL,
        next_attempt_at = CASE WHEN ?4 = 'pending' THEN ?5 END,
        finished_at = CASE WHEN ?4 = 'pending' THEN NULL ELSE ?6 END,
        log = json_insert(
            CASE WHEN json_array_length(log) >= ?8 THEN json_remove(log, '$[0]') ELSE log END, '$[#]', json(?7)
        )
    WHERE id = ?1 AND tenant = ?2 AND lease_owner = ?3 AND state = 'pending'
    RETURNING endpoint";
const FAILING_SINCE: &str = "SELECT failing_since FROM webhook_endpoints WHERE id = ?1";
/// One that says nothing new changes nothing.
const NOTE: &str = "UPDATE webhook_endpoints SET failing_since = CASE WHEN ?2 THEN NULL ELSE ?3 END
    WHERE id = ?1 AND (failing_since IS NOT NULL) = ?2";
const DROP: &str = "DELETE FROM webhook_deliveries WHERE id = ?1 AND tenant = ?2 AND lease_owner = ?3";
const ENDPOINT_SECRETS: &str =
    "SELECT secret, previous_secret, previous_until FROM webhook_endpoints WHERE id = ?1 AND tenant = ?2";
/// The update that changes nothing makes RETURNING give the row that was there.
const TENANT_SECRETS: &str = "INSERT INTO webhook_secrets (tenant, secret) VALUES (?1, ?2)
    ON CONFLICT (tenant) DO UPDATE SET secret = secret RETURNING secret, previous_secret, previous_until";
const DISABLE: &str = "UPDATE webhook_endpoints SET disabled_reason = ?3, disabled_at = ?4
    WHERE id = ?1 AND tenant = ?2 AND disabled_at IS NULL";
const NOTICE: &str = concat!(
    "INSERT INTO webhook_deliveries (id, tenant, target, endpoint, event, about, next_attempt_at, created_at)
    SELECT ",
    fresh_id!("?3"),
    ", tenant, id, id, 'webhook.disabled', ?1, ?3, ?3
    FROM webhook_endpoints
    WHERE tenant = ?2 AND id <> ?1 AND disabled_at IS NULL
        AND (events = '[]' OR EXISTS (SELECT 1 FROM json_each(events) WHERE value = 'webhook.disabled'))"
);
pub(super) const OLDEST_DUE: &str = concat!(
    "WITH RECURSIVE ",
    targets!(),
    " SELECT min((
        SELECT min(own.next_attempt_at) FROM webhook_deliveries AS own
        WHERE own.state = 'pending' AND own.target = targets.target
    )) FROM targets"
);
pub(super) const DELETE: &str = "DELETE FROM webhook_deliveries WHERE id IN (
        SELECT id FROM webhook_deliveries WHERE finished_at IS NOT NULL AND finished_at < ?1
        ORDER BY finished_at LIMIT ?2
    )";

#[derive(FromRow)]
pub(super) struct DeliveryRow {
    id: Uuid,
    tenant: Uuid,
    endpoint: Option<Uuid>,
    url: Option<String>,
    event: String,
    verification: Option<Uuid>,
    about: Option<Uuid>,
    state: String,
    attempts: u32,
    next_attempt_at: Option<i64>,
    created_at: i64,
    finished_at: Option<i64>,
    log: String,
}

impl DeliveryRow {
    pub(super) fn decode(self) -> Result<Delivery, StoreError> {
        let recipient = match (self.endpoint, self.url) {
            (Some(endpoint), None) => Recipient::Endpoint(WebhookId::from_uuid(endpoint)),
            (None, Some(url)) => {
                Recipient::Url(url.parse().map_err(|error| StoreError::Other(Box::new(error)))?)
            }
            _ => return Err(unreadable("a delivery has one recipient".to_owned())),
        };
        let subject = match (self.verification, self.about) {
            (Some(id), None) => Subject::Verification(VerificationId::from_uuid(id)),
            (None, Some(id)) => Subject::Endpoint(WebhookId::from_uuid(id)),
            _ => return Err(unreadable("a delivery has one subject".to_owned())),
        };
        Ok(Delivery {
            id: DeliveryId::from_uuid(self.id),
            tenant: TenantId::from_uuid(self.tenant),
            recipient,
            event: self.event.parse().map_err(unreadable)?,
            subject,
            state: self.state.parse().map_err(unreadable)?,
            attempts: self.attempts,
            next_attempt_at: self.next_attempt_at.map(Timestamp::from_millis),
            created_at: Timestamp::from_millis(self.created_at),
            finished_at: self.finished_at.map(Timestamp::from_millis),
            log: serde_json::from_str(&self.log)?,
        })
    }
}

#[derive(FromRow)]
struct SecretsRow {
    secret: String,
    previous_secret: Option<String>,
    previous_until: Option<i64>,
}

impl SecretsRow {
    fn decode(self) -> Result<WebhookSecrets, StoreError> {
        let secret =
            |text: String| text.parse::<WebhookSecret>().map_err(|error| StoreError::Other(Box::new(error)));
        let previous = self.previous_secret.map(secret).transpose()?;
        Ok(WebhookSecrets {
            current: secret(self.secret)?,
            previous: previous.zip(self.previous_until.map(Timestamp::from_millis)),
        })
    }
}

#[async_trait]
impl DeliveryStore for Sqlite {
    async fn claim_deliveries(
        &self,
        share: DeliveryShare,
        owner: &str,
        lease: Duration,
    ) -> Result<Vec<Delivery>, StoreError> {
        let now = Timestamp::now();
        let mut transaction = self.writer.begin().await?;
        let rows: Vec<DeliveryRow> = sqlx::query_as(CLAIM)
            .bind(share.most)
            .bind(share.most_each)
            .bind(owner)
            .bind(now.after(lease).as_millis())
            .bind(now.as_millis())
            .fetch_all(&mut *transaction)
            .await?;
        transaction.commit_soon().await?;
        // What only a newer build can read is left to it: the lease runs out.
        Ok(rows.into_iter().filter_map(|row| row.decode().ok()).collect())
    }

    async fn settle_delivery(
        &self,
        held: &DeliveryLease,
        attempt: &DeliveryAttempt,
        settlement: Settlement,
    ) -> Result<Option<Timestamp>, StoreError> {
        let now = Timestamp::now();
        let (state, retry_at) = match settlement {
            Settlement::Delivered => ("delivered", now),
            Settlement::Retry(after) => ("pending", now.after(after)),
            Settlement::GivenUp => ("failed", now),
        };
        let mut transaction = self.writer.begin().await?;
        let endpoint: Option<Option<Uuid>> = sqlx::query_scalar(SETTLE)
            .bind(held.id.as_uuid())
            .bind(held.tenant.as_uuid())
            .bind(&held.owner)
            .bind(state)
            .bind(retry_at.as_millis())
            .bind(now.as_millis())
            .bind(serde_json::to_string(attempt)?)
            .bind(LONGEST_ATTEMPT_LOG)
            .fetch_optional(&mut *transaction)
            .await?;
        let endpoint = endpoint.ok_or(StoreError::Conflict)?;
        let failing_since: Option<Option<i64>> =
            sqlx::query_scalar(FAILING_SINCE).bind(endpoint).fetch_optional(&mut *transaction).await?;
        if let Some(works) = attempt.shows_that_it_works() {
            sqlx::query(NOTE)
                .bind(endpoint)
                .bind(works)
                .bind(now.as_millis())
                .execute(&mut *transaction)
                .await?;
        }
        transaction.commit().await?;
        Ok(failing_since.flatten().map(Timestamp::from_millis))
    }

    async fn drop_delivery(&self, held: &DeliveryLease) -> Result<(), StoreError> {
        let drop = sqlx::query(DROP).bind(held.id.as_uuid()).bind(held.tenant.as_uuid()).bind(&held.owner);
        self.writer.run(drop).await?;
        Ok(())
    }

    async fn endpoint_secrets(&self, tenant: TenantId, id: WebhookId) -> Result<WebhookSecrets, StoreError> {
        let row: SecretsRow = sqlx::query_as(ENDPOINT_SECRETS)
            .bind(id.as_uuid())
            .bind(tenant.as_uuid())
            .fetch_one(&self.reader)
            .await?;
        row.decode()
    }

    async fn tenant_secrets(
        &self,
        tenant: TenantId,
        fresh: &WebhookSecret,
    ) -> Result<WebhookSecrets, StoreError> {
        let secrets = sqlx::query_as(TENANT_SECRETS).bind(tenant.as_uuid()).bind(fresh.reveal());
        let row: Option<SecretsRow> = self.writer.first(secrets).await?;
        row.ok_or(StoreError::NotFound)?.decode()
    }

    async fn disable_endpoint(
        &self,
        tenant: TenantId,
        id: WebhookId,
        reason: DisabledReason,
    ) -> Result<bool, StoreError> {
        let now = Timestamp::now().as_millis();
        let mut transaction = self.writer.begin().await?;
        let disabled = sqlx::query(DISABLE)
            .bind(id.as_uuid())
            .bind(tenant.as_uuid())
            .bind(reason.name())
            .bind(now)
            .execute(&mut *transaction)
            .await?;
        if disabled.rows_affected() == 0 {
            return Ok(false);
        }
        let entry = AuditEntry::webhook_disabled(tenant, id, reason);
        audit::append(&entry)?.execute(&mut *transaction).await?;
        let notices = sqlx::query(NOTICE)
            .bind(id.as_uuid())
            .bind(tenant.as_uuid())
            .bind(now)
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        self.told(notices.rows_affected());
        Ok(true)
    }

    async fn delivery_lag(&self) -> Result<Option<Duration>, StoreError> {
        let oldest: Option<i64> = sqlx::query_scalar(OLDEST_DUE).fetch_one(&self.reader).await?;
        let now = Timestamp::now().as_millis();
        let waited = oldest.and_then(|oldest| u64::try_from(now - oldest).ok());
        Ok(waited.map(Duration::from_millis))
    }

    async fn delete_deliveries(&self, keep: Duration, limit: u32) -> Result<u64, StoreError> {
        let before = Timestamp::now().before(keep).as_millis();
        let delete = sqlx::query(DELETE).bind(before).bind(limit);
        self.writer.run(delete).await
    }

    async fn deliveries_added(&self) {
        self.deliveries_added.notified().await;
    }
}
