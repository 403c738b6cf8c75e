//! The audit log: who did what to which resource. The database itself refuses to change or delete an entry.

use async_trait::async_trait;

use super::StoreError;
use crate::domain::{AuditEntry, AuditFilter, AuditId};

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
