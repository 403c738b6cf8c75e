//! Deliveries, as those who send them see them. Several processes share the work: each skips what another takes.

use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use sqlx::FromRow;
use uuid::Uuid;

use super::row::timestamp;
use super::told::fresh_id;
use super::{Postgres, audit};
use crate::domain::{
    AuditEntry, Delivery, DeliveryAttempt, DeliveryId, DisabledReason, LONGEST_ATTEMPT_LOG, Recipient,
    Subject, TenantId, Timestamp, VerificationId, WebhookId, WebhookSecret, WebhookSecrets,
};
use crate::store::error::unreadable;
use crate::store::{DeliveryLease, DeliveryShare, DeliveryStore, Settlement, StoreError};

/// The columns of [`DeliveryRow`], for every query that reads one.
macro_rules! delivery_columns {
    () => {
        "webhook_deliveries.id, webhook_deliveries.tenant, endpoint, url, event, verification, about, state, attempts,
            next_attempt_at, created_at, finished_at, log::text"
    };
}
pub(super) use delivery_columns;

/// Every target with something that is not yet delivered: hops along the index, so that its cost is in targets, not in
/// rows that wait.
macro_rules! targets {
    () => {
        "targets (target) AS (
            (SELECT target FROM webhook_deliveries WHERE state = 'pending' ORDER BY target LIMIT 1)
            UNION ALL
            SELECT (
                SELECT target FROM webhook_deliveries AS later
                WHERE later.state = 'pending' AND later.target > targets.target ORDER BY later.target LIMIT 1
            )
            FROM targets WHERE targets.target IS NOT NULL
        )"
    };
}

pub(super) const CLAIM: &str = concat!(
    "WITH RECURSIVE ",
    targets!(),
    ",
    due AS (
        SELECT own.*, row_number() OVER (PARTITION BY own.target ORDER BY own.next_attempt_at) AS turn
        FROM targets CROSS JOIN LATERAL (
            SELECT id, target, next_attempt_at FROM webhook_deliveries AS pending
            WHERE state = 'pending' AND pending.target = targets.target AND next_attempt_at <= now()
            ORDER BY next_attempt_at
            LIMIT greatest(0, $2 - (
                SELECT count(*) FROM webhook_deliveries AS held
                WHERE held.target = targets.target AND held.lease_owner IS NOT NULL AND held.next_attempt_at > now()
            ))
            FOR UPDATE SKIP LOCKED
        ) AS own
    ),
    taken AS MATERIALIZED (SELECT id FROM due ORDER BY turn, next_attempt_at LIMIT $1)
    UPDATE webhook_deliveries SET lease_owner = $3, next_attempt_at = now() + make_interval(secs => $4)
    WHERE id = ANY (ARRAY(SELECT id FROM taken))
    RETURNING ",
    delivery_columns!()
);
/// An attempt that says nothing of the endpoint ($7 is null) leaves it as it is; so does one that says nothing new.
pub(super) const SETTLE: &str = "WITH settled AS (
        UPDATE webhook_deliveries SET state = $4, attempts = attempts + 1, lease_owner = NULL,
            next_attempt_at = CASE WHEN $4 = 'pending' THEN now() + make_interval(secs => $5) END,
            finished_at = CASE WHEN $4 = 'pending' THEN NULL ELSE now() END,
            log = CASE WHEN jsonb_array_length(log) >= $8 THEN log - 0 ELSE log END || $6::jsonb
        WHERE id = $1 AND tenant = $2 AND lease_owner = $3 AND state = 'pending'
        RETURNING endpoint
    ),
    noted AS (
        UPDATE webhook_endpoints SET failing_since = CASE WHEN $7 THEN NULL ELSE now() END
        WHERE id = (SELECT endpoint FROM settled) AND (failing_since IS NOT NULL) = $7
    )
    SELECT failing_since FROM settled LEFT JOIN webhook_endpoints ON webhook_endpoints.id = endpoint";
const DROP: &str = "DELETE FROM webhook_deliveries WHERE id = $1 AND tenant = $2 AND lease_owner = $3";
const ENDPOINT_SECRETS: &str =
    "SELECT secret, previous_secret, previous_until FROM webhook_endpoints WHERE id = $1 AND tenant = $2";
/// The update that changes nothing makes RETURNING give the row that was there.
const TENANT_SECRETS: &str = "INSERT INTO webhook_secrets AS known (tenant, secret) VALUES ($1, $2)
    ON CONFLICT (tenant) DO UPDATE SET secret = known.secret
    RETURNING secret, previous_secret, previous_until";
const DISABLE: &str = concat!(
    "WITH disabled AS (
        UPDATE webhook_endpoints SET disabled_reason = $3, disabled_at = now()
        WHERE id = $1 AND tenant = $2 AND disabled_at IS NULL
        RETURNING id, tenant
    ),
    noticed AS (
        INSERT INTO webhook_deliveries (id, tenant, target, endpoint, event, about, next_attempt_at, created_at)
        SELECT ",
    fresh_id!(),
    ", others.tenant, others.id, others.id, 'webhook.disabled', disabled.id, now(), now()
        FROM disabled JOIN webhook_endpoints AS others ON others.tenant = disabled.tenant
        WHERE others.id <> disabled.id AND others.disabled_at IS NULL
            AND (others.events = '[]' OR others.events ? 'webhook.disabled')
    )
    SELECT id FROM disabled"
);
pub(super) const LAG: &str = concat!(
    "WITH RECURSIVE ",
    targets!(),
    " SELECT extract(epoch FROM now() - min(oldest.next_attempt_at))::double precision
    FROM targets CROSS JOIN LATERAL (
        SELECT next_attempt_at FROM webhook_deliveries AS pending
        WHERE state = 'pending' AND pending.target = targets.target AND next_attempt_at <= now()
        ORDER BY next_attempt_at LIMIT 1
    ) AS oldest"
);
pub(super) const DELETE: &str = "DELETE FROM webhook_deliveries WHERE id = ANY (ARRAY(
        SELECT id FROM webhook_deliveries
        WHERE finished_at IS NOT NULL AND finished_at < now() - make_interval(secs => $1)
        ORDER BY finished_at LIMIT $2 FOR UPDATE SKIP LOCKED
    ))";

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
    attempts: i32,
    next_attempt_at: Option<DateTime<Utc>>,
    created_at: DateTime<Utc>,
    finished_at: Option<DateTime<Utc>>,
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
            attempts: self.attempts as u32,
            next_attempt_at: self.next_attempt_at.map(timestamp),
            created_at: timestamp(self.created_at),
            finished_at: self.finished_at.map(timestamp),
            log: serde_json::from_str(&self.log)?,
        })
    }
}

#[derive(FromRow)]
struct SecretsRow {
    secret: String,
    previous_secret: Option<String>,
    previous_until: Option<DateTime<Utc>>,
}

impl SecretsRow {
    fn decode(self) -> Result<WebhookSecrets, StoreError> {
        let secret =
            |text: String| text.parse::<WebhookSecret>().map_err(|error| StoreError::Other(Box::new(error)));
        let previous = self.previous_secret.map(secret).transpose()?;
        Ok(WebhookSecrets {
            current: secret(self.secret)?,
            previous: previous.zip(self.previous_until.map(timestamp)),
        })
    }
}

#[async_trait]
impl DeliveryStore for Postgres {
    async fn claim_deliveries(
        &self,
        share: DeliveryShare,
        owner: &str,
        lease: Duration,
    ) -> Result<Vec<Delivery>, StoreError> {
        let claim = sqlx::query_as(CLAIM)
            .bind(i64::from(share.most))
            .bind(i64::from(share.most_each))
            .bind(owner)
            .bind(lease.as_secs_f64());
        let rows: Vec<DeliveryRow> = self.requests.all(claim).await?;
        // What only a newer build can read is left to it: the lease runs out.
        Ok(rows.into_iter().filter_map(|row| row.decode().ok()).collect())
    }

    async fn settle_delivery(
        &self,
        held: &DeliveryLease,
        attempt: &DeliveryAttempt,
        settlement: Settlement,
    ) -> Result<Option<Timestamp>, StoreError> {
        let (state, retry) = match settlement {
            Settlement::Delivered => ("delivered", Duration::ZERO),
            Settlement::Retry(after) => ("pending", after),
            Settlement::GivenUp => ("failed", Duration::ZERO),
        };
        let settle = sqlx::query_as(SETTLE)
            .bind(held.id.as_uuid())
            .bind(held.tenant.as_uuid())
            .bind(&held.owner)
            .bind(state)
            .bind(retry.as_secs_f64())
            .bind(serde_json::to_string(attempt)?)
            .bind(attempt.shows_that_it_works())
            .bind(LONGEST_ATTEMPT_LOG as i32);
        let row: Option<(Option<DateTime<Utc>>,)> = self.requests.first(settle).await?;
        Ok(row.ok_or(StoreError::Conflict)?.0.map(timestamp))
    }

    async fn drop_delivery(&self, held: &DeliveryLease) -> Result<(), StoreError> {
        let drop = sqlx::query(DROP).bind(held.id.as_uuid()).bind(held.tenant.as_uuid()).bind(&held.owner);
        self.requests.run(drop).await.map(|_| ())
    }

    async fn endpoint_secrets(&self, tenant: TenantId, id: WebhookId) -> Result<WebhookSecrets, StoreError> {
        let secrets = sqlx::query_as(ENDPOINT_SECRETS).bind(id.as_uuid()).bind(tenant.as_uuid());
        let row: Option<SecretsRow> = self.requests.first(secrets).await?;
        row.ok_or(StoreError::NotFound)?.decode()
    }

    async fn tenant_secrets(
        &self,
        tenant: TenantId,
        fresh: &WebhookSecret,
    ) -> Result<WebhookSecrets, StoreError> {
        let secrets = sqlx::query_as(TENANT_SECRETS).bind(tenant.as_uuid()).bind(fresh.reveal());
        let row: Option<SecretsRow> = self.requests.first(secrets).await?;
        row.ok_or(StoreError::NotFound)?.decode()
    }

    async fn disable_endpoint(
        &self,
        tenant: TenantId,
        id: WebhookId,
        reason: DisabledReason,
    ) -> Result<bool, StoreError> {
        let disable = sqlx::query_as(DISABLE).bind(id.as_uuid()).bind(tenant.as_uuid()).bind(reason.name());
        let mut transaction = self.requests.begin().await?;
        let row: Option<(Uuid,)> = transaction.first(disable).await?;
        if row.is_some() {
            transaction.run(audit::append(&AuditEntry::webhook_disabled(tenant, id, reason))?).await?;
        }
        transaction.commit().await?;
        self.deliveries_added.notify_one();
        Ok(row.is_some())
    }

    async fn delivery_lag(&self) -> Result<Option<Duration>, StoreError> {
        let row: Option<(Option<f64>,)> = self.requests.first(sqlx::query_as(LAG)).await?;
        Ok(row.and_then(|(seconds,)| seconds).map(|seconds| Duration::from_secs_f64(seconds.max(0.0))))
    }

    async fn delete_deliveries(&self, keep: Duration, limit: u32) -> Result<u64, StoreError> {
        self.requests.run(sqlx::query(DELETE).bind(keep.as_secs_f64()).bind(i64::from(limit))).await
    }

    async fn deliveries_added(&self) {
        self.deliveries_added.notified().await;
    }
}
