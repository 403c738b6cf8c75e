//! Speech: whether the expected code was spoken in a clip's sound.

use std::sync::Arc;

use countersign_shared::domain::{Digits, Language, SpeechEvidence};
use tokio_util::sync::CancellationToken;

use crate::engines::EngineError;
use crate::engines::speech::{SpeechLimits, SpeechRecogniser, silent};

/// The code that a clip should hold.
#[derive(Debug, Clone, Copy)]
pub struct SpokenCode {
    pub language: Language,
    /// Unknown when the challenge that was named is.
    pub expected: Option<Digits>,
}

/// `sound` is the clip's, mono at 16 kHz. A clip without any, or with nothing to listen for, fails the check and costs the
/// engine nothing.
pub fn listen(
    recogniser: &dyn SpeechRecogniser,
    sound: Option<Arc<[f32]>>,
    code: SpokenCode,
    limits: &SpeechLimits,
    cancel: &CancellationToken,
) -> Result<SpeechEvidence, EngineError> {
    let SpokenCode { language, expected } = code;
    let Some(expected) = expected else { return Ok(silent(language, None, 0.0, "no_digits_expected")) };
    match sound.filter(|samples| !samples.is_empty()) {
        Some(samples) => recogniser.assess(samples, language, expected, limits, cancel),
        None => Ok(silent(language, expected, 0.0, "no_audio")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engines::speech::FakeSpeech;

    const LIMITS: SpeechLimits =
        SpeechLimits { voice_seconds_min: 1.0, digit_mass_min: 0.08, score_min: -10.0, margin_min: -3.0 };

    fn heard(sound: Option<Arc<[f32]>>, expected: &str) -> SpeechEvidence {
        let spoken = "123456".parse().expect("six digits");
        let code = SpokenCode {
            language: "en-US".parse().expect("an accepted tag"),
            expected: Some(expected.parse().expect("six digits")),
        };
        listen(&FakeSpeech { spoken: Some(spoken) }, sound, code, &LIMITS, &CancellationToken::new())
            .expect("the fake answers")
    }

    #[test]
    fn a_clip_without_sound_fails_and_says_so() {
        for sound in [None, Some(Arc::from([]))] {
            let evidence = heard(sound, "123456");
            assert_eq!((evidence.passed, evidence.reasons), (false, vec!["no_audio".to_owned()]));
        }
    }

    #[test]
    fn nothing_is_heard_where_no_digits_are_expected() {
        let spoken = "123456".parse().expect("six digits");
        let code = SpokenCode { language: "en-US".parse().expect("an accepted tag"), expected: None };
        let sound: Arc<[f32]> = vec![0.1; 16_000].into();
        let (speech, cancel) = (FakeSpeech { spoken: Some(spoken) }, CancellationToken::new());
        let evidence = listen(&speech, Some(sound), code, &LIMITS, &cancel).expect("an answer");
        assert_eq!((evidence.passed, evidence.expected, evidence.score), (false, None, None));
        assert_eq!(evidence.reasons, ["no_digits_expected"]);
    }

    #[test]
    fn the_recogniser_decides_about_a_clip_with_sound() {
        let sound: Arc<[f32]> = vec![0.1; 16_000].into();
        assert!(heard(Some(Arc::clone(&sound)), "123456").passed);
        assert!(!heard(Some(sound), "654321").passed);
    }
}
