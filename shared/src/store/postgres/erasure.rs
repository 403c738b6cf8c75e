//! Erasing a verification and every row about it.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::row::timestamp;
use super::{Postgres, audit};
use crate::domain::{Action, Actor, AuditEntry, Erased, TenantId, VerificationId};
use crate::store::{ErasureStore, StoreError};

/// Waits for a worker that is writing its result; whoever comes later finds no row.
const ERASE: &str = "DELETE FROM verifications WHERE id = $1 AND tenant = $2
    RETURNING request->>'kind', state, attempts, created_at, started_at, finished_at";
/// Every other row about it, one statement after the other, so that each sees what was committed while the row was waited
/// for. A message that a relay has in its hands is left to it; nobody takes it for work.
const ABOUT_IT: [&str; 1] = ["DELETE FROM outbox WHERE sequence IN (
        SELECT sequence FROM outbox WHERE verification = $1 FOR UPDATE SKIP LOCKED
    )"];
const ADD: &str = "INSERT INTO erasures (verification, tenant, erased_at) VALUES ($1, $2, now())";
pub(super) const NEXT: &str = "SELECT verification FROM erasures ORDER BY erased_at LIMIT $1";
const DONE: &str = "DELETE FROM erasures WHERE verification = $1 RETURNING tenant";

type ErasedRow = (Option<String>, String, i32, DateTime<Utc>, Option<DateTime<Utc>>, Option<DateTime<Utc>>);

#[async_trait]
impl ErasureStore for Postgres {
    async fn erase(&self, tenant: TenantId, id: VerificationId, actor: Actor) -> Result<(), StoreError> {
        let mut transaction = self.requests.begin().await?;
        let erase = sqlx::query_as(ERASE).bind(id.as_uuid()).bind(tenant.as_uuid());
        let erased: Option<ErasedRow> = transaction.first(erase).await?;
        let Some((kind, state, attempts, created_at, started_at, finished_at)) = erased else {
            return transaction.refuse(StoreError::NotFound).await;
        };
        for delete in ABOUT_IT {
            transaction.run(sqlx::query(delete).bind(id.as_uuid())).await?;
        }
        transaction.run(sqlx::query(ADD).bind(id.as_uuid()).bind(tenant.as_uuid())).await?;
        let erased = Erased {
            kind,
            state,
            attempts: attempts as u32,
            created_at: timestamp(created_at),
            started_at: started_at.map(timestamp),
            finished_at: finished_at.map(timestamp),
        };
        transaction.run(audit::append(&erased.tombstone(actor, tenant, id))?).await?;
        transaction.commit().await
    }

    async fn media_to_erase(&self, limit: u32) -> Result<Vec<VerificationId>, StoreError> {
        let next = sqlx::query_as(NEXT).bind(i64::from(limit));
        let ids: Vec<(Uuid,)> = self.requests.all(next).await?;
        Ok(ids.into_iter().map(|(id,)| VerificationId::from_uuid(id)).collect())
    }

    async fn media_erased(&self, id: VerificationId) -> Result<(), StoreError> {
        let mut transaction = self.requests.begin().await?;
        let tenant: Option<(Uuid,)> = transaction.first(sqlx::query_as(DONE).bind(id.as_uuid())).await?;
        let Some((tenant,)) = tenant else {
            return transaction.refuse(StoreError::NotFound).await;
        };
        let tenant = TenantId::from_uuid(tenant);
        let entry = AuditEntry::new(Actor::System, Action::MediaErased, tenant, id);
        transaction.run(audit::append(&entry)?).await?;
        transaction.commit().await
    }
}
