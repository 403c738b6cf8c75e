//! Moderators' decisions.

use async_trait::async_trait;
use sqlx::FromRow;
use uuid::Uuid;

use super::{Sqlite, audit};
use crate::domain::{AuditEntry, KeyId, NewReview, Review, TenantId, Timestamp, VerificationId};
use crate::store::StoreError;
use crate::store::error::unreadable;
use crate::store::reviews::{MOST_REVIEWS, ReviewStore};

const ADD: &str = "INSERT INTO reviews (verification, decision, reason, reviewer, reviewed_at)
    SELECT id, ?3, ?4, ?5, ?6 FROM verifications
    WHERE id = ?1 AND tenant = ?2 AND state IN ('succeeded', 'failed')
        AND (SELECT count(*) FROM reviews WHERE verification = ?1) < ?7";
const READ: &str = "SELECT decision, reason, reviewer, reviewed_at FROM reviews
    WHERE verification = ?1 ORDER BY sequence DESC";

#[derive(FromRow)]
struct ReviewRow {
    decision: String,
    reason: Option<String>,
    reviewer: Uuid,
    reviewed_at: i64,
}

impl ReviewRow {
    fn decode(self) -> Result<Review, StoreError> {
        Ok(Review {
            decision: self.decision.parse().map_err(unreadable)?,
            reason: self.reason,
            reviewer: KeyId::from_uuid(self.reviewer),
            at: Timestamp::from_millis(self.reviewed_at),
        })
    }
}

#[async_trait]
impl ReviewStore for Sqlite {
    async fn add_review(
        &self,
        tenant: TenantId,
        id: VerificationId,
        new: &NewReview,
    ) -> Result<Review, StoreError> {
        let now = Timestamp::now();
        let mut transaction = self.writer.begin().await?;
        let added = sqlx::query(ADD)
            .bind(id.as_uuid())
            .bind(tenant.as_uuid())
            .bind(new.decision.name())
            .bind(&new.reason)
            .bind(new.reviewer.as_uuid())
            .bind(now.as_millis())
            .bind(MOST_REVIEWS)
            .execute(&mut *transaction)
            .await?;
        if added.rows_affected() == 0 {
            drop(transaction);
            self.verification_exists(tenant, id).await?;
            return Err(StoreError::Conflict);
        }
        audit::append(&AuditEntry::reviewed(tenant, id, new))?.execute(&mut *transaction).await?;
        transaction.commit().await?;
        let NewReview { decision, reason, reviewer } = new.clone();
        Ok(Review { decision, reason, reviewer, at: now })
    }

    async fn reviews(&self, tenant: TenantId, id: VerificationId) -> Result<Vec<Review>, StoreError> {
        self.verification_exists(tenant, id).await?;
        let rows: Vec<ReviewRow> = sqlx::query_as(READ).bind(id.as_uuid()).fetch_all(&self.reader).await?;
        rows.into_iter().map(ReviewRow::decode).collect()
    }
}
