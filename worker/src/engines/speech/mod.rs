//! Speech: was the expected code spoken? Voice activity and forced scoring of digits, with whisper.cpp.
//!
//! - `engine`: the owner threads and their bounded channel; `late`: the same, loaded when it is needed; `device`: where it runs.
//! - `recogniser`: one thread's states, and the order of its work on one clip.
//! - `voice`, `window`: where someone speaks, and which stretches are worth hearing.
//! - `scoring`: how well a code explains the sound; `tokens`: the model's vocabulary for it.
//! - `reading`, `words`, `pairs`: the digits that a free transcript names.
//! - `verdict`: what the numbers mean against the limits.

mod device;
mod engine;
#[cfg(test)]
mod fake;
mod late;
mod pairs;
mod reading;
mod recogniser;
mod scoring;
mod tokens;
mod verdict;
mod voice;
mod window;
mod words;

use std::sync::Arc;

use countersign_shared::config;
use countersign_shared::domain::{Digits, Language, SpeechEvidence};
use tokio_util::sync::CancellationToken;

pub use device::{InvalidSpeechDevice, SpeechDevice};
pub use engine::SpeechEngine;
#[cfg(test)]
pub use fake::FakeSpeech;
pub use late::LateSpeech;
pub use verdict::silent;

use super::EngineError;

/// Samples per second that [`SpeechRecogniser::assess`] expects.
pub const SAMPLE_RATE: usize = 16_000;

/// Tells whether a code was spoken.
pub trait SpeechRecogniser: Send + Sync {
    /// Weighs `samples` (mono, [`SAMPLE_RATE`] a second, each -1..=1) against the expected code. Blocking: waits for a
    /// free thread of the engine and then for its answer, and gives up when `cancel` is set.
    fn assess(
        &self,
        samples: Arc<[f32]>,
        language: Language,
        expected: Digits,
        limits: &SpeechLimits,
        cancel: &CancellationToken,
    ) -> Result<SpeechEvidence, EngineError>;
}

/// What was made of one clip.
#[derive(Debug, Clone, PartialEq)]
pub struct Heard {
    /// For each code that was asked about, in their order.
    pub evidence: Vec<SpeechEvidence>,
    /// The digits that the free transcript of the first window names, any number of them.
    pub named: Vec<u8>,
    /// The six digits that explain that window best; none where nothing was scored.
    pub likeliest: Vec<u8>,
}

/// What a clip must reach, all four, for the code to count as spoken.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SpeechLimits {
    /// Seconds in which a voice is active.
    pub voice_seconds_min: f64,
    /// Probability mass on digits where the first digit is expected, 0..=1.
    pub digit_mass_min: f64,
    /// Sum of the six digits' natural log-probabilities, at most 0.
    pub score_min: f64,
    /// That sum minus the best reading's, at most 0.
    pub margin_min: f64,
}

impl From<&config::Pipeline> for SpeechLimits {
    fn from(pipeline: &config::Pipeline) -> Self {
        Self {
            voice_seconds_min: pipeline.voice_seconds_min,
            digit_mass_min: pipeline.digit_mass_min,
            score_min: pipeline.speech_score_min,
            margin_min: pipeline.speech_margin_min,
        }
    }
}
