//! A report as the documented v1.1 JSON: exactly its members, keys in alphabetical order. Pure, so that the command
//! line prints what the service answers.

mod photo;
mod predictions;
mod spoof;
mod video;

use countersign_shared::domain::{CheckName, Evidence, Report};
use serde::Serialize;
use utoipa::ToSchema;

use self::predictions::Comparison;

/// The body of a successful v1.1 response.
#[derive(Debug, Serialize)]
#[serde(transparent)]
pub struct Answer(Shown);

#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Shown {
    Photo(PhotoAnswer),
    Video(VideoAnswer),
    Spoof(SpoofAnswer),
}

/// A photo's answer.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct PhotoAnswer {
    predictions: Comparison<photo::Breakdown>,
    /// Always true: the job ran. The verdict is `predictions.verification.status`.
    success: bool,
}

/// A video's answer.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct VideoAnswer {
    predictions: Comparison<video::Breakdown>,
    /// Always true: the job ran. The verdict is `predictions.verification.status`.
    success: bool,
}

/// The answer about one photo by itself.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct SpoofAnswer {
    predictions: spoof::Predictions,
    /// Always true: the job ran. The verdict is `predictions.verification.status`.
    success: bool,
}

impl Answer {
    /// What `predictions.verification.status` says.
    pub fn passed(&self) -> bool {
        match &self.0 {
            Shown::Photo(answer) => answer.predictions.verification.status,
            Shown::Video(answer) => answer.predictions.verification.status,
            Shown::Spoof(answer) => answer.predictions.verification.status,
        }
    }
}

/// The documented answer for a report. `language_code` is the tag as the client sent it, which is echoed; without
/// one the canonical spelling is shown.
pub fn view(report: &Report, language_code: Option<&str>) -> Answer {
    let success = true;
    Answer(match &report.evidence {
        Evidence::Photo(evidence) => {
            let predictions = photo::predictions(report, evidence);
            Shown::Photo(PhotoAnswer { predictions, success })
        }
        Evidence::Video(evidence) => {
            let predictions = video::predictions(report, evidence, language_code);
            Shown::Video(VideoAnswer { predictions, success })
        }
        Evidence::Spoof(evidence) => {
            let predictions = spoof::predictions(report, evidence);
            Shown::Spoof(SpoofAnswer { predictions, success })
        }
    })
}

/// Whether the check was made and passed.
fn passed(report: &Report, name: CheckName) -> bool {
    report.checks.iter().any(|check| check.name == name && check.passed)
}

/// Whether the check was made and did not pass.
fn failed(report: &Report, name: CheckName) -> bool {
    report.checks.iter().any(|check| check.name == name && !check.passed)
}

/// Whether the selfie photo is shown as bona fide: the documented members have no other place for a face that can't be
/// judged.
fn selfie_passed(report: &Report) -> bool {
    passed(report, CheckName::NotSpoof) && !failed(report, CheckName::PhotoQuality)
}

/// Confidences and durations are strings with two decimals.
fn two_decimals(value: f64) -> String {
    format!("{value:.2}")
}
