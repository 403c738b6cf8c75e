//! How a verification lies in its table.

use chrono::{DateTime, Utc};
use sqlx::FromRow;
use uuid::Uuid;

use crate::domain::{
    KeyId, KeyLimits, Lane, RateLimit, Review, State, TenantId, Timestamp, Verification, VerificationId,
};
use crate::queue::JobMessage;
use crate::store::error::unreadable;
use crate::store::{OutboxRow, StoreError};

/// The columns of [`VerificationRow`], for every query that reads one. Documents are read as text, so that one that this
/// build can't read is not an error of the query.
macro_rules! columns {
    () => {
        "id, tenant, request::text, state, attempts, created_at, started_at, finished_at, report::text, error::text"
    };
}
pub(super) use columns;

/// The latest review's columns, and the tables: all that follows [`columns`].
macro_rules! with_review {
    () => {
        "review_decision, review_reason, reviewer, reviewed_at FROM verifications LEFT JOIN LATERAL (
            SELECT decision AS review_decision, reason AS review_reason, reviewer, reviewed_at
            FROM reviews WHERE verification = id ORDER BY sequence DESC LIMIT 1
        ) AS latest ON true"
    };
}
pub(super) use with_review;

#[derive(FromRow)]
pub(super) struct VerificationRow {
    pub(super) id: Uuid,
    pub(super) tenant: Uuid,
    request: String,
    state: String,
    pub(super) attempts: i32,
    created_at: DateTime<Utc>,
    started_at: Option<DateTime<Utc>>,
    finished_at: Option<DateTime<Utc>>,
    report: Option<String>,
    error: Option<String>,
    // Whoever works on it asks for none.
    #[sqlx(default)]
    review_decision: Option<String>,
    #[sqlx(default)]
    review_reason: Option<String>,
    #[sqlx(default)]
    reviewer: Option<Uuid>,
    #[sqlx(default)]
    reviewed_at: Option<DateTime<Utc>>,
}

impl VerificationRow {
    pub(super) fn decode(self) -> Result<Verification, StoreError> {
        let state = self.state.parse::<State>().map_err(unreadable)?;
        let review = match (self.review_decision, self.reviewer, self.reviewed_at) {
            (Some(decision), Some(reviewer), Some(at)) => Some(Review {
                decision: decision.parse().map_err(unreadable)?,
                reason: self.review_reason,
                reviewer: KeyId::from_uuid(reviewer),
                at: timestamp(at),
            }),
            _ => None,
        };
        Ok(Verification {
            id: VerificationId::from_uuid(self.id),
            tenant: TenantId::from_uuid(self.tenant),
            request: serde_json::from_str(&self.request)?,
            state,
            attempts: self.attempts as u32,
            created_at: timestamp(self.created_at),
            started_at: self.started_at.map(timestamp),
            finished_at: self.finished_at.map(timestamp),
            report: self.report.as_deref().map(serde_json::from_str).transpose()?,
            error: self.error.as_deref().map(serde_json::from_str).transpose()?,
            review,
        })
    }
}

#[derive(FromRow)]
pub(super) struct MessageRow {
    sequence: i64,
    verification: Uuid,
    traceparent: Option<String>,
    /// Its tenant's share went so far and may have ended before its rows did.
    pub(super) is_end_of_share: bool,
}

impl MessageRow {
    pub(super) fn decode(self, lane: Lane) -> OutboxRow {
        let id = VerificationId::from_uuid(self.verification);
        OutboxRow { sequence: self.sequence, lane, message: JobMessage::new(id, self.traceparent) }
    }
}

pub(super) fn timestamp(time: DateTime<Utc>) -> Timestamp {
    Timestamp::from_millis(time.timestamp_millis())
}

/// The nearest time that PostgreSQL has: it knows none before 4713 BC, and no row holds one before 1970.
pub(super) fn time(timestamp: Timestamp) -> DateTime<Utc> {
    DateTime::from_timestamp_millis(timestamp.as_millis().max(0)).unwrap_or(DateTime::<Utc>::MAX_UTC)
}

pub(super) fn uuids(ids: &[VerificationId]) -> Vec<Uuid> {
    ids.iter().map(|id| *id.as_uuid()).collect()
}

/// How a key's or a tenant's limits lie in their tables.
#[derive(FromRow)]
pub(super) struct LimitsRow {
    pub(super) rate_per_minute: Option<i32>,
    pub(super) rate_burst: Option<i32>,
    pub(super) monthly_quota: Option<i64>,
}

impl LimitsRow {
    pub(super) fn decode(self) -> KeyLimits {
        let rate_limit = self.rate_per_minute.zip(self.rate_burst);
        KeyLimits {
            rate_limit: rate_limit
                .map(|(per_minute, burst)| RateLimit { per_minute: per_minute as u32, burst: burst as u32 }),
            monthly_quota: self.monthly_quota.map(|quota| quota as u64),
        }
    }
}

impl From<KeyLimits> for LimitsRow {
    fn from(limits: KeyLimits) -> Self {
        Self {
            rate_per_minute: limits.rate_limit.map(|rate| rate.per_minute as i32),
            rate_burst: limits.rate_limit.map(|rate| rate.burst as i32),
            monthly_quota: limits.monthly_quota.map(|quota| i64::try_from(quota).unwrap_or(i64::MAX)),
        }
    }
}
