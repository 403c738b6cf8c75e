//! Erasing a verification and every row about it.

use async_trait::async_trait;
use uuid::Uuid;

use super::{Sqlite, audit};
use crate::domain::{Action, Actor, AuditEntry, Erased, TenantId, Timestamp, VerificationId};
use crate::store::{ErasureStore, StoreError};

const ERASE: &str = "DELETE FROM verifications WHERE id = ?1 AND tenant = ?2
    RETURNING json_extract(request, '$.kind'), state, attempts, created_at, started_at, finished_at";
/// Every other row about it.
const ABOUT_IT: [&str; 2] = [
    "DELETE FROM outbox WHERE verification = ?1",
    // The key stays taken; what the client had sent goes.
    "UPDATE idempotency_records SET answer = NULL WHERE verification = ?1",
];
const ADD: &str = "INSERT INTO erasures (verification, tenant, erased_at) VALUES (?1, ?2, ?3)";
pub(super) const NEXT: &str = "SELECT verification FROM erasures ORDER BY erased_at LIMIT ?1";
const DONE: &str = "DELETE FROM erasures WHERE verification = ?1 RETURNING tenant";

#[async_trait]
impl ErasureStore for Sqlite {
    async fn erase(&self, tenant: TenantId, id: VerificationId, actor: Actor) -> Result<(), StoreError> {
        let mut transaction = self.writer.begin().await?;
        let (kind, state, attempts, created_at, started_at, finished_at) = sqlx::query_as(ERASE)
            .bind(id.as_uuid())
            .bind(tenant.as_uuid())
            .fetch_one(&mut *transaction)
            .await?;
        for delete in ABOUT_IT {
            sqlx::query(delete).bind(id.as_uuid()).execute(&mut *transaction).await?;
        }
        sqlx::query(ADD)
            .bind(id.as_uuid())
            .bind(tenant.as_uuid())
            .bind(Timestamp::now().as_millis())
            .execute(&mut *transaction)
            .await?;
        let erased = Erased {
            kind,
            state,
            attempts,
            created_at: Timestamp::from_millis(created_at),
            started_at: Option::map(started_at, Timestamp::from_millis),
            finished_at: Option::map(finished_at, Timestamp::from_millis),
        };
        audit::append(&erased.tombstone(actor, tenant, id))?.execute(&mut *transaction).await?;
        transaction.commit().await?;
        Ok(())
    }

    async fn media_to_erase(&self, limit: u32) -> Result<Vec<VerificationId>, StoreError> {
        let ids: Vec<Uuid> = sqlx::query_scalar(NEXT).bind(limit).fetch_all(&self.reader).await?;
        Ok(ids.into_iter().map(VerificationId::from_uuid).collect())
    }

    async fn media_erased(&self, id: VerificationId) -> Result<(), StoreError> {
        let mut transaction = self.writer.begin().await?;
        let tenant: Uuid = sqlx::query_scalar(DONE).bind(id.as_uuid()).fetch_one(&mut *transaction).await?;
        let entry = AuditEntry::new(Actor::System, Action::MediaErased, TenantId::from_uuid(tenant), id);
        audit::append(&entry)?.execute(&mut *transaction).await?;
        transaction.commit().await?;
        Ok(())
    }
}
