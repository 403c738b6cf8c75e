//! Tenants and the hashes of their keys.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use sqlx::FromRow;
use uuid::Uuid;

use super::Postgres;
use super::row::{time, timestamp};
use crate::domain::{ApiKeyInfo, KeyId, TenantId};
use crate::store::{KeyStore, StoreError};

macro_rules! select_keys {
    ($rest:literal) => {
        concat!(
            "SELECT api_keys.id, tenant, tenants.name AS tenant_name, label, scopes::text, api_keys.created_at,
                expires_at, revoked_at, last_used_at
            FROM api_keys JOIN tenants ON tenants.id = tenant ",
            $rest
        )
    };
}

const TENANT: &str = "SELECT id FROM tenants WHERE name = $1";
/// The update that changes nothing makes RETURNING give the row that was there.
const MAKE_TENANT: &str = "INSERT INTO tenants (id, name, created_at) VALUES ($1, $2, now())
    ON CONFLICT (name) DO UPDATE SET name = excluded.name RETURNING id";

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
        })
    }
}

#[async_trait]
impl KeyStore for Postgres {
    async fn tenant(&self, name: &str) -> Result<TenantId, StoreError> {
        let mut tenant: Option<(Uuid,)> = self.requests.first(sqlx::query_as(TENANT).bind(name)).await?;
        if tenant.is_none() {
            let id = TenantId::new();
            let make = sqlx::query_as(MAKE_TENANT).bind(id.as_uuid()).bind(name);
            tenant = self.requests.first(make).await?;
        }
        tenant.map(|(id,)| TenantId::from_uuid(id)).ok_or(StoreError::NotFound)
    }

    async fn add_key(&self, info: &ApiKeyInfo, hash: &[u8; 32]) -> Result<(), StoreError> {
        let add = sqlx::query(
            "INSERT INTO api_keys
                (id, tenant, hash, label, scopes, created_at, expires_at, revoked_at, last_used_at)
            VALUES ($1, $2, $3, $4, $5::jsonb, $6, $7, $8, $9)",
        )
        .bind(info.id.as_uuid())
        .bind(info.tenant.as_uuid())
        .bind(&hash[..])
        .bind(&info.label)
        .bind(serde_json::to_string(&info.scopes)?)
        .bind(time(info.created_at))
        .bind(info.expires_at.map(time))
        .bind(info.revoked_at.map(time))
        .bind(info.last_used_at.map(time));
        self.requests.run(add).await?;
        Ok(())
    }

    async fn key(&self, hash: &[u8; 32]) -> Result<ApiKeyInfo, StoreError> {
        let key = sqlx::query_as(select_keys!("WHERE hash = $1")).bind(&hash[..]);
        let row: Option<KeyRow> = self.requests.first(key).await?;
        row.ok_or(StoreError::NotFound)?.decode()
    }

    async fn keys(&self) -> Result<Vec<ApiKeyInfo>, StoreError> {
        let keys = sqlx::query_as(select_keys!("ORDER BY api_keys.id"));
        let rows: Vec<KeyRow> = self.requests.all(keys).await?;
        rows.into_iter().map(KeyRow::decode).collect()
    }

    async fn revoke_key(&self, id: KeyId) -> Result<(), StoreError> {
        self.touch("UPDATE api_keys SET revoked_at = coalesce(revoked_at, now()) WHERE id = $1", id).await
    }

    async fn key_used(&self, id: KeyId) -> Result<(), StoreError> {
        self.touch("UPDATE api_keys SET last_used_at = now() WHERE id = $1", id).await
    }
}

impl Postgres {
    async fn touch(&self, statement: &'static str, id: KeyId) -> Result<(), StoreError> {
        let touched = self.requests.run(sqlx::query(statement).bind(id.as_uuid())).await?;
        if touched == 0 { Err(StoreError::NotFound) } else { Ok(()) }
    }
}
