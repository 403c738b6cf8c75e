//! A recogniser that is loaded when the first clip comes: who verifies photos alone never pays for it.

use std::sync::{Arc, Mutex, PoisonError};

use countersign_shared::domain::{Digits, Language, SpeechEvidence};
use tokio_util::sync::CancellationToken;

use super::{SpeechLimits, SpeechRecogniser};
use crate::engines::EngineError;

/// Loads a recogniser.
type Load = dyn Fn() -> Result<Arc<dyn SpeechRecogniser>, EngineError> + Send + Sync;

/// How to load a recogniser, and the recogniser once one was needed. A failure to load is the clip's that it was for; the next one
/// tries again.
pub struct LateSpeech {
    load: Box<Load>,
    loaded: Mutex<Option<Arc<dyn SpeechRecogniser>>>,
}

impl LateSpeech {
    pub fn new(
        load: impl Fn() -> Result<Arc<dyn SpeechRecogniser>, EngineError> + Send + Sync + 'static,
    ) -> Self {
        Self { load: Box::new(load), loaded: Mutex::new(None) }
    }

    /// Clips that come meanwhile wait for the same recogniser.
    fn recogniser(&self, cancel: &CancellationToken) -> Result<Arc<dyn SpeechRecogniser>, EngineError> {
        let mut loaded = self.loaded.lock().unwrap_or_else(PoisonError::into_inner);
        // Looked at only now: a clip may have waited here.
        if cancel.is_cancelled() {
            return Err(EngineError::Cancelled);
        }
        if let Some(recogniser) = loaded.as_ref() {
            return Ok(Arc::clone(recogniser));
        }
        let recogniser = (self.load)()?;
        *loaded = Some(Arc::clone(&recogniser));
        Ok(recogniser)
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
        self.recogniser(cancel)?.assess(samples, language, expected, limits, cancel)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::engines::speech::FakeSpeech;

    const LIMITS: SpeechLimits =
        SpeechLimits { voice_seconds_min: 0.0, digit_mass_min: 0.0, score_min: -9.0, margin_min: -9.0 };

    /// A recogniser that fails to load the first time, and how often loading was tried.
    fn late() -> (LateSpeech, Arc<AtomicUsize>) {
        let tried = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&tried);
        let late = LateSpeech::new(move || match counted.fetch_add(1, Ordering::Relaxed) {
            0 => Err(EngineError::Failed { engine: "speech", detail: "no memory".to_owned() }),
            _ => Ok(Arc::new(FakeSpeech { spoken: None })),
        });
        (late, tried)
    }

    fn assess(late: &LateSpeech, cancel: &CancellationToken) -> Result<SpeechEvidence, EngineError> {
        let code = "123456".parse().expect("six digits");
        late.assess(Arc::new([0.0; 160]), "en-US".parse().expect("an accepted tag"), code, &LIMITS, cancel)
    }

    #[test]
    fn a_recogniser_that_could_not_be_loaded_is_tried_again_for_the_next_clip_and_then_kept() {
        let (late, tried) = late();
        let go_on = CancellationToken::new();
        assert!(matches!(assess(&late, &go_on), Err(EngineError::Failed { .. })));
        assert!(assess(&late, &go_on).is_ok());
        assert!(assess(&late, &go_on).is_ok());
        assert_eq!(tried.load(Ordering::Relaxed), 2);
    }

    #[test]
    fn nothing_is_loaded_for_a_clip_that_was_given_up() {
        let (late, tried) = late();
        let given_up = CancellationToken::new();
        given_up.cancel();
        assert!(matches!(assess(&late, &given_up), Err(EngineError::Cancelled)));
        assert_eq!(tried.load(Ordering::Relaxed), 0);
    }
}
