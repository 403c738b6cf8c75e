//! The audit log; triggers keep it append-only.

use async_trait::async_trait;
use sqlx::Sqlite as Driver;
use sqlx::sqlite::SqliteArguments;

use super::Sqlite;
use crate::domain::{AuditEntry, AuditFilter, AuditId};
use crate::store::audit::EntryRow;
use crate::store::{AuditLog, StoreError};

const APPEND: &str = "INSERT INTO audit_log (id, at, tenant, actor, action, resource, details)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";

macro_rules! select_entries {
    ($condition:literal) => {
        concat!(
            "SELECT id, tenant, actor, action, resource, details FROM audit_log WHERE ",
            $condition,
            "id >= ?1 AND id < ?2 ORDER BY id DESC LIMIT ?3"
        )
    };
}
pub(super) const ALL: &str = select_entries!("");
pub(super) const OF_TENANT: &str = select_entries!("tenant = ?4 AND ");
pub(super) const OF_ACTION: &str = select_entries!("action = ?4 AND ");
pub(super) const OF_BOTH: &str = select_entries!("tenant = ?4 AND action = ?5 AND ");

/// For the transaction of the change that it tells of.
pub(super) fn append(
    entry: &AuditEntry,
) -> Result<sqlx::query::Query<'static, Driver, SqliteArguments>, StoreError> {
    Ok(sqlx::query(APPEND)
        .bind(*entry.id.as_uuid())
        .bind(entry.at().as_millis())
        .bind(entry.tenant.map(|tenant| *tenant.as_uuid()))
        .bind(entry.actor.to_string())
        .bind(entry.action.clone())
        .bind(entry.resource.clone())
        .bind(serde_json::to_string(&entry.details)?))
}

#[async_trait]
impl AuditLog for Sqlite {
    async fn append(&self, entry: &AuditEntry) -> Result<(), StoreError> {
        self.writer.run(append(entry)?).await?;
        Ok(())
    }

    async fn entries(
        &self,
        filter: &AuditFilter,
        before: Option<AuditId>,
        limit: u32,
    ) -> Result<Vec<AuditEntry>, StoreError> {
        let (first, end) = filter.bounds(before);
        let tenant = filter.tenant.map(|tenant| *tenant.as_uuid());
        let select = |statement| sqlx::query_as(statement).bind(first).bind(end).bind(limit);
        let entries = match (tenant, filter.action.as_deref()) {
            (None, None) => select(ALL),
            (Some(tenant), None) => select(OF_TENANT).bind(tenant),
            (None, Some(action)) => select(OF_ACTION).bind(action),
            (Some(tenant), Some(action)) => select(OF_BOTH).bind(tenant).bind(action),
        };
        let rows: Vec<EntryRow> = entries.fetch_all(&self.reader).await?;
        rows.into_iter().map(EntryRow::decode).collect()
    }
}
