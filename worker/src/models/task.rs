//! What a model does and how it must be fed; a wrong order of channels or a wrong scale raises no error, only wrong
//! answers.

use serde::{Deserialize, Serialize};

use super::odds::{log_odds_within, sigmoid};

/// A model's work, with all that its stage must know.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Task {
    Detect(Detector),
    Embed(Embedder),
    Landmarks(LandmarkFinder),
    Liveness(LivenessJudge),
    Eyes(EyeJudge),
    Speech(Recogniser),
    VoiceActivity(VoiceDetector),
    Runtime(Runtime),
}

impl Task {
    /// As the manifest and `countersign models list` write it.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Detect(_) => "detect",
            Self::Embed(_) => "embed",
            Self::Landmarks(_) => "landmarks",
            Self::Liveness(_) => "liveness",
            Self::Eyes(_) => "eyes",
            Self::Speech(_) => "speech",
            Self::VoiceActivity(_) => "voice_activity",
            Self::Runtime(_) => "runtime",
        }
    }

    /// A number that would be divided by or turn everything around.
    pub(super) fn fault(&self) -> Option<&'static str> {
        let positive = |number: f64| number.is_finite() && number > 0.0;
        match self {
            Self::Detect(Detector { score_scale: Some(scale), .. })
                if !(positive(scale.slope) && scale.shift.is_finite()) =>
            {
                Some("has a score scale whose slope is not more than 0, or whose shift is no number")
            }
            Self::Landmarks(finder) if !positive(finder.mouth_scale.into()) => {
                Some("has a mouth scale that is not more than 0")
            }
            _ => None,
        }
    }
}

/// The order of a picture's planes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Channels {
    Rgb,
    Bgr,
    Grey,
}

/// How pixels become numbers: `(value - mean) / divisor`, values 0 to 255, planes in the order of `channels`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scaling {
    pub channels: Channels,
    pub mean: f32,
    pub divisor: f32,
}

/// Finds faces: boxes with five points.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Detector {
    pub family: DetectorFamily,
    /// Sides of the square canvas that the graph takes, in pixels, most accurate first.
    pub sizes: Vec<u32>,
    pub channels: Channels,
    pub mean: f32,
    pub divisor: f32,
    /// A box with a lower score is no face, 0 to 1.
    pub score_threshold: f32,
    /// Of two boxes whose intersection over union is higher, the weaker is dropped, 0 to 1.
    pub overlap_threshold: f32,
    /// What makes the model's scores comparable with SCRFD's, for which the limits of the search were chosen.
    pub score_scale: Option<ScoreScale>,
    /// A face that is wider on the canvas, in pixels, is looked at again on the smallest one: some models' points are the less
    /// exact the larger a face is.
    pub widest: Option<u32>,
}

/// A score's log-odds are multiplied by `slope`, and `shift` is added.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScoreScale {
    pub slope: f64,
    pub shift: f64,
}

impl ScoreScale {
    /// The model's own score, 0 to 1, on the scale.
    pub fn scaled(self, own: f32) -> f32 {
        sigmoid(log_odds_within(own.into(), MARGIN) * self.slope + self.shift) as f32
    }

    /// The model's own score that is this one on the scale.
    pub fn own(self, scaled: f32) -> f32 {
        sigmoid((log_odds_within(scaled.into(), MARGIN) - self.shift) / self.slope) as f32
    }
}

/// A score so near to 0 or 1 that no digits are left counts as the nearest one that has some.
const MARGIN: f64 = f32::EPSILON as f64;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DetectorFamily {
    Retinaface,
    Scrfd,
}

/// Turns an aligned face into a vector.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Embedder {
    pub family: EmbedderFamily,
    /// Side of the aligned square, in pixels.
    pub size: u32,
    pub channels: Channels,
    pub mean: f32,
    pub divisor: f32,
    /// Length of the vector.
    pub dimensions: usize,
    /// The raw L2 distance of unit vectors, 0 to 2, that is reported as 0.9.
    pub operating_distance: f64,
    /// Measured: what a distance limit lets through.
    pub operating_points: Vec<OperatingPoint>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EmbedderFamily {
    /// Aligned by a similarity transform of five points to the 112x112 template.
    Arcface,
    /// Aligned likewise to dlib's mean face in 150x150.
    Dlib,
}

/// At this raw L2 distance as the limit, this fraction of impostor pairs passes.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OperatingPoint {
    pub false_match_rate: f64,
    pub distance: f64,
}

/// Finds points inside a face's box.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LandmarkFinder {
    pub family: LandmarkFamily,
    /// Side of the square crop as fed, in pixels.
    pub size: u32,
    /// The crop's side as a multiple of the box's longer side.
    pub crop_scale: f32,
    pub channels: Channels,
    pub mean: f32,
    pub divisor: f32,
    /// Points in the answer, two numbers each.
    pub points: usize,
    /// What the distances between lips are multiplied by: models differ in how far they see them part, and the limits were
    /// chosen with 2d106det.
    #[serde(default = "whole")]
    pub mouth_scale: f32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LandmarkFamily {
    /// 106 points in [-1, 1] of the crop, in the order of `InsightFace`'s 2d106det.
    #[serde(rename = "insightface_106")]
    Insightface106,
}

/// Tells a live face from a print, a screen or a mask.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LivenessJudge {
    pub crop: LivenessCrop,
    /// The crop's size as multiples of the box, each a look of its own.
    pub scales: Vec<f32>,
    /// What the box's height is multiplied by first, about its centre: detectors differ in how much of forehead and chin
    /// is in theirs.
    #[serde(default = "whole")]
    pub box_height: f32,
    /// Side of the square as fed, in pixels.
    pub size: u32,
    pub channels: Channels,
    pub mean: f32,
    pub divisor: f32,
    /// Length of the answer, before softmax.
    pub logits: usize,
    /// Which logit stands for a live person.
    pub bona_fide_class: usize,
    /// The probability of the bona fide class, 0 to 1, at the operating point.
    pub threshold: f32,
}

const fn whole() -> f32 {
    1.0
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LivenessCrop {
    /// The box scaled about its centre, moved to lie in the picture; the scale shrinks when the picture is too small.
    Shift,
    /// A square, its side a multiple of the box's longer side, zero padded outside the picture.
    SquarePad,
}

/// Tells an open eye from a closed one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EyeJudge {
    /// Side of the square crop as fed, in pixels.
    pub size: u32,
    /// The crop's side as a multiple of the eye's width, corner to corner.
    pub crop_scale: f32,
    pub channels: Channels,
    pub mean: f32,
    pub divisor: f32,
    pub logits: usize,
}

/// Recognises speech, 16 kHz mono.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recogniser {
    pub family: RecogniserFamily,
    /// Whether it knows languages other than English.
    pub multilingual: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RecogniserFamily {
    Whisper,
}

/// Tells voice from silence and noise, 16 kHz mono.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VoiceDetector {
    pub family: VoiceDetectorFamily,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VoiceDetectorFamily {
    Silero,
}

/// ONNX Runtime's shared library.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Runtime {
    /// The processor that it is built for, as `std::env::consts::ARCH` writes it.
    pub architecture: String,
}

impl Runtime {
    pub fn fits_this_machine(&self) -> bool {
        self.architecture == std::env::consts::ARCH
    }
}

macro_rules! scaling {
    ($($fed:ty),*) => {$(
        impl $fed {
            pub const fn scaling(&self) -> Scaling {
                Scaling { channels: self.channels, mean: self.mean, divisor: self.divisor }
            }
        }
    )*};
}

scaling!(Detector, Embedder, LandmarkFinder, LivenessJudge, EyeJudge);
