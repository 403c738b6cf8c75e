//! What the photo's and the video's answers share.

use countersign_shared::domain::{Report, Thresholds};
use serde::Serialize;
use utoipa::ToSchema;

use super::two_decimals;

/// A selfie compared with a card.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Comparison)]
pub(super) struct Comparison<Breakdown> {
    /// Seconds, with two decimals.
    #[schema(example = "1.10")]
    duration: String,
    /// Seconds since the Unix epoch.
    end: f64,
    model_input: ModelInput,
    model_output: ModelOutput,
    model_params: ModelParams,
    /// Seconds since the Unix epoch.
    start: f64,
    pub(super) verification: Verification<Breakdown>,
}

impl<Breakdown> Comparison<Breakdown> {
    pub(super) fn new(
        report: &Report,
        model_input: ModelInput,
        model_output: ModelOutput,
        verification: Verification<Breakdown>,
    ) -> Self {
        let (start, end) = (report.started_at.as_seconds(), report.ended_at.as_seconds());
        Self {
            duration: two_decimals(end - start),
            end,
            model_input,
            model_output,
            model_params: ModelParams::of(&report.thresholds),
            start,
            verification,
        }
    }
}

/// The verdict and what it rests on.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Outcome)]
pub(super) struct Verification<Breakdown> {
    pub(super) breakdown: Breakdown,
    /// The verdict: true is passed.
    pub(super) status: bool,
}

/// All null for a photo.
#[derive(Debug, Default, Serialize, ToSchema)]
pub(super) struct ModelInput {
    /// The six digits that should have been spoken.
    #[schema(required)]
    pub(super) audiochallenge: Option<String>,
    /// The language, as it was sent.
    #[serde(rename = "languageCode")]
    #[schema(required)]
    pub(super) language_code: Option<String>,
    pub(super) video: VideoShape,
}

/// The video stream, upright.
#[derive(Debug, Default, Serialize, ToSchema)]
#[schema(as = ModelInputVideo)]
pub(super) struct VideoShape {
    /// Frames per second, rounded.
    #[schema(required)]
    pub(super) fps: Option<u32>,
    /// How many frames it has.
    #[schema(required)]
    pub(super) frames: Option<u32>,
    /// Pixels.
    #[schema(required)]
    pub(super) height: Option<u32>,
    /// Pixels.
    #[schema(required)]
    pub(super) width: Option<u32>,
}

/// What was seen and heard.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ModelOutput {
    /// The six digits were spoken; true for a photo.
    pub(super) audio_challenge_passed: bool,
    /// Between the card's face and the selfie's, scaled so that 0.9 is the operating point; smaller is more alike. Null without a face to compare.
    #[schema(required)]
    pub(super) face_distance_avg: Option<f64>,
    /// Fraction of all frames that show the same face, 0..=1; 0 for a photo.
    pub(super) face_sameness: f64,
    /// The largest width of the face over width of the picture, 0..=1.
    pub(super) largest_face_to_frame_ratio: f64,
    /// Confidence that the face is bona fide, 0..=1.
    pub(super) non_spoof_detected: f64,
    /// Fraction of all frames with exactly one face, 0..=1.
    pub(super) single_face_in_frames: f64,
    /// The likeliest reading of the digits; null for a photo.
    #[schema(required)]
    pub(super) transcription: Option<Transcription>,
}

/// What was heard.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Transcript)]
pub(super) struct Transcription {
    /// Empty when no digits were heard.
    pub(super) results: Vec<TranscriptionResult>,
}

/// One stretch of speech.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TranscriptResult)]
pub(super) struct TranscriptionResult {
    pub(super) alternatives: Vec<Alternative>,
}

/// One reading of it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TranscriptAlternative)]
pub(super) struct Alternative {
    /// How sure the recogniser is, 0..=1.
    pub(super) confidence: f64,
    /// Digits separated by spaces.
    pub(super) transcript: String,
}

/// The thresholds in force.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
struct ModelParams {
    /// Largest face width over picture width.
    face_to_frame_ratio_max: f64,
    /// Smallest fraction of frames with the same face.
    threshold_face_similarity: f64,
    /// Largest distance that counts as the same person.
    #[serde(rename = "THRESHOLD_L2_DISTANCE")]
    threshold_distance: f64,
    /// Smallest confidence that counts as bona fide.
    threshold_spoof: f64,
}

impl ModelParams {
    const fn of(thresholds: &Thresholds) -> Self {
        Self {
            face_to_frame_ratio_max: thresholds.face_to_frame_ratio_max,
            threshold_face_similarity: thresholds.face_sameness_min,
            threshold_distance: thresholds.distance_max,
            threshold_spoof: thresholds.not_spoof_min,
        }
    }
}
