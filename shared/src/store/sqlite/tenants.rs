//! Tenants, each change with its entry in the audit log.

use async_trait::async_trait;
use sqlx::FromRow;
use uuid::Uuid;

use super::row::LimitsRow;
use super::{Sqlite, audit};
use crate::domain::{Action, Actor, AuditEntry, KeyLimits, Tenant, TenantChange, TenantId, Timestamp};
use crate::store::{StoreError, TenantStore};

macro_rules! select_tenants {
    ($rest:literal) => {
        concat!(
            "SELECT id, name, created_at, suspended_at, rate_per_minute, rate_burst, monthly_quota FROM tenants ",
            $rest
        )
    };
}

const NAMED: &str = "SELECT id FROM tenants WHERE name = ?1";
const ADD: &str =
    "INSERT INTO tenants (id, name, created_at, suspended_at, rate_per_minute, rate_burst, monthly_quota)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
const READ: &str = select_tenants!("WHERE id = ?1");
const LIST: &str = select_tenants!("WHERE id < ?1 ORDER BY id DESC LIMIT ?2");
const CHANGE: &str = "UPDATE tenants
    SET suspended_at = ?2, rate_per_minute = ?3, rate_burst = ?4, monthly_quota = ?5 WHERE id = ?1";

#[derive(FromRow)]
struct TenantRow {
    id: Uuid,
    name: String,
    created_at: i64,
    suspended_at: Option<i64>,
    #[sqlx(flatten)]
    limits: LimitsRow,
}

impl TenantRow {
    fn decode(self) -> Tenant {
        Tenant {
            id: TenantId::from_uuid(self.id),
            name: self.name,
            created_at: Timestamp::from_millis(self.created_at),
            suspended_at: self.suspended_at.map(Timestamp::from_millis),
            limits: self.limits.decode(),
        }
    }
}

#[async_trait]
impl TenantStore for Sqlite {
    async fn add_tenant(&self, tenant: &Tenant, actor: Actor) -> Result<(), StoreError> {
        let limits = LimitsRow::from(tenant.limits);
        let mut transaction = self.writer.begin().await?;
        sqlx::query(ADD)
            .bind(tenant.id.as_uuid())
            .bind(&tenant.name)
            .bind(tenant.created_at.as_millis())
            .bind(tenant.suspended_at.map(Timestamp::as_millis))
            .bind(limits.rate_per_minute)
            .bind(limits.rate_burst)
            .bind(limits.monthly_quota)
            .execute(&mut *transaction)
            .await?;
        let entry = AuditEntry::new(actor, Action::TenantCreated, tenant.id, tenant.id);
        audit::append(&entry)?.execute(&mut *transaction).await?;
        transaction.commit().await?;
        Ok(())
    }

    async fn tenant_named(&self, name: &str, actor: Actor) -> Result<TenantId, StoreError> {
        let known = sqlx::query_scalar(NAMED).bind(name);
        let known: Option<Uuid> = known.fetch_optional(&self.reader).await?;
        if let Some(id) = known {
            return Ok(TenantId::from_uuid(id));
        }
        let tenant = Tenant {
            id: TenantId::new(),
            name: name.to_owned(),
            created_at: Timestamp::now(),
            suspended_at: None,
            limits: KeyLimits::default(),
        };
        match self.add_tenant(&tenant, actor).await {
            Ok(()) => Ok(tenant.id),
            // Another made it meanwhile.
            Err(StoreError::Conflict) => {
                let id = sqlx::query_scalar(NAMED).bind(name).fetch_one(&self.reader).await?;
                Ok(TenantId::from_uuid(id))
            }
            Err(error) => Err(error),
        }
    }

    async fn tenant(&self, id: TenantId) -> Result<Tenant, StoreError> {
        let row: TenantRow = sqlx::query_as(READ).bind(id.as_uuid()).fetch_one(&self.reader).await?;
        Ok(row.decode())
    }

    async fn tenants(&self, before: Option<TenantId>, limit: u32) -> Result<Vec<Tenant>, StoreError> {
        let rows: Vec<TenantRow> = sqlx::query_as(LIST)
            .bind(before.map_or(Uuid::max(), |id| *id.as_uuid()))
            .bind(limit)
            .fetch_all(&self.reader)
            .await?;
        Ok(rows.into_iter().map(TenantRow::decode).collect())
    }

    async fn change_tenant(
        &self,
        id: TenantId,
        change: TenantChange,
        actor: Actor,
    ) -> Result<Tenant, StoreError> {
        let mut transaction = self.writer.begin().await?;
        let row: TenantRow = sqlx::query_as(READ).bind(id.as_uuid()).fetch_one(&mut *transaction).await?;
        let mut tenant = row.decode();
        let actions = change.apply(&mut tenant, Timestamp::now());
        if actions.is_empty() {
            return Ok(tenant);
        }
        let limits = LimitsRow::from(tenant.limits);
        sqlx::query(CHANGE)
            .bind(id.as_uuid())
            .bind(tenant.suspended_at.map(Timestamp::as_millis))
            .bind(limits.rate_per_minute)
            .bind(limits.rate_burst)
            .bind(limits.monthly_quota)
            .execute(&mut *transaction)
            .await?;
        for action in actions {
            audit::append(&AuditEntry::new(actor, action, id, id))?.execute(&mut *transaction).await?;
        }
        transaction.commit().await?;
        Ok(tenant)
    }
}
