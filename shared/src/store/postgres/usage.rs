//! Usage: rows beside the counters, and the counters.

use async_trait::async_trait;
use uuid::Uuid;

use super::Postgres;
use crate::domain::{KeyId, Month, TenantId, Usage};
use crate::store::error::unreadable;
use crate::store::{StoreError, UsageStore};

/// Counters are changed in one order, so that two who fold at once can't wait for each other.
pub(super) const FOLD: &str = "WITH
    next AS MATERIALIZED (
        SELECT tenant, key, verification FROM usage_pending
        ORDER BY tenant, key, verification LIMIT $1 FOR UPDATE SKIP LOCKED
    ),
    taken AS (
        DELETE FROM usage_pending AS pending USING next
        WHERE pending.tenant = next.tenant AND pending.key = next.key
            AND pending.verification = next.verification
        RETURNING pending.tenant, pending.month, pending.key, pending.kind
    ),
    folded AS (
        INSERT INTO usage_counters (tenant, month, key, kind, count)
        SELECT tenant, month, key, kind, count(*) FROM taken
        GROUP BY tenant, month, key, kind ORDER BY tenant, month, key, kind
        ON CONFLICT (tenant, month, key, kind) DO UPDATE SET count = usage_counters.count + excluded.count
    )
    SELECT count(*) FROM taken";
pub(super) const OF_TENANT: &str = "SELECT key, kind, sum(count)::bigint FROM (
        SELECT key, kind, count FROM usage_counters WHERE tenant = $1 AND month = $2
        UNION ALL
        SELECT key, kind, 1 FROM usage_pending WHERE tenant = $1 AND month = $2
    ) AS used GROUP BY key, kind ORDER BY key, kind LIMIT $3";
pub(super) const OF_KEY: &str = "SELECT (
        (SELECT coalesce(sum(count), 0) FROM usage_counters WHERE tenant = $1 AND key = $2 AND month = $3)
        + (SELECT count(*) FROM usage_pending WHERE tenant = $1 AND key = $2 AND month = $3)
    )::bigint";

#[async_trait]
impl UsageStore for Postgres {
    async fn fold_usage(&self, limit: u32) -> Result<u64, StoreError> {
        let fold = sqlx::query_as(FOLD).bind(i64::from(limit));
        let folded: Option<(i64,)> = self.requests.first(fold).await?;
        Ok(folded.map_or(0, |(count,)| count as u64))
    }

    async fn usage(&self, tenant: TenantId, month: Month, limit: u32) -> Result<Vec<Usage>, StoreError> {
        let usage =
            sqlx::query_as(OF_TENANT).bind(tenant.as_uuid()).bind(month.number()).bind(i64::from(limit));
        let rows: Vec<(Uuid, String, i64)> = self.requests.all(usage).await?;
        rows.into_iter()
            .map(|(key, kind, count)| {
                let kind = kind.parse().map_err(unreadable)?;
                Ok(Usage { key: KeyId::from_uuid(key), kind, count: count as u64 })
            })
            .collect()
    }

    async fn used(&self, tenant: TenantId, key: KeyId, month: Month) -> Result<u64, StoreError> {
        let used = sqlx::query_as(OF_KEY).bind(tenant.as_uuid()).bind(key.as_uuid()).bind(month.number());
        let used: Option<(i64,)> = self.requests.first(used).await?;
        Ok(used.map_or(0, |(count,)| count as u64))
    }
}
