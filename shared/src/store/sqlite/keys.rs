//! The hashes of API keys, each change with its entry in the audit log.

use std::time::Duration;

use async_trait::async_trait;
use sqlx::{FromRow, SqliteConnection};
use uuid::Uuid;

use super::row::LimitsRow;
use super::{Sqlite, audit};
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
            "SELECT api_keys.id, tenant, tenants.name AS tenant_name, label, scopes, api_keys.created_at,
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
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)";
const CREDENTIAL: &str = select_keys!(
    ", suspended_at IS NOT NULL AS suspended, tenants.rate_per_minute AS tenant_rate_per_minute,
        tenants.rate_burst AS tenant_rate_burst, tenants.monthly_quota AS tenant_monthly_quota",
    "WHERE hash = ?1"
);
const READ: &str = select_keys!("WHERE api_keys.id = ?1");
pub(super) const LIST: &str = select_keys!("WHERE api_keys.id < ?1 ORDER BY api_keys.id DESC LIMIT ?2");
pub(super) const LIST_OF_TENANT: &str =
    select_keys!("WHERE api_keys.id < ?1 AND tenant = ?3 ORDER BY api_keys.id DESC LIMIT ?2");
const CHANGE: &str = "UPDATE api_keys
    SET label = ?2, expires_at = ?3, revoked_at = ?4, rate_per_minute = ?5, rate_burst = ?6, monthly_quota = ?7
    WHERE id = ?1";

#[derive(FromRow)]
struct KeyRow {
    id: Uuid,
    tenant: Uuid,
    tenant_name: String,
    label: String,
    scopes: String,
    created_at: i64,
    expires_at: Option<i64>,
    revoked_at: Option<i64>,
    last_used_at: Option<i64>,
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
            created_at: Timestamp::from_millis(self.created_at),
            expires_at: self.expires_at.map(Timestamp::from_millis),
            revoked_at: self.revoked_at.map(Timestamp::from_millis),
            last_used_at: self.last_used_at.map(Timestamp::from_millis),
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
    tenant_rate_per_minute: Option<u32>,
    tenant_rate_burst: Option<u32>,
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
impl KeyStore for Sqlite {
    async fn credential(&self, hash: &[u8; 32]) -> Result<Credential, StoreError> {
        let credential = sqlx::query_as(CREDENTIAL).bind(&hash[..]);
        let row: CredentialRow = credential.fetch_one(&self.reader).await?;
        row.decode()
    }

    async fn key_used(&self, id: KeyId) -> Result<(), StoreError> {
        let touch = sqlx::query("UPDATE api_keys SET last_used_at = ?2 WHERE id = ?1")
            .bind(id.as_uuid())
            .bind(Timestamp::now().as_millis());
        let touched = self.writer.run_soon(touch).await?;
        if touched == 0 { Err(StoreError::NotFound) } else { Ok(()) }
    }

    async fn add_key(&self, info: &ApiKeyInfo, hash: &[u8; 32], actor: Actor) -> Result<(), StoreError> {
        let mut transaction = self.writer.begin().await?;
        insert(&mut transaction, info, hash).await?;
        let entry = AuditEntry::key_created(actor, info);
        audit::append(&entry)?.execute(&mut *transaction).await?;
        transaction.commit().await?;
        Ok(())
    }

    async fn key(&self, id: KeyId) -> Result<ApiKeyInfo, StoreError> {
        let row: KeyRow = sqlx::query_as(READ).bind(id.as_uuid()).fetch_one(&self.reader).await?;
        row.decode()
    }

    async fn keys(
        &self,
        tenant: Option<TenantId>,
        before: Option<KeyId>,
        limit: u32,
    ) -> Result<Vec<ApiKeyInfo>, StoreError> {
        let before = before.map_or(Uuid::max(), |id| *id.as_uuid());
        let list = match tenant {
            None => sqlx::query_as(LIST).bind(before).bind(limit),
            Some(tenant) => sqlx::query_as(LIST_OF_TENANT).bind(before).bind(limit).bind(*tenant.as_uuid()),
        };
        let rows: Vec<KeyRow> = list.fetch_all(&self.reader).await?;
        rows.into_iter().map(KeyRow::decode).collect()
    }

    async fn change_key(&self, id: KeyId, change: KeyChange, actor: Actor) -> Result<ApiKeyInfo, StoreError> {
        let mut transaction = self.writer.begin().await?;
        let mut key = read(&mut transaction, id).await?;
        let changed = change.apply(&mut key);
        if changed.is_empty() {
            return Ok(key);
        }
        update(&mut transaction, &key).await?;
        let entry = AuditEntry::key_changed(actor, &key, &changed);
        audit::append(&entry)?.execute(&mut *transaction).await?;
        transaction.commit().await?;
        Ok(key)
    }

    async fn revoke_key(&self, id: KeyId, actor: Actor) -> Result<(), StoreError> {
        let mut transaction = self.writer.begin().await?;
        let mut key = read(&mut transaction, id).await?;
        if key.revoked_at.is_some() {
            return Ok(());
        }
        key.revoked_at = Some(Timestamp::now());
        update(&mut transaction, &key).await?;
        let entry = AuditEntry::new(actor, Action::KeyRevoked, key.tenant, id);
        audit::append(&entry)?.execute(&mut *transaction).await?;
        transaction.commit().await?;
        Ok(())
    }

    async fn rotate_key(
        &self,
        id: KeyId,
        hash: &[u8; 32],
        overlap: Duration,
        actor: Actor,
    ) -> Result<ApiKeyInfo, StoreError> {
        let mut transaction = self.writer.begin().await?;
        let mut old = read(&mut transaction, id).await?;
        let new = old.rotate(overlap, Timestamp::now()).ok_or(StoreError::Conflict)?;
        update(&mut transaction, &old).await?;
        insert(&mut transaction, &new, hash).await?;
        let entry = AuditEntry::key_rotated(actor, &old, &new);
        audit::append(&entry)?.execute(&mut *transaction).await?;
        transaction.commit().await?;
        Ok(new)
    }
}

async fn read(connection: &mut SqliteConnection, id: KeyId) -> Result<ApiKeyInfo, StoreError> {
    let row: KeyRow = sqlx::query_as(READ).bind(id.as_uuid()).fetch_one(connection).await?;
    row.decode()
}

async fn insert(
    connection: &mut SqliteConnection,
    info: &ApiKeyInfo,
    hash: &[u8; 32],
) -> Result<(), StoreError> {
    let limits = LimitsRow::from(info.limits);
    sqlx::query(ADD)
        .bind(info.id.as_uuid())
        .bind(info.tenant.as_uuid())
        .bind(&hash[..])
        .bind(&info.label)
        .bind(serde_json::to_string(&info.scopes)?)
        .bind(info.created_at.as_millis())
        .bind(info.expires_at.map(Timestamp::as_millis))
        .bind(info.revoked_at.map(Timestamp::as_millis))
        .bind(info.last_used_at.map(Timestamp::as_millis))
        .bind(limits.rate_per_minute)
        .bind(limits.rate_burst)
        .bind(limits.monthly_quota)
        .execute(connection)
        .await?;
    Ok(())
}

/// Whatever can change.
async fn update(connection: &mut SqliteConnection, info: &ApiKeyInfo) -> Result<(), StoreError> {
    let limits = LimitsRow::from(info.limits);
    sqlx::query(CHANGE)
        .bind(info.id.as_uuid())
        .bind(&info.label)
        .bind(info.expires_at.map(Timestamp::as_millis))
        .bind(info.revoked_at.map(Timestamp::as_millis))
        .bind(limits.rate_per_minute)
        .bind(limits.rate_burst)
        .bind(limits.monthly_quota)
        .execute(connection)
        .await?;
    Ok(())
}
