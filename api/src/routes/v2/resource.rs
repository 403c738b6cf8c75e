//! A verification as v2 shows it.

use countersign_shared::domain::{Report, Summary, Verification};
use serde::Serialize;

#[derive(Serialize)]
pub(super) struct Resource {
    #[serde(flatten)]
    summary: Summary,
    report: Option<Report>,
}

impl From<Verification> for Resource {
    fn from(verification: Verification) -> Self {
        Self { summary: Summary::from(&verification), report: verification.report }
    }
}
