//! The answer of `/spoofdetect`.

use countersign_shared::domain::{CheckName, Report, SpoofEvidence};
use serde::Serialize;
use utoipa::ToSchema;

use super::predictions::Verification;
use super::{passed, selfie_passed, two_decimals};

/// One photo by itself.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SpoofPredictions)]
pub(super) struct Predictions {
    metadata: Metadata,
    pub(super) verification: Verification<Breakdown>,
}

/// What was measured.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SpoofMetadata)]
struct Metadata {
    /// Width of the face over width of the picture, 0..=1; 0 without a face.
    face_to_frame_width_ratio: f64,
    /// The face is not too near.
    face_to_frame_width_ratio_passed: bool,
    /// Confidence that the face is bona fide, `0.00` to `1.00`, with two decimals.
    not_spoof_confidence: String,
    /// The confidence reaches the threshold, and the face can be judged at all: it is not too small, blurred, dark, bright or
    /// turned away.
    not_spoof_passed: bool,
    /// How many faces were found.
    num_faces: u32,
    /// Exactly one face was found.
    single_face: bool,
}

/// The three conditions of the verdict.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SpoofBreakdown)]
pub(super) struct Breakdown {
    /// The face is not too near.
    face_to_frame_width_ratio_passed: bool,
    /// The face is a living person's.
    not_spoof_passed: bool,
    /// Exactly one face was found.
    single_face: bool,
}

pub(super) fn predictions(report: &Report, evidence: &SpoofEvidence) -> Predictions {
    let photo = &evidence.photo;
    let breakdown = Breakdown {
        face_to_frame_width_ratio_passed: passed(report, CheckName::FaceToFrameRatio),
        not_spoof_passed: selfie_passed(report),
        single_face: passed(report, CheckName::SingleFace),
    };
    let metadata = Metadata {
        face_to_frame_width_ratio: photo.face_to_frame_width_ratio(),
        face_to_frame_width_ratio_passed: breakdown.face_to_frame_width_ratio_passed,
        not_spoof_confidence: two_decimals(photo.not_spoof_confidence()),
        not_spoof_passed: breakdown.not_spoof_passed,
        num_faces: photo.num_faces,
        single_face: breakdown.single_face,
    };
    let status =
        breakdown.face_to_frame_width_ratio_passed && breakdown.not_spoof_passed && breakdown.single_face;
    Predictions { metadata, verification: Verification { breakdown, status } }
}
