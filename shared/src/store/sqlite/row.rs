//! How a verification lies in its table.

use sqlx::FromRow;
use uuid::Uuid;

use crate::domain::{
    KeyId, KeyLimits, Lane, RateLimit, Review, State, TenantId, Timestamp, Verification, VerificationId,
};
use crate::queue::JobMessage;
use crate::store::error::unreadable;
use crate::store::{OutboxRow, StoreError};

/// The columns of [`VerificationRow`], for every query that reads one.
macro_rules! columns {
    () => {
        "id, tenant, request, state, attempts, created_at, started_at, finished_at, report, error"
    };
}
pub(super) use columns;

/// The latest review's columns, and the tables: all that follows [`columns`].
macro_rules! with_review {
    () => {
        "decision AS review_decision, reason AS review_reason, reviewer, reviewed_at
        FROM verifications LEFT JOIN reviews ON sequence = (
            SELECT max(sequence) FROM reviews WHERE verification = id
        )"
    };
}
pub(super) use with_review;

#[derive(FromRow)]
pub(super) struct VerificationRow {
    pub(super) id: Uuid,
    pub(super) tenant: Uuid,
    request: String,
    state: String,
    pub(super) attempts: u32,
    created_at: i64,
    started_at: Option<i64>,
    finished_at: Option<i64>,
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
    reviewed_at: Option<i64>,
}

impl VerificationRow {
    pub(super) fn decode(self) -> Result<Verification, StoreError> {
        let review = match (self.review_decision, self.reviewer, self.reviewed_at) {
            (Some(decision), Some(reviewer), Some(at)) => Some(Review {
                decision: decision.parse().map_err(unreadable)?,
                reason: self.review_reason,
                reviewer: KeyId::from_uuid(reviewer),
                at: Timestamp::from_millis(at),
            }),
            _ => None,
        };
        Ok(Verification {
            id: VerificationId::from_uuid(self.id),
            tenant: TenantId::from_uuid(self.tenant),
            request: serde_json::from_str(&self.request)?,
            state: self.state.parse::<State>().map_err(unreadable)?,
            attempts: self.attempts,
            created_at: Timestamp::from_millis(self.created_at),
            started_at: self.started_at.map(Timestamp::from_millis),
            finished_at: self.finished_at.map(Timestamp::from_millis),
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

/// Identifiers as one parameter: a JSON array for `json_each`, whose elements `unhex` turns back into bytes.
pub(super) fn hexadecimal_array<'a>(ids: impl IntoIterator<Item = &'a VerificationId>) -> String {
    let hexadecimal: Vec<String> = ids.into_iter().map(|id| id.as_uuid().simple().to_string()).collect();
    serde_json::Value::from(hexadecimal).to_string()
}

/// How a key's or a tenant's limits lie in their tables.
#[derive(FromRow)]
pub(super) struct LimitsRow {
    pub(super) rate_per_minute: Option<u32>,
    pub(super) rate_burst: Option<u32>,
    pub(super) monthly_quota: Option<i64>,
}

impl LimitsRow {
    pub(super) fn decode(self) -> KeyLimits {
        let rate_limit = self.rate_per_minute.zip(self.rate_burst);
        KeyLimits {
            rate_limit: rate_limit.map(|(per_minute, burst)| RateLimit { per_minute, burst }),
            monthly_quota: self.monthly_quota.map(|quota| quota as u64),
        }
    }
}

impl From<KeyLimits> for LimitsRow {
    fn from(limits: KeyLimits) -> Self {
        Self {
            rate_per_minute: limits.rate_limit.map(|rate| rate.per_minute),
            rate_burst: limits.rate_limit.map(|rate| rate.burst),
            monthly_quota: limits.monthly_quota.map(|quota| i64::try_from(quota).unwrap_or(i64::MAX)),
        }
    }
}
