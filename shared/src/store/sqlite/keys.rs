//! Tenants and the hashes of their keys.

use async_trait::async_trait;
use sqlx::FromRow;
use uuid::Uuid;

use super::Sqlite;
use crate::domain::{ApiKeyInfo, KeyId, TenantId, Timestamp};
use crate::store::{KeyStore, StoreError};

macro_rules! select_keys {
    ($rest:literal) => {
        concat!(
            "SELECT api_keys.id, tenant, tenants.name AS tenant_name, label, scopes, api_keys.created_at,
                expires_at, revoked_at, last_used_at
            FROM api_keys JOIN tenants ON tenants.id = tenant ",
            $rest
        )
    };
}

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
        })
    }
}

#[async_trait]
impl KeyStore for Sqlite {
    async fn tenant(&self, name: &str) -> Result<TenantId, StoreError> {
        // The update that changes nothing makes RETURNING give the row that was there.
        let id: Uuid = sqlx::query_scalar(
            "INSERT INTO tenants (id, name, created_at) VALUES (?1, ?2, ?3)
            ON CONFLICT (name) DO UPDATE SET name = name RETURNING id",
        )
        .bind(TenantId::new().as_uuid())
        .bind(name)
        .bind(Timestamp::now().as_millis())
        .fetch_one(&self.writer)
        .await?;
        Ok(TenantId::from_uuid(id))
    }

    async fn add_key(&self, info: &ApiKeyInfo, hash: &[u8; 32]) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO api_keys
                (id, tenant, hash, label, scopes, created_at, expires_at, revoked_at, last_used_at)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        )
        .bind(info.id.as_uuid())
        .bind(info.tenant.as_uuid())
        .bind(&hash[..])
        .bind(&info.label)
        .bind(serde_json::to_string(&info.scopes)?)
        .bind(info.created_at.as_millis())
        .bind(info.expires_at.map(Timestamp::as_millis))
        .bind(info.revoked_at.map(Timestamp::as_millis))
        .bind(info.last_used_at.map(Timestamp::as_millis))
        .execute(&self.writer)
        .await?;
        Ok(())
    }

    async fn key(&self, hash: &[u8; 32]) -> Result<ApiKeyInfo, StoreError> {
        let row: KeyRow =
            sqlx::query_as(select_keys!("WHERE hash = ?1")).bind(&hash[..]).fetch_one(&self.reader).await?;
        row.decode()
    }

    async fn keys(&self) -> Result<Vec<ApiKeyInfo>, StoreError> {
        let rows: Vec<KeyRow> =
            sqlx::query_as(select_keys!("ORDER BY api_keys.id")).fetch_all(&self.reader).await?;
        rows.into_iter().map(KeyRow::decode).collect()
    }

    async fn revoke_key(&self, id: KeyId) -> Result<(), StoreError> {
        self.touch("UPDATE api_keys SET revoked_at = coalesce(revoked_at, ?2) WHERE id = ?1", id).await
    }

    async fn key_used(&self, id: KeyId) -> Result<(), StoreError> {
        self.touch("UPDATE api_keys SET last_used_at = ?2 WHERE id = ?1", id).await
    }
}

impl Sqlite {
    /// Runs a statement on one key, with the time as its second parameter.
    async fn touch(&self, statement: &'static str, id: KeyId) -> Result<(), StoreError> {
        let touched = sqlx::query(statement)
            .bind(id.as_uuid())
            .bind(Timestamp::now().as_millis())
            .execute(&self.writer)
            .await?;
        if touched.rows_affected() == 0 { Err(StoreError::NotFound) } else { Ok(()) }
    }
}
