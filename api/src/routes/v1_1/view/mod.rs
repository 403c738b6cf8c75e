//! A report as the documented v1.1 JSON: exactly its members, keys in alphabetical order. Pure, so that the command
//! line prints what the service answers.

mod photo;
mod predictions;
mod spoof;
mod video;

use countersign_shared::domain::{CheckName, Evidence, Report};
use serde::Serialize;

use self::predictions::Predictions;

/// The body of a successful v1.1 response.
#[derive(Debug, Serialize)]
pub struct Answer {
    predictions: Predictions,
    /// The job ran; the verdict is `predictions.verification.status`.
    success: bool,
}

impl Answer {
    /// What `predictions.verification.status` says.
    pub fn passed(&self) -> bool {
        self.predictions.passed()
    }
}

/// The documented answer for a report. `language_code` is the tag as the client sent it, which is echoed; without
/// one the canonical spelling is shown.
pub fn view(report: &Report, language_code: Option<&str>) -> Answer {
    let predictions = match &report.evidence {
        Evidence::Photo(evidence) => Predictions::Photo(photo::predictions(report, evidence)),
        Evidence::Video(evidence) => Predictions::Video(video::predictions(report, evidence, language_code)),
        Evidence::Spoof(evidence) => Predictions::Spoof(spoof::predictions(report, evidence)),
    };
    Answer { predictions, success: true }
}

/// Whether the check was made and passed.
fn passed(report: &Report, name: CheckName) -> bool {
    report.checks.iter().any(|check| check.name == name && check.passed)
}

/// Whether the check was made and did not pass.
fn failed(report: &Report, name: CheckName) -> bool {
    report.checks.iter().any(|check| check.name == name && !check.passed)
}

/// Confidences and durations are strings with two decimals.
fn two_decimals(value: f64) -> String {
    format!("{value:.2}")
}
