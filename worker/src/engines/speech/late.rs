//! An engine that is loaded when the first clip comes: who verifies photos alone never pays for it.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use countersign_shared::domain::{Digits, Language, SpeechEvidence};
use tokio_util::sync::CancellationToken;

use super::{SpeechEngine, SpeechLimits, SpeechRecogniser};
use crate::engines::EngineError;

/// What [`SpeechEngine::load`] needs, and the engine once it was needed. A failure to load is the clip's that it was for; the
/// next one tries again.
pub struct LateSpeech {
    model: PathBuf,
    voice: PathBuf,
    sessions: usize,
    engine: Mutex<Option<Arc<SpeechEngine>>>,
}

impl LateSpeech {
    pub const fn new(model: PathBuf, voice: PathBuf, sessions: usize) -> Self {
        Self { model, voice, sessions, engine: Mutex::new(None) }
    }

    /// Clips that come meanwhile wait for the same engine.
    fn engine(&self) -> Result<Arc<SpeechEngine>, EngineError> {
        let mut engine = self.engine.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(engine) = engine.as_ref() {
            return Ok(Arc::clone(engine));
        }
        let loaded = Arc::new(SpeechEngine::load(&self.model, &self.voice, self.sessions)?);
        *engine = Some(Arc::clone(&loaded));
        Ok(loaded)
    }
}

impl SpeechRecogniser for LateSpeech {
    fn assess(
        &self,
        samples: Arc<[f32]>,
        language: Language,
        expected: Digits,
        limits: &SpeechLimits,
        cancel: &CancellationToken,
    ) -> Result<SpeechEvidence, EngineError> {
        self.engine()?.assess(samples, language, expected, limits, cancel)
    }
}
