//! Voice activity: in which moments of a clip someone speaks, with Silero's detector in whisper.cpp.

use std::ops::Range;
use std::path::Path;

use countersign_shared::domain::TimeSpan;
use whisper_rs::{WhisperVadContext, WhisperVadContextParams};

use super::SAMPLE_RATE;
use super::engine::failed;
use crate::engines::EngineError;

/// Samples in one moment, the detector's step: 32 ms.
pub(super) const FRAME: usize = 512;

/// A moment counts as voice above this probability.
const VOICE: f32 = 0.5;

/// A gap of so many moments is a flicker inside a word, and a voice that lasts for fewer than that many is none.
const FLICKER: usize = 1;
const WORD_MIN: usize = 2;

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

    /// The stretches in which a voice is active without a gap, such as words that are spoken apart.
    pub(super) fn stretches(&self) -> Vec<TimeSpan> {
        let mut stretches: Vec<Range<usize>> = Vec::new();
        for (moment, _) in self.0.iter().enumerate().filter(|(_, probability)| **probability > VOICE) {
            match stretches.last_mut() {
                Some(last) if moment - last.end <= FLICKER => last.end = moment + 1,
                _ => stretches.push(moment..moment + 1),
            }
        }
        let seconds = |moment: usize| (moment * FRAME) as f64 / SAMPLE_RATE as f64;
        stretches
            .into_iter()
            .filter(|stretch| stretch.len() >= WORD_MIN)
            .map(|stretch| TimeSpan { start: seconds(stretch.start), end: seconds(stretch.end) })
            .collect()
    }
}

/// Seconds of voice in some moments.
pub(super) fn voice_seconds(probabilities: &[f32]) -> f64 {
    let frames = probabilities.iter().filter(|probability| **probability > VOICE).count();
    (frames * FRAME) as f64 / SAMPLE_RATE as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_told_apart_and_flicker_is_no_word() {
        let moments = [0.0, 0.9, 0.9, 0.1, 0.8, 0.0, 0.0, 0.7, 0.0, 0.0, 0.6, 0.6];
        let stretches = Activity::new(moments.to_vec()).stretches();
        let moments: Vec<_> =
            stretches.iter().map(|span| [span.start, span.end].map(|at| (at / 0.032).round())).collect();
        assert_eq!(moments, [[1.0, 5.0], [10.0, 12.0]]);
        assert!(Activity::new(Vec::new()).stretches().is_empty());
    }
}
