//! Tenants, each change with its entry in the audit log.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use sqlx::FromRow;
use uuid::Uuid;

use super::row::{LimitsRow, time, timestamp};
use super::{Postgres, audit};
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

const NAMED: &str = "SELECT id FROM tenants WHERE name = $1";
const ADD: &str =
    "INSERT INTO tenants (id, name, created_at, suspended_at, rate_per_minute, rate_burst, monthly_quota)
    VALUES ($1, $2, $3, $4, $5, $6, $7)";
const READ: &str = select_tenants!("WHERE id = $1");
const LOCK: &str = select_tenants!("WHERE id = $1 FOR UPDATE");
const LIST: &str = select_tenants!("WHERE id < $1 ORDER BY id DESC LIMIT $2");
const CHANGE: &str = "UPDATE tenants
    SET suspended_at = $2, rate_per_minute = $3, rate_burst = $4, monthly_quota = $5 WHERE id = $1";

#[derive(FromRow)]
struct TenantRow {
    id: Uuid,
    name: String,
    created_at: DateTime<Utc>,
    suspended_at: Option<DateTime<Utc>>,
    #[sqlx(flatten)]
    limits: LimitsRow,
}

impl TenantRow {
    fn decode(self) -> Tenant {
        Tenant {
            id: TenantId::from_uuid(self.id),
            name: self.name,
            created_at: timestamp(self.created_at),
            suspended_at: self.suspended_at.map(timestamp),
            limits: self.limits.decode(),
        }
    }
}

#[async_trait]
impl TenantStore for Postgres {
    async fn add_tenant(&self, tenant: &Tenant, actor: Actor) -> Result<(), StoreError> {
        let limits = LimitsRow::from(tenant.limits);
        let mut transaction = self.requests.begin().await?;
        let add = sqlx::query(ADD)
            .bind(tenant.id.as_uuid())
            .bind(&tenant.name)
            .bind(time(tenant.created_at))
            .bind(tenant.suspended_at.map(time))
            .bind(limits.rate_per_minute)
            .bind(limits.rate_burst)
            .bind(limits.monthly_quota);
        transaction.run(add).await?;
        let entry = AuditEntry::new(actor, Action::TenantCreated, tenant.id, tenant.id);
        transaction.run(audit::append(&entry)?).await?;
        transaction.commit().await
    }

    async fn tenant_named(&self, name: &str, actor: Actor) -> Result<TenantId, StoreError> {
        if let Some(id) = self.named(name).await? {
            return Ok(id);
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
            Err(StoreError::Conflict) => self.named(name).await?.ok_or(StoreError::NotFound),
            Err(error) => Err(error),
        }
    }

    async fn tenant(&self, id: TenantId) -> Result<Tenant, StoreError> {
        let row: Option<TenantRow> = self.requests.first(sqlx::query_as(READ).bind(id.as_uuid())).await?;
        Ok(row.ok_or(StoreError::NotFound)?.decode())
    }

    async fn tenants(&self, before: Option<TenantId>, limit: u32) -> Result<Vec<Tenant>, StoreError> {
        let before = before.map_or(Uuid::max(), |id| *id.as_uuid());
        let list = sqlx::query_as(LIST).bind(before).bind(i64::from(limit));
        let rows: Vec<TenantRow> = self.requests.all(list).await?;
        Ok(rows.into_iter().map(TenantRow::decode).collect())
    }

    async fn change_tenant(
        &self,
        id: TenantId,
        change: TenantChange,
        actor: Actor,
    ) -> Result<Tenant, StoreError> {
        let mut transaction = self.requests.begin().await?;
        let row: Option<TenantRow> = transaction.first(sqlx::query_as(LOCK).bind(id.as_uuid())).await?;
        let Some(row) = row else {
            return transaction.refuse(StoreError::NotFound).await;
        };
        let mut tenant = row.decode();
        let actions = change.apply(&mut tenant, Timestamp::now());
        if !actions.is_empty() {
            let limits = LimitsRow::from(tenant.limits);
            let update = sqlx::query(CHANGE)
                .bind(id.as_uuid())
                .bind(tenant.suspended_at.map(time))
                .bind(limits.rate_per_minute)
                .bind(limits.rate_burst)
                .bind(limits.monthly_quota);
            transaction.run(update).await?;
        }
        for action in actions {
            transaction.run(audit::append(&AuditEntry::new(actor, action, id, id))?).await?;
        }
        transaction.commit().await?;
        Ok(tenant)
    }
}

impl Postgres {
    async fn named(&self, name: &str) -> Result<Option<TenantId>, StoreError> {
        let id: Option<(Uuid,)> = self.requests.first(sqlx::query_as(NAMED).bind(name)).await?;
        Ok(id.map(|(id,)| TenantId::from_uuid(id)))
    }
}
