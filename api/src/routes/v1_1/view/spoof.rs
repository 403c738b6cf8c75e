//! The answer of `/spoofdetect`.

use countersign_shared::domain::{CheckName, Report, SpoofEvidence};
use serde::Serialize;

use super::predictions::Verification;
use super::{passed, two_decimals};

#[derive(Debug, Serialize)]
pub(super) struct Predictions {
    metadata: Metadata,
    pub(super) verification: Verification<Breakdown>,
}

#[derive(Debug, Serialize)]
struct Metadata {
    face_to_frame_width_ratio: f64,
    face_to_frame_width_ratio_passed: bool,
    not_spoof_confidence: String,
    not_spoof_passed: bool,
    num_faces: u32,
    single_face: bool,
}

#[derive(Debug, Serialize)]
pub(super) struct Breakdown {
    face_to_frame_width_ratio_passed: bool,
    not_spoof_passed: bool,
    single_face: bool,
}

pub(super) fn predictions(report: &Report, evidence: &SpoofEvidence) -> Predictions {
    let photo = &evidence.photo;
    let breakdown = Breakdown {
        face_to_frame_width_ratio_passed: passed(report, CheckName::FaceToFrameRatio),
        not_spoof_passed: passed(report, CheckName::NotSpoof),
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
