//! Digits that were issued, used up in the transaction that accepts a verification.

use std::time::Duration;

use async_trait::async_trait;
use sqlx::SqliteConnection;

use super::Sqlite;
use crate::domain::{Challenge, ChallengeId, ChallengeState, Digits, Standing, TenantId, Timestamp};
use crate::store::{ChallengeStore, StoreError};

const ISSUE: &str =
    "INSERT INTO challenges (id, tenant, digits, created_at, expires_at) VALUES (?1, ?2, ?3, ?4, ?5)";
const READ: &str =
    "SELECT digits, created_at, expires_at, used_at FROM challenges WHERE id = ?1 AND tenant = ?2";
pub(super) const USE: &str = "UPDATE challenges SET used_at = ?3
    WHERE id = ?1 AND tenant = ?2 AND used_at IS NULL AND expires_at > ?3";
const IS_USED: &str = "SELECT used_at IS NOT NULL FROM challenges WHERE id = ?1 AND tenant = ?2";

#[async_trait]
impl ChallengeStore for Sqlite {
    async fn issue(
        &self,
        tenant: TenantId,
        digits: Digits,
        lifetime: Duration,
    ) -> Result<Challenge, StoreError> {
        let (id, created_at) = (ChallengeId::new(), Timestamp::now());
        let expires_at = created_at.after(lifetime);
        let issue = sqlx::query(ISSUE)
            .bind(id.as_uuid())
            .bind(tenant.as_uuid())
            .bind(digits.to_string())
            .bind(created_at.as_millis())
            .bind(expires_at.as_millis());
        self.writer.run(issue).await?;
        Ok(Challenge { id, tenant, digits, created_at, expires_at, state: ChallengeState::Open })
    }

    async fn challenge(&self, tenant: TenantId, id: ChallengeId) -> Result<Challenge, StoreError> {
        let (digits, created_at, expires_at, used_at): (String, i64, i64, Option<i64>) =
            sqlx::query_as(READ).bind(id.as_uuid()).bind(tenant.as_uuid()).fetch_one(&self.reader).await?;
        let state = match used_at {
            Some(_) => ChallengeState::Used,
            None if expires_at <= Timestamp::now().as_millis() => ChallengeState::Expired,
            None => ChallengeState::Open,
        };
        Ok(Challenge {
            id,
            tenant,
            digits: digits.parse().map_err(|error| StoreError::Other(Box::new(error)))?,
            created_at: Timestamp::from_millis(created_at),
            expires_at: Timestamp::from_millis(expires_at),
            state,
        })
    }
}

/// Uses the challenge up, if it is open: `None` then, else what it is.
pub(super) async fn consume(
    transaction: &mut SqliteConnection,
    tenant: TenantId,
    id: ChallengeId,
    now: Timestamp,
) -> Result<Option<Standing>, StoreError> {
    let consumed = sqlx::query(USE)
        .bind(id.as_uuid())
        .bind(tenant.as_uuid())
        .bind(now.as_millis())
        .execute(&mut *transaction)
        .await?;
    if consumed.rows_affected() == 1 {
        return Ok(None);
    }
    let is_used: Option<bool> = sqlx::query_scalar(IS_USED)
        .bind(id.as_uuid())
        .bind(tenant.as_uuid())
        .fetch_optional(transaction)
        .await?;
    Ok(Some(match is_used {
        None => Standing::Unknown,
        Some(true) => Standing::Used,
        Some(false) => Standing::Expired,
    }))
}
