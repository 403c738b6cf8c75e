//! The report of a finished verification: every number that the verdict rests on, with its threshold.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Digits, FaceQuality, Kind, Language, Timestamp, Verdict};

/// The version written by this build; readers accept it and every earlier one.
pub const REPORT_VERSION: u16 = 1;

/// What the pipeline found. Stored as JSON; fields are only ever added.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Report {
    /// Of this shape; members are only ever added.
    pub version: u16,
    pub kind: Kind,
    /// `passed` exactly when every check passed.
    pub verdict: Verdict,
    pub checks: Vec<Check>,
    pub started_at: Timestamp,
    pub ended_at: Timestamp,
    pub thresholds: Thresholds,
    /// The models that were asked, in the order of first use.
    pub models: Vec<ModelUsed>,
    pub evidence: Evidence,
}

/// One named condition of the verdict.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({"name": "face_match", "passed": true, "score": 0.57, "threshold": 0.9}))]
pub struct Check {
    pub name: CheckName,
    pub passed: bool,
    /// The number that was compared; null when there was nothing to measure (no face, no speech).
    #[schema(required)]
    pub score: Option<f64>,
    /// What it was compared with.
    #[schema(required)]
    pub threshold: Option<f64>,
    /// Why it failed or could not be measured, in a few stable `snake_case` words each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reasons: Vec<String>,
}

/// The conditions that a verdict can rest on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(example = "face_match")]
pub enum CheckName {
    /// The selfie's face is the ID card's: distance at most `distance_max`.
    FaceMatch,
    /// The selfie is of a bona fide person.
    NotSpoof,
    /// The selfie's face is large, sharp, well exposed and frontal enough to be judged. The score says how many times over its
    /// limit the worst of these is, up to 10, so that the threshold is 1.
    PhotoQuality,
    /// The card's face passes the laxer limit for printed portraits.
    IdCardNotSpoof,
    /// Exactly one face in the photo, or in enough of the video's frames.
    SingleFace,
    /// The face is not nearer than `face_to_frame_ratio_max` allows.
    FaceToFrameRatio,
    /// The same face throughout the video.
    FaceNoChange,
    /// The mouth moves, as it must to speak: `mouth_movement` at least `mouth_movement_min`.
    MouthMovement,
    /// Mouth and sound move together: `lip_agreement` at least `lip_agreement_min`.
    LipAgreement,
    /// No part of the video is shown again: `repetition` at least `repetition_min`.
    NoRepetition,
    /// The six digits were spoken.
    AudioChallenge,
    /// The challenge that was named was open, and issued these digits.
    Challenge,
}

/// The limits in force. Distances and confidences are on the API's scale.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({
    "distance_max": 0.9, "face_sameness_min": 0.9, "not_spoof_min": 0.9, "id_card_not_spoof_min": 0.1,
    "face_to_frame_ratio_max": 0.7, "single_face_min": 0.9, "speech_score_min": -10.0, "speech_margin_min": -2.0,
    "voice_seconds_min": 1.0, "digit_mass_min": 0.08, "mouth_movement_min": 0.055, "lip_agreement_min": 0.25,
    "repetition_min": 0.15, "eye_distance_min": 20.0, "sharpness_min": 0.12, "exposure_min": 0.3, "yaw_max": 65.0,
    "mouth_visibility_min": 0.37
}))]
pub struct Thresholds {
    /// Largest face distance that counts as the same person (raw L2 scaled so that 0.9 is the model's operating point).
    pub distance_max: f64,
    /// Echoed as `THRESHOLD_FACE_SIMILARITY`: smallest fraction of frames with the same face.
    pub face_sameness_min: f64,
    /// Smallest confidence, 0..=1, that counts as bona fide.
    pub not_spoof_min: f64,
    /// The same for the portrait on the card, which is a print.
    pub id_card_not_spoof_min: f64,
    /// Largest face width over frame width.
    pub face_to_frame_ratio_max: f64,
    /// Smallest fraction of frames with exactly one face.
    pub single_face_min: f64,
    /// Smallest sum of the six digits' log-probabilities.
    pub speech_score_min: f64,
    /// Smallest (most negative) margin of the expected code's score over the best other reading's.
    pub speech_margin_min: f64,
    /// Fewest seconds of voice.
    pub voice_seconds_min: f64,
    /// Smallest probability mass on digits where the first digit is expected.
    pub digit_mass_min: f64,
    /// Smallest range of a mouth's opening, in multiples of the distance between the eyes.
    #[serde(default)]
    pub mouth_movement_min: f64,
    /// Smallest agreement of mouth and sound, -1..=1.
    #[serde(default)]
    pub lip_agreement_min: f64,
    /// Smallest difference between two parts of a video, 0 and up.
    #[serde(default)]
    pub repetition_min: f64,
    /// Fewest pixels between the eyes of a selfie photo.
    #[serde(default)]
    pub eye_distance_min: f64,
    /// Smallest sharpness of its face.
    #[serde(default)]
    pub sharpness_min: f64,
    /// Smallest fraction, 0..=1, of its face's pixels that are neither nearly black nor nearly white.
    #[serde(default)]
    pub exposure_min: f64,
    /// Most degrees by which its face may be turned to either side.
    #[serde(default)]
    pub yaw_max: f64,
    /// Smallest likelihood, 0..=1, that its mouth is to be seen.
    #[serde(default)]
    pub mouth_visibility_min: f64,
}

/// A model by name and content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({"name": "fr_liveness", "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"}))]
pub struct ModelUsed {
    pub name: String,
    /// SHA-256 of the model's file, lower-case hexadecimal.
    pub sha256: String,
}

/// What was seen and heard, by kind.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[expect(clippy::large_enum_variant, reason = "one to a job, and mostly photos: a box would save nothing")]
pub enum Evidence {
    Photo(PhotoEvidence),
    Video(Box<VideoEvidence>),
    Spoof(SpoofEvidence),
}

/// A selfie photo against a card.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PhotoEvidence {
    pub id_card: StillEvidence,
    pub photo: StillEvidence,
    /// Between the two faces, on the API's scale; null when either has no face.
    #[schema(required)]
    pub distance: Option<f64>,
}

/// One photo by itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SpoofEvidence {
    pub photo: StillEvidence,
}

/// One photo or card.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct StillEvidence {
    /// Pixels, after EXIF orientation.
    pub width: u32,
    pub height: u32,
    /// How many faces count; a card's ghost portrait does not.
    pub num_faces: u32,
    /// The face that was compared; null when there is none.
    #[schema(required)]
    pub face: Option<Face>,
    #[schema(required)]
    pub liveness: Option<LivenessEvidence>,
    /// Of that face; null when there is none.
    #[serde(default)]
    #[schema(required)]
    pub quality: Option<FaceQuality>,
}

impl StillEvidence {
    /// Of a picture of that size on which no face was found.
    pub const fn faceless(width: u32, height: u32) -> Self {
        Self { width, height, num_faces: 0, face: None, liveness: None, quality: None }
    }

    /// Face width over picture width, 0..=1; 0 when there is no face.
    pub fn face_to_frame_width_ratio(&self) -> f64 {
        self.face.as_ref().map_or(0.0, |face| face.bounds.width / f64::from(self.width.max(1)))
    }

    /// Confidence that the face is bona fide, 0..=1; 0 when there is no face.
    pub fn not_spoof_confidence(&self) -> f64 {
        self.liveness.as_ref().map_or(0.0, |liveness| liveness.confidence)
    }
}

/// One face, in pixels of the upright picture.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Face {
    pub bounds: BoundingBox,
    /// The detector's score, 0..=1.
    pub score: f64,
    /// Left eye, right eye, nose, left and right mouth corner, as seen in the picture.
    #[schema(min_items = 5, max_items = 5)]
    pub points: [Point; 5],
    /// Clockwise degrees by which the picture had to be turned to find the face: 0, 90, 180 or 270.
    pub turned: u16,
    /// 106 landmarks in the order of 2d106det; empty when the models of the profile give none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub landmarks: Vec<Point>,
}

/// A rectangle in pixels; `x`, `y` is its top left corner and may lie outside the picture.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({"x": 412.0, "y": 188.5, "width": 331.0, "height": 402.5}))]
pub struct BoundingBox {
    pub x: f64,
    pub y: f64,
    pub width: f64,
    pub height: f64,
}

/// A point in pixels of the upright picture.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({"x": 498.5, "y": 341.0}))]
pub struct Point {
    pub x: f64,
    pub y: f64,
}

/// Presentation attack detection on one face.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({"confidence": 0.98, "scores": [["fr_liveness@2.7", 0.991], ["fr_liveness@4.0", 0.974]]}))]
pub struct LivenessEvidence {
    /// On the API's scale, 0..=1, where 0.9 is the models' operating point.
    pub confidence: f64,
    /// The raw bona fide probability of each model and crop scale, such as `fr_liveness@2.7`.
    pub scores: Vec<(String, f64)>,
}

/// A selfie video against a card.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct VideoEvidence {
    pub id_card: StillEvidence,
    pub video: VideoInfo,
    /// Mean distance between the card's face and the sampled frames' faces; null when there is none to compare.
    #[schema(required)]
    pub face_distance_avg: Option<f64>,
    /// Fraction of all frames that show the same face, 0..=1.
    pub face_sameness: f64,
    /// Fraction of all frames with exactly one face, 0..=1.
    pub single_face_in_frames: f64,
    /// The largest face width over frame width in any frame.
    pub largest_face_to_frame_ratio: f64,
    /// Clip-level confidence that the face is bona fide, on the API's scale, 0..=1.
    pub not_spoof_confidence: f64,
    pub speech: SpeechEvidence,
    /// What the face does; null where the profile has no model that measures it.
    #[serde(default)]
    #[schema(required)]
    pub behaviour: Option<BehaviourEvidence>,
    /// The frames that were looked at closely, in order.
    pub samples: Vec<FrameSample>,
}

/// The video stream, upright.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({"fps": 30, "frames": 105, "width": 480, "height": 640, "duration_seconds": 3.5}))]
pub struct VideoInfo {
    /// Frames per second, rounded; the mean rate when it varies.
    pub fps: u32,
    /// How many frames were decoded, all of them looked at.
    pub frames: u32,
    pub width: u32,
    pub height: u32,
    pub duration_seconds: f64,
}

/// A frame on which models ran.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct FrameSample {
    /// Position in the stream, from 0.
    pub frame: u32,
    pub seconds: f64,
    pub num_faces: u32,
    #[schema(required)]
    pub bounds: Option<BoundingBox>,
    /// To the card's face, on the API's scale.
    #[schema(required)]
    pub distance: Option<f64>,
    /// To the clip's own reference face, on the API's scale.
    #[schema(required)]
    pub drift: Option<f64>,
    #[schema(required)]
    pub liveness: Option<LivenessEvidence>,
}

/// What a face does during a video: what no single picture tells.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct BehaviourEvidence {
    /// From the 5th to the 95th percentile of the mouth's opening; null when the face was seen for too short a time. A still
    /// photo's was 0.01, a speaker's 0.08 and more.
    #[schema(required)]
    pub mouth_movement: Option<f64>,
    /// Correlation, -1..=1, of the mouth's movements with what the sound foretells of them; null without a voice.
    #[schema(required)]
    pub lip_agreement: Option<f64>,
    /// The least difference between the movements of two parts of the video, forwards or backwards: 0 for a loop, about 1 for
    /// unrelated movements; null when too little moves.
    #[schema(required)]
    pub repetition: Option<f64>,
    /// How often the eyes closed for a moment; null when the face was seen for too short a time.
    #[schema(required)]
    pub blinks: Option<u32>,
    /// The face over time.
    pub gestures: Vec<FaceGesture>,
}

/// What a face does in one frame.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({"seconds": 0.467, "mouth_opening": 0.112, "eye_opening": 0.304}))]
pub struct FaceGesture {
    pub seconds: f64,
    /// Between the inner edges of the lips, in multiples of the distance between the eyes.
    pub mouth_opening: f64,
    /// Height over width, the mean of both eyes.
    pub eye_opening: f64,
}

/// What was heard.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SpeechEvidence {
    pub language: Language,
    /// Absent when the challenge that was named is unknown: nothing was scored then.
    pub expected: Option<Digits>,
    pub passed: bool,
    /// Seconds in which a voice was active.
    pub voice_seconds: f64,
    /// Probability mass on digits at the first position, 0..=1; null when no voice was found.
    #[schema(required)]
    pub digit_mass: Option<f64>,
    /// Sum of the six digits' log-probabilities given the audio; null when no voice was found.
    #[schema(required)]
    pub score: Option<f64>,
    /// Score of the expected code minus that of the best six-digit reading found; 0 when they are the same, else
    /// negative. Null when no voice was found.
    #[serde(default)]
    #[schema(required)]
    pub margin: Option<f64>,
    /// Each digit's log-probability.
    pub digit_scores: Vec<f64>,
    /// When each digit was spoken, where the code was heard and the clip's voice divides into exactly six stretches, one a
    /// digit; else empty, such as where digits run together. From voice activity alone, in steps of 32 ms.
    #[serde(default)]
    pub digit_times: Vec<TimeSpan>,
    /// The likeliest reading of the digits; null when none were heard.
    #[schema(required)]
    pub transcription: Option<Transcription>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reasons: Vec<String>,
}

/// A stretch of the clip, in seconds from its beginning.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({"start": 0.512, "end": 0.896}))]
pub struct TimeSpan {
    pub start: f64,
    pub end: f64,
}

/// Digits as they were heard.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({"confidence": 0.95, "transcript": "4 9 2 8 1 7"}))]
pub struct Transcription {
    /// How sure the recogniser is, 0..=1.
    pub confidence: f64,
    /// Digits separated by spaces.
    pub transcript: String,
}
