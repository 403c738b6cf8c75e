//! Tenants and their API keys. Each change is written with its entry in the audit log, in one transaction.

use std::time::Duration;

use async_trait::async_trait;

use super::StoreError;
use crate::domain::{Actor, ApiKeyInfo, Credential, KeyChange, KeyId, Tenant, TenantChange, TenantId};

#[async_trait]
pub trait TenantStore: Send + Sync {
    /// `Conflict` when the name is taken.
    async fn add_tenant(&self, tenant: &Tenant, actor: Actor) -> Result<(), StoreError>;
    /// The tenant of that name, made when it does not exist.
    async fn tenant_named(&self, name: &str, actor: Actor) -> Result<TenantId, StoreError>;
    async fn tenant(&self, id: TenantId) -> Result<Tenant, StoreError>;
    /// Newest first: those before `before`, at most `limit`.
    async fn tenants(&self, before: Option<TenantId>, limit: u32) -> Result<Vec<Tenant>, StoreError>;
    /// The tenant as it is then. What changes nothing is no change.
    async fn change_tenant(
        &self,
        id: TenantId,
        change: TenantChange,
        actor: Actor,
    ) -> Result<Tenant, StoreError>;
}

#[async_trait]
pub trait KeyStore: Send + Sync {
    /// What the key with that hash stands for, valid or not.
    async fn credential(&self, hash: &[u8; 32]) -> Result<Credential, StoreError>;
    /// Notes the last use; called at most once a minute for each key.
    async fn key_used(&self, id: KeyId) -> Result<(), StoreError>;
    /// `NotFound` when there is no such tenant.
    async fn add_key(&self, info: &ApiKeyInfo, hash: &[u8; 32], actor: Actor) -> Result<(), StoreError>;
    async fn key(&self, id: KeyId) -> Result<ApiKeyInfo, StoreError>;
    /// One tenant's or everybody's, newest first: those before `before`, at most `limit`.
    async fn keys(
        &self,
        tenant: Option<TenantId>,
        before: Option<KeyId>,
        limit: u32,
    ) -> Result<Vec<ApiKeyInfo>, StoreError>;
    /// The key as it is then. What changes nothing is no change.
    async fn change_key(&self, id: KeyId, change: KeyChange, actor: Actor) -> Result<ApiKeyInfo, StoreError>;
    /// Revokes it now; revoking twice keeps the first time.
    async fn revoke_key(&self, id: KeyId, actor: Actor) -> Result<(), StoreError>;
    /// A new key with the same properties and that hash; the old one is valid for `overlap` at most. `Conflict` when the
    /// old one is not valid any more.
    async fn rotate_key(
        &self,
        id: KeyId,
        hash: &[u8; 32],
        overlap: Duration,
        actor: Actor,
    ) -> Result<ApiKeyInfo, StoreError>;
}
