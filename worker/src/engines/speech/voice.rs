//! Voice activity: in which moments of a clip someone speaks, with Silero's detector in whisper.cpp.

use std::path::Path;

use whisper_rs::{WhisperVadContext, WhisperVadContextParams};

use super::SAMPLE_RATE;
use super::engine::failed;
use crate::engines::EngineError;

/// Samples in one moment, the detector's step: 32 ms.
pub(super) const FRAME: usize = 512;

/// A moment counts as voice above this probability.
const VOICE: f32 = 0.5;

/// One thread's detector. It starts every clip from a cleared state.
pub(super) struct VoiceDetector {
    context: WhisperVadContext,
}

/// The probability of voice in each moment of a clip, 0..=1, [`FRAME`] samples each.
pub(super) struct Activity(Vec<f32>);

impl VoiceDetector {
    pub(super) fn load(path: &Path) -> Result<Self, EngineError> {
        let text = path.to_str().ok_or_else(|| failed("the detector's path is not UTF-8"))?;
        let mut settings = WhisperVadContextParams::default();
        settings.set_n_threads(1);
        let context = WhisperVadContext::new(text, settings)
            .map_err(|error| failed(format!("failed to load `{text}`: {error}")))?;
        Ok(Self { context })
    }

    /// An empty clip has no moments.
    pub(super) fn listen(&mut self, samples: &[f32]) -> Result<Activity, EngineError> {
        if samples.is_empty() {
            return Ok(Activity(Vec::new()));
        }
        self.context.detect_speech(samples).map_err(failed)?;
        Ok(Activity(self.context.probabilities().to_vec()))
    }
}

impl Activity {
    #[cfg(test)]
    pub(super) const fn new(probabilities: Vec<f32>) -> Self {
        Self(probabilities)
    }

    pub(super) fn probabilities(&self) -> &[f32] {
        &self.0
    }

    /// Seconds in which a voice is active.
    pub(super) fn seconds(&self) -> f64 {
        voice_seconds(&self.0)
    }
}

/// Seconds of voice in some moments.
pub(super) fn voice_seconds(probabilities: &[f32]) -> f64 {
    let frames = probabilities.iter().filter(|probability| **probability > VOICE).count();
    (frames * FRAME) as f64 / SAMPLE_RATE as f64
}
