//! A verification as v2 shows it.

use countersign_shared::domain::{Report, Summary, Verification};
use serde::Serialize;
use utoipa::ToSchema;

/// A verification.
#[derive(Serialize, ToSchema)]
#[schema(as = Verification)]
pub(crate) struct Resource {
    #[serde(flatten)]
    summary: Summary,
    /// Everything that was seen and heard; null unless `state` is `succeeded`.
    #[schema(required)]
    report: Option<Report>,
}

impl From<Verification> for Resource {
    fn from(verification: Verification) -> Self {
        Self { summary: Summary::from(&verification), report: verification.report }
    }
}
