//! A verification without its report, as clients see it: in lists, and in what webhooks tell.

use serde::Serialize;
use serde_json::{Map, Value};

use super::{Check, Failure, Kind, Review, State, Verdict, Verification, VerificationId};

/// Everything but the report, which is long.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Summary {
    pub id: VerificationId,
    pub kind: Kind,
    pub state: State,
    pub attempts: u32,
    pub created_at: String,
    pub started_at: Option<String>,
    pub finished_at: Option<String>,
    pub verdict: Option<Verdict>,
    pub checks: Vec<Check>,
    pub error: Option<Failure>,
    pub metadata: Option<Map<String, Value>>,
    /// The latest decision of a moderator.
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
