//! The audit log: who did what to which resource. The database itself refuses to change or delete an entry.

use async_trait::async_trait;
use sqlx::FromRow;
use uuid::Uuid;

use super::StoreError;
use super::error::unreadable;
use crate::domain::{AuditEntry, AuditFilter, AuditId, TenantId};

#[async_trait]
pub trait AuditLog: Send + Sync {
    /// For what changes no row; a change of the store's own is written with its entry.
    async fn append(&self, entry: &AuditEntry) -> Result<(), StoreError>;
    /// Newest first: those before `before`, at most `limit`.
    async fn entries(
        &self,
        filter: &AuditFilter,
        before: Option<AuditId>,
        limit: u32,
    ) -> Result<Vec<AuditEntry>, StoreError>;
}

/// An entry as every database has it.
#[derive(FromRow)]
pub(super) struct EntryRow {
    id: Uuid,
    tenant: Option<Uuid>,
    actor: String,
    action: String,
    resource: Option<String>,
    details: String,
}

impl EntryRow {
    pub(super) fn decode(self) -> Result<AuditEntry, StoreError> {
        Ok(AuditEntry {
            id: AuditId::from_uuid(self.id),
            tenant: self.tenant.map(TenantId::from_uuid),
            actor: self.actor.parse().map_err(unreadable)?,
            action: self.action,
            resource: self.resource,
            details: serde_json::from_str(&self.details)?,
        })
    }
}
