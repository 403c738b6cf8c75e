//! A recogniser for tests of what stands above it.

use std::sync::Arc;

use countersign_shared::domain::{Digits, Language, SpeechEvidence};
use tokio_util::sync::CancellationToken;

use super::verdict::silent;
use super::{SpeechLimits, SpeechRecogniser};
use crate::engines::EngineError;

/// Says of every clip that it holds the same digits, or none.
#[derive(Debug, Clone, Copy)]
pub struct FakeSpeech {
    pub spoken: Option<Digits>,
}

impl SpeechRecogniser for FakeSpeech {
    fn assess(
        &self,
        samples: Arc<[f32]>,
        language: Language,
        expected: Digits,
        _limits: &SpeechLimits,
        cancel: &CancellationToken,
    ) -> Result<SpeechEvidence, EngineError> {
        if cancel.is_cancelled() {
            return Err(EngineError::Cancelled);
        }
        let seconds = samples.len() as f64 / super::SAMPLE_RATE as f64;
        let mut evidence = silent(language, expected, seconds, "no_voice");
        if let Some(spoken) = self.spoken {
            evidence.passed = spoken == expected;
            evidence.digit_mass = Some(0.9);
            evidence.score = Some(if evidence.passed { -0.6 } else { -40.0 });
            evidence.margin = Some(if evidence.passed { 0.0 } else { -39.0 });
            evidence.reasons = if evidence.passed { Vec::new() } else { vec!["other_digits".to_owned()] };
        }
        Ok(evidence)
    }
}
