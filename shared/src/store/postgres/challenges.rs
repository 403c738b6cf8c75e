//! Digits that were issued. They are used up by the statement that accepts a verification.

use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use sqlx::FromRow;
use uuid::Uuid;

use super::Postgres;
use super::row::timestamp;
use crate::domain::{Challenge, ChallengeId, ChallengeState, Digits, TenantId};
use crate::store::{ChallengeStore, StoreError};

macro_rules! columns {
    () => {
        "id, tenant, digits, created_at, expires_at, used_at IS NOT NULL AS is_used, expires_at <= now() AS is_over"
    };
}

const ISSUE: &str = concat!(
    "INSERT INTO challenges (id, tenant, digits, created_at, expires_at)
    VALUES ($1, $2, $3, now(), now() + make_interval(secs => $4)) RETURNING ",
    columns!()
);
pub(super) const READ: &str =
    concat!("SELECT ", columns!(), " FROM challenges WHERE id = $1 AND tenant = $2");

#[derive(FromRow)]
struct ChallengeRow {
    id: Uuid,
    tenant: Uuid,
    digits: String,
    created_at: DateTime<Utc>,
    expires_at: DateTime<Utc>,
    is_used: bool,
    is_over: bool,
}

impl ChallengeRow {
    fn decode(self) -> Result<Challenge, StoreError> {
        let state = match (self.is_used, self.is_over) {
            (true, _) => ChallengeState::Used,
            (false, true) => ChallengeState::Expired,
            (false, false) => ChallengeState::Open,
        };
        Ok(Challenge {
            id: ChallengeId::from_uuid(self.id),
            tenant: TenantId::from_uuid(self.tenant),
            digits: self.digits.parse().map_err(|error| StoreError::Other(Box::new(error)))?,
            created_at: timestamp(self.created_at),
            expires_at: timestamp(self.expires_at),
            state,
        })
    }
}

#[async_trait]
impl ChallengeStore for Postgres {
    async fn issue(
        &self,
        tenant: TenantId,
        digits: Digits,
        lifetime: Duration,
    ) -> Result<Challenge, StoreError> {
        let issue = sqlx::query_as(ISSUE)
            .bind(*ChallengeId::new().as_uuid())
            .bind(tenant.as_uuid())
            .bind(digits.to_string())
            .bind(lifetime.as_secs_f64());
        let row: Option<ChallengeRow> = self.requests.first(issue).await?;
        row.ok_or(StoreError::NotFound)?.decode()
    }

    async fn challenge(&self, tenant: TenantId, id: ChallengeId) -> Result<Challenge, StoreError> {
        let read = sqlx::query_as(READ).bind(id.as_uuid()).bind(tenant.as_uuid());
        let row: Option<ChallengeRow> = self.requests.first(read).await?;
        row.ok_or(StoreError::NotFound)?.decode()
    }
}
