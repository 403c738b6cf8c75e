//! A verification as v2 shows it.

use countersign_shared::domain::{
    Check, Failure, Kind, Report, State, Timestamp, Verdict, Verification, VerificationId,
};
use serde::Serialize;
use serde_json::{Map, Value};

/// Everything but the report, which is long.
#[derive(Serialize)]
pub(super) struct Summary {
    id: VerificationId,
    kind: Kind,
    state: State,
    attempts: u32,
    created_at: String,
    started_at: Option<String>,
    finished_at: Option<String>,
    verdict: Option<Verdict>,
    checks: Vec<Check>,
    error: Option<Failure>,
    metadata: Option<Map<String, Value>>,
}

#[derive(Serialize)]
pub(super) struct Resource {
    #[serde(flatten)]
    summary: Summary,
    report: Option<Report>,
}

impl From<Verification> for Summary {
    fn from(verification: Verification) -> Self {
        Resource::from(verification).summary
    }
}

impl From<Verification> for Resource {
    fn from(verification: Verification) -> Self {
        let text = |time: Timestamp| time.to_string();
        let report = verification.report;
        let summary = Summary {
            id: verification.id,
            kind: verification.request.kind,
            state: verification.state,
            attempts: verification.attempts,
            created_at: text(verification.created_at),
            started_at: verification.started_at.map(text),
            finished_at: verification.finished_at.map(text),
            verdict: report.as_ref().map(|report| report.verdict),
            checks: report.as_ref().map(|report| report.checks.clone()).unwrap_or_default(),
            error: verification.error,
            metadata: verification.request.metadata,
        };
        Self { summary, report }
    }
}
