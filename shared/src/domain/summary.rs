//! A verification without its report, as clients see it: in lists, and in what webhooks tell.

use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::{Check, Failure, Kind, Review, State, Verdict, Verification, VerificationId};

/// A verification without its report, which is long.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(as = VerificationSummary)]
pub struct Summary {
    pub id: VerificationId,
    pub kind: Kind,
    pub state: State,
    /// How many times a worker has taken it.
    pub attempts: u32,
    #[schema(format = DateTime)]
    pub created_at: String,
    /// When a worker took it first; null before.
    #[schema(required, format = DateTime)]
    pub started_at: Option<String>,
    /// When it reached its last state; null before.
    #[schema(required, format = DateTime)]
    pub finished_at: Option<String>,
    /// The machine's conclusion; null unless `state` is `succeeded`.
    #[schema(required)]
    pub verdict: Option<Verdict>,
    /// What the verdict rests on; empty unless `state` is `succeeded`.
    pub checks: Vec<Check>,
    /// Why there is no verdict; null unless `state` is `failed`.
    #[schema(required)]
    pub error: Option<Failure>,
    /// The client's own, as it came.
    #[schema(required)]
    pub metadata: Option<Map<String, Value>>,
    /// The latest decision of a moderator; null when there is none.
    #[schema(required)]
    pub review: Option<Review>,
}

impl From<&Verification> for Summary {
    fn from(verification: &Verification) -> Self {
        let report = verification.report.as_ref();
        Self {
            id: verification.id,
            kind: verification.request.kind,
            state: verification.state,
            attempts: verification.attempts,
            created_at: verification.created_at.to_string(),
            started_at: verification.started_at.map(|time| time.to_string()),
            finished_at: verification.finished_at.map(|time| time.to_string()),
            verdict: report.map(|report| report.verdict),
            checks: report.map(|report| report.checks.clone()).unwrap_or_default(),
            error: verification.error.clone(),
            metadata: verification.request.metadata.clone(),
            review: verification.review.clone(),
        }
    }
}
