//! Moderators' decisions.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use sqlx::FromRow;
use uuid::Uuid;

use super::row::timestamp;
use super::verifications::EXISTS;
use super::{Postgres, audit};
use crate::domain::{AuditEntry, KeyId, NewReview, Review, TenantId, VerificationId};
use crate::store::StoreError;
use crate::store::error::unreadable;
use crate::store::reviews::{MOST_REVIEWS, ReviewStore};

pub(super) const ADD: &str = "INSERT INTO reviews (verification, decision, reason, reviewer, reviewed_at)
    SELECT id, $3::text, $4::text, $5::uuid, now() FROM verifications
    WHERE id = $1 AND tenant = $2 AND state IN ('succeeded', 'failed')
        AND (SELECT count(*) FROM reviews WHERE verification = $1) < $6
    RETURNING decision, reason, reviewer, reviewed_at";
pub(super) const REVIEWS: &str = "SELECT decision, reason, reviewer, reviewed_at FROM reviews
    WHERE verification = $1 ORDER BY sequence DESC";

#[derive(FromRow)]
struct ReviewRow {
    decision: String,
    reason: Option<String>,
    reviewer: Uuid,
    reviewed_at: DateTime<Utc>,
}

impl ReviewRow {
    fn decode(self) -> Result<Review, StoreError> {
        Ok(Review {
            decision: self.decision.parse().map_err(unreadable)?,
            reason: self.reason,
            reviewer: KeyId::from_uuid(self.reviewer),
            at: timestamp(self.reviewed_at),
        })
    }
}

#[async_trait]
impl ReviewStore for Postgres {
    async fn add_review(
        &self,
        tenant: TenantId,
        id: VerificationId,
        new: &NewReview,
    ) -> Result<Review, StoreError> {
        let add = sqlx::query_as(ADD)
            .bind(id.as_uuid())
            .bind(tenant.as_uuid())
            .bind(new.decision.name())
            .bind(&new.reason)
            .bind(new.reviewer.as_uuid())
            .bind(i64::from(MOST_REVIEWS));
        let mut transaction = self.requests.begin().await?;
        let added: Option<ReviewRow> = transaction.first(add).await?;
        let Some(row) = added else {
            let exists = sqlx::query_as(EXISTS).bind(id.as_uuid()).bind(tenant.as_uuid());
            let row: Option<(Uuid,)> = transaction.first(exists).await?;
            let why = row.map_or(StoreError::NotFound, |_| StoreError::Conflict);
            return transaction.refuse(why).await;
        };
        transaction.run(audit::append(&AuditEntry::reviewed(tenant, id, new))?).await?;
        transaction.commit().await?;
        row.decode()
    }

    async fn reviews(&self, tenant: TenantId, id: VerificationId) -> Result<Vec<Review>, StoreError> {
        self.verification_exists(tenant, id).await?;
        let rows: Vec<ReviewRow> = self.requests.all(sqlx::query_as(REVIEWS).bind(id.as_uuid())).await?;
        rows.into_iter().map(ReviewRow::decode).collect()
    }
}
