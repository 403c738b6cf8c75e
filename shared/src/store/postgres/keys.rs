//! The hashes of API keys, each change with its entry in the audit log.

use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use sqlx::FromRow;
use uuid::Uuid;

use super::call::{Statement, Transaction};
use super::row::{LimitsRow, time, timestamp};
use super::{Postgres, audit};
use crate::domain::{
    Action, Actor, ApiKeyInfo, AuditEntry, Credential, KeyChange, KeyId, TenantId, Timestamp,
};
use crate::store::{KeyStore, StoreError};

macro_rules! select_keys {
    ($rest:literal) => {
        select_keys!("", $rest)
    };
    ($more:literal, $rest:literal) => {
        concat!(
            "SELECT api_keys.id, tenant, tenants.name AS tenant_name, label, scopes::text, api_keys.created_at,
                expires_at, revoked_at, last_used_at,
                api_keys.rate_per_minute, api_keys.rate_burst, api_keys.monthly_quota",
            $more,
            " FROM api_keys JOIN tenants ON tenants.id = tenant ",
            $rest
        )
    };
}

const ADD: &str = "INSERT INTO api_keys (id, tenant, hash, label, scopes, created_at, expires_at, revoked_at,
        last_used_at, rate_per_minute, rate_burst, monthly_quota)
    VALUES ($1, $2, $3, $4, $5::jsonb, $6, $7, $8, $9, $10, $11, $12)";
const CREDENTIAL: &str = select_keys!(
    ", suspended_at IS NOT NULL AS suspended, tenants.rate_per_minute AS tenant_rate_per_minute,
        tenants.rate_burst AS tenant_rate_burst, tenants.monthly_quota AS tenant_monthly_quota",
    "WHERE hash = $1"
);
const READ: &str = select_keys!("WHERE api_keys.id = $1");
const LOCK: &str = select_keys!("WHERE api_keys.id = $1 FOR UPDATE OF api_keys");
pub(super) const LIST: &str = select_keys!("WHERE api_keys.id < $1 ORDER BY api_keys.id DESC LIMIT $2");
pub(super) const LIST_OF_TENANT: &str =
    select_keys!("WHERE api_keys.id < $1 AND tenant = $3 ORDER BY api_keys.id DESC LIMIT $2");
const CHANGE: &str = "UPDATE api_keys
    SET label = $2, expires_at = $3, revoked_at = $4, rate_per_minute = $5, rate_burst = $6, monthly_quota = $7
    WHERE id = $1";

#[derive(FromRow)]
struct KeyRow {
    id: Uuid,
    tenant: Uuid,
    tenant_name: String,
    label: String,
    scopes: String,
    created_at: DateTime<Utc>,
    expires_at: Option<DateTime<Utc>>,
    revoked_at: Option<DateTime<Utc>>,
    last_used_at: Option<DateTime<Utc>>,
    #[sqlx(flatten)]
    limits: LimitsRow,
}

impl KeyRow {
    fn decode(self) -> Result<ApiKeyInfo, StoreError> {
        Ok(ApiKeyInfo {
            id: KeyId::from_uuid(self.id),
            tenant: TenantId::from_uuid(self.tenant),
            tenant_name: self.tenant_name,
            label: self.label,
            scopes: serde_json::from_str(&self.scopes)?,
            created_at: timestamp(self.created_at),
            expires_at: self.expires_at.map(timestamp),
            revoked_at: self.revoked_at.map(timestamp),
            last_used_at: self.last_used_at.map(timestamp),
            limits: self.limits.decode(),
        })
    }
}

/// A key and what it takes from its tenant.
#[derive(FromRow)]
struct CredentialRow {
    #[sqlx(flatten)]
    key: KeyRow,
    suspended: bool,
    tenant_rate_per_minute: Option<i32>,
    tenant_rate_burst: Option<i32>,
    tenant_monthly_quota: Option<i64>,
}

impl CredentialRow {
    fn decode(self) -> Result<Credential, StoreError> {
        let tenant = LimitsRow {
            rate_per_minute: self.tenant_rate_per_minute,
            rate_burst: self.tenant_rate_burst,
            monthly_quota: self.tenant_monthly_quota,
        };
        let key = self.key.decode()?;
        let limits = key.limits.or(tenant.decode());
        Ok(Credential { key, suspended: self.suspended, limits })
    }
}

#[async_trait]
impl KeyStore for Postgres {
    async fn credential(&self, hash: &[u8; 32]) -> Result<Credential, StoreError> {
        let credential = sqlx::query_as(CREDENTIAL).bind(&hash[..]);
        let row: Option<CredentialRow> = self.requests.first(credential).await?;
        row.ok_or(StoreError::NotFound)?.decode()
    }

    async fn key_used(&self, id: KeyId) -> Result<(), StoreError> {
        let used = sqlx::query("UPDATE api_keys SET last_used_at = now() WHERE id = $1").bind(id.as_uuid());
        if self.requests.run(used).await? == 0 { Err(StoreError::NotFound) } else { Ok(()) }
    }

    async fn add_key(&self, info: &ApiKeyInfo, hash: &[u8; 32], actor: Actor) -> Result<(), StoreError> {
        let mut transaction = self.requests.begin().await?;
        transaction.run(insert(info, hash)?).await?;
        transaction.run(audit::append(&AuditEntry::key_created(actor, info))?).await?;
        transaction.commit().await
    }

    async fn key(&self, id: KeyId) -> Result<ApiKeyInfo, StoreError> {
        let row: Option<KeyRow> = self.requests.first(sqlx::query_as(READ).bind(id.as_uuid())).await?;
        row.ok_or(StoreError::NotFound)?.decode()
    }

    async fn keys(
        &self,
        tenant: Option<TenantId>,
        before: Option<KeyId>,
        limit: u32,
    ) -> Result<Vec<ApiKeyInfo>, StoreError> {
        let (before, limit) = (before.map_or(Uuid::max(), |id| *id.as_uuid()), i64::from(limit));
        let list = match tenant {
            None => sqlx::query_as(LIST).bind(before).bind(limit),
            Some(tenant) => sqlx::query_as(LIST_OF_TENANT).bind(before).bind(limit).bind(*tenant.as_uuid()),
        };
        let rows: Vec<KeyRow> = self.requests.all(list).await?;
        rows.into_iter().map(KeyRow::decode).collect()
    }

    async fn change_key(&self, id: KeyId, change: KeyChange, actor: Actor) -> Result<ApiKeyInfo, StoreError> {
        let mut transaction = self.requests.begin().await?;
        let Some(mut key) = read(&mut transaction, id).await? else {
            return transaction.refuse(StoreError::NotFound).await;
        };
        let changed = change.apply(&mut key);
        if !changed.is_empty() {
            transaction.run(update(&key)).await?;
            transaction.run(audit::append(&AuditEntry::key_changed(actor, &key, &changed))?).await?;
        }
        transaction.commit().await?;
        Ok(key)
    }

    async fn revoke_key(&self, id: KeyId, actor: Actor) -> Result<(), StoreError> {
        let mut transaction = self.requests.begin().await?;
        let Some(mut key) = read(&mut transaction, id).await? else {
            return transaction.refuse(StoreError::NotFound).await;
        };
        if key.revoked_at.is_none() {
            key.revoked_at = Some(Timestamp::now());
            transaction.run(update(&key)).await?;
            let entry = AuditEntry::new(actor, Action::KeyRevoked, key.tenant, id);
            transaction.run(audit::append(&entry)?).await?;
        }
        transaction.commit().await
    }

    async fn rotate_key(
        &self,
        id: KeyId,
        hash: &[u8; 32],
        overlap: Duration,
        actor: Actor,
    ) -> Result<ApiKeyInfo, StoreError> {
        let mut transaction = self.requests.begin().await?;
        let Some(mut old) = read(&mut transaction, id).await? else {
            return transaction.refuse(StoreError::NotFound).await;
        };
        let Some(new) = old.rotate(overlap, Timestamp::now()) else {
            return transaction.refuse(StoreError::Conflict).await;
        };
        transaction.run(update(&old)).await?;
        transaction.run(insert(&new, hash)?).await?;
        transaction.run(audit::append(&AuditEntry::key_rotated(actor, &old, &new))?).await?;
        transaction.commit().await?;
        Ok(new)
    }
}

/// Whoever changes the key waits until this transaction ends.
async fn read(transaction: &mut Transaction, id: KeyId) -> Result<Option<ApiKeyInfo>, StoreError> {
    let row: Option<KeyRow> = transaction.first(sqlx::query_as(LOCK).bind(id.as_uuid())).await?;
    row.map(KeyRow::decode).transpose()
}

fn insert<'bound>(info: &'bound ApiKeyInfo, hash: &'bound [u8; 32]) -> Result<Statement<'bound>, StoreError> {
    let limits = LimitsRow::from(info.limits);
    Ok(sqlx::query(ADD)
        .bind(info.id.as_uuid())
        .bind(info.tenant.as_uuid())
        .bind(&hash[..])
        .bind(&info.label)
        .bind(serde_json::to_string(&info.scopes)?)
        .bind(time(info.created_at))
        .bind(info.expires_at.map(time))
        .bind(info.revoked_at.map(time))
        .bind(info.last_used_at.map(time))
        .bind(limits.rate_per_minute)
        .bind(limits.rate_burst)
        .bind(limits.monthly_quota))
}

/// Whatever can change.
fn update(info: &ApiKeyInfo) -> Statement<'_> {
    let limits = LimitsRow::from(info.limits);
    sqlx::query(CHANGE)
        .bind(info.id.as_uuid())
        .bind(&info.label)
        .bind(info.expires_at.map(time))
        .bind(info.revoked_at.map(time))
        .bind(limits.rate_per_minute)
        .bind(limits.rate_burst)
        .bind(limits.monthly_quota)
}
