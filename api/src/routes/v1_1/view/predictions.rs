//! What the photo's and the video's answers share.

use countersign_shared::domain::{Report, Thresholds};
use serde::Serialize;

use super::two_decimals;
use super::{photo, spoof, video};

#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(super) enum Predictions {
    Photo(Comparison<photo::Breakdown>),
    Video(Comparison<video::Breakdown>),
    Spoof(spoof::Predictions),
}

impl Predictions {
    pub(super) fn passed(&self) -> bool {
        match self {
            Self::Photo(predictions) => predictions.verification.status,
            Self::Video(predictions) => predictions.verification.status,
            Self::Spoof(predictions) => predictions.verification.status,
        }
    }
}

/// A selfie compared with a card.
#[derive(Debug, Serialize)]
pub(super) struct Comparison<Breakdown> {
    duration: String,
    end: f64,
    model_input: ModelInput,
    model_output: ModelOutput,
    model_params: ModelParams,
    start: f64,
    verification: Verification<Breakdown>,
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

#[derive(Debug, Serialize)]
pub(super) struct Verification<Breakdown> {
    pub(super) breakdown: Breakdown,
    pub(super) status: bool,
}

/// All null for a photo.
#[derive(Debug, Default, Serialize)]
pub(super) struct ModelInput {
    pub(super) audiochallenge: Option<String>,
    #[serde(rename = "languageCode")]
    pub(super) language_code: Option<String>,
    pub(super) video: VideoShape,
}

#[derive(Debug, Default, Serialize)]
pub(super) struct VideoShape {
    pub(super) fps: Option<u32>,
    pub(super) frames: Option<u32>,
    pub(super) height: Option<u32>,
    pub(super) width: Option<u32>,
}

#[derive(Debug, Serialize)]
pub(super) struct ModelOutput {
    pub(super) audio_challenge_passed: bool,
    pub(super) face_distance_avg: Option<f64>,
    pub(super) face_sameness: f64,
    pub(super) largest_face_to_frame_ratio: f64,
    pub(super) non_spoof_detected: f64,
    pub(super) single_face_in_frames: f64,
    pub(super) transcription: Option<Transcription>,
}

#[derive(Debug, Serialize)]
pub(super) struct Transcription {
    pub(super) results: Vec<TranscriptionResult>,
}

#[derive(Debug, Serialize)]
pub(super) struct TranscriptionResult {
    pub(super) alternatives: Vec<Alternative>,
}

#[derive(Debug, Serialize)]
pub(super) struct Alternative {
    pub(super) confidence: f64,
    pub(super) transcript: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
struct ModelParams {
    face_to_frame_ratio_max: f64,
    threshold_face_similarity: f64,
    #[serde(rename = "THRESHOLD_L2_DISTANCE")]
    threshold_distance: f64,
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
