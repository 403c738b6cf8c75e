//! Usage: rows beside the counters, and the counters.

use async_trait::async_trait;

use super::Sqlite;
use crate::domain::{KeyId, Month, TenantId, Usage};
use crate::store::error::unreadable;
use crate::store::{StoreError, UsageStore};

pub(super) const ADD: &str = "INSERT INTO usage_pending (tenant, key, verification, month, kind)
    VALUES (?1, ?2, ?3, ?4, ?5)";
/// Both see the same rows: one transaction holds the write lock.
macro_rules! next {
    ($columns:literal) => {
        concat!("SELECT ", $columns, " FROM usage_pending ORDER BY tenant, key, verification LIMIT ?1")
    };
}
const COUNT: &str = concat!(
    "INSERT INTO usage_counters (tenant, month, key, kind, count)
    SELECT tenant, month, key, kind, count(*) FROM (",
    next!("tenant, month, key, kind"),
    ") WHERE true GROUP BY tenant, month, key, kind
    ON CONFLICT (tenant, month, key, kind) DO UPDATE SET count = count + excluded.count"
);
const REMOVE: &str = concat!(
    "DELETE FROM usage_pending WHERE (tenant, key, verification) IN (",
    next!("tenant, key, verification"),
    ")"
);
pub(super) const OF_TENANT: &str = "SELECT key, kind, sum(count) FROM (
        SELECT key, kind, count FROM usage_counters WHERE tenant = ?1 AND month = ?2
        UNION ALL
        SELECT key, kind, 1 FROM usage_pending WHERE tenant = ?1 AND month = ?2
    ) GROUP BY key, kind ORDER BY key, kind LIMIT ?3";
pub(super) const OF_KEY: &str = "SELECT
    (SELECT coalesce(sum(count), 0) FROM usage_counters WHERE tenant = ?1 AND key = ?2 AND month = ?3)
    + (SELECT count(*) FROM usage_pending WHERE tenant = ?1 AND key = ?2 AND month = ?3)";

#[async_trait]
impl UsageStore for Sqlite {
    async fn fold_usage(&self, limit: u32) -> Result<u64, StoreError> {
        let mut transaction = self.writer.begin().await?;
        sqlx::query(COUNT).bind(limit).execute(&mut *transaction).await?;
        let removed = sqlx::query(REMOVE).bind(limit).execute(&mut *transaction).await?;
        transaction.commit_soon().await?;
        Ok(removed.rows_affected())
    }

    async fn usage(&self, tenant: TenantId, month: Month, limit: u32) -> Result<Vec<Usage>, StoreError> {
        let rows: Vec<(uuid::Uuid, String, i64)> = sqlx::query_as(OF_TENANT)
            .bind(tenant.as_uuid())
            .bind(month.number())
            .bind(limit)
            .fetch_all(&self.reader)
            .await?;
        rows.into_iter()
            .map(|(key, kind, count)| {
                let kind = kind.parse().map_err(unreadable)?;
                Ok(Usage { key: KeyId::from_uuid(key), kind, count: count as u64 })
            })
            .collect()
    }

    async fn used(&self, tenant: TenantId, key: KeyId, month: Month) -> Result<u64, StoreError> {
        let count: i64 = sqlx::query_scalar(OF_KEY)
            .bind(tenant.as_uuid())
            .bind(key.as_uuid())
            .bind(month.number())
            .fetch_one(&self.reader)
            .await?;
        Ok(count as u64)
    }
}
