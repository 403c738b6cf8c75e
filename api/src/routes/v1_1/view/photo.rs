//! The answer of `/photoverify`.

use countersign_shared::domain::{CheckName, PhotoEvidence, Report, StillEvidence, Verdict};
use serde::Serialize;
use utoipa::ToSchema;

use super::predictions::{Comparison, ModelInput, ModelOutput, Verification};
use super::{passed, selfie_passed, two_decimals};

/// What was seen on each picture.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PhotoBreakdown)]
pub(super) struct Breakdown {
    id_card: CardBreakdown,
    photo: SelfieBreakdown,
}

/// The ID card.
#[derive(Debug, Serialize, ToSchema)]
struct CardBreakdown {
    /// Width of the face over width of the picture, 0..=1; 0 without a face.
    face_to_frame_width_ratio: f64,
    /// Confidence that the face is bona fide, `0.00` to `1.00`, with two decimals.
    not_spoof_confidence: String,
    /// By the laxer limit of a portrait that is a print.
    not_spoof_passed: bool,
    /// How many faces were found.
    num_faces: u32,
}

/// The selfie.
#[derive(Debug, Serialize, ToSchema)]
struct SelfieBreakdown {
    /// Null when either picture has no face.
    #[schema(required)]
    distance: Option<f64>,
    /// Width of the face over width of the picture, 0..=1; 0 without a face.
    face_to_frame_width_ratio: f64,
    /// Confidence that the face is bona fide, `0.00` to `1.00`, with two decimals.
    not_spoof_confidence: String,
    /// The confidence reaches `THRESHOLD_SPOOF`, and the face can be judged at all: it is not too small, blurred, dark, bright or
    /// turned away.
    not_spoof_passed: bool,
    /// How many faces were found.
    num_faces: u32,
}

pub(super) fn predictions(report: &Report, evidence: &PhotoEvidence) -> Comparison<Breakdown> {
    let PhotoEvidence { id_card, photo, distance } = evidence;
    let output = ModelOutput {
        audio_challenge_passed: true,
        face_distance_avg: *distance,
        face_sameness: 0.0,
        largest_face_to_frame_ratio: photo.face_to_frame_width_ratio(),
        non_spoof_detected: photo.not_spoof_confidence(),
        single_face_in_frames: if photo.num_faces == 1 { 1.0 } else { 0.0 },
        transcription: None,
    };
    let breakdown = Breakdown {
        id_card: card(id_card, passed(report, CheckName::IdCardNotSpoof)),
        photo: selfie(photo, selfie_passed(report), *distance),
    };
    let verification = Verification { breakdown, status: report.verdict == Verdict::Passed };
    Comparison::new(report, ModelInput::default(), output, verification)
}

fn card(still: &StillEvidence, not_spoof_passed: bool) -> CardBreakdown {
    CardBreakdown {
        face_to_frame_width_ratio: still.face_to_frame_width_ratio(),
        not_spoof_confidence: two_decimals(still.not_spoof_confidence()),
        not_spoof_passed,
        num_faces: still.num_faces,
    }
}

fn selfie(still: &StillEvidence, not_spoof_passed: bool, distance: Option<f64>) -> SelfieBreakdown {
    SelfieBreakdown {
        distance,
        face_to_frame_width_ratio: still.face_to_frame_width_ratio(),
        not_spoof_confidence: two_decimals(still.not_spoof_confidence()),
        not_spoof_passed,
        num_faces: still.num_faces,
    }
}
